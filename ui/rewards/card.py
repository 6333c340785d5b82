"""One reward on the Rewards page, and the form that proposes one."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, LiteralString

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.currencies import money_words
from triage_core.desk import undo
from triage_core.errors import FlawdeskError, Refused
from triage_core.rewards import batches, dismissals, entitlements, rewards, sums
from triage_core.rewards.dismissals import Dismissal
from triage_core.rewards.reward_rules import VALUED, RewardKind, RewardState
from ui import refusals, session
from ui.hostile import inline, plain
from ui.words import REWARD_KIND, REWARD_STATE, SEVERITY, badge, moment, severity_badge

CARDS = ("reward", "batch", "report")
"""What an address can open: a report is one that a reward is proposed for."""


def amount_words(row: db.Row) -> str:
    """The amount for a table, with its currency; "" where the kind has none."""
    if row["amount"] is None:
        return ""
    return f"{money_words(row['amount'], row['currency'])} {inline(row['currency'])}"


def reward_words(row: db.Row) -> LiteralString:
    """The kind of a reward, with the amount and its currency where it has one."""
    kind = REWARD_KIND[row["kind"]]
    if row["amount"] is None:
        return kind
    return f"{kind} {money_words(row['amount'], row['currency'])} {plain(row['currency'])}"


def pick(kind: str, name: str) -> None:
    """Open this card, and no other beside it."""
    for one in CARDS:
        session.pick(one, name if one == kind else None)


def draw(number: str) -> None:
    """The card of the reward with this number, and what may be done with it next."""
    try:
        row = session.read(rewards.read, session.number(number))
    except FlawdeskError:
        st.warning(f"There is no reward {plain(number)}.", icon=":material/search_off:")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(
                f"Reward {row['reward_no']:,} for {plain(row['report_id'])}", anchor=False, width="content"
            )
            st.button("Close", key="close-reward", on_click=session.pick, args=("reward", None))
        share = "" if row["amount"] is None else f", {row['share']:.2f}% of the band"
        st.markdown(
            f"{badge('blue', REWARD_STATE[row['state']])} {severity_badge(row['severity'])}"
            f" **{reward_words(row)}**{share}, by policy {plain(row['policy_version'])}"
        )
        said = f": {plain(row['reason'])}" if row["reason"] else ""
        st.caption(f"Last changed {moment(row['done_at'])} by {plain(row['actor_id'])}{said}")
        sent = session.read(batches.sent, row["reward_no"])
        if sent:
            st.caption(
                f"Sent to payments in batch {sent['batch_no']:,}, {moment(sent['done_at'])}"
                f" by {plain(sent['actor_id'])}"
            )
        gone = session.read(dismissals.since).get(row["reward_no"])
        if gone:
            may = ", or go on knowingly" if _may_go_on(row, gone) else ""
            st.warning(
                f"Decided since this was {REWARD_STATE[row['state']].lower()}: {plain(str(gone))}. Decline it with"
                f" a reason that the reporter can read{may}.",
                icon=":material/gpp_maybe:",
            )
        used = ""
        if row["state"] == RewardState.PROPOSED:
            used = session.read(sums.beyond, session.current().policy, row)
        if used:
            st.warning(f"More than is left: {plain(used, 400)}.", icon=":material/group_work:")
        _acts(row, gone, sent, [str(told) for told in (gone, used) if told])


def _may_go_on(row: db.Row, gone: Dismissal | None) -> bool:
    """What was approved may be paid; only for a confirmed flaw a proposal may be approved."""
    return gone is None or gone.stands or row["state"] != RewardState.PROPOSED


def _acts(row: db.Row, gone: Dismissal | None, sent: db.Row | None, knowing: list[str]) -> None:
    """What may be done next; `knowing` are the sentences that stand in the way and are shown above."""
    may_approve, may_pay = session.may(Command.APPROVE_REWARD), session.may(Command.PAY_REWARD)
    state, batch_no = RewardState(row["state"]), sent and int(sent["batch_no"])
    if state is RewardState.PAID:
        _reversal(row, may_pay)
    if state not in {RewardState.PROPOSED, RewardState.APPROVED}:
        return
    if not (may_approve or may_pay):
        st.info(
            "The policy owner decides on it, a second person beside the proposer.", icon=":material/group:"
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Reason, or reference of the payment", key=_key(row, "words"), max_chars=500, width=380
        )
        if state is RewardState.PROPOSED:
            st.button(
                "Approve all the same" if knowing else "Approve",
                key=_key(row, "approve"), type="primary", icon=":material/check:",
                disabled=not _may_go_on(row, gone), on_click=_approve, args=(row, knowing),
            )  # fmt: skip
        else:
            st.button(
                "Pay all the same" if knowing else "Paid or given",
                key=_key(row, "pay"), type="primary", icon=":material/payments:", disabled=not may_pay,
                help=session.whose(Command.PAY_REWARD), on_click=_pay, args=(row, batch_no, knowing),
            )  # fmt: skip
        if sent:
            st.button(
                "Take back from the batch", key=_key(row, "back"), icon=":material/undo:", disabled=not may_pay,
                help="It was not paid: it may be declined, and is on the next list for payment.",
                on_click=_take_back, args=(row, batch_no),
            )  # fmt: skip
        else:
            st.button(
                "Decline", key=_key(row, "decline"), icon=":material/block:", on_click=_decline, args=(row,)
            )
    del words  # read by the callbacks


def _reversal(row: db.Row, may_pay: bool) -> None:
    """What takes back that a reward was paid; whoever may not is told nothing of it."""
    if not may_pay:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Why it counts as unpaid", key=_key(row, "words"), max_chars=500, width=380)
        st.button(
            "Reverse the payment", key=_key(row, "reverse"), icon=":material/undo:",
            help="It was noted by mistake, or came back. Its reporter is told, and it is to be paid again.",
            on_click=_reverse, args=(row,),
        )  # fmt: skip


def propose(report_id: str) -> None:
    """The form that proposes a reward for this report, with what the policy of its day gives."""
    policy = session.current().policy
    try:
        may = session.read(entitlements.entitlement, policy, report_id)
    except Refused as error:
        st.warning(f"No reward: {refusals.why(error, 400)}.", icon=":material/block:")
        return
    kinds = [
        str(kind) for kind in RewardKind if kind is RewardKind.CASH or kind in may.policy.rewards.non_cash
    ]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Propose a reward for {plain(report_id)}", anchor=False, width="content")
            st.button("Close", key="close-report", on_click=session.pick, args=("report", None))
        st.markdown(
            f"Policy {plain(may.policy.version)}, {SEVERITY[may.severity].lower()}:"
            f" **{money_words(may.least, may.currency)} to {money_words(may.most, may.currency)}**"
            f" {plain(may.currency)},"
            f" which is {may.share.in_percent:.2f}% of the band."
        )
        for row in session.read(rewards.of_report, report_id):
            said = f": {plain(row['reason'])}" if row["reason"] else ""
            st.caption(
                f"Reward {row['reward_no']:,}, {reward_words(row)}:"
                f" {REWARD_STATE[row['state']].lower()} {moment(row['done_at'])} by {plain(row['actor_id'])}{said}"
            )
        if may.used:
            st.warning(f"Less than its share is left: {plain(may.used, 400)}.", icon=":material/group_work:")
        with st.form(f"propose-{report_id}", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.selectbox(
                    "Kind", kinds, format_func=REWARD_KIND.__getitem__, key=f"kind-{report_id}", width=200
                )
                st.text_input(
                    "Amount", key=f"amount-{report_id}", width=140, help="For cash, credits and donations."
                )
                st.text_input("Reason", key=f"why-{report_id}", max_chars=500, width=300)
            with st.container(horizontal=True):
                st.form_submit_button("Propose", type="primary", on_click=_propose, args=(report_id, []))
                if may.used:
                    st.form_submit_button(
                        "Propose all the same", on_click=_propose, args=(report_id, [may.used])
                    )


def _propose(report_id: str, knowing: list[str]) -> None:
    opened, state = session.current(), st.session_state
    kind = RewardKind(state[f"kind-{report_id}"])
    written = (state[f"amount-{report_id}"] or "").strip()

    def give() -> None:
        amount = _amount(written) if kind in VALUED or written else None
        rewards.propose(
            opened.store, opened.policy, session.actor(), report_id, kind, amount,
            reason=state[f"why-{report_id}"] or "", knowing=knowing,
        )  # fmt: skip

    if session.command("The reward is proposed; a second person approves it", give):
        session.pick("report", None)


def _amount(written: str) -> Decimal:
    """The amount. A comma only parts thousands: read as a decimal point elsewhere, 12,50 would become 1250."""
    if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?", written):
        raise Refused("amount", "must be a number such as 750, 750.50 or 1,200.50")
    return Decimal(written.replace(",", ""))


def _approve(row: db.Row, knowing: list[str]) -> None:
    opened = session.current()
    session.command(
        "The reward is approved",
        rewards.approve,
        opened.store,
        opened.policy,
        session.actor(),
        row["reward_no"],
        seen_version=row["version"],
        knowing=knowing,
    )


def _pay(row: db.Row, batch_no: int | None, knowing: list[str]) -> None:
    _settle(
        "It is noted as paid or given",
        rewards.pay,
        row,
        reference=_words(row),
        knowing=knowing,
        seen_batch=batch_no,
    )


def _reverse(row: db.Row) -> None:
    _settle("The payment is reversed", rewards.reverse, row, reason=_words(row))


def _decline(row: db.Row) -> None:
    _settle("The reward is declined", rewards.decline, row, reason=_words(row))


def _take_back(row: db.Row, batch_no: int) -> None:
    opened, number = session.current(), row["reward_no"]
    session.command(
        "The reward is in no payment batch any more",
        lambda: undo.undo(opened.store, session.actor(), session.read(batches.sending, number, batch_no)),
    )


def _settle(done: LiteralString, act: Callable[..., Any], row: db.Row, **words: Any) -> None:
    session.command(
        done,
        act,
        session.current().store,
        session.actor(),
        row["reward_no"],
        seen_version=row["version"],
        **words,
    )


def _words(row: db.Row) -> str:
    return st.session_state[_key(row, "words")] or ""


def _key(row: db.Row, name: str) -> str:
    return f"{name}-{row['reward_no']}-{row['version']}"
