"""Second looks: who is drawn, who may answer, what a look costs the case, and how far two agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import cases, db, queries, told, trends, verification
from triage_core.counted import OF_CLAUSES, Counted
from triage_core.desk import bulk, looks, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.guidance import clause_figures, policies
from triage_core.model import Actor, DeskRole, Severity, SeverityInputs
from triage_core.queries import Filter, Sort
from triage_core.store import Store
from triage_core.trends import Window

INES = Actor("test:ines", "Ines", REVIEWER.roles)
JON = Actor("test:jon", "Jon", REVIEWER.roles)
OWNER = Actor("test:olu", "Olu", frozenset({DeskRole.POLICY_OWNER}))
OUT = Decision(clauses=("OOS-1",))
CRITICAL = replace(FLAW, override=Severity.CRITICAL, override_reason="seen in use")
NEVER, ALWAYS = replace(POLICY, second_look_share=0.0), replace(POLICY, second_look_share=1.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    policies.publish(opened, EVERYBODY, POLICY)
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 4)))
    yield opened
    with opened.read() as cursor:
        assert told.disagreements(cursor) == []
    verification.verify(opened)
    opened.close()


def decide(store: Store, decision: Decision = FLAW, *, actor: Actor = REVIEWER, policy: Any = NEVER) -> int:
    """A decision on FR-1; gives the number of its event."""
    triage.assess(store, policy, actor, "FR-1", decision)
    return store.revision


def answered(store: Store, decision: Decision = OUT, first: Decision = FLAW) -> int:
    """A look at a decision of Mara that Ines has answered; gives its number."""
    decide(store, first)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    second_look.answer(store, INES, look_id, decision)
    return look_id


def case(store: Store) -> db.Row:
    with store.read() as cursor:
        return cases.read(cursor, "FR-1")


def counts(store: Store, who: Actor = INES) -> tuple[int, int, int]:
    """Looks that this person may answer, that wait for an answer, that wait for an adjudication."""
    with store.read() as cursor:
        found = looks.counts(cursor, who.actor_id)
    return found.mine, found.waiting, found.disputed


def last_event(store: Store) -> dict[str, Any]:
    with store.read() as cursor:
        found = db.row(cursor, "FROM events ORDER BY seq DESC LIMIT 1")
    assert found
    return found | {"data": cases.decode(found["data"])}


# The draw


def test_a_share_of_reports_is_drawn_and_nobody_can_foresee_which() -> None:
    names = [f"FR-{number}" for number in range(10_000)]
    one = {name for name in names if looks.lot("00" * 32, name) < 0.1}
    other = {name for name in names if looks.lot("01" * 32, name) < 0.1}
    assert len(one) == pytest.approx(1_000, abs=120)
    assert len(one & other) == pytest.approx(100, abs=50)
    assert {name for name in names if looks.lot("00" * 32, name) < 0.05} < one


def test_the_decision_says_that_it_was_drawn_and_draws_alike_again(store: Store) -> None:
    decide(store, policy=ALWAYS)
    assert last_event(store)["data"]["drawn"] == {"look_id": 1, "reason": "drawn"}
    decide(store, OUT, policy=ALWAYS)
    assert last_event(store)["data"]["drawn"] == {"look_id": 2, "reason": "drawn"}
    assert counts(store) == (1, 1, 0)  # the first decision is taken back, and its look with it
    decide(store, OUT, policy=NEVER)
    assert "drawn" not in last_event(store)["data"]
    assert counts(store) == (0, 0, 0)


def test_the_key_is_made_once_from_the_randomness_given_and_stands_in_no_event(store: Store) -> None:
    with store.write(REVIEWER, "assess") as work:
        for number, randomness in enumerate((lambda size: b"k" * size, lambda size: b"x" * size)):
            looks.draw(work, NEVER, "FR-1", number, Severity.LOW, randomness)
    with store.read() as cursor:
        assert db.rows(cursor, "FROM draw_key") == [{"draw_key": (b"k" * 32).hex()}]
        assert not db.value(
            cursor, "SELECT count(*) FROM events WHERE contains(data, ?)", [(b"k" * 32).hex()]
        )


DEADLY = SeverityInputs("H4", "mass", "universal", "reliable", "yes")


@pytest.mark.parametrize(
    "decision",
    [
        CRITICAL,
        Decision(("IN-1",), DEADLY),
        Decision(("IN-1",), DEADLY, override=Severity.LOW, override_reason="not so bad"),
    ],
)
def test_every_decision_that_is_critical_by_its_inputs_or_its_level_is_looked_at_again(
    store: Store, decision: Decision
) -> None:
    decide(store, decision)
    assert last_event(store)["data"]["drawn"]["reason"] == "critical"
    assert counts(store) == (1, 1, 0)


def test_decisions_in_bulk_are_drawn_one_by_one(store: Store) -> None:
    bulk.assess(store, ALWAYS, REVIEWER, {"FR-1": 1, "FR-2": 1, "FR-3": 7}, FLAW)
    with store.read() as cursor:
        assert [row["report_id"] for row in looks.mine(cursor, INES.actor_id)] == ["FR-1", "FR-2"]
        wanted = db.rows(cursor, "SELECT report_id FROM open_looks ORDER BY report_id")
    assert [row["report_id"] for row in wanted] == ["FR-1", "FR-2"]


# Asking


def test_asking_twice_is_asking_once(store: Store) -> None:
    decide(store)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    last = store.revision
    assert second_look.ask(store, INES, "FR-1") == look_id
    assert store.revision == last
    assert last_event(store)["kind"] == "look.asked"


def test_where_there_is_no_decision_there_is_nothing_to_ask(store: Store) -> None:
    with pytest.raises(Refused, match="nobody has decided"):
        second_look.ask(store, REVIEWER, "FR-1")
    with pytest.raises(NotFound):
        second_look.ask(store, REVIEWER, "FR-9")
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    with pytest.raises(Refused, match="duplicate of FR-1"):
        second_look.ask(store, REVIEWER, "FR-2")
    decide(store)
    with pytest.raises(Conflict, match="changed by"):
        second_look.ask(store, REVIEWER, "FR-1", seen_version=1)
    with pytest.raises(NotAllowed):
        second_look.ask(store, OWNER, "FR-1")


# The blind answer


def test_neither_who_decided_nor_who_asked_answers(store: Store) -> None:
    decide(store)
    look_id = second_look.ask(store, INES, "FR-1")
    for who in (REVIEWER, INES):
        assert counts(store, who) == (0, 1, 0)
        with pytest.raises(NotAllowed, match="somebody else"):
            second_look.answer(store, who, look_id, OUT)
    assert counts(store, JON) == (1, 1, 0)


def test_an_answer_leaves_the_case_and_the_figures_alone(store: Store) -> None:
    decide(store)
    before = case(store)
    with store.read() as cursor:
        figures = queries.counts(cursor)["assessments"], clause_figures.citations(cursor)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    second = second_look.answer(store, INES, look_id, OUT)
    assert (second["actor_id"], second["look_id"], second["clauses"]) == (INES.actor_id, look_id, ["OOS-1"])
    assert case(store) == before
    with store.read() as cursor:
        assert (queries.counts(cursor)["assessments"], clause_figures.citations(cursor)) == figures


def test_each_figure_of_a_clause_has_its_list_behind_it(store: Store) -> None:
    answered(store)  # Mara cites IN-1, Ines OOS-1
    triage.assess(store, NEVER, REVIEWER, "FR-2", FLAW)
    triage.assess(store, NEVER, REVIEWER, "FR-2", OUT)
    found: dict[str, dict[Counted, set[str]]] = {}
    with store.read() as cursor:
        figures = clause_figures.by_clause(cursor)
        for name in figures:
            for kind in OF_CLAUSES:
                behind = queries.queue(cursor, Filter(clause=name, only=kind, at=Clock()()), Sort.OLDEST)
                assert getattr(figures[name], kind) == len(behind)
                found.setdefault(name, {})[kind] = set(behind)
        cited = queries.queue(cursor, Filter(clause="OOS-1"), Sort.OLDEST)
        any_clause = queries.queue(cursor, Filter(only=Counted.DISAGREED, at=Clock()()), Sort.OLDEST)
    assert found["IN-1"] == {
        Counted.CITED: {"FR-1", "FR-2"},
        Counted.OVERTURNED: {"FR-2"},
        Counted.TWICE: {"FR-1"},
        Counted.DISAGREED: {"FR-1"},
    }
    assert found["OOS-1"] == {
        Counted.CITED: {"FR-2"},
        Counted.OVERTURNED: set(),
        Counted.TWICE: {"FR-1"},
        Counted.DISAGREED: {"FR-1"},
    }
    assert (cited, any_clause) == (["FR-2"], ["FR-1"])


def test_answering_twice_is_answering_once_and_the_next_comes_too_late(store: Store) -> None:
    look_id = answered(store)
    last = store.revision
    again = second_look.answer(store, INES, look_id, FLAW)
    assert (again["clauses"], store.revision) == (["OOS-1"], last)
    with pytest.raises(Conflict, match="test:ines has answered"):
        second_look.answer(store, JON, look_id, OUT)


def test_an_answer_keeps_the_rules_of_a_decision(store: Store) -> None:
    decide(store)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    for wrong in (Decision(()), Decision(("IN-1",)), replace(OUT, better_answer="No.")):
        with pytest.raises(Refused):
            second_look.answer(store, INES, look_id, wrong)
    with pytest.raises(NotFound):
        second_look.answer(store, INES, 99, OUT)
    assert counts(store) == (1, 1, 0)


def test_two_who_agree_settle_the_look(store: Store) -> None:
    look_id = answered(store, replace(FLAW, note="in other words"))
    assert counts(store, JON) == (0, 0, 0)
    with pytest.raises(Conflict, match="agree"):
        second_look.adjudicate(store, NEVER, JON, look_id, FLAW)


def test_the_blind_view_holds_nothing_of_the_decision(store: Store) -> None:
    decide(store, replace(CRITICAL, note="Nobody may read this", better_answer="No."))
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    with store.read() as cursor:
        view = looks.blind(cursor, "FR-1")
        (row,) = looks.mine(cursor, INES.actor_id)
        open_view = queries.report(cursor, "FR-1")
    assert (view.turns, view.body) == (open_view.turns, open_view.body)
    assert (view.assessment, view.embargo, view.better_answer, view.history) == (None, None, "", [])
    assert view.case.keys() == {"report_id", "exploitation", "consent_training", "consent_share_peers"}
    assert row.keys() == {"look_id", "report_id", "asked_at", "policy_version", "excerpt"}


# Adjudication


def test_a_third_person_decides_where_two_differ(store: Store) -> None:
    look_id = answered(store)
    assert counts(store, JON) == (0, 0, 1)
    for who in (REVIEWER, INES):
        with pytest.raises(NotAllowed, match="somebody else"):
            second_look.adjudicate(store, NEVER, who, look_id, OUT)
    with pytest.raises(Conflict, match=f"two people differ.*second look {look_id}"):
        decide(store, OUT)
    skipped = bulk.assess(store, NEVER, JON, {"FR-1": case(store)["version"]}, OUT).skipped
    assert "two people differ" in skipped[0].why
    new = second_look.adjudicate(store, ALWAYS, JON, look_id, OUT)
    assert (new["status"], new["resolution"]) == ("closed", "out_of_scope")
    assert last_event(store)["data"]["settles"] == look_id
    assert counts(store, JON) == (0, 0, 0)
    with pytest.raises(Conflict, match=f"no longer stands, since {JON.actor_id} "):
        second_look.adjudicate(store, NEVER, JON, look_id, FLAW)
    decide(store)  # and from now on anybody may decide again


def test_a_policy_owner_may_adjudicate_and_others_may_not(store: Store) -> None:
    look_id = answered(store)
    engineer = Actor("e", "E", frozenset({DeskRole.ML_ENGINEER}))
    with pytest.raises(NotAllowed):
        second_look.adjudicate(store, NEVER, engineer, look_id, FLAW)
    with pytest.raises(Conflict, match="changed by"):
        second_look.adjudicate(store, NEVER, OWNER, look_id, FLAW, seen_version=1)
    assert second_look.adjudicate(store, NEVER, OWNER, look_id, FLAW)["status"] == "accepted"


def test_nobody_adjudicates_before_the_answer(store: Store) -> None:
    decide(store)
    with pytest.raises(Conflict, match="no answer yet"):
        second_look.adjudicate(store, NEVER, JON, second_look.ask(store, REVIEWER, "FR-1"), OUT)


def test_disputes_come_lowest_agreement_first(store: Store) -> None:
    near = replace(FLAW, override=Severity.HIGH, override_reason="so it seems")
    for report_id, second in (("FR-1", near), ("FR-2", OUT), ("FR-3", FLAW)):
        triage.assess(store, NEVER, REVIEWER, report_id, FLAW)
        second_look.answer(store, INES, second_look.ask(store, REVIEWER, report_id), second)
    with store.read() as cursor:
        first, second = looks.disputes(cursor)
        assert looks.disputes(cursor, 2, 1) == [second]
        noon = {"noon": db.naive(NOON)}
        assert len(looks.pairs(cursor)) == len(looks.pairs(cursor, "s.done_at = $noon", noon)) == 3
        assert looks.pairs(cursor, "s.done_at <> $noon", noon) == []
    assert [first.report_id, second.report_id] == ["FR-2", "FR-1"]
    assert (first.first["actor_id"], first.second["actor_id"]) == (REVIEWER.actor_id, INES.actor_id)
    assert first.second["clauses"] == ["OOS-1"]
    assert first.agreement < second.agreement < 1


# What verify says


@pytest.mark.parametrize("change", ["first_id = 99", "second_id = 1"])
def test_a_look_without_its_decisions_is_noticed(tmp_path: Path, change: str) -> None:
    damaged = Store(tmp_path, Clock())
    policies.publish(damaged, EVERYBODY, POLICY)
    bring(damaged, make_report())
    answered(damaged)
    with damaged.write(EVERYBODY, "tamper") as work:
        work.cursor.execute(f"UPDATE second_looks SET {change}")
    with damaged.read() as cursor:
        assert "1 second looks whose decisions are missing" in told.disagreements(cursor)
    damaged.close()


# Agreement


def test_what_was_answered_stays_counted_whatever_becomes_of_the_case(store: Store) -> None:
    look_id = answered(store)
    with store.read() as cursor:
        (pair,) = looks.pairs(cursor)
    assert (pair.first.reviewer, pair.first.clauses, pair.first.severity, pair.first.resolution) == (
        REVIEWER.actor_id, frozenset({"IN-1"}), Severity.MEDIUM, None,
    )  # fmt: skip
    assert (pair.second.reviewer, pair.second.resolution, pair.count) == (INES.actor_id, "out_of_scope", 1)
    second_look.adjudicate(store, NEVER, JON, look_id, OUT)
    decide(store, CRITICAL)
    with store.read() as cursor:
        assert looks.pairs(cursor) == [pair]


def test_alike_pairs_are_counted_together(store: Store) -> None:
    for report_id in ("FR-1", "FR-2", "FR-3"):
        triage.assess(store, NEVER, REVIEWER, report_id, FLAW)
        if report_id != "FR-3":
            second_look.answer(store, INES, second_look.ask(store, REVIEWER, report_id), FLAW)
    with store.read() as cursor:
        assert [pair.count for pair in looks.pairs(cursor)] == [2]


def test_the_reports_of_an_agreement_are_lists(store: Store) -> None:
    answered(store)
    triage.assess(store, NEVER, REVIEWER, "FR-2", FLAW)
    second_look.answer(store, INES, second_look.ask(store, REVIEWER, "FR-2"), FLAW)
    now = store.clock()
    with store.read() as cursor:
        assert trends.agreed(cursor, Window(now)) == trends.Agreed(twice=2, alike=1, kappa=None)
        assert trends.agreed(cursor, Window(now, None, ("no such product",))).twice == 0
        assert trends.agreed(cursor, Window(now, 4).back(4)).twice == 0
        for kind, found in ((Counted.DECIDED_TWICE, ["FR-1", "FR-2"]), (Counted.ALIKE, ["FR-2"])):
            assert queries.queue(cursor, Filter(only=kind, at=now), Sort.OLDEST) == found
