"""One decision for many reports: what is decided, what is skipped and why, and that each can be undone alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.making import FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import cases, db, queries, verification
from triage_core.desk import activity, bulk, claims, triage, undo
from triage_core.desk import answers as better_answers
from triage_core.errors import NotAllowed, NotFound, Refused
from triage_core.model import Actor, DeskRole
from triage_core.store import Store

OTHER = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
SEEN = {"FR-1": 1, "FR-2": 1, "FR-3": 1, "FR-4": 1}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 5)))
    yield opened
    opened.close()


def states(store: Store) -> dict[str, str]:
    with store.read() as cursor:
        found = db.rows(cursor, "SELECT report_id, status, resolution FROM cases ORDER BY report_id")
    return {row["report_id"]: row["resolution"] or row["status"] for row in found}


def test_one_assessment_for_many_says_what_it_skipped(store: Store) -> None:
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    triage.assess(store, POLICY, REVIEWER, "FR-3", FLAW)
    found = bulk.assess(store, POLICY, REVIEWER, {**SEEN, "FR-2": 2, "FR-9": 1}, FLAW)
    assert found.done == ("FR-1", "FR-4")
    why = {item.report_id: item.why for item in found.skipped}
    assert list(why) == ["FR-2", "FR-3", "FR-9"]
    assert "duplicate of FR-1" in why["FR-2"]
    assert "was changed by test:mara" in why["FR-3"]
    assert "no report" in why["FR-9"]
    assert states(store) == {"FR-1": "accepted", "FR-2": "duplicate", "FR-3": "accepted", "FR-4": "accepted"}
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM assessments") == 3
    store.verify()


def test_many_become_duplicates_of_the_earliest(store: Store) -> None:
    triage.keep_apart(store, REVIEWER, "FR-2", "FR-4")
    found = bulk.link(store, REVIEWER, {name: 1 for name in SEEN if name != "FR-2"}, "FR-2")
    assert found.done == ("FR-3",)
    assert [item.report_id for item in found.skipped] == ["FR-1", "FR-4"]
    assert states(store) == {"FR-1": "new", "FR-2": "new", "FR-3": "duplicate", "FR-4": "new"}


def test_a_decision_that_breaks_a_rule_touches_nothing(store: Store) -> None:
    with pytest.raises(Refused, match="clause"):
        bulk.assess(store, POLICY, REVIEWER, SEEN, replace(FLAW, clauses=()))
    with pytest.raises(Refused, match="at most"):
        bulk.assess(store, POLICY, REVIEWER, {f"FR-{n}": 1 for n in range(bulk.MOST + 1)}, FLAW)
    with pytest.raises(NotAllowed):
        bulk.link(store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), SEEN, "FR-1")
    assert set(states(store).values()) == {"new"}


def test_many_are_assigned_and_twice_is_once(store: Store) -> None:
    claims.assign(store, REVIEWER, "FR-2", None)
    triage.assess(store, POLICY, REVIEWER, "FR-3", FLAW)
    found = bulk.assign(store, REVIEWER, SEEN, REVIEWER)
    assert found.done == ("FR-1", "FR-2", "FR-4")
    assert [item.report_id for item in found.skipped] == ["FR-3"]
    events = store.revision
    again = bulk.assign(store, REVIEWER, {"FR-1": 2, "FR-2": 2}, REVIEWER)
    assert (again.done, again.batch, store.revision) == (("FR-1", "FR-2"), None, events)
    with pytest.raises(NotAllowed, match="may not decide"):
        bulk.assign(store, REVIEWER, SEEN, Actor("o", "O", frozenset({DeskRole.OPERATOR})))


def test_a_batch_is_taken_back_as_one_and_made_again(store: Store) -> None:
    before = whole(store)
    done = bulk.assess(store, POLICY, REVIEWER, SEEN, replace(FLAW, better_answer="Not this one."))
    decided = whole(store)
    taken = bulk.undo_batch(store, OTHER, number(done))
    assert taken == bulk.Outcome(tuple(SEEN), (), taken.batch)
    assert whole(store) == before
    assert answers(store) == [""] * 4
    again = bulk.undo_batch(store, OTHER, number(taken))
    assert (set(again.done), whole(store)) == (set(SEEN), decided)
    assert answers(store) == ["Not this one."] * 4
    verification.verify(store)


def test_what_was_decided_since_stays_and_is_told(store: Store) -> None:
    done = bulk.link(store, REVIEWER, {"FR-2": 1, "FR-3": 1, "FR-4": 1}, "FR-1")
    undo.undo(store, REVIEWER, number(done) + 1)
    triage.unlink(store, OTHER, "FR-4")
    taken = bulk.undo_batch(store, REVIEWER, number(done))
    assert taken.done == ("FR-2",)
    why = {item.report_id: item.why for item in taken.skipped}
    assert "undone already by event" in why["FR-3"]
    assert "report.unlinked FR-4) of test:ines stands in the way" in why["FR-4"]
    events = store.revision
    assert bulk.undo_batch(store, REVIEWER, number(done)).batch is None
    assert store.revision == events


def test_a_decision_that_is_taken_back_is_told_as_done_though_the_answer_with_it_stays(store: Store) -> None:
    done = bulk.assess(store, POLICY, REVIEWER, {"FR-1": 1, "FR-2": 1}, replace(FLAW, better_answer="No."))
    better_answers.write(store, OTHER, "FR-1", "Never.")
    taken = bulk.undo_batch(store, REVIEWER, number(done))
    assert taken.done == ("FR-1", "FR-2")
    assert [item.report_id for item in taken.skipped] == ["FR-1"]
    assert "answer.written FR-1) of test:ines stands in the way" in taken.skipped[0].why
    assert (states(store)["FR-1"], answers(store)[0]) == ("new", "Never.")


def test_only_a_batch_is_undone_as_one_by_who_may_decide(store: Store) -> None:
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)
    with pytest.raises(NotFound):
        bulk.undo_batch(store, REVIEWER, store.revision)
    done = bulk.assign(store, REVIEWER, {"FR-2": 1}, REVIEWER)
    with pytest.raises(NotAllowed):
        bulk.undo_batch(store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), number(done))


def test_two_batches_of_one_moment_are_told_apart(store: Store) -> None:
    one = bulk.assign(store, REVIEWER, {"FR-1": 1, "FR-2": 1}, REVIEWER)
    two = bulk.assign(store, REVIEWER, {"FR-3": 1, "FR-4": 1}, REVIEWER)
    with store.read() as cursor:
        assert [event.subject for event in activity.batch(cursor, number(one))] == ["FR-1", "FR-2"]
        assert [event.subject for event in activity.batch(cursor, number(two))] == ["FR-3", "FR-4"]


def number(outcome: bulk.Outcome) -> int:
    assert outcome.batch
    return outcome.batch


def whole(store: Store) -> list[dict[str, object]]:
    """What an undo must restore: every case without its bookkeeping."""
    with store.read() as cursor:
        found = [cases.read(cursor, name) for name in SEEN]
    return [
        {name: value for name, value in case.items() if name not in {"version", "updated_at", "updated_by"}}
        for case in found
    ]


def answers(store: Store) -> list[str]:
    with store.read() as cursor:
        return [queries.better_answer(cursor, name) for name in SEEN]
