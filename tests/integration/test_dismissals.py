"""A reward whose flaw was dismissed after its proposal or approval: it stays, is told, and is paid only knowingly."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from tests.making import FLAW, POLICY, REVIEWER, Clock, make_report
from triage_core.channel import intake, reporter, reportformat
from triage_core.desk import activity, bulk, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import last_of, undo
from triage_core.errors import Conflict, IllegalTransition, Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, Channel, DeskRole, Resolution, Severity
from triage_core.rewards import batches, dismissals, payments, rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store

OWNER = Actor("test:olga", "Olga", frozenset({DeskRole.POLICY_OWNER}))
NO_FLAW = Decision(("OOS-1",), note="A slip, no breach.")
WHEN = "on 12 Mar 2026 12:00 UTC"


def send(store: Store, words: str) -> str:
    report = reportformat.parse(make_report(words, wants_reward=True, contact=f"{words}@example.org"))
    return intake.receive(store, POLICY, report, Channel.FORM).report_id


@pytest.fixture
def earlier(store: Store) -> str:
    """A confirmed flaw that came in before the other one."""
    report = send(store, "earlier")
    triage.assess(store, POLICY, REVIEWER, report, FLAW)
    return report


@pytest.fixture
def flaw(store: Store, clock: Clock, earlier: str) -> str:
    """A confirmed flaw of medium severity, of 2 March; it is 10 March."""
    report = send(store, "flaw")
    triage.assess(store, POLICY, REVIEWER, report, FLAW)
    clock.forward(days=8)
    return report


def promised(store: Store, report: str) -> int:
    number = rewards.propose(store, POLICY, REVIEWER, report, RewardKind.CASH, Decimal(800))
    rewards.approve(store, POLICY, OWNER, number)
    return number


def said(store: Store) -> dict[int, str]:
    with store.read() as cursor:
        return {number: str(one) for number, one in dismissals.since(cursor).items()}


def listed(store: Store, *chosen: int) -> list[tuple[str, str]]:
    """(reward, decided since) of each row of the list for payment, which is sent and taken back again."""
    try:
        number = payments.send(store, OWNER, {one: said(store).get(one, "") for one in chosen})
    except Refused:
        return []
    with store.read() as cursor:
        rows = list(csv.DictReader(io.StringIO(batches.read(cursor, number)["file"])))
    bulk.undo_batch(store, OWNER, store.revision - len(rows) + 1)
    return [(row["reward"], row["decided since"]) for row in rows]


def as_no_flaw(store: Store, report: str, earlier: str) -> None:
    triage.assess(store, POLICY, REVIEWER, report, NO_FLAW)


def as_spam(store: Store, report: str, earlier: str) -> None:
    triage.assess(store, POLICY, REVIEWER, report, replace(NO_FLAW, resolution=Resolution.SPAM))


def as_duplicate(store: Store, report: str, earlier: str) -> None:
    triage.link(store, REVIEWER, report, earlier)


def as_withdrawn(store: Store, report: str, earlier: str) -> None:
    reporter.withdraw(store, report)


def as_none(store: Store, report: str, earlier: str) -> None:
    triage.move(store, REVIEWER, report, Trigger.FINISH_FIX)
    inputs = replace(FLAW, override=Severity.NONE, override_reason="Nobody is harmed.")
    triage.assess(store, POLICY, REVIEWER, report, inputs)


def anew(store: Store, report: str, earlier: str) -> None:
    triage.move(store, REVIEWER, report, Trigger.REVOKE)


@pytest.mark.parametrize(
    ("dismiss", "what"),
    [
        (as_no_flaw, "FR-2 was closed as out of scope by OOS-1"),
        (as_spam, "FR-2 was closed as spam by OOS-1"),
        (as_duplicate, "FR-2 was closed as a duplicate of FR-1"),
        (as_withdrawn, "FR-2 was closed as withdrawn"),
        (as_none, "FR-2 was given a severity of none"),
        (anew, "FR-2 is to be decided on anew: its decision was taken back"),
    ],
)
def test_what_was_promised_stays_and_is_paid_only_knowingly(
    store: Store, clock: Clock, flaw: str, earlier: str, dismiss: Callable[[Store, str, str], None], what: str
) -> None:
    number, other = promised(store, flaw), promised(store, earlier)
    assert said(store) == {}
    clock.forward(days=2)
    dismiss(store, flaw, earlier)
    clock.forward(days=2)
    triage.assess(store, POLICY, REVIEWER, earlier, FLAW)  # another decision does not change what is told
    assert said(store) == {number: f"{what} {WHEN}"}
    assert listed(store) == [(str(other), "")]
    assert listed(store, number) == [(str(number), f"{what} {WHEN}"), (str(other), "")]
    with pytest.raises(Conflict, match=f"{what} {WHEN}: pay it knowingly, or decline it with a reason"):
        rewards.pay(store, OWNER, number)
    with store.read() as cursor:
        assert rewards.read(cursor, number)["state"] == "approved"  # a promise was made
    rewards.pay(store, OWNER, number, reference="bank 17", knowing=[f"{what} {WHEN}"])
    with store.read() as cursor:
        paid = next(event for event in activity.history(cursor, flaw) if event.kind == "reward.paid")
    assert paid.data["dismissed"] == f"{what} {WHEN}"
    assert said(store) == {}


@pytest.mark.parametrize("declined", [True, False])
def test_an_undo_decides_nothing_on_the_flaw(
    store: Store, clock: Clock, flaw: str, earlier: str, declined: bool
) -> None:
    number = promised(store, flaw)
    clock.forward(days=2)
    triage.link(store, REVIEWER, flaw, earlier)
    told = {number: f"FR-2 was closed as a duplicate of FR-1 {WHEN}"}
    assert said(store) == told
    if declined:
        rewards.decline(store, OWNER, number, "It is a duplicate.")
    clock.forward(days=1)
    with store.read() as cursor:
        event = last_of(cursor, OWNER)
    assert event
    undo(store, OWNER, event.seq)
    assert said(store) == told
    act = partial(rewards.pay, store) if declined else partial(rewards.approve, store, POLICY)
    with pytest.raises(Conflict, match="it knowingly"):
        act(OWNER, number)


def test_what_cannot_be_paid_at_all_is_told_first(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.CASH, Decimal(800))
    triage.assess(store, POLICY, REVIEWER, flaw, NO_FLAW)
    with pytest.raises(IllegalTransition):
        rewards.pay(store, OWNER, number)
    with pytest.raises(Conflict, match="changed"):
        rewards.pay(store, OWNER, number, seen_version=7)


def test_who_knew_of_less_does_not_go_on_knowingly(store: Store, clock: Clock, flaw: str) -> None:
    number = promised(store, flaw)
    lower(store, flaw)
    known = said(store)
    clock.forward(days=2)
    triage.assess(store, POLICY, REVIEWER, flaw, NO_FLAW)
    with pytest.raises(Conflict, match=f"FR-2 was closed as out of scope by OOS-1 {WHEN}: pay it knowingly"):
        rewards.pay(store, OWNER, number, knowing=known.values())
    with pytest.raises(Refused, match="no approved reward waits"):
        payments.send(store, OWNER, known)
    payments.send(store, OWNER, said(store))


def test_it_can_be_declined_with_a_reason(store: Store, flaw: str) -> None:
    number = promised(store, flaw)
    triage.assess(store, POLICY, REVIEWER, flaw, NO_FLAW)
    rewards.decline(store, OWNER, number, "It turned out to be a slip of the model.")
    assert said(store) == {}
    assert listed(store, number) == []


def test_a_proposal_is_told_too(store: Store, clock: Clock, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.CASH, Decimal(800))
    clock.forward(days=2)
    triage.assess(store, POLICY, REVIEWER, flaw, NO_FLAW)
    assert said(store) == {number: f"FR-2 was closed as out of scope by OOS-1 {WHEN}"}
    with pytest.raises(Refused, match="no confirmed flaw"):
        rewards.approve(store, POLICY, OWNER, number)


def test_a_proposal_for_what_became_a_duplicate_is_approved_only_knowingly(
    store: Store, clock: Clock, flaw: str, earlier: str
) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.CASH, Decimal(800))
    clock.forward(days=2)
    triage.link(store, REVIEWER, flaw, earlier)
    what = f"FR-2 was closed as a duplicate of FR-1 {WHEN}"
    with pytest.raises(Conflict, match=f"{what}: approve it knowingly, or decline it with a reason"):
        rewards.approve(store, POLICY, OWNER, number)
    rewards.approve(store, POLICY, OWNER, number, knowing=[what])
    assert said(store) == {}  # by its share as a duplicate
    assert listed(store) == [(str(number), "")]


def test_the_flaw_of_a_duplicate_is_that_of_its_earlier_report(
    store: Store, clock: Clock, flaw: str, earlier: str
) -> None:
    triage.link(store, REVIEWER, flaw, earlier)
    clock.forward(days=2)
    number = promised(store, flaw)
    assert said(store) == {}  # a duplicate has its own share
    triage.assess(store, POLICY, REVIEWER, earlier, NO_FLAW)
    assert said(store) == {number: f"FR-1 was closed as out of scope by OOS-1 {WHEN}"}
    undo(store, REVIEWER, store.revision)
    assert said(store) == {}


def test_a_duplicate_that_goes_on_to_another_report_stays_one(store: Store, clock: Clock) -> None:
    first, second, copy = (send(store, words) for words in ("first", "second", "copy"))
    for report in (first, second):
        triage.assess(store, POLICY, REVIEWER, report, FLAW)
    triage.link(store, REVIEWER, copy, second)
    clock.forward(days=8)
    number, other = promised(store, copy), promised(store, second)
    clock.forward(days=2)
    triage.link(store, REVIEWER, second, first)  # which the copy follows
    assert list(said(store)) == [other]
    assert listed(store) == [(str(number), "")]


def test_a_flaw_that_is_mended_was_not_dismissed(store: Store, flaw: str) -> None:
    promised(store, flaw)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        triage.move(store, REVIEWER, flaw, trigger)
    closing = {"resolution": Resolution.RESOLVED_FIXED, "note": "Tried ten times."}
    triage.move(store, REVIEWER, flaw, Trigger.PASS_RETEST, **closing)
    assert said(store) == {}
    assert len(listed(store)) == 1


def lower(store: Store, report: str, level: Severity = Severity.LOW) -> None:
    inputs = replace(FLAW, override=level, override_reason="Few are harmed.")
    triage.assess(store, POLICY, REVIEWER, report, inputs)


def test_a_flaw_of_less_severity_than_was_approved_is_paid_only_knowingly(
    store: Store, clock: Clock, flaw: str
) -> None:
    number = promised(store, flaw)
    lower(store, flaw, Severity.HIGH)
    assert said(store) == {}  # more than was promised
    clock.forward(days=2)
    lower(store, flaw)
    clock.forward(days=2)
    triage.move(store, REVIEWER, flaw, Trigger.FINISH_FIX)
    what = f"FR-2 was lowered from medium to low {WHEN}"
    assert said(store) == {number: what}
    assert listed(store) == []
    assert listed(store, number) == [(str(number), what)]
    with pytest.raises(Conflict, match=f"{what}: pay it knowingly, or decline it with a reason"):
        rewards.pay(store, OWNER, number)
    rewards.pay(store, OWNER, number, knowing=[what])
    rewards.reverse(store, OWNER, number, "It came back.")
    assert said(store) == {number: what}
    lower(store, flaw, Severity.MEDIUM)
    assert said(store) == {}


def test_a_lower_severity_is_told_after_an_undo_too(store: Store, clock: Clock, flaw: str) -> None:
    """What an undo brings back was approved for more."""
    number = rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.CASH, Decimal(500))
    rewards.approve(store, POLICY, OWNER, number)
    clock.forward(days=2)
    lower(store, flaw)  # whose band has the same amount as its highest
    told = {number: f"FR-2 was lowered from medium to low {WHEN}"}
    assert said(store) == told
    rewards.decline(store, OWNER, number, "It was lowered.")
    undo(store, OWNER, store.revision)
    assert said(store) == told


def test_a_proposal_is_asked_again_by_the_severity_of_its_approval(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.CASH, Decimal(500))
    lower(store, flaw)
    assert said(store) == {}
    rewards.approve(store, POLICY, OWNER, number)
    assert said(store) == {}  # it was approved as low


def test_a_duplicate_goes_down_with_the_report_that_it_follows(store: Store, clock: Clock) -> None:
    first, second, copy = (send(store, words) for words in ("first", "second", "copy"))
    triage.assess(store, POLICY, REVIEWER, second, FLAW)
    lower(store, first)
    triage.link(store, REVIEWER, copy, second)
    clock.forward(days=8)
    number = promised(store, copy)
    clock.forward(days=2)
    triage.link(store, REVIEWER, second, first)
    assert said(store) == {number: f"FR-1 was lowered from medium to low {WHEN}"}


def test_a_duplicate_no_more_goes_down_to_its_own_severity(store: Store, clock: Clock) -> None:
    first, second = send(store, "first"), send(store, "second")
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    lower(store, second)
    triage.link(store, REVIEWER, second, first)
    clock.forward(days=8)
    number = promised(store, second)
    clock.forward(days=2)
    triage.unlink(store, REVIEWER, second)
    assert said(store) == {number: f"FR-2 was lowered from medium to low {WHEN}"}


def test_what_is_paid_is_over(store: Store, flaw: str) -> None:
    rewards.pay(store, OWNER, promised(store, flaw))
    triage.assess(store, POLICY, REVIEWER, flaw, NO_FLAW)
    assert said(store) == {}
