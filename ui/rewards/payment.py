"""The list for payment on the Rewards page, and the rewards that are left out of it unless chosen one by one."""

from __future__ import annotations

import streamlit as st

from triage_core.rewards import payments
from ui import session
from ui.hostile import inline
from ui.words import counted


def draw() -> None:
    """The button for the file; above it the rewards whose flaw was dismissed since, none of them chosen."""
    gone = {row["reward_no"]: row for row in session.read(payments.to_pay) if row["dismissed"]}
    chosen: list[int] = []
    if gone:
        st.warning(
            f"Left out of the list for payment: {counted(len(gone), 'reward')} whose flaw was dismissed since the"
            " approval. Decline each with a reason, or choose here which ones to pay all the same.",
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
    st.download_button(
        "List for payment (CSV)",
        session.read(payments.payments_csv, tuple(chosen)),
        "payments.csv",
        "text/csv",
        icon=":material/download:",
    )
