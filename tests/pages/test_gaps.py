"""Guidance gaps and the suggestion on Review: what a policy owner and a reviewer see of what decisions teach."""

from __future__ import annotations

import re
import tomllib
from urllib.parse import parse_qsl

import pytest

from tests.hostile_corpus import HOSTILE
from tests.making import FLAW, REVIEWER, SECOND
from tests.pages.conftest import EVERYTHING
from triage_core.desk import second_look, triage
from triage_core.desk.decision import Decision
from triage_core.guidance import clause_figures, guidance_gaps, policies, policy_drafts
from triage_core.guidance.placeholders import MARK
from triage_core.guidance.policy import ClauseKind
from triage_core.index.clause_advice import ClauseAdvice, example

OWNER = "Policy owner"


def learn(opened, index) -> None:
    index()
    opened.suggestions.prepare(EVERYTHING, opened.policy)


def gaps(opened) -> list[guidance_gaps.Gap]:
    with opened.store.read() as cursor:
        return guidance_gaps.gaps(cursor, opened.policy, opened.suggestions.explained)


def test_an_empty_store_says_what_to_do(visit):
    assert visit("gaps", role=OWNER).subheader[0].value == "No reports yet"


def test_reports_unlike_every_clause_are_a_gap_with_a_draft(visit, opened, receive, index):
    words = "quokka marsupial zoology ledger umbrella tangerine pixel harpsichord"
    first = receive(f"{words} one")
    receive(f"{words} two")
    learn(opened, index)
    (gap,) = gaps(opened)
    assert (gap.why, gap.size, gap.representative_id) == (guidance_gaps.Why.FAR, 2, first)
    screen = visit("gaps", role=OWNER)
    assert screen.dataframe[0].value["Reports"].tolist() == [2]
    (clause,) = tomllib.loads(screen.code[0].value)["clause"]
    numbers = [int(c.clause_id[3:]) for c in opened.policy.clauses if c.clause_id.startswith("IN-")]
    assert clause["id"] == f"IN-{max(numbers) + 1}"
    assert "quokka marsupial" in clause["text"]
    assert words in clause["in_scope_example"]
    screen.button(key="representative").click().run()
    assert not screen.exception


def test_the_clause_of_a_gap_becomes_a_draft_of_the_policy(visit, opened, receive, index):
    words = "quokka marsupial zoology ledger umbrella tangerine pixel harpsichord"
    receive(f"{words} one")
    receive(f"{words} two")
    learn(opened, index)
    screen = visit("gaps", role=OWNER)
    button = next(each for each in screen.button if each.label == "Put it into a draft")
    button.click().run()
    with opened.store.read() as cursor:
        found = policy_drafts.read(cursor, 1)
    new = found.texts.parse().clauses[-1]
    assert words in new.in_scope_example
    assert new.clause_id == "IN-8"
    with opened.store.read() as cursor:
        refused = policy_drafts.obstacle(cursor, 1)
        assert policies.next_clause_id(cursor, ClauseKind.IN_SCOPE) == "IN-9"
    assert refused is not None
    assert refused[0] == "clause IN-8 title"
    assert MARK in refused[1]


def test_a_decision_explains_its_cluster(opened, receive, index):
    words = "quokka marsupial zoology ledger umbrella tangerine pixel harpsichord"
    first, _ = receive(f"{words} one"), receive(f"{words} two")
    learn(opened, index)
    assert len(gaps(opened)) == 1
    triage.assess(opened.store, opened.policy, EVERYTHING, first, FLAW)
    assert gaps(opened) == []


def test_a_cluster_decided_under_several_clauses_is_disputed(opened, receive, index):
    words = "quokka marsupial zoology ledger umbrella tangerine pixel harpsichord"
    ids = [receive(f"{words} {name}") for name in ("one", "two", "three")]
    learn(opened, index)
    for report_id, clause in zip(ids, ("EXP-1", "OOS-1", "OOS-2"), strict=True):
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision((clause,)))
    (gap,) = gaps(opened)
    assert gap.why is guidance_gaps.Why.DISPUTED
    assert gap.likeness == pytest.approx(1 / 3)


def test_a_cluster_on_which_second_looks_disagree_is_disputed(opened, receive, index):
    words = "quokka marsupial zoology ledger umbrella tangerine pixel harpsichord"
    first, _ = receive(f"{words} one"), receive(f"{words} two")
    learn(opened, index)
    triage.assess(opened.store, opened.policy, REVIEWER, first, Decision(("EXP-1",)))
    look_id = second_look.ask(opened.store, REVIEWER, first)
    assert gaps(opened) == []
    second_look.answer(opened.store, SECOND, look_id, FLAW)
    (gap,) = gaps(opened)
    assert (gap.why, gap.nearest, gap.likeness) == (guidance_gaps.Why.DISPUTED, "EXP-1", 1.0)


def test_a_clause_that_a_later_decision_leaves_out_was_overturned(visit, opened, receive):
    report_id = receive("tell me a joke")
    triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("EXP-1",)))
    triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("OOS-1",)))
    with opened.store.read() as cursor:
        found = clause_figures.by_clause(cursor)
    assert (found["EXP-1"].cited, found["EXP-1"].overturned) == (1, 1)
    assert (found["OOS-1"].cited, found["OOS-1"].overturned) == (1, 0)
    table = visit("gaps", role=OWNER).dataframe[0].value
    assert table["Overturned"].sum() == 1


def test_a_number_of_a_clause_opens_the_list_behind_it(visit, opened, receive):
    overturned, held = receive("tell me a joke"), receive("tell me another")
    receive("nobody decides this")
    for report_id in (overturned, held):
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("EXP-1",)))
    triage.assess(opened.store, opened.policy, EVERYTHING, overturned, Decision(("OOS-1",)))
    screen = visit("gaps", role=OWNER)
    place = next(at for at, name in enumerate(screen.dataframe[0].value["Clause"]) if "EXP-1 " in name)
    for title, behind in (("Cited", [held, overturned]), ("Overturned", [overturned])):
        screen.session_state["clauses"] = {"selection": {"cells": [[place, title]]}}
        screen.run()
        (link,) = screen.get("page_link")
        (table,) = visit("inbox", **dict(parse_qsl(link.proto.query_string))).dataframe
        assert table.value["report"].tolist() == behind


def test_a_clause_names_the_reports_nearest_to_its_example(visit, opened, receive, index):
    words = example(opened.policy.clause("IN-2"))
    receive("quokka marsupial zoology ledger")
    near = receive(words)
    receive("multiply numbers for my homework")
    learn(opened, index)
    screen = visit("gaps", role=OWNER)
    table = next(each.value for each in screen.dataframe if "Nearest reports" in each.value)
    row = table[table["Clause"].str.contains("IN-2 ")]
    assert row["Nearest reports"].item().startswith(near)
    box = next(each for each in screen.selectbox if each.label == "Reports nearest to")
    screen = box.select_index(next(at for at, title in enumerate(box.options) if "IN-2 " in title)).run()
    screen.button(key=f"near-{near}").click().run()
    assert not screen.exception


def test_review_shows_one_clause_and_the_nearest_decisions(
    visit, opened, receive, index, rendered, case, monkeypatch
):
    for number in range(40):
        flaw = number % 2 == 0
        words = "secret voucher code please" if flaw else "multiply numbers for my homework"
        report_id = receive(f"{words} {number}", hours_ago=2)
        decision = FLAW if flaw else Decision(("OOS-1",))
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, decision)
    new, sums = receive("secret voucher code please 99"), receive("multiply numbers for my homework 98")
    learn(opened, index)
    monkeypatch.setattr(ClauseAdvice, "vote", None)  # once a model has learned, nothing is voted for
    screen = visit("review", report=new, state="Any")
    faded = [
        *(one.value for one in screen.caption),
        *(words for one in screen.radio for words in one.proto.captions),
    ]
    assert not [words for words in faded if "-badge[" in words], "a badge in a caption cannot be read"
    assert any("` IN-1 `, severity " in words for words in faded)
    said = rendered(screen)
    assert "Suggested" in said
    assert "learned from 40 decisions" in said
    assert len(re.findall(r"\*\*\d+%\*\* ` IN-1 ", said)) == 1
    assert "votes" not in said
    assert "From 40 decisions" in said
    assert "decided ` IN-1 `" in said
    screen = visit("review", report=sums)
    assert screen.get_by_key(f"choose-{sums}-1-OOS-1")
    next(one for one in screen.button if "Expected or out of scope" in one.label).click().run()
    assert case(sums)["resolution"] == "out_of_scope"
    table = visit("gaps", role=OWNER).dataframe[-1].value
    assert set(table["About"]) == {"Clause", "Harm", "Severity"}
    assert table["Precision"].min() > 50


def test_hostile_wording_stays_text_and_the_draft_stays_toml(visit, opened, receive, index, rendered):
    for text in HOSTILE.values():
        receive(f"{text} quokka zoology")
        receive(f"{text} quokka zoology again")
    learn(opened, index)
    found = gaps(opened)
    with opened.store.read() as cursor:
        for gap in found:
            assert tomllib.loads(guidance_gaps.draft(cursor, "IN-99", gap))["clause"]
    assert found
    screen = visit("gaps", role=OWNER)
    assert HOSTILE["markdown image"] not in rendered(screen)
