"""Payment batches: an approved reward goes out to be paid once, the file stays to the byte, and can be taken back."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, make_report
from triage_core import db
from triage_core.channel import intake, messages, reportformat, tracking
from triage_core.desk import activity, bulk, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import obstacle, undo
from triage_core.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused, StoreError
from triage_core.model import Actor, Channel, DeskRole
from triage_core.rewards import batches, dismissals, payments, rewards, spending
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store
from triage_core.verification import verify

OWNER = Actor("test:olga", "Olga", frozenset({DeskRole.POLICY_OWNER}))
OTHER = Actor("test:oda", "Oda", frozenset({DeskRole.POLICY_OWNER}))


@pytest.fixture
def promised(store: Store, clock: Clock) -> list[int]:
    """Three approved rewards of 800 in cash, and public thanks, which are no money: the last."""
    reports = []
    for name in ("ann", "bob", "cas"):
        report = reportformat.parse(make_report(name, wants_reward=True, contact=f"{name}@example.org"))
        reports.append(intake.receive(store, POLICY, report, Channel.FORM).report_id)
        triage.assess(store, POLICY, REVIEWER, reports[-1], FLAW)
    clock.forward(days=8)
    numbers = [
        rewards.propose(store, POLICY, REVIEWER, report, RewardKind.CASH, Decimal(800)) for report in reports
    ]
    numbers.append(rewards.propose(store, POLICY, REVIEWER, reports[0], RewardKind.PUBLIC_THANKS))
    for number in numbers:
        rewards.approve(store, POLICY, OWNER, number)
    return numbers


def file(store: Store, number: int) -> str:
    with store.read() as cursor:
        return str(batches.read(cursor, number)["file"])


def listed(store: Store, number: int) -> list[int]:
    return [int(row["reward"]) for row in csv.DictReader(io.StringIO(file(store, number)))]


def where(store: Store, number: int) -> tuple[str, int | None]:
    """(state, payment batch) of a reward."""
    with store.read() as cursor:
        return rewards.read(cursor, number)["state"], batches.number(cursor, number)


def sending(store: Store, number: int, batch_no: int = 1) -> int:
    with store.read() as cursor:
        return batches.sending(cursor, number, batch_no)


def test_what_went_out_is_on_no_later_list(store: Store, clock: Clock, promised: list[int]) -> None:
    first = payments.send(store, OWNER)
    assert (first, listed(store, first)) == (1, promised[:3])
    with pytest.raises(Refused, match="no approved reward waits"):
        payments.send(store, OTHER)  # by a second person, or by a second press
    report = intake.receive(
        store, POLICY, reportformat.parse(make_report("dan", wants_reward=True)), Channel.FORM
    ).report_id
    triage.assess(store, POLICY, REVIEWER, report, FLAW)
    clock.forward(days=8)
    later = rewards.propose(store, POLICY, REVIEWER, report, RewardKind.CASH, Decimal(900))
    rewards.approve(store, POLICY, OWNER, later)
    assert listed(store, payments.send(store, OTHER)) == [later]
    with store.read() as cursor:
        found, total = batches.page(cursor)
    assert total == 2
    assert [(row["batch_no"], row["actor_id"], row["rewards"], row["waiting"], row["back"]) for row in found] == [
        (2, OTHER.actor_id, 1, 1, 0),
        (1, OWNER.actor_id, 3, 3, 0),
    ]  # fmt: skip
    assert found[1]["done_at"] < found[0]["done_at"] == clock.now


def test_the_file_stays_as_it_went_out(store: Store, promised: list[int]) -> None:
    number = payments.send(store, OWNER)
    before = file(store, number)
    assert before.startswith("batch,reward,report,kind,amount,")
    assert before.count("\r\n") == before.count("\n") == 4
    rewards.pay(store, OWNER, promised[0])
    undo(store, OWNER, sending(store, promised[1]))
    assert file(store, number) == before
    verify(store)
    with store.read() as cursor, pytest.raises(NotFound, match="no payment batch 2"):
        batches.read(cursor, 2)


def test_a_batch_is_noted_as_paid_at_once(store: Store, promised: list[int]) -> None:
    number = payments.send(store, OWNER)
    rewards.pay(store, OWNER, promised[1], reference="by hand")
    undo(store, OWNER, sending(store, promised[2]))
    assert payments.pay(store, OWNER, number, reference="bank 17") == 1
    assert [where(store, one) for one in promised] == [
        ("paid", 1),
        ("paid", 1),
        ("approved", None),
        ("approved", None),
    ]
    with store.read() as cursor:
        assert [rewards.read(cursor, one)["reason"] for one in promised[:2]] == ["bank 17", "by hand"]
        last = [messages.thread(cursor, f"FR-{n}")[-1]["kind"] for n in (1, 2, 3)]
    assert last == ["reward_paid", "reward_paid", "reward_approved"]  # of a batch no reporter is told
    with pytest.raises(Refused, match="no reward of payment batch 1 waits"):
        payments.pay(store, OWNER, number)
    with pytest.raises(NotFound):
        payments.pay(store, OWNER, 7)


def test_a_reward_is_paid_by_hand_without_a_batch(store: Store, promised: list[int]) -> None:
    rewards.pay(store, OWNER, promised[0])
    assert where(store, promised[0]) == ("paid", None)
    assert listed(store, payments.send(store, OWNER)) == promised[1:3]


def test_what_went_out_is_declined_or_undone_only_after_it_was_taken_back(
    store: Store, promised: list[int]
) -> None:
    one = promised[0]
    with store.read() as cursor:
        approval = next(
            event.seq
            for event in activity.history(cursor, "FR-1")
            if event.kind == "reward.approved" and event.data["reward_no"] == one
        )
    payments.send(store, OWNER)
    with pytest.raises(Conflict, match="went out in payment batch 1: take it back from there first"):
        rewards.decline(store, OWNER, one, "A slip.")
    with store.read() as cursor:
        assert "(reward.sent FR-1) of test:olga stands in the way" in obstacle(cursor, approval)
    undo(store, OTHER, sending(store, one))
    assert where(store, one) == ("approved", None)
    with store.read() as cursor:
        assert obstacle(cursor, approval) == ""
        with pytest.raises(NotFound, match="is not in payment batch 1"):
            batches.sending(cursor, one, 1)
    assert listed(store, payments.send(store, OWNER)) == [one]
    with pytest.raises(NotFound, match="is not in payment batch 1"):
        sending(store, one)
    rewards.pay(store, OWNER, one)
    with store.read() as cursor:
        assert "reward.paid" in obstacle(cursor, sending(store, one, 2))


def test_what_went_out_unseen_is_not_noted_by_hand(store: Store, promised: list[int]) -> None:
    """It would be paid twice: by hand, and by whoever has the file."""
    one = promised[0]
    number = payments.send(store, OTHER)
    with pytest.raises(Conflict, match=f"reward {one} was put into a payment batch or taken from one while"):
        rewards.pay(store, OWNER, one, seen_version=2)
    rewards.pay(store, OWNER, one, seen_version=2, seen_batch=number)
    assert where(store, one) == ("paid", number)


def test_a_batch_that_never_went_out_is_taken_back_as_a_whole(store: Store, promised: list[int]) -> None:
    payments.send(store, OWNER)
    taken = bulk.undo_batch(store, OWNER, store.revision - 2)
    assert len(taken.done) == 3
    assert {where(store, one) for one in promised} == {("approved", None)}
    assert taken.batch
    bulk.undo_batch(store, OWNER, taken.batch)  # it went out after all
    assert [where(store, one)[1] for one in promised] == [1, 1, 1, None]
    bulk.undo_batch(store, OWNER, store.revision - 2)
    payments.send(store, OWNER)
    with pytest.raises(Conflict, match="stands in the way"):
        undo(store, OWNER, store.revision - 3)  # not into two batches
    verify(store)


def test_a_batch_with_a_dismissed_flaw_is_noted_knowingly(store: Store, promised: list[int]) -> None:
    number = payments.send(store, OWNER)
    no_flaw = Decision(("OOS-1",), note="A slip.")
    triage.assess(store, POLICY, REVIEWER, "FR-2", no_flaw)
    with pytest.raises(Conflict, match=r"FR-2 was closed as out of scope .* pay it knowingly"):
        payments.pay(store, OWNER, number)
    assert where(store, promised[0]) == ("approved", 1)  # all or none
    triage.assess(store, POLICY, REVIEWER, "FR-3", no_flaw)
    with store.read() as cursor:
        told = [str(one) for one in dismissals.since(cursor).values()]
    with pytest.raises(Conflict, match=r"FR-3 was closed as out of scope .* pay it knowingly"):
        payments.pay(store, OWNER, number, knowing=told[:1])  # who knew of one did not know of the other
    assert payments.pay(store, OWNER, number, knowing=told) == 3


def test_a_batch_is_noted_as_it_was_seen(store: Store, promised: list[int]) -> None:
    """What came back since is not noted as paid once more."""
    number = payments.send(store, OWNER)
    rewards.pay(store, OWNER, promised[0])
    seen = dict.fromkeys(promised[1:3], 2)
    rewards.reverse(store, OTHER, promised[0], "It came back.")
    with pytest.raises(Conflict, match="payment batch 1 was changed while you looked"):
        payments.pay(store, OWNER, number, seen=seen)
    with pytest.raises(Conflict, match="was changed while you looked"):
        payments.pay(store, OWNER, number, seen=seen | {promised[0]: 2})  # before it was paid and came back
    assert payments.pay(store, OWNER, number, seen=seen | {promised[0]: 4}) == 3


def test_only_who_pays_sends(store: Store, promised: list[int]) -> None:
    with pytest.raises(NotAllowed):
        payments.send(store, REVIEWER)
    payments.send(store, OWNER)
    with pytest.raises(NotAllowed):
        payments.pay(store, REVIEWER, 1)
    with pytest.raises(NotAllowed):
        undo(store, REVIEWER, store.revision)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE payment_batches SET file = file || 'x'", "payment batch 1"),
        ("UPDATE payment_batches SET actor_id = 'test:oda'", "payment batch 1"),
        ("DELETE FROM payment_batches", "payment batch 1"),
        ("INSERT INTO payment_batches SELECT * REPLACE (2 AS batch_no) FROM payment_batches", "payment batch 2"),
        ("DELETE FROM payment_entries WHERE reward_no = 1", "where reward 1 is"),
        ("UPDATE payment_entries SET batch_no = NULL WHERE reward_no = 2", "where reward 2 is"),
        ("INSERT INTO payment_entries SELECT * REPLACE (9 AS entry_id, 7 AS reward_no) FROM payment_entries LIMIT 1",
         "where reward 7 is"),
    ],
)  # fmt: skip
def test_a_batch_that_was_changed_is_found(store: Store, promised: list[int], change: str, what: str) -> None:
    payments.send(store, OWNER)
    verify(store)
    with store.write(EVERYBODY, "test") as work:
        work.cursor.execute(change)
    with pytest.raises(StoreError, match=f"{what} is not what the events tell"):
        verify(store)


def spent(store: Store, year: int) -> tuple[int, int]:
    with store.read() as cursor:
        found = spending.spend(cursor, year)
    return int(found["paid"]), int(found["approved"])


def test_a_payment_noted_by_mistake_is_reversed_with_a_reason(
    store: Store, clock: Clock, promised: list[int]
) -> None:
    one, mine = promised[0], "FR-1"
    rewards.pay(store, OWNER, one, reference="bank 17")
    assert spent(store, 2026) == (800, 1600)
    with pytest.raises(Refused, match="reversed with a reason"):
        rewards.reverse(store, OWNER, one, " ")
    with pytest.raises(NotAllowed):
        rewards.reverse(store, REVIEWER, one, "It was another one.")
    with pytest.raises(Conflict, match="was changed"):
        rewards.reverse(store, OWNER, one, "It was another one.", seen_version=2)
    clock.forward(days=31)
    rewards.reverse(store, OWNER, one, "It was another one.")
    assert where(store, one) == ("approved", None)
    assert spent(store, 2026) == (0, 2400)
    with store.read() as cursor:
        ledger = db.rows(
            cursor, "SELECT state, reason FROM rewards WHERE reward_no = ? ORDER BY reward_id", [one]
        )
        months = {row["month"]: row["paid"] for row in spending.spend_by_month(cursor, 2026) if row["paid"]}
        assert months == {3: 800, 4: -800}  # a month that is over stays as it was told
        assert [spending.paid_in_month(cursor, 2026, month) for month in (3, 4)] == [
            {"USD": 800},
            {"USD": -800},
        ]
        for month in ("2026-03", "2026-04"):
            assert [row["reward_no"] for row in rewards.board(cursor, ["paid"], month=month)[0]] == [one]
        assert messages.thread(cursor, mine)[-1]["text"] == (
            "We told you by mistake that you have your reward: cash, 800.00 USD is still to come."
        )
        (cash, _) = tracking.view(cursor, mine, clock.now).rewards
        assert (cash["state"], cash["done_at"].month) == ("approved", 3)
        assert "noted again" in obstacle(cursor, store.revision)
        assert [row["approved_at"].month for row in payments.to_pay(cursor)] == [3, 3, 3]
    assert [(row["state"], row["reason"]) for row in ledger][2:] == [
        ("paid", "bank 17"),
        ("approved", "It was another one."),
    ]
    with pytest.raises(IllegalTransition):
        rewards.reverse(store, OWNER, one, "Twice.")
    rewards.pay(store, OWNER, one)
    assert spent(store, 2026) == (800, 1600)
    with store.read() as cursor:
        assert spending.paid_in_month(cursor, 2026, 4) == {}
    verify(store)


def test_a_reversal_counts_in_the_year_in_which_it_was_noted(
    store: Store, clock: Clock, promised: list[int]
) -> None:
    rewards.pay(store, OWNER, promised[0])
    clock.forward(days=365)
    rewards.reverse(store, OWNER, promised[0], "It came back.")
    assert spent(store, 2026) == (800, 1600)
    assert spent(store, 2027) == (-800, 2400)


def test_thanks_are_given_and_not_paid(store: Store, promised: list[int]) -> None:
    rewards.pay(store, OWNER, promised[3])
    with store.read() as cursor:
        assert messages.thread(cursor, "FR-1")[-1]["text"] == "Your reward was given: public thanks."


def test_what_is_reversed_is_still_in_its_batch(store: Store, promised: list[int]) -> None:
    number = payments.send(store, OWNER)
    payments.pay(store, OWNER, number)
    rewards.reverse(store, OWNER, promised[0], "It came back.")
    assert where(store, promised[0]) == ("approved", number)
    with pytest.raises(Refused, match="no approved reward waits"):
        payments.send(store, OWNER)
    assert payments.pay(store, OWNER, number) == 1
