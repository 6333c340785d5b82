"""Payments on the Rewards page: the list that goes out as a batch, and the card of one batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import LiteralString

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.currencies import money_words
from triage_core.errors import NotFound
from triage_core.rewards import batches, dismissals, payments
from ui import row_buttons, session
from ui.hostile import inline, plain
from ui.rewards import card
from ui.words import REWARD_KIND, REWARD_STATE, counted, moment


def draw() -> None:
    """The button that sends what is to be paid as a batch; above it those that are left out unless chosen."""
    waiting = {row["reward_no"]: row for row in session.read(payments.to_pay)}
    if not waiting:
        return
    gone = {number: row for number, row in waiting.items() if row["dismissed"]}
    chosen: list[int] = []
    if gone:
        st.warning(
            f"Left out of the list for payment: {counted(len(gone), 'reward')} whose flaw was dismissed or lowered"
            " since the approval. Decline each with a reason, or choose here which ones to pay all the same.",
            icon=":material/gpp_maybe:",
        )
        chosen = st.multiselect(
            "Pay all the same",
            list(gone),
            format_func=lambda number: inline(f"Reward {number}: {gone[number]['dismissed']}", 120),
            key="pay-dismissed",
            placeholder="None",
            select_all=False,  # one by one
        )
    listed = [row for number, row in waiting.items() if number not in gone or number in chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Send the list for payment",
            key="send-list",
            icon=":material/outbox:",
            disabled=not listed,
            help="As a numbered batch with a file to download. Its rewards are on no later list.",
            on_click=_send,
            args=({number: gone[number]["dismissed"] for number in chosen},),
        )
        st.caption(f"{counted(len(listed), 'reward')}{_sums(listed)}", width="content")


def _sums(rows: Iterable[db.Row]) -> LiteralString:
    """What they come to, a sum for each currency; "" for none."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += row["amount"] or 0
    return "".join(f", {money_words(amount, name)} {plain(name)}" for name, amount in sorted(sums.items()))


def _send(chosen: dict[int, str]) -> None:
    opened = session.current()
    made: list[int] = []
    if session.command(
        "The list for payment is sent: download its file",
        lambda: made.append(payments.send(opened.store, session.actor(), chosen)),
    ):
        card.pick("batch", str(made[0]))
        row_buttons.bring()


def show(name: str) -> None:
    """The card of the batch with this number: its file as it went out, its rewards, and that they were paid."""
    try:
        batch = session.read(batches.read, session.number(name))
    except NotFound:
        st.warning(f"There is no payment batch {plain(name)}.", icon=":material/search_off:")
        return
    number = int(batch["batch_no"])
    # Of many the first ones are in view: those that still wait.
    rows = sorted(session.read(batches.rewards_of, number), key=payments.is_waiting, reverse=True)
    waiting = [row for row in rows if payments.is_waiting(row)]
    gone = session.read(dismissals.since)
    said = [str(gone.get(row["reward_no"], "")) if payments.is_waiting(row) else "" for row in rows]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Payment batch {number:,}", anchor=False, width="content")
            st.button("Close", key="close-batch", on_click=session.pick, args=("batch", None))
        st.caption(
            f"Sent {moment(batch['done_at'])} by {plain(batch['actor_id'])}:"
            f" {counted(len(rows), 'reward')}{_sums(rows)}"
        )
        st.dataframe(
            {
                "Reward": [str(row["reward_no"]) for row in rows],
                "Report": [inline(row["report_id"]) for row in rows],
                "Kind": [REWARD_KIND[row["kind"]] for row in rows],
                "Amount": [card.amount_words(row) for row in rows],
                "State": [
                    REWARD_STATE[row["state"]] if row["is_in"] else "Taken back from the batch"
                    for row in rows
                ],
                **({"Decided since": list(map(inline, said))} if any(said) else {}),
            },
            column_config={"Amount": st.column_config.TextColumn(alignment="right")},
            hide_index=True,
            key=f"batch-{number}",
            alt="The rewards of this payment batch, one a row",
        )
        if session.may(Command.PAY_REWARD):
            st.download_button(
                "The file as it was sent (CSV)",
                batch["file"].encode(),
                f"payments-{number}.csv",
                "text/csv",
                icon=":material/download:",
            )
        _pay(number, waiting, list(filter(None, said)))


def _pay(number: int, waiting: list[db.Row], told: list[str]) -> None:
    """What notes the rest of a batch as paid; what was decided on their flaws since is told first."""
    if not waiting or not session.may(Command.PAY_REWARD):
        return
    if told:
        st.warning(
            f"Decided since the approval: {plain('; '.join(told), 400)}. Take such a reward back"
            " from the batch on its card, or go on knowingly.",
            icon=":material/gpp_maybe:",
        )
    key = f"batch-words-{number}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Reference of the payment", key=key, max_chars=500, width=380)
        st.button(
            f"Note {counted(len(waiting), 'reward')} as paid{' all the same' if told else ''}",
            key=f"batch-pay-{number}", type="primary", icon=":material/payments:",
            on_click=_note, args=(number, key, {row["reward_no"]: row["version"] for row in waiting}, told),
        )  # fmt: skip


def _note(number: int, key: str, seen: dict[int, int], knowing: list[str]) -> None:
    session.command(
        "They are noted as paid",
        payments.pay,
        session.current().store,
        session.actor(),
        number,
        reference=st.session_state[key] or "",
        seen=seen,
        knowing=knowing,
    )
