"""What rewards cost, month by month, with the rewards behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from triage_core.rewards import rewards
from ui import charts, session
from ui.charts import BLUE, ORANGE

REWARDS = "pages/rewards.py"
LEDGER: LiteralString = "All rewards"
LATE: LiteralString = "Past the bounty clock"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SPENT: Mapping[str, LiteralString] = {"paid": "Paid", "approved": "Approved, to be paid"}


def of_month(spent: str, year: int, month: int) -> dict[str, str]:
    """The address of the rewards that a month's money was `spent` on."""
    return {"view": LEDGER, "spent": spent, "month": f"{year:04d}-{month:02d}"}


def draw(year: int) -> None:
    """Money paid and approved in each month of a year."""
    rows = [
        {"label": MONTHS[row["month"] - 1]} | {name: float(row[name]) for name in SPENT}
        for row in session.read(rewards.spend_by_month, year)
    ]
    charts.stacked_bars(
        "rewards", "Month", rows, SPENT, [BLUE, ORANGE], "Money paid and approved each month",
        lambda spent, place: of_month(spent, year, place + 1), page=REWARDS,
        unit=session.current().policy.rewards.currency,
    )  # fmt: skip
