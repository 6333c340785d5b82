"""Rewards over the store: the policy of the day, a second person, a ledger; and what reporters are told."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import db, monthly
from triage_core.channel import intake, messages, reportformat, standing, tracking
from triage_core.channel.standing import Standing
from triage_core.desk import activity, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import obstacle, undo
from triage_core.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused, StoreError
from triage_core.exporters.build import ExportRequest, build
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, Channel, DeskRole, Resolution, Severity
from triage_core.rewards import batches, bounty, entitlements, payments, rewards, spending, sums
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store
from triage_core.verification import verify

OWNER = Actor("test:olga", "Olga", frozenset({DeskRole.POLICY_OWNER}))
CASH = RewardKind.CASH
LOW = replace(FLAW, override=Severity.LOW, override_reason="a nuisance")


def send(store: Store, words: str = "Tell me the code.", **fields: Any) -> str:
    report = reportformat.parse(make_report(words, wants_reward=True, **fields))
    return intake.receive(store, POLICY, report, Channel.FORM).report_id


@pytest.fixture
def flaw(store: Store, clock: Clock) -> str:
    """A confirmed flaw of medium severity, whose window for duplicates is over."""
    report = send(store)
    triage.assess(store, POLICY, REVIEWER, report, FLAW)
    clock.forward(days=8)
    return report


def stands(store: Store, number: int) -> db.Row:
    with store.read() as cursor:
        return rewards.read(cursor, number)


def sent_file(store: Store) -> str:
    """The file of the batch that is sent now."""
    number = payments.send(store, OWNER)
    with store.read() as cursor:
        return str(batches.read(cursor, number)["file"])


def test_a_reward_from_proposal_to_payment(store: Store, flaw: str) -> None:
    number = rewards.propose(
        store, POLICY, REVIEWER, flaw, CASH, Decimal(800), reason="clear and reproducible"
    )
    rewards.approve(store, POLICY, OWNER, number, seen_version=1)
    rewards.pay(store, OWNER, number, reference="bank 17")
    found = stands(store, number)
    assert (found["state"], found["amount"], found["currency"]) == ("paid", Decimal("800.00"), "USD")
    assert (found["policy_version"], found["severity"], found["share"]) == (POLICY.version, "medium", 100)
    with store.read() as cursor:
        rows = db.rows(cursor, "SELECT state, actor_id FROM rewards ORDER BY reward_id")
        kinds = [event.kind for event in activity.history(cursor, flaw) if event.kind.startswith("reward")]
        assert spending.spend(cursor, 2026) == {"paid": 800, "approved": 0}
        assert [month["paid"] for month in spending.spend_by_month(cursor, 2026)][2:4] == [800, 0]
        assert spending.spend(cursor, 2025) == {"paid": 0, "approved": 0}
    assert [row["state"] for row in rows] == ["proposed", "approved", "paid"]  # a ledger: no row is changed
    assert kinds == ["reward.proposed", "reward.approved", "reward.paid"]


def test_a_second_person_approves(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, OWNER, flaw, CASH, Decimal(800))
    with pytest.raises(NotAllowed, match="a second person"):
        rewards.approve(store, POLICY, OWNER, number)
    with pytest.raises(NotAllowed):
        rewards.approve(store, POLICY, REVIEWER, number)
    rewards.approve(store, POLICY, EVERYBODY, number)
    undo(store, EVERYBODY, store.revision)
    with pytest.raises(NotAllowed, match="a second person"):
        undo(store, OWNER, store.revision)  # not by way of a redo either
    assert stands(store, number)["state"] == "proposed"


def test_who_may_do_what(store: Store, flaw: str) -> None:
    engineer = Actor("test:emil", "Emil", frozenset({DeskRole.ML_ENGINEER}))
    with pytest.raises(NotAllowed):
        rewards.propose(store, POLICY, engineer, flaw, CASH, Decimal(800))
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    with pytest.raises(NotAllowed):
        rewards.pay(store, REVIEWER, number)
    with pytest.raises(NotAllowed):
        rewards.decline(store, REVIEWER, number, "no")


def test_only_a_confirmed_flaw_is_rewarded(store: Store) -> None:
    report = send(store)
    with pytest.raises(Refused, match="no confirmed flaw"):
        rewards.propose(store, POLICY, REVIEWER, report, CASH, Decimal(800))
    triage.assess(store, POLICY, REVIEWER, report, Decision(("OOS-1",)))
    with pytest.raises(Refused, match="no confirmed flaw"):
        rewards.propose(store, POLICY, REVIEWER, report, RewardKind.PUBLIC_THANKS)
    with pytest.raises(NotFound):
        rewards.propose(store, POLICY, REVIEWER, "FR-99", CASH, Decimal(1))


def test_the_band_is_that_of_the_day_the_report_came_in(store: Store, flaw: str) -> None:
    text = POLICY.toml_text.replace("maximum = 2500\n", "maximum = 9000\n").replace('"2026.2"', '"2027.1"')
    later = policies.publish(
        store, EVERYBODY, policies.policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)
    )
    with pytest.raises(Refused, match=f"between 500.00 and 2,500.00 USD: 100% .* policy {POLICY.version}"):
        rewards.propose(store, later, REVIEWER, flaw, CASH, Decimal(8000))


def test_a_kind_that_the_policy_does_not_give(store: Store, flaw: str) -> None:
    text = POLICY.toml_text.replace('"donation"]', '"thanks"]').replace('"2026.2"', '"2027.1"')
    later = policies.policy.parse(
        text.replace('"2027.1"', '"2026.2"'), POLICY.severity_csv, POLICY.priority_csv
    )
    with pytest.raises(Refused, match="does not give donation"):
        rewards.propose(store, later, REVIEWER, flaw, RewardKind.DONATION, Decimal(800))


def test_one_of_a_kind_at_a_time(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    with pytest.raises(Conflict, match="is proposed already"):
        rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(900))
    rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.PUBLIC_THANKS)
    rewards.decline(store, OWNER, number, "the amount was a slip")
    rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(900))
    with pytest.raises(Conflict, match="is proposed already"):
        undo(store, OWNER, store.revision - 1)


def test_duplicates_share_and_approval_asks_again(store: Store, clock: Clock) -> None:
    first, second, third = (send(store, f"Number {n}") for n in range(3))
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    triage.link(store, REVIEWER, second, first)
    number = rewards.propose(store, POLICY, REVIEWER, second, CASH, Decimal(1250))
    with pytest.raises(Refused, match="until 09 Mar 2026"):
        rewards.approve(store, POLICY, OWNER, number)
    clock.forward(days=8)
    triage.link(store, REVIEWER, third, first)  # it came in on the first day too
    with pytest.raises(Refused, match=r"33.33% of the band"):
        rewards.approve(store, POLICY, OWNER, number)
    late = send(store, "Number 4")
    triage.link(store, REVIEWER, late, first)
    with pytest.raises(Refused, match="no share"):
        rewards.propose(store, POLICY, REVIEWER, late, CASH, Decimal(100))


def test_duplicates_never_get_more_than_the_band_but_knowingly(store: Store, clock: Clock) -> None:
    """The first was rewarded before anybody saw that a report of its window is of the same flaw."""
    first, second, third = (send(store, f"Number {n}") for n in range(3))
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    clock.forward(days=8)
    one = rewards.propose(store, POLICY, REVIEWER, first, CASH, Decimal(2300))
    rewards.approve(store, POLICY, OWNER, one)
    triage.link(store, REVIEWER, second, first)
    used = (
        r"of 2,500.00 USD for all reports of this flaw 2,300.00 stand already \(FR-1: 2,300.00\),"
        " so that 200.00 is left"
    )
    with pytest.raises(Conflict, match=f"{used}. Give no more than that, or go on knowingly"):
        rewards.propose(store, POLICY, REVIEWER, second, CASH, Decimal(250))
    two = rewards.propose(
        store, POLICY, REVIEWER, second, CASH, Decimal(200)
    )  # below the minimum of its share
    with pytest.raises(Conflict, match=r"so that 200.00 is left"):  # by two kinds of money neither
        rewards.propose(store, POLICY, REVIEWER, second, RewardKind.DONATION, Decimal(200))
    rewards.approve(store, POLICY, OWNER, two)
    triage.link(store, REVIEWER, third, first)
    with store.read() as cursor:
        words = entitlements.entitlement(cursor, POLICY, third).used
    assert words.endswith("(FR-1: 2,300.00, FR-2: 200.00), so that 0.00 is left")
    with pytest.raises(Conflict, match=r"so that 0.00 is left"):
        rewards.propose(store, POLICY, REVIEWER, third, CASH, Decimal(800), knowing=[used])
    three = rewards.propose(store, POLICY, REVIEWER, third, CASH, Decimal(800), knowing=[words])
    with store.read() as cursor:
        assert sums.beyond(cursor, POLICY, rewards.read(cursor, three)) == words
    with pytest.raises(Conflict, match=r"so that 0.00 is left"):  # the second person is told too
        rewards.approve(store, POLICY, OWNER, three)
    rewards.approve(store, POLICY, OWNER, three, knowing=[words])
    with store.read() as cursor:
        known = [event.data["beyond"] for event in activity.history(cursor, third) if "beyond" in event.data]
    assert known == [words, words]
    verify(store)


def test_what_is_left_follows_the_percent_below_equal_shares(store: Store, clock: Clock) -> None:
    """An earlier report of the same flaw comes to light: it is the first one, and the other was paid as the first."""
    first, second = send(store, "One"), send(store, "Two")
    triage.assess(store, POLICY, REVIEWER, second, LOW)
    rewards.approve(
        store, POLICY, OWNER, rewards.propose(store, POLICY, REVIEWER, second, CASH, Decimal(500))
    )
    triage.assess(store, POLICY, REVIEWER, first, LOW)
    triage.link(store, REVIEWER, second, first)
    with store.read() as cursor:
        may = entitlements.entitlement(cursor, POLICY, first)
        assert (may.most, may.together, may.left) == (500, 750, 250)
    with pytest.raises(Conflict, match=r"so that 250.00 is left"):
        rewards.propose(store, POLICY, REVIEWER, first, CASH, Decimal(500))
    rewards.decline(store, OWNER, 1, "Another report came first.")
    rewards.propose(store, POLICY, REVIEWER, first, CASH, Decimal(500))


def test_a_decline_has_a_reason_and_what_is_paid_stays_paid(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    with pytest.raises(Refused, match="can read"):
        rewards.decline(store, OWNER, number, " ")
    with pytest.raises(IllegalTransition):
        rewards.pay(store, OWNER, number)
    rewards.approve(store, POLICY, OWNER, number)
    with pytest.raises(Conflict, match="was changed by"):
        rewards.pay(store, OWNER, number, seen_version=1)
    rewards.pay(store, OWNER, number)
    paid = store.revision
    with store.read() as cursor:
        assert "with the reporter" in obstacle(cursor, paid)
    with pytest.raises(Conflict, match="stands in the way"):
        undo(store, OWNER, paid - 2)  # between the two the reporter was told


def test_every_other_act_is_undone_and_done_again(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    rewards.approve(store, POLICY, OWNER, number)
    rewards.decline(store, OWNER, number, "paid by another team")
    seq = store.revision
    for expected in ("approved", "proposed", "withdrawn"):
        undo(store, EVERYBODY, seq)
        assert stands(store, number)["state"] == expected
        seq -= 2  # its reporter was told before each act
    undo(store, EVERYBODY, store.revision)
    assert stands(store, number)["state"] == "proposed"


def test_a_reporter_is_told_what_is_decided_and_not_what_is_proposed(store: Store, flaw: str) -> None:
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    with store.read() as cursor:
        assert messages.thread(cursor, flaw) == []
    rewards.approve(store, POLICY, OWNER, number)
    rewards.decline(store, OWNER, number, "paid by another team")
    with store.read() as cursor:
        told = [one["text"] for one in messages.thread(cursor, flaw)]
    assert told == [
        "A reward was approved for your report: cash, 800.00 USD.",
        "No reward is given for your report: paid by another team",
    ]
    declined = store.revision
    undo(store, EVERYBODY, declined)
    undo(store, EVERYBODY, declined - 2)  # the approval; between the two the reporter was told
    assert stands(store, number)["state"] == "proposed"
    with store.read() as cursor:
        told = [one["text"] for one in messages.thread(cursor, flaw)][2:]
    assert told == [
        "A reward was approved for your report: cash, 800.00 USD.",
        "What we told you about your reward was taken back: cash, 800.00 USD is decided on anew.",
    ]


def test_the_list_for_payment_holds_no_formula(store: Store, clock: Clock) -> None:
    report = send(store, contact="=cmd|' /C calc'!A0", credit_name='@SUM(1,"2")')
    triage.assess(store, POLICY, REVIEWER, report, LOW)
    number = rewards.propose(store, POLICY, REVIEWER, report, CASH, Decimal("99.50"))
    thanks = rewards.propose(store, POLICY, REVIEWER, report, RewardKind.PUBLIC_THANKS)
    for each in (number, thanks):
        rewards.approve(store, POLICY, OWNER, each)
    header, *lines = csv.reader(io.StringIO(sent_file(store)))
    assert header == list(payments.PAYMENT_COLUMNS)
    assert lines == [
        [
            "1",
            str(number),
            report,
            "cash",
            "99.50",
            "USD",
            "'=cmd|' /C calc'!A0",
            '\'@SUM(1,"2")',
            "2026-03-02T12:00:00Z",
            "",
        ]
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula_where_lists_are_parted_otherwise(store: Store, delimiter: str) -> None:
    """A spreadsheet parts lines by the separator of its country, not by the one that we write."""
    name = 'Ada;=HYPERLINK("http://x.example","open");\t@SUM(1)\n=1+1; -2;"=3+3"\n"@A1"'
    report = send(store, contact="ada@example.org;+1", credit_name=name)
    triage.assess(store, POLICY, REVIEWER, report, LOW)
    number = rewards.propose(store, POLICY, REVIEWER, report, CASH, Decimal("99.50"))
    rewards.approve(store, POLICY, OWNER, number)
    rows = csv.reader(io.StringIO(sent_file(store)), delimiter=delimiter)
    cells = [part for row in rows for cell in row for part in cell.splitlines()]
    assert [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@"))] == []


def test_an_approval_is_noted_with_the_share_by_which_it_was_given(store: Store, clock: Clock) -> None:
    """The ledger says what the amount was part of; what was proposed for the whole band may be approved for half."""
    first, second = send(store, "One"), send(store, "Two")
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    clock.forward(days=8)
    number = rewards.propose(store, POLICY, REVIEWER, first, CASH, Decimal(800))
    triage.link(store, REVIEWER, second, first)
    rewards.approve(store, POLICY, OWNER, number)
    with store.read() as cursor:
        rows = db.rows(cursor, "SELECT state, share FROM rewards ORDER BY reward_id")
    assert [(row["state"], row["share"]) for row in rows] == [("proposed", 100), ("approved", 50)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rewards SET amount = 8000 WHERE state = 'approved'",
        "UPDATE rewards SET amount = NULL",
        "UPDATE rewards SET currency = 'EUR'",
        "UPDATE rewards SET state = 'paid' WHERE state = 'approved'",
        "UPDATE rewards SET report_id = 'FR-2'",
        "UPDATE rewards SET actor_id = 'test:olga'",
        "DELETE FROM rewards WHERE state = 'approved'",
        "DELETE FROM rewards",
        "INSERT INTO rewards SELECT * REPLACE (9 AS reward_id, 9 AS reward_no) FROM rewards LIMIT 1",
    ],
)
def test_a_ledger_that_was_changed_is_found(store: Store, flaw: str, change: str) -> None:
    rewards.approve(store, POLICY, OWNER, rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800)))
    undo(store, EVERYBODY, store.revision)
    rewards.approve(store, POLICY, OWNER, 1)
    rewards.propose(store, POLICY, REVIEWER, flaw, RewardKind.PUBLIC_THANKS)
    verify(store)
    with store.write(EVERYBODY, "test") as work:
        work.cursor.execute(change)
    with pytest.raises(StoreError, match=r"reward \d is not what its events tell"):
        verify(store)


def test_what_waits_for_a_proposal(store: Store) -> None:
    flaw, copy = send(store), send(store, "The same.")
    bring(store, make_report("From our own files."))
    triage.assess(store, POLICY, REVIEWER, flaw, FLAW)
    triage.link(store, REVIEWER, copy, flaw)
    with store.read() as cursor:
        found, total = rewards.candidates(cursor)
    assert ([row["report_id"] for row in found], total) == ([flaw, copy], 2)
    number = rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800))
    with store.read() as cursor:
        assert [row["report_id"] for row in rewards.candidates(cursor)[0]] == [copy]
        (line,), total = rewards.board(cursor)
    assert (line["reward_no"], line["proposed_by"], total) == (number, REVIEWER.actor_id, 1)


def test_what_was_declined_or_got_thanks_alone_still_waits(store: Store, clock: Clock) -> None:
    """It was hidden for ever: nobody saw that a reward of value was never given."""
    declined, thanked, granted, fresh = (send(store, f"Number {n}") for n in range(4))
    for report in (declined, thanked, granted, fresh):
        triage.assess(store, POLICY, REVIEWER, report, FLAW)
    number = rewards.propose(store, POLICY, REVIEWER, declined, CASH, Decimal(800))
    rewards.decline(store, OWNER, number, "the amount was a slip")
    rewards.propose(store, POLICY, REVIEWER, thanked, RewardKind.PUBLIC_THANKS)
    rewards.propose(store, POLICY, REVIEWER, granted, RewardKind.PUBLIC_THANKS)
    rewards.propose(store, POLICY, REVIEWER, granted, RewardKind.CREDITS, Decimal(600))
    with store.read() as cursor:
        found, total = rewards.candidates(cursor)
        assert rewards.candidates(cursor, page=2, size=2)[0] == found[2:]
    assert total == 3
    assert [(row["report_id"], row["kinds"], row["states"]) for row in found] == [
        (fresh, [], []),
        (declined, ["cash"], ["declined"]),
        (thanked, ["public_thanks"], ["proposed"]),
    ]
    rewards.propose(store, POLICY, REVIEWER, declined, CASH, Decimal(700))
    with store.read() as cursor:
        assert [row["report_id"] for row in rewards.candidates(cursor)[0]] == [fresh, thanked]


def test_a_duplicate_without_a_share_waits_for_no_reward(store: Store, clock: Clock) -> None:
    """Nobody could propose or decline one, so that its clock would run for ever."""
    rng, sent = random.Random(7), []
    for number in range(40):
        contact = rng.choice(["", "", "ann@example.org", "bob@example.org"])
        sent.append(send(store, f"Number {number}", contact=contact))
        clock.forward(days=rng.choice([0, 0, 0.5, 3]))
    roots = [sent[0], sent[6], sent[12]]
    for root, decision in zip(roots, (FLAW, LOW, LOW), strict=True):
        triage.assess(store, POLICY, REVIEWER, root, decision)
    for report in sent:
        if report not in roots:
            earlier = [root for root in roots if sent.index(root) < sent.index(report)]
            triage.link(store, REVIEWER, report, rng.choice(earlier))
    clock.forward(days=60)
    with store.read() as cursor:
        nothing = {report for report in sent if has_no_share(cursor, report)}
        assert entitlements.without_share(cursor, sent) == nothing
        assert 5 < len(nothing) < 35
        waiting = {row["report_id"] for row in rewards.candidates(cursor, size=100)[0]}
        assert waiting == {name for name, _ in bounty.late(cursor, clock.now)} == set(sent) - nothing


def has_no_share(cursor: db.Cursor, report_id: str) -> bool:
    try:
        return not entitlements.entitlement(cursor, POLICY, report_id)
    except Refused as refused:
        return "no share" in refused.rule


def test_money_of_two_currencies_is_not_added_up(store: Store, clock: Clock, flaw: str) -> None:
    """A report keeps the currency of the policy of its day; the budget is in that of the policy in force."""
    rewards.approve(store, POLICY, OWNER, rewards.propose(store, POLICY, REVIEWER, flaw, CASH, Decimal(800)))
    text = POLICY.toml_text.replace('"USD"', '"EUR"').replace('"2026.2"', '"2027.1"')
    newer = policies.publish(
        store, EVERYBODY, policies.policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)
    )
    report = intake.receive(store, newer, reportformat.parse(make_report("New.")), Channel.FORM).report_id
    triage.assess(store, newer, REVIEWER, report, FLAW)
    clock.forward(days=8)
    rewards.approve(store, newer, OWNER, rewards.propose(store, newer, REVIEWER, report, CASH, Decimal(600)))
    with store.read() as cursor:
        assert spending.spend(cursor, 2026) == {"paid": 0, "approved": 600}
        assert spending.spend_elsewhere(cursor, 2026) == [{"currency": "USD", "paid": 0, "approved": 800}]
        assert [month["approved"] for month in spending.spend_by_month(cursor, 2026)][2] == 600
    rewards.pay(store, OWNER, 1)
    with store.read() as cursor:
        assert spending.paid_in_month(cursor, 2026, 3) == {"USD": 800}
        found = monthly.figures(cursor, clock.now, "2026-03")
        assert found.spent == {"USD": 800}
        assert "Rewards paid in the month:\n800.00 USD." in monthly.document(found)
        assert spending.spend(cursor, 2026) == {"paid": 0, "approved": 600}
        assert spending.spend(cursor, 2027) == {"paid": 0, "approved": 600}
        assert spending.spend_elsewhere(cursor, 2027) == []
        assert [row["report_id"] for row in rewards.board(cursor, ["approved"], month="2026-03")[0]] == [
            report
        ]
        assert [row["currency"] for row in payments.to_pay(cursor)] == ["EUR"]


@pytest.mark.parametrize(
    ("currency", "amount", "words"), [("JPY", "800", "800"), ("KWD", "800.125", "800.125")]
)
def test_money_of_another_number_of_decimals_is_told_by_its_own(
    store: Store, clock: Clock, currency: str, amount: str, words: str
) -> None:
    text = POLICY.toml_text.replace('"USD"', f'"{currency}"').replace('"2026.2"', '"2027.1"')
    policy = policies.publish(
        store, EVERYBODY, policies.policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)
    )
    report = reportformat.parse(make_report("New.", wants_reward=True))
    receipt = intake.receive(store, policy, report, Channel.FORM)
    triage.assess(store, policy, REVIEWER, receipt.report_id, FLAW)
    clock.forward(days=8)
    with pytest.raises(Refused, match="decimals in"):
        rewards.propose(store, policy, REVIEWER, receipt.report_id, CASH, Decimal("800.1255"))
    number = rewards.propose(store, policy, REVIEWER, receipt.report_id, CASH, Decimal(amount))
    rewards.approve(store, policy, OWNER, number)
    assert f",cash,{words},{currency}," in sent_file(store)
    rewards.pay(store, OWNER, number)
    with store.read() as cursor:
        assert messages.thread(cursor, receipt.report_id)[-1]["text"].endswith(f": cash, {words} {currency}.")
        (shown,) = tracking.view(cursor, receipt.report_id, clock.now).rewards
        assert str(shown["amount"]) == words
        found = monthly.figures(cursor, clock.now, "2026-03")
        assert f"Rewards paid in the month:\n{words} {currency}." in monthly.document(found)
        assert monthly.to_json(found)["spent"] == {currency: float(amount)}
    verify(store)


def test_no_way_round_what_a_report_may_get(store: Store, clock: Clock) -> None:
    """Neither by two kinds of money, nor by doing again what was right when it was done first."""
    first, second = send(store, "One"), send(store, "Two")
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    clock.forward(days=8)
    number = rewards.propose(store, POLICY, REVIEWER, first, CASH, Decimal(2000))
    with pytest.raises(Refused, match=r"with 2,000.00 that stand already it is more than 2,500.00 in all"):
        rewards.propose(store, POLICY, REVIEWER, first, RewardKind.DONATION, Decimal(501))
    rewards.propose(store, POLICY, REVIEWER, first, RewardKind.DONATION, Decimal(500))
    rewards.approve(store, POLICY, OWNER, number)
    approved = store.revision
    rewards.decline(store, OWNER, number, "by mistake")
    declined = store.revision
    triage.link(store, REVIEWER, second, first)  # from now on the first has half of the band
    with pytest.raises(Refused, match="50% of the band"):
        undo(store, EVERYBODY, declined)
    triage.unlink(store, REVIEWER, second)
    undo(store, EVERYBODY, declined)
    undo(store, EVERYBODY, approved)
    again = store.revision
    triage.link(store, REVIEWER, second, first)
    with pytest.raises(Refused, match="50% of the band"):
        undo(store, EVERYBODY, again)
    assert stands(store, number)["state"] == "proposed"


def test_standing_counts_what_the_desk_decided(store: Store) -> None:
    ids = [send(store, f"Number {n}", contact="a@example.org", credit_name="A") for n in range(5)]
    triage.assess(store, POLICY, REVIEWER, ids[0], FLAW)
    triage.link(store, REVIEWER, ids[1], ids[0])
    triage.assess(store, POLICY, REVIEWER, ids[2], Decision(("OOS-1",)))
    triage.assess(store, POLICY, REVIEWER, ids[3], Decision(("RTE-1",)))
    with store.read() as cursor:
        (line,), total = standing.board(cursor)
        assert total == 1
        assert line.standing == standing.of(cursor, line.reporter_id) == Standing(1, 1, 1, 1)
        assert standing.rate_factor(cursor, POLICY, line.reporter_id) == 2
        assert standing.rate_factor(cursor, POLICY, None) == 1
        assert standing.of(cursor, "nobody") == Standing()


# ------------------------------------------------------------------ follow-through


def told(store: Store) -> list[tuple[str, str]]:
    with store.read() as cursor:
        found = activity.events(cursor, activity.Filter(kind=("report.told",)), size=100)[0]
    return sorted((event.subject, event.data["kind"]) for event in found)


def test_a_fix_is_told_to_everybody_who_sent_the_flaw(store: Store) -> None:
    first, second = send(store, "One"), send(store, "Two")
    (ours,) = bring(store, make_report("From our own files."))
    send(store, "Something else")
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    for copy in (second, ours):
        triage.link(store, REVIEWER, copy, first)
    triage.move(store, REVIEWER, first, Trigger.FINISH_FIX)
    assert told(store) == []
    triage.move(store, REVIEWER, first, Trigger.DEPLOY_FIX)
    assert told(store) == [(first, "fix_marked"), (second, "fix_marked")]


def test_a_fix_that_holds_no_longer_is_told_to_the_same_people(store: Store) -> None:
    """They heard that it is in place, and the duplicates' reports stay closed: nothing else would tell them."""
    first, second = send(store, "One"), send(store, "Two")
    triage.assess(store, POLICY, REVIEWER, first, FLAW)
    triage.link(store, REVIEWER, second, first)
    triage.move(store, REVIEWER, first, Trigger.FINISH_FIX)
    deployed = store.revision + 1
    triage.move(store, REVIEWER, first, Trigger.DEPLOY_FIX)
    undo(store, REVIEWER, deployed)
    undone = store.revision - 2
    undo(store, REVIEWER, undone)
    triage.move(store, REVIEWER, first, Trigger.START_RETEST)
    triage.move(store, REVIEWER, first, Trigger.FAIL_RETEST)
    assert heard(store, second) == ["fix_marked", "fix_reopened"] * 2
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        triage.move(store, REVIEWER, first, trigger)
    closing: dict[str, Any] = {"resolution": Resolution.RESOLVED_FIXED, "note": "Tried ten times."}
    triage.move(store, REVIEWER, first, Trigger.PASS_RETEST, **closing)
    triage.assess(store, POLICY, REVIEWER, first, FLAW)  # it came back
    assert heard(store, first) == heard(store, second) == ["fix_marked", "fix_reopened"] * 3


def heard(store: Store, report_id: str) -> list[str]:
    with store.read() as cursor:
        return [one["kind"] for one in messages.thread(cursor, report_id)]


def test_whose_report_trained_a_version_is_told_once(store: Store, clock: Clock, tmp_path: Path) -> None:
    yes = send(store, "One", consent_training="any_safety_training")
    no = send(store, "Two")
    (ours,) = bring(store, make_report("Three", consent_training="any_safety_training"))
    for report in (yes, no, ours):
        triage.assess(store, POLICY, REVIEWER, report, FLAW)
    clock.forward(days=46)
    build(store, POLICY, EVERYBODY, ExportRequest("classifier", tmp_path / "a", version="1"))
    assert told(store) == [(yes, "trained_version")]
    build(store, POLICY, EVERYBODY, ExportRequest("classifier", tmp_path / "b", version="1"))
    assert told(store) == [(yes, "trained_version")]
    with store.read() as cursor:
        (event,) = activity.events(cursor, activity.Filter(kind=("report.told",)))[0]
        (message,) = messages.thread(cursor, yes)
    assert message["text"] == "Your report is in version 1 of the training set classifier."
    assert NOON < event.done_at <= NOON + timedelta(days=46)
