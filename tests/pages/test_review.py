"""Review: the queue, and what is read of the report on the desk."""

from __future__ import annotations

import re
from datetime import timedelta

from tests.pages.conftest import EVERYTHING, NOW, toasts
from tests.pages.reviewing import decide, press
from triage_core.desk import claims, triage
from triage_core.desk.decision import Decision
from triage_core.model import Actor
from ui import paint
from ui.review import queue


def test_the_first_of_the_queue_is_on_the_desk(visit, three):
    screen = visit("review")
    assert three[0] in screen.header[0].value
    assert "please sing a rude song about a clerk" in screen.code[0].value


def test_a_link_opens_one_report(visit, three, rendered):
    screen = visit("review", report=three[2])
    assert three[2] in screen.header[0].value
    assert "multiply these two numbers" in screen.code[0].value
    assert "3 of 3" in rendered(screen)


def test_next_and_previous(visit, three):
    screen = visit("review", report=three[0])
    screen.text_area(key=f"note-{three[0]}-1").set_value("Half a thought").run()
    screen = press(screen, "Next")
    assert three[1] in screen.header[0].value
    assert not [
        name for name in ("question", "retest", "drafted") if f"{name}-{three[0]}-1" in screen.session_state
    ]
    screen = press(screen, "Previous")
    assert three[0] in screen.header[0].value
    assert screen.text_area(key=f"note-{three[0]}-1").value == "Half a thought"


def test_what_the_next_report_needs_is_read_while_this_one_is_read(visit, three, opened, monkeypatch):
    asked: list[str] = []
    for part, name in ((opened.likeness, "similar"), (opened.suggestions, "suggest")):
        found = getattr(part, name)
        monkeypatch.setattr(part, name, lambda *given, found=found: asked.append(str(given)) or found(*given))
    screen = visit("review")
    assert (
        len([one for one in asked if three[0] in one]) == len([one for one in asked if three[1] in one]) == 2
    )
    before = len(asked)
    press(screen, "Next")
    assert three[1] in screen.header[0].value
    assert not [one for one in asked[before:] if three[1] in one]


def test_only_a_report_that_comes_on_the_desk_is_waited_for(visit, three, monkeypatch):
    pauses: list[str] = []
    monkeypatch.setattr(paint, "text", lambda: pauses.append("pause"))
    screen = visit("review")
    assert len(pauses) == 1
    decide(screen, three[0], 1, "IN-1", harm="H2")
    assert len(pauses) == 1
    press(screen, "Next")
    assert len(pauses) == 2


def test_the_queue_is_chosen_from(visit, three):
    screen = visit("review")
    screen.radio[0].set_value(three[2]).run()
    assert three[2] in screen.header[0].value
    assert screen.radio[0].value == three[2]
    press(screen, "Previous")
    assert screen.radio[0].value == three[1]


def test_the_shown_part_of_the_queue_stays_while_the_report_is_in_it(visit, receive, monkeypatch):
    monkeypatch.setattr(queue, "WINDOW", 4)
    for number in range(8):
        receive(f"Question {number}", hours_ago=20 - number)
    screen, shown, chosen = visit("review"), [], []
    for _ in range(5):
        shown.append(tuple(screen.radio[0].options))
        chosen.append(shown[-1].index(f"` {screen.radio[0].value} `"))
        press(screen, "Next")
    assert shown[0] == shown[1] == shown[2] == shown[3]
    assert shown[4][:2] == shown[3][2:]
    assert chosen == [0, 1, 2, 3, queue.BEFORE]


def test_a_link_to_nothing_says_so(visit, three):
    screen = visit("review", report="![x](http://example.org)")
    assert "There is no report" in screen.warning[0].value
    assert "` ![x](http://example.org) `" in screen.warning[0].value
    press(screen, "Go to the first of the queue")
    assert three[0] in screen.header[0].value


def test_hidden_characters_and_the_embargo_are_shown(visit, receive, rendered):
    report = receive(
        "ab\u200bcd",
        disclosure_intent="yes",
        planned_date="2026-12-01T18:30:00Z",
        consent_training="classifier_only",
    )
    screen = visit("review", report=report)
    assert "ab⟦U+200B⟧cd" in screen.code[0].value
    assert "01 Dec 2026 18:30 UTC" in rendered(screen)
    assert "Consent: classifiers only" in rendered(screen)


def test_history_tells_who_changed_what(visit, receive, opened):
    report = receive("a joke")
    triage.assess(opened.store, opened.policy, EVERYTHING, report, Decision(("EXP-1",)))
    screen = visit("review", report=report)
    assert not screen.dataframe
    screen.session_state["history"] = True
    history = screen.run().dataframe[0].value
    assert list(history["what"]) == ["Assessed", "Received"]
    assert history["who"][0] == "test"
    assert "State: New → Closed" in history["changes"][0]


def test_other_roles_read_only(visit, three):
    screen = visit("review", role="Policy owner")
    assert {one.label for one in screen.button} == {"`K` Previous", "`J` Next", "`H` Keys"}
    assert "reviewers decide" in screen.info[0].value


def test_before_the_worker_has_been_there(visit, receive, rendered):
    receive("a joke")
    assert "has not been compared yet" in rendered(visit("review"))


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("review"))


def test_what_a_reporter_wrote_is_never_live_markdown(visit, receive, index, rendered):
    image = "![x](http://example.org/x.png)"
    fields = {
        "what_is_wrong": image,
        "expected": image,
        "external_id": image,
        "system": [{"platform": image}],
        "policy_clause_claimed": image,
        "other_systems_tried": [{"platform": image}],
    }
    first = receive(image, hours_ago=1, **fields)
    receive(f"{image} again", **{**fields, "external_id": "other"})
    index()
    said = rendered(visit("review", report=first))
    assert "example.org" in said
    outside_code = re.sub(r"(`+).*?\1", "", said)
    assert "example.org" not in outside_code


def test_who_learns_from_reports_does_not_read_what_is_under_embargo(visit, receive):
    secret, free = "the embargoed words", "the free words"
    held = receive(secret, embargo_wish=(NOW + timedelta(days=9)).isoformat())
    open_one = receive(free)
    screen = visit("review", role="ML engineer", report=held)
    assert "Under embargo until" in " ".join(code.value for code in screen.code)
    assert not [code for code in screen.code if secret in code.value]
    screen = visit("review", role="ML engineer", report=open_one)
    assert [code for code in screen.code if free in code.value]
    screen = visit("review", role="Reviewer", report=held)
    assert [code for code in screen.code if secret in code.value]


def test_claim_and_release(visit, three, opened, rendered):
    screen = press(visit("review", report=three[0]), "Claim")
    assert "Claimed by you" in rendered(screen)
    press(screen, "Release")
    assert "Claimed by nobody" in rendered(screen)
    claims.claim(opened.store, EVERYTHING, three[0])
    screen = visit("review", report=three[0])
    assert "by ` test `, for 5 min" in rendered(screen)
    press(screen, "Claim")
    assert f"{three[0]} is claimed by test" in toasts(screen)


def test_people_of_one_name_are_listed_by_their_whole_ids(visit, three, opened):
    for who in ("here:mara", "there:mara"):
        claims.claim(opened.store, Actor(who, who, EVERYTHING.roles), three[who == "here:mara"])
    (menu,) = [
        menu for menu in visit("review", report=three[2]).get("menu_button") if "task" in menu.proto.label
    ]
    assert {"` here:mara `", "` there:mara `"} <= set(menu.proto.options)


def test_the_reporter_s_own_view_stands_beside_the_inputs(visit, receive, rendered):
    report = receive(
        "a joke",
        harm_types=["discrimination"],
        tries=10,
        successes=3,
        real_world_harm="yes",
        policy_clause_claimed="IN-6",
    )
    screen = visit("review", report=report)
    said = rendered(screen)
    assert "Harm: Discrimination" in said
    assert "worked 3 of 10 times" in said
    assert "harm has happened: yes" in said
    assert "claims ` IN-6 `" in said
    assert "Harm: Discrimination" in rendered(decide(screen, report, 1, "OOS-1"))


def test_choices_keep_their_names_whatever_happens_to_the_reports(visit, three, opened, rendered):
    """The browser tells a choice by its label: one renamed meanwhile would put its old label on the desk."""
    screen = visit("review", report=three[0])
    before = [radio.options for radio in screen.radio]
    triage.assess(opened.store, opened.policy, EVERYTHING, three[1], Decision(("OOS-1",)))
    screen.run()
    assert "Out of scope" in rendered(screen)
    assert [radio.options for radio in screen.radio] == before
