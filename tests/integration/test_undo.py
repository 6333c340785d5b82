"""Undo: every decision goes back as it came, and what stands in the way is named with its author."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import cases, db, queries, told, verification
from triage_core.channel import reporter
from triage_core.desk import activity, claims, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import last_of, obstacle, undo
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole
from triage_core.store import Store

OTHER = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
OUT = Decision(clauses=("OOS-1",))
BOOKKEEPING = {"version", "updated_at", "updated_by"}


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = open_store(tmp_path, clock)
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 4)))
    yield opened
    with opened.read() as cursor:
        assert told.disagreements(cursor) == []
    verification.verify(opened)
    opened.close()


def case(store: Store, report_id: str) -> dict[str, Any]:
    """What an undo must restore: the case without its bookkeeping."""
    with store.read() as cursor:
        found = cases.read(cursor, report_id)
    return {name: value for name, value in found.items() if name not in BOOKKEEPING}


def last(store: Store) -> int:
    return store.revision


def answer(store: Store, report_id: str) -> str:
    with store.read() as cursor:
        return queries.better_answer(cursor, report_id)


def links(store: Store) -> list[tuple[str, str]]:
    with store.read() as cursor:
        return [(row["child_id"], row["canonical_id"]) for row in db.rows(cursor, "FROM active_links")]


def assess(store: Store, decision: Decision = FLAW, actor: Actor = REVIEWER) -> int:
    triage.assess(store, POLICY, actor, "FR-2", decision)
    return last(store)


def link(store: Store, actor: Actor = REVIEWER, **more: Any) -> int:
    triage.link(store, actor, "FR-2", "FR-1", **more)
    return last(store)


def unlink(store: Store) -> int:
    triage.unlink(store, REVIEWER, "FR-2")
    return last(store)


def move(store: Store) -> int:
    triage.move(store, REVIEWER, "FR-2", Trigger.ASK_REPORTER, note="Which one?")
    return last(store)


def assign(store: Store) -> int:
    claims.assign(store, REVIEWER, "FR-2", OTHER)
    return last(store)


@pytest.mark.parametrize("decide", [assess, link, move, assign])
def test_undo_restores_the_case_and_redo_decides_again(
    store: Store, clock: Clock, decide: Callable[[Store], int]
) -> None:
    before = case(store, "FR-2")
    seq = decide(store)
    decided = case(store, "FR-2")
    clock.forward(days=400)
    undo(store, OTHER, seq)
    assert case(store, "FR-2") == before
    with store.read() as cursor:
        assert cases.read(cursor, "FR-2")["updated_by"] == OTHER.actor_id
    undo(store, OTHER, last(store))
    assert case(store, "FR-2") == decided


def test_the_undo_is_an_event_that_names_what_it_took_back(store: Store, clock: Clock) -> None:
    seq = assess(store)
    clock.forward(hours=1)
    undo(store, OTHER, seq)
    with store.read() as cursor:
        undone, by = activity.history(cursor, "FR-2", seq)
    assert (undone.undone_by, by.undoes, by.actor_id) == (by.seq, seq, OTHER.actor_id)
    assert (by.before, by.after) == (undone.after, undone.before)


def test_an_undone_link_is_ended_and_a_redone_one_is_a_new_row_with_the_old_evidence(store: Store) -> None:
    seq = link(store, reason="same trick", evidence={"score": 0.9, "model_id": "m", "threshold": 0.8})
    undo(store, OTHER, seq)
    assert links(store) == []
    undo(store, OTHER, last(store))
    assert links(store) == [("FR-2", "FR-1")]
    with store.read() as cursor:
        old, new = db.rows(cursor, "FROM duplicate_links ORDER BY link_id")
        end = db.row(cursor, "FROM duplicate_link_ends")
    assert end is not None
    assert (end["link_id"], end["actor_id"], end["reason"]) == (1, OTHER.actor_id, f"undo of event {seq}")
    assert new == old | {"link_id": 2, "actor_id": OTHER.actor_id}


def test_an_undone_unlink_links_again_and_can_be_unlinked_again(store: Store) -> None:
    assess(store)
    before = case(store, "FR-2")
    link(store)
    linked = case(store, "FR-2")
    undo(store, REVIEWER, unlink(store))
    assert (case(store, "FR-2"), links(store)) == (linked, [("FR-2", "FR-1")])
    unlink(store)
    assert (case(store, "FR-2"), links(store)) == (before, [])


def test_what_another_inverse_command_has_restored_does_not_stand_in_the_way(store: Store) -> None:
    before = case(store, "FR-2")
    seq = assess(store)
    link(store)
    unlink(store)
    undo(store, REVIEWER, seq)
    assert case(store, "FR-2") == before


def test_an_undone_event_is_not_undone_twice(store: Store) -> None:
    seq = assess(store)
    undo(store, OTHER, seq)
    with pytest.raises(Conflict, match=f"undone already by event {seq + 1} .* of test:ines"):
        undo(store, REVIEWER, seq)


def test_a_redone_event_can_be_undone_again(store: Store) -> None:
    before = case(store, "FR-2")
    seq = assess(store)
    undo(store, REVIEWER, seq)
    undo(store, REVIEWER, last(store))
    undo(store, REVIEWER, seq)
    assert case(store, "FR-2") == before


def test_a_later_decision_stands_in_the_way_and_is_named(store: Store) -> None:
    seq = assess(store)
    first = case(store, "FR-2")
    later = assess(store, OUT, OTHER)
    second = case(store, "FR-2")
    with pytest.raises(
        Conflict, match=rf"event {later} \(report.assessed FR-2\) of test:ines stands in the way"
    ):
        undo(store, REVIEWER, seq)
    assert case(store, "FR-2") == second
    undo(store, REVIEWER, later)
    assert case(store, "FR-2") == first
    undo(store, REVIEWER, seq)


def test_a_decision_is_not_undone_beneath_a_link(store: Store) -> None:
    """The second assessment changed no state, so that the link touches nothing that it set."""
    assess(store)
    seq = assess(store, replace(FLAW, note="again"))
    later = link(store, OTHER)
    with pytest.raises(Conflict, match=f"event {later} .* of test:ines"):
        undo(store, REVIEWER, seq)


def test_what_is_decided_apart_is_undone_apart(store: Store) -> None:
    seq = assign(store)
    assess(store)
    undo(store, REVIEWER, seq)
    assert (case(store, "FR-2")["assigned_to"], case(store, "FR-2")["status"]) == (None, "accepted")


def test_a_pair_said_to_differ_can_be_suggested_again_after_an_undo(store: Store) -> None:
    triage.keep_apart(store, REVIEWER, "FR-2", "FR-1")
    seq = last(store)
    undo(store, OTHER, seq)
    linked = link(store, OTHER)
    with pytest.raises(Conflict, match=rf"event {linked} \(report.linked FR-2\) of test:ines"):
        undo(store, REVIEWER, seq + 1)
    undo(store, REVIEWER, linked)
    undo(store, REVIEWER, seq + 1)
    with pytest.raises(Conflict, match="not duplicates"):
        link(store)
    undo(store, REVIEWER, seq)
    link(store)


def test_a_link_is_not_made_again_for_a_pair_said_to_differ(store: Store) -> None:
    link(store)
    seq = unlink(store)
    triage.keep_apart(store, OTHER, "FR-1", "FR-2")
    with pytest.raises(Conflict, match=rf"event {last(store)} \(pair.kept_apart FR-2\) of test:ines"):
        undo(store, REVIEWER, seq)


def test_nothing_becomes_a_duplicate_of_what_its_reporter_withdrew(store: Store) -> None:
    """Nobody works on that one: whoever sent the same flaw would wait for nothing."""
    link(store)
    unlinked = unlink(store)
    reporter.withdraw(store, "FR-1")
    with pytest.raises(Conflict, match="FR-1 was withdrawn by its reporter"):
        link(store)
    with pytest.raises(Conflict, match=r"report.withdrawn FR-1\) of reporter stands in the way"):
        undo(store, REVIEWER, unlinked)
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)  # reopened, it may lead again
    link(store)
    assert links(store) == [("FR-2", "FR-1")]


def test_undoing_a_better_answer_brings_the_earlier_one_back(store: Store) -> None:
    assess(store, replace(FLAW, better_answer="No."))
    first = last(store) - 1
    assess(store, replace(FLAW, better_answer="Rather not."), OTHER)
    second = last(store) - 1
    with pytest.raises(Conflict, match=rf"event {second} \(answer.written FR-2\) of test:ines"):
        undo(store, REVIEWER, first)
    undo(store, REVIEWER, second)
    assert answer(store, "FR-2") == "No."
    undo(store, REVIEWER, first)
    assert answer(store, "FR-2") == ""
    undo(store, REVIEWER, last(store))
    assert answer(store, "FR-2") == "No."
    assert case(store, "FR-2")["status"] == "accepted"


@pytest.mark.parametrize("kind", ["report.received", "report.claimed", "likeness.space"])
def test_what_is_no_decision_is_refused(store: Store, kind: str) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    with store.write(EVERYBODY, "index") as work:
        work.event("likeness.space", "letters", {})
    with store.read() as cursor:
        seq = db.value(cursor, "SELECT seq FROM events WHERE kind = ? LIMIT 1", [kind])
    with pytest.raises(Refused, match=f"event {seq} cannot be undone: .+"):
        undo(store, REVIEWER, seq)


def test_an_event_that_does_not_exist(store: Store) -> None:
    with pytest.raises(NotFound, match="no event 999"):
        undo(store, REVIEWER, 999)


def test_only_who_may_decide_may_undo_and_redo(store: Store) -> None:
    owner = Actor("test:po", "Po", frozenset({DeskRole.POLICY_OWNER}))
    seq = assess(store)
    with pytest.raises(NotAllowed):
        undo(store, owner, seq)
    undo(store, REVIEWER, seq)
    with pytest.raises(NotAllowed):
        undo(store, owner, seq + 1)


def test_obstacle_says_beforehand_what_undo_would_say(store: Store) -> None:
    seq = assess(store)
    later = link(store, OTHER)
    with store.read() as cursor:
        assert obstacle(cursor, later) == ""
        assert f"event {later} (report.linked FR-2) of test:ines stands in the way" in obstacle(cursor, seq)
        assert "close it instead" in obstacle(cursor, 1)


def test_events_are_filtered_and_paged(store: Store, clock: Clock) -> None:
    clock.forward(days=1)
    seq = assess(store, replace(FLAW, better_answer="No."))
    clock.forward(days=1)
    undo(store, OTHER, seq)
    triage.keep_apart(store, OTHER, "FR-3", "FR-1")

    def found(size: int = 25, page: int = 1, **chosen: Any) -> tuple[list[str], int]:
        with store.read() as cursor:
            events, total = activity.events(cursor, activity.Filter(**chosen), page, size)
        return [event.kind for event in events], total

    newest = ["pair.kept_apart", "event.undone", "report.assessed", "answer.written"]
    assert found(size=4) == (newest, 7)
    assert found(size=4, page=2) == (["report.received"] * 3, 7)
    assert found(actor=[OTHER.actor_id]) == (newest[:2], 2)
    assert found(kind=["answer.written"]) == (newest[3:], 1)
    assert found(since=clock.now) == (newest[:2], 2)
    assert found(report="FR-1") == (["pair.kept_apart", "report.received"], 2)
    assert found(report="FR") == ([], 0)
    with store.read() as cursor:
        assert activity.actors(cursor)[0] == EVERYBODY.actor_id
        assert activity.kinds(cursor)[0] == "report.received"
        marked = {event.seq: event.undone_by for event in activity.events(cursor, activity.Filter())[0]}
    assert marked[seq] == seq + 1
    assert marked[seq - 1] is None


def test_what_concerns_a_report_stands_in_its_history_wherever_it_is_filed(
    store: Store, clock: Clock
) -> None:
    seq = link(store)
    undo(store, OTHER, seq)
    triage.keep_apart(store, REVIEWER, "FR-3", "FR-1")
    assess(store)
    told = ["report.received FR-1", "report.linked FR-2", "event.undone FR-2", "pair.kept_apart FR-3"]
    with store.read() as cursor:
        found = activity.whole_history(cursor, "FR-1")
        listed, total = activity.events(cursor, activity.Filter(report="FR-1"))
        child = [event.kind for event in activity.whole_history(cursor, "FR-2")]
    assert [f"{event.kind} {event.subject}" for event in found] == told, (
        "and no assessment of the same moment"
    )
    assert (found[1].undone_by, total, listed[::-1]) == (seq + 1, 4, found)
    assert child == ["report.received", "report.linked", "event.undone", "report.assessed"]


def test_a_report_is_found_by_its_external_id(store: Store) -> None:
    bring(store, make_report("Another", external_id="mine"))
    with store.read() as cursor:
        (event,), _ = activity.events(cursor, activity.Filter(report="mine"))
    assert event.subject == "FR-4"


def test_an_events_moments_are_moments(store: Store) -> None:
    """The list of moments is that of the table, so that none comes back as text."""
    with store.read() as cursor:
        columns = db.rows(cursor, "SELECT column_name AS name, data_type FROM information_schema.columns"
                                  " WHERE table_name IN ('cases', 'embargoes')")  # fmt: skip
    assert {row["name"] for row in columns if row["data_type"].startswith("TIMESTAMP")} == cases.TIMES


def test_the_last_decision_of_a_person_is_their_own_and_stands(store: Store) -> None:
    def last_own(actor: Actor) -> str | None:
        with store.read() as cursor:
            event = last_of(cursor, actor)
        return f"{event.kind} {event.subject}" if event else None

    assert last_own(REVIEWER) is None
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)
    triage.keep_apart(store, REVIEWER, "FR-2", "FR-3")
    triage.assess(store, POLICY, OTHER, "FR-2", OUT)
    assert last_own(REVIEWER) == "pair.kept_apart FR-3"
    undo(store, REVIEWER, store.revision - 1)
    assert last_own(REVIEWER) == "report.assessed FR-1", "an undo is no decision of its own"
    assert last_own(OTHER) == "report.assessed FR-2"
    for _ in range(2):
        undo(store, OTHER, last(store))
    assert last_own(REVIEWER) == "report.assessed FR-1"
    undo(store, OTHER, last(store))
    assert last_own(REVIEWER) == "pair.kept_apart FR-3", "what was done again stands"


def test_older_decisions_are_offered_after_many_were_undone(store: Store) -> None:
    triage.keep_apart(store, REVIEWER, "FR-1", "FR-3")
    for _ in range(25):
        undo(store, REVIEWER, assess(store))
    with store.read() as cursor:
        event = last_of(cursor, REVIEWER)
        assert event is not None
        assert event.kind == "pair.kept_apart"
        assert last_of(cursor, REVIEWER, {"group.decided"}) is None
