"""What of an embargo is taken back, and what its reporters are told."""

from __future__ import annotations

import pytest

from tests.embargoed import CRITICAL, DAY, LEAD, binding, case, kinds, send, stands, told
from tests.making import NOON, POLICY, REVIEWER
from triage_core.channel import messages
from triage_core.channel import reporter as reporters
from triage_core.desk import bulk, triage
from triage_core.desk.undo import obstacle, undo
from triage_core.disclosure import disclosure
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.errors import Conflict
from triage_core.model import Exploitation
from triage_core.store import Store


def test_our_proposal_is_undone_and_done_again(store: Store) -> None:
    report, _ = send(store)
    before = stands(store, report)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    seq = store.revision
    after = stands(store, report)
    undo(store, LEAD, seq)
    assert {**stands(store, report), "version": 1} == before
    undo(store, LEAD, store.revision)
    assert {**stands(store, report), "version": 2} == after


def test_what_came_later_stands_in_the_way(store: Store) -> None:
    report, _ = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    seq = store.revision
    disclosure.propose(store, POLICY, LEAD, report, NOON + 80 * DAY)
    with pytest.raises(Conflict, match=f"event {seq + 2} .embargo.revised"):
        undo(store, LEAD, seq)
    undo(store, LEAD, seq + 2)  # the reporter was told of the second end before it was proposed
    undo(store, LEAD, seq)
    assert stands(store, report)["state"] == "active"


def test_a_reporter_is_told_of_our_ends_and_not_of_the_own_acts(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    disclosure.accept(store, reporter, report)
    disclosure.terminate(store, LEAD, report, ExitReason.FIXED)
    with store.read() as cursor:
        told = [one["text"] for one in messages.thread(cursor, report)]
    assert told == [
        "We propose 2026-05-31 12:00 UTC as the end of the waiting period: you may accept or refuse it.",
        "The waiting period of your report now ends at 2026-03-02 12:00 UTC.",
    ]


def test_an_end_that_one_reporter_makes_is_told_to_the_others_of_the_flaw(store: Store) -> None:
    (first, _), (second, reporter), (alone, _) = send(store, "One"), send(store, "Two"), send(store, "Three")
    triage.link(store, REVIEWER, second, first)
    disclosure.propose(store, POLICY, reporter, second, NOON + 60 * DAY)
    disclosure.accept(store, LEAD, second)  # the end of the first one stays the earliest
    assert "report.told" not in kinds(store, first)
    disclosure.terminate(store, reporter, second, ExitReason.PUBLIC)
    with store.read() as cursor:
        told = {name: [one["text"] for one in messages.thread(cursor, name)] for name in (first, alone)}
    assert told == {first: ["The waiting period of your report now ends at 2026-03-02 12:00 UTC."], alone: []}


def test_what_becomes_of_a_proposal_is_told_to_its_reporter(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, reporter, report, NOON + 60 * DAY)
    disclosure.reject(store, LEAD, report)
    undo(store, LEAD, store.revision)
    disclosure.reject(store, reporter, report)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 20 * DAY)
    undo(store, LEAD, store.revision)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 20 * DAY)
    disclosure.reject(store, LEAD, report)
    ours = "2026-03-22 12:00 UTC"
    assert told(store, report) == [
        "We do not agree to 2026-05-01 12:00 UTC, which you proposed as the end of the waiting period.",
        "Your proposal of 2026-05-01 12:00 UTC as the end of the waiting period waits for our answer again.",
        *[
            f"We propose {ours} as the end of the waiting period: you may accept or refuse it.",
            f"We take back our proposal of {ours} as the end of the waiting period.",
        ]
        * 2,
    ]


def test_a_link_that_moves_the_end_is_told_to_those_whom_it_binds(store: Store) -> None:
    (first, early), (second, _) = send(store, "One"), send(store, "Two")
    disclosure.propose(store, POLICY, early, first, NOON + 10 * DAY)
    disclosure.accept(store, LEAD, first)  # the earliest from now on
    triage.link(store, REVIEWER, second, first)
    ends = ["2026-03-12", "2026-04-16"]
    assert told(store, second) == [f"The waiting period of your report now ends at {ends[0]} 12:00 UTC."]
    triage.unlink(store, REVIEWER, second)
    undo(store, REVIEWER, store.revision)
    undo(store, REVIEWER, store.revision)
    triage.link(store, REVIEWER, second, first)
    undo(store, REVIEWER, store.revision)
    assert told(store, second) == [
        f"The waiting period of your report now ends at {end} 12:00 UTC." for end in ends * 3
    ]
    assert told(store, first) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."]


def test_an_end_in_the_same_minute_is_no_news(store: Store) -> None:
    first, _ = send(store, "One", embargo_wish="2026-03-12T12:00:05Z")
    second, _ = send(store, "Two", embargo_wish="2026-03-12T12:00:40Z")
    third, _ = send(store, "Three", embargo_wish="2026-03-12T12:01:00Z")
    for duplicate in (second, third):
        triage.link(store, REVIEWER, duplicate, first)
    assert told(store, second) == []
    assert told(store, third) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."]


def test_the_end_that_is_told_is_the_one_that_binds(store: Store) -> None:
    (first, reporter), (second, _) = (
        send(store, "One"),
        send(store, "Two", embargo_wish="2026-03-12T12:00:00Z"),
    )
    triage.link(store, REVIEWER, second, first)
    disclosure.propose(store, POLICY, reporter, first, NOON + 90 * DAY)
    disclosure.accept(store, LEAD, first)
    assert binding(store, first) == NOON + 10 * DAY
    assert told(store, first) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."] * 2


def test_a_withdrawal_tells_the_duplicates_the_end_that_they_have_among_themselves(store: Store) -> None:
    first, _ = send(store, "One", embargo_wish="2026-03-12T12:00:00Z")
    (second, _), (third, _) = send(store, "Two"), send(store, "Three", embargo_wish="2026-03-22T12:00:00Z")
    for duplicate in (second, third):
        triage.link(store, REVIEWER, duplicate, first)
    reporters.withdraw(store, first)
    assert binding(store, second) == binding(store, third) == NOON + 20 * DAY
    for duplicate in (second, third):
        assert [text[-21:] for text in told(store, duplicate)] == [
            "2026-03-12 12:00 UTC.",
            "2026-03-22 12:00 UTC.",
        ]


def test_a_decision_for_many_is_taken_back_whatever_was_told(store: Store) -> None:
    first, second = send(store, "One")[0], send(store, "Two")[0]
    done = bulk.assess(store, POLICY, REVIEWER, {first: 1, second: 1}, CRITICAL)
    assert done.batch
    taken = bulk.undo_batch(store, REVIEWER, done.batch)
    assert (taken.done, taken.skipped) == ((first, second), ())
    for report in (first, second):
        assert [text[:12] for text in told(store, report)] == ["We propose 2", "We take back"]


def test_agreements_exits_and_the_reporters_acts_are_not_undone(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, reporter, report, NOON + 60 * DAY)
    theirs = store.revision
    disclosure.accept(store, LEAD, report)
    agreed = store.revision
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.PUBLIC_POC)
    marked = store.revision
    ended = marked - 1
    with store.read() as cursor:
        assert "reporter's own act" in obstacle(cursor, theirs)
        assert "binds both sides" in obstacle(cursor, agreed)
        assert "cannot be made unknown" in obstacle(cursor, ended)
    undo(store, LEAD, marked)  # the mark was wrong; the embargo stays ended all the same
    assert case(store, report)["exploitation"] == "none"
    assert stands(store, report)["state"] == "exited"
