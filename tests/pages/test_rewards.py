"""Rewards: proposed, approved by another person, paid, with what it costs and how reporters stand."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from tests.making import FLAW
from tests.pages.conftest import EVERYTHING, figures, press
from triage_core import db
from triage_core.desk import triage, undo
from triage_core.desk.decision import Decision
from triage_core.guidance import policies
from triage_core.model import Actor
from triage_core.rewards import batches, payments, rewards
from triage_core.rewards.reward_rules import RewardKind
from ui.words import ROLE

OWNER = ROLE["policy_owner"]
INES = Actor("ines", "Ines", EVERYTHING.roles)


@pytest.fixture
def flaw(receive, opened):
    """`flaw("words")` is a confirmed flaw of medium severity whose reporter asks for a reward."""

    def go(words: str = "a joke", **fields) -> str:
        report = receive(words, hours_ago=24 * 9, wants_reward=True, **fields)
        triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
        return report

    return go


@pytest.fixture
def reward(flaw, opened):
    """`reward()` is the number of a proposal of 800 by Ines."""

    def go(**fields) -> int:
        return rewards.propose(
            opened.store, opened.policy, INES, flaw(**fields), RewardKind.CASH, Decimal(800)
        )

    return go


@pytest.fixture
def stands(opened):
    def read(number: int) -> dict:
        with opened.store.read() as cursor:
            return rewards.read(cursor, number)

    return read


def column(screen, name: str) -> list:
    return list(screen.dataframe[0].value[name])


def arrivals(screen) -> list[dict[str, int]]:
    """What each component that brings a card into view is given."""
    found = [one.proto for one in screen.get("bidi_component")]
    return [json.loads(one.json) for one in found if one.component_name == "flawdesk.arrive"]


def write(screen, label: str, text: str) -> None:
    next(field for field in screen.text_input if field.label == label).set_value(text)


def test_empty_store(visit, rendered):
    assert "No reports yet" in rendered(visit("rewards", role=OWNER))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("To propose", "No confirmed flaw waits"),
        ("To decide and to pay", "No reward waits"),
        ("All rewards", "No reward has been proposed"),
        ("Payment batches", "No list for payment has been sent"),
        ("Reporters", "Nobody who gave a contact"),
    ],
)
def test_every_view_says_when_it_is_empty(visit, receive, rendered, view, said):
    receive("a joke")
    assert said in rendered(visit("rewards", role=OWNER, view=view))


def test_from_a_flaw_to_a_proposal(visit, flaw, opened, rendered):
    report = flaw()
    screen = visit("rewards", role=ROLE["reviewer"], view="To propose")
    assert column(screen, "Report") == [report]
    assert list(screen.dataframe[0].value)[1:4] == ["Report", "Severity", "Duplicate of"]
    screen = visit("rewards", role=ROLE["reviewer"], view="To propose", report=report)
    assert "500.00 to 2,500.00" in rendered(screen)
    write(screen, "Amount", "1,200.50")
    press(screen, "Propose")
    with opened.store.read() as cursor:
        (made,) = db.rows(cursor, "SELECT * FROM present_rewards WHERE report_id = ?", [report])
    assert (made["amount"], made["state"], made["actor_id"]) == (
        Decimal("1200.50"),
        "proposed",
        "demo:reviewer",
    )


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("9999", "between 500.00 and 2,500.00"),
        ("9" * 40, "between 500.00 and 2,500.00"),
        ("much", "a number such as"),
        ("12,50", "a number such as"),  # no 1,250: in half of the world the comma is a decimal point
        ("1.200,50", "a number such as"),
        ("1_000", "a number such as"),
    ],
)
def test_an_amount_that_the_policy_does_not_give_is_refused_in_words(visit, flaw, amount, said):
    screen = visit("rewards", role=OWNER, view="To propose", report=flaw())
    write(screen, "Amount", amount)
    assert said in press(screen, "Propose").toast[0].value


def test_what_was_declined_waits_last_and_says_so(visit, flaw, opened, rendered):
    declined, fresh = flaw(), flaw("another joke")
    number = rewards.propose(opened.store, opened.policy, INES, declined, RewardKind.CASH, Decimal(800))
    rewards.decline(opened.store, EVERYTHING, number, "The amount was a slip.")
    screen = visit("rewards", role=ROLE["reviewer"], view="To propose")
    assert column(screen, "Report") == [fresh, declined]
    assert column(screen, "So far") == ["", "Cash declined"]
    assert column(screen, "Bounty due")[1] == ""
    said = rendered(visit("rewards", role=ROLE["reviewer"], view="To propose", report=declined))
    assert (
        "Reward 1, Cash 800.00 ` USD `: declined 04 Nov 2026 12:00 UTC by ` test `: ` The amount was a slip. `"
        in said
    )


def test_what_the_others_have_left_is_told_and_gone_beyond_knowingly(visit, flaw, opened, rendered, stands):
    first, second = flaw(), flaw("another joke")
    number = rewards.propose(opened.store, opened.policy, INES, first, RewardKind.CASH, Decimal(2500))
    rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    triage.link(opened.store, EVERYTHING, second, first)
    used = "of 2,500.00 USD for all reports of this flaw 2,500.00 stand already (FR-1: 2,500.00), so that 0.00 is left"
    screen = visit("rewards", role=ROLE["reviewer"], view="To propose", report=second)
    assert f"Less than its share is left: ` {used} `." in rendered(screen)
    write(screen, "Amount", "800")
    assert "so that 0.00 is left" in press(screen, "Propose").toast[0].value
    press(screen, "Propose all the same")
    screen = visit("rewards", role=OWNER, reward=str(number + 2))
    assert f"More than is left: ` {used} `." in rendered(screen)
    press(screen, "Approve all the same")
    assert stands(number + 2)["state"] == "approved"


def test_a_report_without_a_reward_says_why(visit, receive, flaw, rendered):
    flaw()
    screen = visit("rewards", role=OWNER, report=receive("a song"))
    assert "no confirmed flaw" in rendered(screen)


def test_approved_and_paid(visit, reward, stands):
    number = reward()
    screen = press(visit("rewards", role=OWNER, reward=str(number)), "Approve")
    assert stands(number)["state"] == "approved"
    assert figures(screen)["Approved, to be paid"] == "800.00"
    write(screen, "Reason, or reference of the payment", "bank 17")
    screen = press(screen, "Paid or given")
    assert (stands(number)["state"], stands(number)["reason"]) == ("paid", "bank 17")
    assert figures(screen)["Paid in 2026"] == "800.00"
    assert figures(screen)["Committed"] == "2%"
    screen = press(screen, "Reverse the payment")
    assert "reversed with a reason" in screen.toast[0].value
    write(screen, "Why it counts as unpaid", "It was another one.")
    screen = press(screen, "Reverse the payment")
    assert (stands(number)["state"], stands(number)["reason"]) == ("approved", "It was another one.")
    assert (figures(screen)["Paid in 2026"], figures(screen)["Approved, to be paid"]) == ("0.00", "800.00")


@pytest.fixture
def dismissed(reward, stands, opened):
    """`dismissed()` is the number of an approved reward whose flaw was then closed as out of scope."""

    def go(**fields) -> int:
        number = reward(**fields)
        rewards.approve(opened.store, opened.policy, EVERYTHING, number)
        no_flaw = Decision(("OOS-1",), note="A slip.")
        triage.assess(opened.store, opened.policy, EVERYTHING, stands(number)["report_id"], no_flaw)
        return number

    return go


def test_a_flaw_that_was_dismissed_since_is_paid_only_knowingly(visit, dismissed, stands, opened, rendered):
    number = dismissed()
    what = "FR-1 was closed as out of scope by OOS-1 on 04 Nov 2026 12:00 UTC"
    screen = visit("rewards", role=OWNER, view="To decide and to pay", reward=str(number))
    assert column(screen, "Decided since") == [what]
    assert f"Decided since this was approved: ` {what} `." in rendered(screen)
    assert "Left out of the list for payment: 1 reward" in rendered(screen)
    (choice,) = screen.multiselect
    assert (choice.options, choice.value) == ([f"Reward {number}: {what}"], [])
    assert choice.proto.select_all == 0  # one by one
    assert next(button for button in screen.button if button.label == "Send the list for payment").disabled
    choice.select(f"Reward {number}: {what}").run()
    screen = press(screen, "Send the list for payment")
    with opened.store.read() as cursor:
        sent = batches.read(cursor, 1)["file"]
    assert f"cash,800.00,USD,,,2026-11-04T12:00:00Z,{what}\r\n" in sent
    assert f"Decided since the approval: ` {what} `" in rendered(screen)  # on the card of the batch
    screen = visit("rewards", role=OWNER, view="To decide and to pay", reward=str(number))
    assert not [button for button in screen.button if button.label == "Paid or given"]
    screen = press(screen, "Pay all the same")
    assert stands(number)["state"] == "paid"
    assert not screen.exception
    assert "Left out of the list" not in rendered(screen)


def test_a_proposal_for_what_is_no_flaw_any_more_can_only_be_declined(
    visit, reward, stands, opened, rendered
):
    number = reward()
    no_flaw = Decision(("OOS-1",), note="A slip.")
    triage.assess(opened.store, opened.policy, EVERYTHING, stands(number)["report_id"], no_flaw)
    screen = visit("rewards", role=OWNER, view="To decide and to pay", reward=str(number))
    assert "a reason that the reporter can read." in rendered(screen)
    (approve,) = [button for button in screen.button if button.label == "Approve all the same"]
    assert approve.disabled


def test_a_dismissal_that_the_page_does_not_show_yet_stops_the_payment(visit, reward, stands, opened):
    number = reward()
    rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    screen = visit("rewards", role=OWNER, reward=str(number))
    assert "Decided since" not in screen.dataframe[0].value
    no_flaw = Decision(("OOS-1",), note="A slip.")
    triage.assess(opened.store, opened.policy, EVERYTHING, stands(number)["report_id"], no_flaw)
    screen = press(screen, "Paid or given")
    assert "pay it knowingly, or decline it with a reason" in screen.toast[0].value
    assert stands(number)["state"] == "approved"
    assert column(screen, "Decided since")


def test_the_menu_of_the_rows_opens_one(visit, reward, flaw, rendered):
    reward()
    screen = visit("rewards", role=OWNER)
    assert "Approve" not in rendered(screen)
    screen = next(one for one in screen.button if str(one.key).startswith("only-")).click().run()
    assert "Approve" in rendered(screen)
    assert arrivals(screen) == [{"opening": 1}]  # the card comes into view, wherever the row was pressed
    assert arrivals(visit("rewards", role=OWNER, reward="1")) == []  # a link shows it from the top
    waiting = flaw()
    screen = visit("rewards", role=OWNER, view="To propose")
    assert any(one.value.startswith("1 report, the longest triaged first") for one in screen.caption)
    next(one for one in screen.button if str(one.key).startswith("only-")).click().run()
    assert screen.query_params["report"] == waiting
    assert not visit("rewards", role=OWNER, view="Reporters").menu_button


def test_declined_with_a_reason(visit, reward, stands):
    number = reward()
    screen = press(visit("rewards", role=OWNER, reward=str(number)), "Decline")
    assert "can read" in screen.toast[0].value
    write(screen, "Reason, or reference of the payment", "paid by another team")
    press(screen, "Decline")
    assert stands(number)["state"] == "declined"


def test_reviewers_read_and_do_not_approve(visit, reward, rendered):
    screen = visit("rewards", role=ROLE["reviewer"], reward=str(reward()))
    assert "a second person" in rendered(screen)
    assert not [button for button in screen.button if button.label == "Approve"]
    assert not [button for button in screen.button if button.label == "Send the list for payment"]


def test_a_list_for_payment_goes_out_once_and_is_noted_as_paid(
    visit, reward, flaw, stands, opened, rendered, monkeypatch
):
    files = {}
    monkeypatch.setattr(
        "ui.rewards.payment.st.download_button",
        lambda label, data, name, *rest, **more: files.update({name: data}),
    )
    numbers = [reward(), reward(words="another joke")]
    for number in numbers:
        rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    screen = visit("rewards", role=OWNER)
    assert "2 rewards, 1,600.00 ` USD `" in rendered(screen)
    screen = press(screen, "Send the list for payment")
    assert "Payment batch 1" in rendered(screen)
    with opened.store.read() as cursor:
        assert files["payments-1.csv"] == batches.read(cursor, 1)["file"].encode()
    assert not [button for button in screen.button if button.label == "Send the list for payment"]
    assert column(visit("rewards", role=OWNER), "Batch") == ["1", "1"]
    screen = visit("rewards", role=OWNER, reward=str(numbers[0]))
    assert "Sent to payments in batch 1" in rendered(screen)
    assert not [button for button in screen.button if button.label == "Decline"]
    screen = press(screen, "Take back from the batch")
    assert "is in no payment batch any more" in screen.toast[0].value
    assert [button for button in screen.button if button.label == "Decline"]
    screen = visit("rewards", role=OWNER, view="Payment batches", batch="1")
    listed = [list(table.value["State"]) for table in screen.dataframe if "State" in table.value]
    assert listed == [["Approved", "Taken back from the batch"]]
    write(screen, "Reference of the payment", "bank 17")
    screen = press(screen, "Note 1 reward as paid")
    assert [stands(number)["state"] for number in numbers] == ["approved", "paid"]
    assert stands(numbers[1])["reason"] == "bank 17"
    (table,) = [one.value for one in screen.dataframe if "To be paid" in one.value]
    assert [list(table[name]) for name in ("Batch", "Rewards", "To be paid", "Taken back")] == [
        ["1"],
        ["2"],
        ["0"],
        ["1"],
    ]
    assert "There is no payment batch ` x `" in rendered(visit("rewards", role=OWNER, batch="x"))


def test_a_card_acts_on_a_reward_where_it_was_seen(visit, reward, stands, opened):
    number = reward()
    rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    screen = visit("rewards", role=OWNER, reward=str(number))
    payments.send(opened.store, EVERYTHING)
    screen = press(screen, "Paid or given")
    assert "was put into a payment batch" in screen.toast[0].value
    assert stands(number)["state"] == "approved"
    undo.undo(opened.store, EVERYTHING, opened.store.revision)
    payments.send(opened.store, EVERYTHING)
    screen = press(screen, "Take back from the batch")
    assert "is not in payment batch 1" in screen.toast[0].value
    with opened.store.read() as cursor:
        assert batches.number(cursor, number) == 2
    press(screen, "Paid or given")
    assert stands(number)["state"] == "paid"


def test_a_dismissal_that_the_card_of_a_batch_does_not_show_yet_stops_its_payment(
    visit, reward, stands, opened
):
    numbers = [reward(), reward(words="another joke")]
    for number in numbers:
        rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    payments.send(opened.store, EVERYTHING)
    no_flaw = Decision(("OOS-1",), note="A slip.")
    first, second = (stands(number)["report_id"] for number in numbers)
    triage.assess(opened.store, opened.policy, EVERYTHING, first, no_flaw)
    screen = visit("rewards", role=OWNER, view="Payment batches", batch="1")
    triage.assess(opened.store, opened.policy, EVERYTHING, second, no_flaw)
    screen = press(screen, "Note 2 rewards as paid all the same")
    assert f"{second} was closed as out of scope" in screen.toast[0].value
    said = next(list(one.value["Decided since"]) for one in screen.dataframe if "Decided since" in one.value)
    assert [words.partition(" by ")[0] for words in said] == [
        f"{name} was closed as out of scope" for name in (first, second)
    ]
    assert [stands(number)["state"] for number in numbers] == ["approved", "approved"]
    press(screen, "Note 2 rewards as paid all the same")
    assert [stands(number)["state"] for number in numbers] == ["paid", "paid"]


def test_an_address_opens_the_page_that_it_names(visit, receive, opened):
    ids = [receive(f"joke {n}", hours_ago=24 * 9 - n, wants_reward=True) for n in range(27)]
    for report in ids:
        triage.assess(opened.store, opened.policy, EVERYTHING, report, FLAW)
    screen = visit("rewards", role=OWNER, view="To propose", rewards="2")
    assert column(screen, "Report") == ids[25:]
    beyond = visit("rewards", role=OWNER, view="To propose", rewards="9")
    assert column(beyond, "Report") == ids[:25], "the first page"


def test_reporters_and_their_tiers(visit, flaw):
    flaw(contact="a@example.org", credit_name="Ada")
    screen = visit("rewards", role=OWNER, view="Reporters")
    assert (column(screen, "Credit name"), column(screen, "Confirmed")) == (["Ada"], ["1"])
    assert (column(screen, "Tier"), column(screen, "May send so many times as often")) == (["Known"], ["2"])


def test_ledger_keeps_what_is_over(visit, reward, opened):
    number = reward()
    rewards.decline(opened.store, EVERYTHING, number, "no")
    assert column(visit("rewards", role=OWNER, view="All rewards"), "State") == ["Declined"]


def test_the_money_of_a_month_has_its_rewards_behind_it(visit, reward, flaw, opened, rendered):
    number = reward()
    rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    rewards.pay(opened.store, EVERYTHING, number)
    rewards.propose(opened.store, opened.policy, INES, flaw("another joke"), RewardKind.CASH, Decimal(800))
    screen = visit("trends", role=OWNER)
    (spent,) = [json.loads(one.proto.spec) for one in screen.get("plotly_chart") if "Money" in one.proto.alt]
    assert spent["layout"]["xaxis"]["title"]["text"] == opened.policy.rewards.currency
    screen.session_state["numbers-rewards"] = True
    screen.run()
    screen.session_state["table-rewards"] = {"selection": {"cells": [[10, "Paid"]]}}
    screen.run()
    (link,) = [one for one in screen.get("page_link") if one.proto.label == "See what is behind this number"]
    assert link.proto.page == "rewards"
    screen = visit("rewards", **dict(parse_qsl(link.proto.query_string)))
    assert column(screen, "Reward") == [str(number)]
    assert "Paid, in ` 2026-11 ` only." in rendered(screen)
    press(screen, "Show all")
    assert len(column(visit("rewards", role=OWNER, view="All rewards"), "Reward")) == 2


def test_what_was_approved_last_year_is_still_to_be_paid(visit, reward, opened, rendered, monkeypatch):
    number = reward()
    rewards.approve(opened.store, opened.policy, EVERYTHING, number)
    later = opened.store.clock() + timedelta(days=80)
    monkeypatch.setattr(opened.store, "clock", lambda: later)
    screen = visit("rewards", role=OWNER)
    assert figures(screen)["Paid in 2027"] == "0.00"
    assert figures(screen)["Approved, to be paid"] == "800.00"
    assert figures(screen)["Committed"] == "2%"
    assert "Approved before 2027 and still to be paid, in no month of these: 800.00." in rendered(screen)


def test_trends_tell_of_money_in_another_currency(visit, reward, opened, rendered):
    rewards.approve(opened.store, opened.policy, EVERYTHING, reward())
    text = opened.policy.toml_text.replace('"USD"', '"EUR"').replace('"2026.2"', '"2027.1"')
    again = policies.policy.parse(text, opened.policy.severity_csv, opened.policy.priority_csv)
    policies.publish(opened.store, EVERYTHING, again)
    said = "Not in these figures, in ` USD `: 0.00 paid, 800.00 approved and to be paid."
    for page in ("rewards", "trends"):
        assert said in rendered(visit(page, role=OWNER))


@pytest.mark.parametrize("name", ["999", "-1", "9" * 30, "![x](http://example.org)"])
def test_a_reward_that_is_not_there(visit, reward, rendered, name):
    reward()
    said = rendered(visit("rewards", role=OWNER, reward=name))
    assert "There is no reward" in said
    assert "example.org" not in re.sub(r"(`+).*?\1", "", said)


def test_what_reporters_wrote_is_never_markdown(visit, reward, rendered):
    image = "![x](http://example.org/x.png)"
    number = reward(contact=image, credit_name=image)
    for view in ("All rewards", "Reporters"):
        said = rendered(visit("rewards", role=OWNER, view=view, reward=str(number), report=image))
        assert "example.org" not in re.sub(r"(`+).*?\1", "", said)
