"""Claims: one winner, the loser is told who, and nobody who went away blocks the queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import NOON, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db, queries
from triage_core.desk import claims, undo
from triage_core.desk.claims import LEASE, Snooze
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.model import Actor, DeskRole
from triage_core.queries import Filter, Only, Sort
from triage_core.store import Store

OTHER = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
READER = Actor("test:ml", "Ml", frozenset({DeskRole.ML_ENGINEER}))


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = open_store(tmp_path, clock)
    bring(opened, make_report("One"), make_report("Two"))
    yield opened
    opened.verify()
    opened.close()


def holder(store: Store, report_id: str = "FR-1") -> str | None:
    with store.read() as cursor:
        found = claims.holders(cursor, [report_id], store.clock()).get(report_id)
    return found.holder_id if found else None


def test_the_loser_is_told_who_has_it_and_until_when(store: Store) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    with pytest.raises(Conflict, match="FR-1 is claimed by test:mara until 12:05 UTC"):
        claims.claim(store, OTHER, "FR-1")
    with pytest.raises(Conflict, match="test:mara"):
        claims.release(store, OTHER, "FR-1")
    assert holder(store) == "test:mara"
    claims.claim(store, OTHER, "FR-2")


def test_of_eight_at_once_one_wins(store: Store) -> None:
    people = [Actor(f"test:{number}", str(number), REVIEWER.roles) for number in range(8)]
    won: list[str] = []
    lost: list[str] = []
    ready = threading.Barrier(len(people))

    def take(actor: Actor) -> None:
        ready.wait()
        try:
            won.append(claims.claim(store, actor, "FR-1").holder_id)
        except Conflict as conflict:
            lost.append(conflict.rule)

    threads = [threading.Thread(target=take, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [holder(store)]
    assert len(lost) == 7
    assert all(f"claimed by {won[0]}" in rule for rule in lost)


def test_an_expired_claim_is_free(store: Store, clock: Clock) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    clock.forward(seconds=LEASE.total_seconds())
    assert holder(store) is None
    claims.claim(store, OTHER, "FR-1")
    with pytest.raises(Conflict, match="claimed by test:ines"):
        claims.heartbeat(store, REVIEWER, "FR-1")


def test_a_heartbeat_keeps_the_claim_without_an_event(store: Store, clock: Clock) -> None:
    claimed = claims.claim(store, REVIEWER, "FR-1")
    events = store.revision
    for _ in range(10):
        clock.forward(minutes=2)
        renewed = claims.heartbeat(store, REVIEWER, "FR-1")
    assert (holder(store), store.revision) == ("test:mara", events)
    assert renewed.claimed_at == claimed.claimed_at


def test_a_heartbeat_after_the_end_says_so(store: Store, clock: Clock) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    clock.forward(minutes=6)
    with pytest.raises(Conflict, match="has ended"):
        claims.heartbeat(store, REVIEWER, "FR-1")


def test_a_released_report_is_free_and_releasing_again_changes_nothing(store: Store) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    claims.release(store, REVIEWER, "FR-1")
    events = store.revision
    claims.release(store, REVIEWER, "FR-1")
    assert (holder(store), store.revision) == (None, events)
    assert claims.claim(store, OTHER, "FR-1").holder_id == holder(store)


def test_claiming_again_renews(store: Store, clock: Clock) -> None:
    first = claims.claim(store, REVIEWER, "FR-1")
    events = store.revision
    clock.forward(minutes=4)
    again = claims.claim(store, REVIEWER, "FR-1")
    assert (again.claimed_at, again.expires_at) == (first.claimed_at, clock.now + LEASE)
    assert store.revision == events


def test_assigning_makes_it_the_task_of_a_reviewer_until_it_is_another_s(store: Store) -> None:
    made = claims.assign(store, REVIEWER, "FR-1", OTHER, seen_version=1)
    assert (made["assigned_to"], made["version"]) == ("test:ines", 2)
    assert claims.assign(store, REVIEWER, "FR-1", OTHER)["version"] == 2
    with pytest.raises(Conflict, match="changed by test:mara"):
        claims.assign(store, OTHER, "FR-1", None, seen_version=1)
    assert claims.assign(store, OTHER, "FR-1", None)["assigned_to"] is None


def test_a_claim_changes_no_case(store: Store) -> None:
    claims.claim(store, REVIEWER, "FR-1")
    with store.read() as cursor:
        assert db.value(cursor, "SELECT version FROM cases WHERE report_id = 'FR-1'") == 1


def test_who_may_not_decide_neither_claims_nor_is_assigned(store: Store) -> None:
    for command in (claims.claim, claims.heartbeat, claims.release):
        with pytest.raises(NotAllowed):
            command(store, READER, "FR-1")
    with pytest.raises(NotAllowed):
        claims.assign(store, READER, "FR-1", None)
    with pytest.raises(NotAllowed, match="Ml may not decide"):
        claims.assign(store, REVIEWER, "FR-1", READER)


def test_a_report_that_does_not_exist(store: Store) -> None:
    with pytest.raises(NotFound):
        claims.claim(store, REVIEWER, "FR-99")
    with pytest.raises(NotFound):
        claims.assign(store, REVIEWER, "FR-99", OTHER)


@pytest.mark.parametrize(
    ("choice", "day"), [(Snooze.TOMORROW, 3), (Snooze.THREE_DAYS, 5), (Snooze.NEXT_WEEK, 9)]
)
def test_a_snooze_ends_in_the_morning(choice: Snooze, day: int) -> None:
    assert claims.wakes_at(choice, NOON) == NOON.replace(day=day, hour=6)  # NOON is Monday the 2nd


def asleep(store: Store) -> set[str]:
    with store.read() as cursor:
        return set(queries.snapshot(cursor, Filter(only=Only.SNOOZED, at=store.clock()), Sort.NEWEST, 100))


def test_a_snoozed_report_sleeps_until_then_and_undo_wakes_it(store: Store, clock: Clock) -> None:
    until = claims.wakes_at(Snooze.TOMORROW, clock.now)
    made = claims.snooze(store, REVIEWER, "FR-1", until, seen_version=1)
    assert (made["snoozed_until"], made["version"]) == (until, 2)
    assert asleep(store) == {"FR-1"}
    undo.undo(store, OTHER, store.revision)
    assert asleep(store) == set()
    claims.snooze(store, OTHER, "FR-1", until)
    clock.forward(hours=18)
    assert asleep(store) == set()


def test_snoozing_twice_is_snoozing_once_and_another_s_change_is_told(store: Store, clock: Clock) -> None:
    until = claims.wakes_at(Snooze.TOMORROW, clock.now)
    claims.snooze(store, REVIEWER, "FR-1", until, seen_version=1)
    assert claims.snooze(store, REVIEWER, "FR-1", until, seen_version=1)["version"] == 2
    with pytest.raises(Conflict, match="changed by test:mara"):
        claims.snooze(store, OTHER, "FR-1", None, seen_version=1)
    assert claims.snooze(store, OTHER, "FR-1", None, seen_version=2)["snoozed_until"] is None


def test_a_snooze_has_an_end_within_reason(store: Store, clock: Clock) -> None:
    for until in (clock.now, clock.now + timedelta(days=31)):
        with pytest.raises(Refused, match="30 days"):
            claims.snooze(store, REVIEWER, "FR-1", until)
    with pytest.raises(NotAllowed):
        claims.snooze(store, READER, "FR-1", None)
    with pytest.raises(NotFound):
        claims.snooze(store, REVIEWER, "FR-9", None)
