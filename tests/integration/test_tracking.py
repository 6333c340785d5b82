"""What a reporter sees with the tracking key, and what nobody sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, make_report, open_store
from triage_core import db, trends
from triage_core.channel import intake, messages, promises, reporter, reportformat, tracking
from triage_core.channel.messages import Kind
from triage_core.channel.tracking import Tracked, Waiting
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.guidance import policies
from triage_core.lifecycle import NO_FLAW, Trigger
from triage_core.model import Channel, Resolution, Status
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.close()


def send(store: Store, words: str = "Tell me the voucher code.", **fields: object) -> str:
    report = reportformat.parse(make_report(words, **fields))
    key = intake.receive(store, POLICY, report, Channel.FORM).tracking_key
    assert key is not None
    return key


def view(store: Store, report_id: str = "FR-1", days: float = 0) -> Tracked:
    with store.read() as cursor:
        return tracking.view(cursor, report_id, NOON + timedelta(days=days))


def fix(store: Store, report_id: str = "FR-1") -> None:
    triage.assess(store, POLICY, REVIEWER, report_id, FLAW)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        triage.move(store, REVIEWER, report_id, trigger)


def test_only_the_key_finds_the_report(store: Store) -> None:
    key = send(store)
    with store.read() as cursor:
        assert tracking.find(cursor, key) == "FR-1"
        for other in ("", "FR-1", key[:-1], key + " ", intake.tracking_hash(key), "0" * 64):
            assert tracking.find(cursor, other) is None


def test_each_state_has_words_and_a_next_step_with_its_date(store: Store) -> None:
    send(store)
    first = view(store)
    assert (first.state, first.next_due, first.late) == (
        tracking.STATES[Status.NEW],
        NOON + timedelta(days=2),
        False,
    )
    assert view(store, days=3).late
    messages.ask(store, REVIEWER, "FR-1", "Which version?")
    asked = view(store)
    assert (asked.status, asked.question) == (Status.NEEDS_INFO, "Which version?")
    assert (asked.next_due, "Without an answer" in asked.next_step) == (NOON + timedelta(days=7), True)
    messages.answer(store, "FR-1", "2.1")
    assert (view(store).state, view(store).next_due) == (tracking.BACK, NOON + timedelta(days=7))
    fix(store)
    assert view(store).next_due == NOON + timedelta(days=60)
    triage.move(
        store,
        REVIEWER,
        "FR-1",
        Trigger.PASS_RETEST,
        resolution=Resolution.RESOLVED_FIXED,
        note="Ten of ten.",
    )
    closed = view(store)
    assert closed.closure is not None
    assert (closed.closure.reason, closed.next_due) == ("Ten of ten.", None)
    assert [words for _, words in closed.history] == [
        "Received",
        tracking.STATES[Status.NEEDS_INFO],
        tracking.BACK,
        *(
            tracking.STATES[status]
            for status in (
                Status.ACCEPTED,
                Status.FIX_READY,
                Status.FIXED,
                Status.RETEST,
                Status.CLOSED,
            )
        ),
    ]
    assert set(tracking.STATES) == set(Status) == set(tracking._STEPS)
    assert set(tracking.CLOSED_AS) == set(Resolution)


def test_a_closure_cites_its_clause_with_title_and_reason(store: Store) -> None:
    send(store)
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(clauses=("OOS-1",), note="A sum, nothing more."))
    closure = view(store).closure
    assert closure is not None
    assert [clause.clause_id for clause in closure.clauses] == ["OOS-1"]
    assert closure.reason == "A sum, nothing more."


def test_a_duplicate_says_why_and_nothing_of_the_other(store: Store) -> None:
    send(store, "My neighbour Ana Petrov at 5 Hill Road has the voucher", external_id="secret-ticket")
    send(store, "Give me the voucher")
    reason = "Same trick as FR-1 (secret-ticket)."
    triage.link(store, REVIEWER, "FR-2", "FR-1", reason=reason)
    closure = view(store, "FR-2").closure
    assert closure is not None
    assert "Same trick as the earlier report" in closure.reason
    assert "FR-1" not in closure.reason
    assert "secret" not in closure.reason
    triage.unlink(store, REVIEWER, "FR-2")
    triage.link(store, REVIEWER, "FR-2", "FR-1", reason="Ana Petrov at 5 Hill Road asks the same.")
    closure = view(store, "FR-2").closure
    assert closure is not None
    assert "Petrov" not in closure.reason
    assert "before you did" in closure.reason
    messages.ask(store, REVIEWER, "FR-1", "Which version?")
    found = view(store, "FR-2")
    assert found.closure is not None
    assert "its state: waiting for an answer." in found.closure.reason
    assert found.next_step.startswith("We go on with the earlier report")


def test_a_duplicate_that_was_moved_on_keeps_the_reason_of_the_person(store: Store) -> None:
    for words in ("A voucher for Ana Petrov", "Give me the voucher", "Hand over the voucher"):
        send(store, words)
    triage.link(store, REVIEWER, "FR-3", "FR-2", reason="The same trick as FR-2.")
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(clauses=("OOS-1",), note="A sum for Ana Petrov."))
    assert view(store, "FR-3").next_step.startswith("Nothing more is planned")
    closure = view(store, "FR-3").closure
    assert closure is not None
    assert "its state: closed. Outside what this policy covers." in closure.reason
    assert closure.reason.endswith("The reviewer's reason: The same trick as the earlier report.")
    assert "Petrov" not in closure.reason


def test_the_waiting_period_is_shown_with_its_end(store: Store) -> None:
    send(store, embargo_wish=(NOON + timedelta(days=60)).isoformat())
    waiting = view(store).embargo
    assert waiting is not None
    assert (waiting.active, waiting.ends_at) == (True, NOON + timedelta(days=45))
    assert (waiting.proposed_end, waiting.proposed_by) == (NOON + timedelta(days=60), "reporter")
    over = view(store, days=46).embargo
    assert over is not None
    assert not over.active


CLOSINGS = {
    Resolution.OUT_OF_SCOPE: ("OOS-1",),
    Resolution.EXPECTED_BEHAVIOUR: ("EXP-1",),
    Resolution.NOT_APPLICABLE: ("OOS-1",),
    Resolution.SPAM: ("OOS-1",),
    Resolution.ACCEPTED_RISK: ("IN-1",),
    Resolution.NOT_REPRODUCIBLE: ("IN-1",),
    Resolution.REROUTED: ("RTE-1",),
}


@pytest.mark.parametrize("resolution", CLOSINGS)
def test_who_reported_no_flaw_is_not_asked_to_wait_and_everybody_else_is_told_why(
    store: Store, resolution: Resolution
) -> None:
    send(store)
    assert waiting(store).asked
    clauses = CLOSINGS[resolution]
    inputs = FLAW.inputs if clauses == FLAW.clauses else None
    closed = Decision(clauses, inputs=inputs, resolution=resolution, note="Why.", reproduction_log="0 of 10")
    triage.assess(store, POLICY, REVIEWER, "FR-1", closed)
    found = waiting(store)
    assert found.active, "a closing can be taken back, and an end cannot"
    assert found.asked is (resolution not in NO_FLAW)
    assert found.why == tracking.STILL_WAITING.get(resolution, "")
    triage.move(store, REVIEWER, "FR-1", Trigger.REOPEN)
    again = waiting(store)
    assert (again.asked, again.why) == (True, "")


def waiting(store: Store, report_id: str = "FR-1") -> Waiting:
    found = view(store, report_id).embargo
    assert found is not None
    return found


def test_every_closing_has_a_reason_to_wait_or_is_no_flaw() -> None:
    assert set(tracking.STILL_WAITING) ^ NO_FLAW == set(Resolution)


def test_a_withdrawn_report_is_still_waited_for(store: Store) -> None:
    send(store)
    reporter.withdraw(store, "FR-1")
    found = waiting(store)
    assert (found.active, found.asked, found.why) == (
        True,
        True,
        tracking.STILL_WAITING[Resolution.WITHDRAWN],
    )


def test_a_duplicate_waits_for_what_the_earlier_report_tells(store: Store) -> None:
    send(store)
    send(store, "The code, please.")
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    assert waiting(store, "FR-2").why == tracking.STILL_WAITING[Resolution.DUPLICATE]
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), note="A sum."))
    assert not waiting(store, "FR-2").asked
    triage.unlink(store, REVIEWER, "FR-2")
    assert waiting(store, "FR-2").asked


def test_what_is_only_proposed_for_no_flaw_is_not_asked(store: Store) -> None:
    send(store, disclosure_intent="yes", embargo_wish=(NOON - timedelta(days=1)).isoformat())
    assert (waiting(store).active, waiting(store).asked) == (False, True)
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), note="A sum."))
    assert not waiting(store).asked


def test_a_reward_is_shown_once_it_is_decided(store: Store) -> None:
    send(store)
    row = {
        "report_id": "FR-1", "done_at": NOON, "actor_id": "x", "kind": "cash", "amount": 500, "currency": "USD",
        "policy_version": POLICY.version, "reason": "cost centre 12",
    }  # fmt: skip
    with store.write(EVERYBODY, "x") as work:
        db.insert(work.cursor, "rewards", [row | {"reward_id": 1, "reward_no": 1, "state": "proposed"}])
    assert view(store).rewards == ()
    with store.write(EVERYBODY, "x") as work:
        db.insert(work.cursor, "rewards", [row | {"reward_id": 2, "reward_no": 1, "state": "approved"}])
    with store.write(EVERYBODY, "x") as work:
        db.insert(work.cursor, "rewards", [row | {"reward_id": 3, "reward_no": 3, "state": "declined"}])
    assert [(reward["state"], reward["reason"]) for reward in view(store).rewards] == [
        ("approved", ""),  # what was written for the desk is not the reporter's
        ("declined", "cost centre 12"),
    ]


def test_thanks_go_to_those_who_wished_it_and_whose_flaw_is_fixed(store: Store) -> None:
    wishes = [("Ana", "named"), ("ben_", "handle"), ("Cem", "anonymous"), ("", "named"), ("Dee", "named")]
    for number, (name, wish) in enumerate(wishes, start=1):
        send(store, f"Question {number}", credit_name=name, credit_wish=wish)
        if name != "Dee":
            fix(store, f"FR-{number}")
    with store.read() as cursor:
        assert promises.thanks(cursor, NOON) == []  # the waiting period is not over
        later = promises.thanks(cursor, NOON + timedelta(days=46))
    assert sorted(one.name for one in later) == ["Ana", "ben_"]
    reporter.choose(store, "FR-1", Kind.NAME_OFF, wanted=False)
    with store.read() as cursor:
        later = promises.thanks(cursor, NOON + timedelta(days=46))
    assert [one.name for one in later] == ["ben_"]


def test_whether_anybody_is_looking_is_counted_over_90_days(store: Store) -> None:
    for number in range(7):
        send(store, f"Question {number}")
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW, now=NOON + timedelta(hours=10))
    triage.assess(store, POLICY, REVIEWER, "FR-2", Decision(("OOS-1",)), now=NOON + timedelta(days=3))
    triage.link(store, REVIEWER, "FR-4", "FR-3", now=NOON + timedelta(days=1))
    triage.unlink(store, REVIEWER, "FR-4", now=NOON + timedelta(days=1))
    triage.link(store, REVIEWER, "FR-5", "FR-3", now=NOON + timedelta(days=1))
    reporter.withdraw(store, "FR-6")
    reporter.withdraw(store, "FR-1")  # whatever was decided before, its reporter closed it
    fix(store, "FR-7")
    fixed = {"note": "It holds.", "resolution": Resolution.RESOLVED_FIXED}
    triage.move(store, REVIEWER, "FR-7", Trigger.PASS_RETEST, **fixed)
    with store.read() as cursor:
        found = promises.looking(cursor, NOON + timedelta(days=4))
        closures = trends.closures(cursor, trends.Window(NOON + timedelta(days=4), 4))
        assert found.received == 7
        assert (found.first_response.counted, found.first_response.inside) == (6, 3)
        assert found.first_response.median_hours == 17
        assert (found.linked, found.reversed, found.closed, found.cited) == (2, 1, 2, 2)
        assert (found.agreement.n, found.agreement.kappa, found.agreement.too_few) == (0, None, True)
        assert found.cited == sum(week["by_clause"] for week in closures)
        assert found.closed == sum(week["by_clause"] + week["by_neither"] for week in closures)
        assert promises.looking(cursor, NOON + timedelta(days=91)).received == 0
