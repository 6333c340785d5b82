"""Eight people, a thread each, give random commands to one store; afterwards the recorded history is judged.

Each thread keeps what it was told: the command was done, or refused. From that and from the chain it
follows whether anything was lost, done twice or done by an illegal step.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, POLICY, Clock, bring, make_report, open_store
from tests.property.crowd import CLUSTERS, NAMES, REPORTS, THREADS, Batch, Person, Told
from triage_core import access, db, told, verification
from triage_core.desk import activity, looks
from triage_core.desk.activity import Event
from triage_core.guidance import policies
from triage_core.lifecycle import STATUS_TABLE, Trigger
from triage_core.model import Status
from triage_core.store import Store

pytestmark = pytest.mark.slow

BOOKKEEPING = {"version", "updated_at", "updated_by"}


@dataclass(frozen=True, slots=True)
class History:
    """What the threads were told, and what the store holds afterwards."""

    told: list[Told]
    batches: list[Batch]
    events: list[Event]
    received: dict[str, db.Row]
    held: dict[str, db.Row]
    store: Store


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[History]]:
    """What two crowds did, each in a store of its own."""
    found = [crowded(tmp_path_factory.mktemp("store"), seed) for seed in (1, 2)]
    yield found
    for history in found:
        history.store.close()


@pytest.fixture(params=[0, 1])
def history(request: pytest.FixtureRequest, histories: list[History]) -> History:
    return histories[request.param]


def crowded(folder: Path, seed: int) -> History:
    store = open_store(folder, Clock())
    policies.publish(store, EVERYBODY, POLICY)
    bring(store, *(make_report(f"Question {number}") for number in range(REPORTS)))
    with store.write(EVERYBODY, "test") as work:  # the draw is as random as ever, and the same in every run
        db.insert(work.cursor, "draw_key", [{"draw_key": "5e" * 32}])
        for axis, clusters in CLUSTERS.items():
            for cluster, names in clusters.items():
                of = {"axis": str(axis), "cluster_id": cluster}
                row = {**of, "representative_id": names[0], "size": len(names), "label": ""}
                db.insert(work.cursor, "clusters", [row])
                rows = [{**of, "report_id": name, "model_id": "none", "mean": 0.9} for name in names]
                db.insert(work.cursor, "memberships", rows)
    received = all_cases(store)
    people = [Person(store, number, seed) for number in range(THREADS)]
    threads = [threading.Thread(target=person.run) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [fault for person in people for fault in person.faults] == []
    with store.read() as cursor:
        events = activity.events(cursor, activity.Filter(), size=store.revision)[0][::-1]
    return History(
        [told for person in people for told in person.told],
        [batch for person in people for batch in person.batches],
        events,
        received,
        all_cases(store),
        store,
    )


def all_cases(store: Store) -> dict[str, db.Row]:
    with store.read() as cursor:
        return {row["report_id"]: row for row in db.rows(cursor, "FROM cases")}


def changes(history: History) -> dict[str, list[Event]]:
    """The events that changed each case, in order."""
    found: dict[str, list[Event]] = {name: [] for name in NAMES}
    for event in history.events:
        if "after" in event.data and "look_id" not in event.data:
            found[event.subject].append(event)
    return found


def test_the_chain_and_all_records_fit_each_other(history: History) -> None:
    assert verification.verify(history.store) == len(history.events)


def test_enough_happened_for_this_to_mean_something(histories: list[History]) -> None:
    """Each command was done by somebody; which thread comes first is chance, so that one crowd may miss one."""
    everything = [told for history in histories for told in history.told]
    done = Counter(told.command for told in everything if told.refused is None)
    assert done.keys() >= {
        *KIND, "bulk", "accept", "assess_cluster", "undo_batch",
    }  # fmt: skip
    for history in histories:
        assert sum(told.refused is not None for told in history.told) > 50
        assert any("was changed by" in (told.refused or "") for told in history.told)


# What a command that was done writes: exactly one event of this kind.
KIND = {
    "assess": "report.assessed",
    "adjudicate": "report.assessed",
    "link": "report.linked",
    "unlink": "report.unlinked",
    "keep_apart": "pair.kept_apart",
    "move": "report.moved",
    "claim": "report.claimed",
    "release": "report.released",
    "assign": "report.assigned",
    "undo": "event.undone",
    "ask": "look.asked",
    "answer": "look.answered",
    "snooze": "report.snoozed",
    "write": "answer.written",
    "approve": "answer.approved",
    "send_back": "answer.returned",
    "confirm": "group.decided",
    "split": "group.decided",
    "move_member": "group.decided",
    "merge": "group.decided",
}
# These find their work done already and then write nothing, which their answer does not tell.
SILENT = {
    "pair.kept_apart", "report.claimed", "report.released", "look.asked", "look.answered",
    "answer.written", "answer.approved", "answer.returned",
}  # fmt: skip


def followers(history: History) -> set[int]:
    """The events of duplicates that went along with the report of another event, which names them."""
    return {number for event in history.events for number in event.data.get("moved", ())}


def by_itself(event: Event) -> bool:
    """Whether an event is all that a command did: neither one of many, nor an answer that came with a decision."""
    return "batch" not in event.data and (
        event.kind != "answer.written" or event.command == access.Command.WRITE_ANSWER
    )


def test_every_acknowledged_command_has_its_event_and_no_refused_one_has(history: History) -> None:
    told = Counter(
        (one.actor, KIND[one.command]) for one in history.told if one.changed and one.command in KIND
    )
    along = followers(history)
    written = Counter(
        (event.actor_id, event.kind)
        for event in history.events
        if event.kind in KIND.values() and event.seq not in along and by_itself(event)
    )
    assert all(written[key] == count for key, count in told.items() if key[1] not in SILENT)
    assert all(count <= told[key] for key, count in written.items())


def test_every_command_on_many_did_what_its_list_says_and_nothing_else(history: History) -> None:
    along, events = followers(history), defaultdict(list)
    for event in history.events:
        if "batch" in event.data:
            events[event.data["batch"]].append(event)
    assert events.keys() == {one.outcome.batch for one in history.batches} - {None}
    for one in history.batches:
        mine, done = events.get(one.outcome.batch, []), set(one.outcome.done)
        first = one.outcome.batch or 0
        assert [event.seq for event in mine] == list(range(first, first + len(mine)))
        assert all(event.actor_id == one.actor for event in mine)
        own = [event for event in mine if event.seq not in along and event.kind != "answer.written"]
        named = {event.subject for event in own if event.subject in NAMES}
        assert named <= done
        if one.command in {"bulk", "assess_cluster"}:
            assert named == done
        elif one.command == "accept" and mine:
            stood = canonical_at(history, mine[-1].seq)
            assert len({stood[name] or name for name in done}) == 1, one
            assert all(stood[name] for name in done - named)
        elif mine:
            taken = {event.undoes for event in own}
            assert taken <= {event.seq for event in events[one.of]}


def canonical_at(history: History, seq: int) -> dict[str, str | None]:
    """Of which report each is a duplicate after this event."""
    found: dict[str, str | None] = dict.fromkeys(NAMES)
    for event in history.events:
        if event.seq <= seq and "canonical_id" in event.after and "look_id" not in event.data:
            found[event.subject] = event.after["canonical_id"]
    return found


def test_of_those_who_saw_a_version_one_alone_changed_it(history: History) -> None:
    """Compare and set: each version was made once, by one who had seen the version before it."""
    winners: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    for one in history.told:
        if one.changed and one.seen is not None:
            winners[one.report_id, one.seen].append(one.actor)
    assert max(map(len, winners.values())) == 1
    by_version = {
        (name, version): event.actor_id
        for name, events in changes(history).items()
        for version, event in enumerate(events, start=1)
    }
    assert {key: actor for key, (actor,) in winners.items()}.items() <= by_version.items()


def test_each_case_is_the_replay_of_its_events(history: History) -> None:
    for name, events in changes(history).items():
        state: dict[str, Any] = dict(history.received[name])
        for event in events:
            assert {column: state[column] for column in event.before} == event.before, event.seq
            state |= event.after
            state |= {
                "version": state["version"] + 1,
                "updated_at": event.done_at,
                "updated_by": event.actor_id,
            }
        assert state == history.held[name]


# A decision walks several steps of the table at once: back to triage, then to its end.
STEPS_OF_TABLE = {(source, destination) for _, source, destination in STATUS_TABLE}


def reachable(source: Status, most: int) -> set[Status]:
    found = {source}
    for _ in range(most):
        found |= {destination for one, destination in STEPS_OF_TABLE if one in found}
    return found


def test_only_legal_steps_were_taken(history: History) -> None:
    longest = {"report.moved": 1, "report.assessed": 4, "report.linked": 4}
    for events in changes(history).values():
        for event in events:
            if "status" in event.after and event.kind in longest:
                source, destination = Status(event.before["status"]), Status(event.after["status"])
                assert destination in reachable(source, longest[event.kind]), event
                if event.kind == "report.moved":
                    assert (Trigger(event.data["trigger"]), source, destination) in STATUS_TABLE
    for case in history.held.values():
        assert (
            (case["status"] == "closed")
            == (case["resolution"] is not None)
            == (case["closed_at"] is not None)
        )
        assert (case["resolution"] == "duplicate") == (case["canonical_id"] is not None)


def test_an_undo_leads_only_to_a_state_that_there_has_been(history: History) -> None:
    for name, events in changes(history).items():
        state = {
            column: value for column, value in history.received[name].items() if column not in BOOKKEEPING
        }
        decided = [column for column in sorted(state) if column not in {"assigned_to", "snoozed_until"}]
        seen = {repr([state[column] for column in decided])}
        for event in events:
            state |= event.after
            now = repr([state[column] for column in decided])
            if event.kind in {"event.undone", "report.unlinked"}:
                assert now in seen, event
            seen.add(now)


def test_a_child_has_one_link_and_nothing_was_linked_to_a_duplicate(history: History) -> None:
    with history.store.read() as cursor:
        links = db.rows(cursor, "FROM active_links")
        apart = db.rows(cursor, "FROM active_cannot_links")
    assert max(Counter(row["child_id"] for row in links).values(), default=1) == 1
    assert {(row["child_id"], row["canonical_id"]) for row in links}.isdisjoint(
        {pair for row in apart for pair in ((row["a_id"], row["b_id"]), (row["b_id"], row["a_id"]))}
    )
    canonical: dict[str, str | None] = dict.fromkeys(NAMES)
    along, events = followers(history), {event.seq: event for event in history.events}
    for event in history.events:
        if "canonical_id" in event.after and "look_id" not in event.data:
            canonical[event.subject] = event.after["canonical_id"]
            # Those that go along come first: where they are to go is right when all have gone.
            linked = [event] if event.kind == "report.linked" and event.seq not in along else []
            for one in (*linked, *(events[number] for number in event.data.get("moved", ()))):
                target = one.after["canonical_id"]
                assert target is None or canonical[target] is None, one


def test_nobody_looked_at_a_decision_of_their_own(history: History) -> None:
    with history.store.read() as cursor:
        pairs = db.rows(
            cursor,
            "SELECT f.actor_id AS first, s.actor_id AS second, l.asked_by, l.report_id FROM second_looks l"
            " JOIN assessments f ON f.assessment_id = l.first_id JOIN assessments s ON s.look_id = l.look_id",
        )
        assert told.disagreements(cursor) == []
    assert pairs
    assert all(row["second"] not in {row["first"], row["asked_by"]} for row in pairs)
    for event in history.events:
        if "settles" in event.data:
            look = looks_of(history, event.data["settles"])
            assert event.actor_id not in {look["first_by"], look["second_by"]}


def looks_of(history: History, look_id: int) -> db.Row:
    with history.store.read() as cursor:
        return looks.read(cursor, look_id)


def test_a_lost_event_would_be_noticed(history: History) -> None:
    """The judges can fail: they do when any one decision is taken out of the history."""
    kinds = {"report.assessed", "report.moved"}
    decided = {event.seq: event for event in history.events if event.kind in kinds}
    for seq in list(decided)[:: len(decided) // 5]:
        lost = replace(history, events=[event for event in history.events if event.seq != seq])
        with pytest.raises(AssertionError):
            test_each_case_is_the_replay_of_its_events(lost)
        judge = (
            test_every_acknowledged_command_has_its_event_and_no_refused_one_has
            if by_itself(decided[seq])
            else test_every_command_on_many_did_what_its_list_says_and_nothing_else
        )
        with pytest.raises(AssertionError):
            judge(lost)
