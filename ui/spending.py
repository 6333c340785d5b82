"""What rewards cost, month by month, with the rewards behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core.currencies import money_words
from triage_core.rewards import spending
from ui import charts, session
from ui.charts import BLUE, ORANGE
from ui.hostile import plain

REWARDS = "pages/rewards.py"
LEDGER: LiteralString = "All rewards"
LATE: LiteralString = "Past the bounty clock"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SPENT: Mapping[str, LiteralString] = {"paid": "Paid", "approved": "Approved, to be paid"}


def of_month(spent: str, year: int, month: int) -> dict[str, str]:
    """The address of the rewards that a month's money was `spent` on."""
    return {"view": LEDGER, "spent": spent, "month": f"{year:04d}-{month:02d}"}


def elsewhere(year: int) -> None:
    """What the figures of a year leave out: money in other currencies than that of the policy in force."""
    for other in session.read(spending.spend_elsewhere, year):
        name = other["currency"]
        st.caption(
            f"Not in these figures, in {plain(name)}: {money_words(other['paid'], name)} paid,"
            f" {money_words(other['approved'], name)} approved and to be paid."
        )


def draw(year: int) -> None:
    """Money paid and approved in each month of a year, and what was approved before it and is still to be paid."""
    rows = [
        {"label": MONTHS[row["month"] - 1]} | {name: float(row[name]) for name in SPENT}
        for row in session.read(spending.spend_by_month, year)
    ]
    earlier = session.read(spending.spend, year - 1)["approved"]
    currency = session.current().policy.rewards.currency
    if earlier:
        st.caption(
            f"Approved before {year:d} and still to be paid, in no month of these: {money_words(earlier, currency)}."
        )
    charts.stacked_bars(
        "rewards", "Month", rows, SPENT, [BLUE, ORANGE], "Money paid and approved each month",
        lambda spent, place: of_month(spent, year, place + 1), page=REWARDS,
        unit=currency,
    )  # fmt: skip
