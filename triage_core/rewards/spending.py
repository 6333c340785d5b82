"""What rewards cost: money by year and month, in the currency of the policy in force and, told apart, in others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from triage_core import db
from triage_core.errors import NotFound
from triage_core.guidance import policies
from triage_core.rewards.reward_rules import SPENT

_SPENT_ON = "list_contains($spent, p.kind) AND p.currency = $currency"
# Payments with their reversals, each in its own month, and what is approved now.
_MOVED = (
    "SELECT 'paid' AS state, done_at, kind, currency, amount FROM reward_payments"
    " UNION ALL SELECT state, done_at, kind, currency, amount FROM present_rewards WHERE state = 'approved'"
)
_SUMS = (
    "coalesce(sum(amount) FILTER (state = 'paid'), 0) AS paid,"
    " coalesce(sum(amount) FILTER (state = 'approved'), 0) AS approved"
)


def in_month(cursor: db.Cursor, states: Sequence[str], month: str) -> tuple[str, dict[str, Any]]:
    """The SQL condition over p (present_rewards) of what a `month`, as "2026-11", counts as paid or approved.

    With its parameters. A payment that was reversed counts in its month and in that of the reversal.
    """
    paid = "p.reward_no IN (SELECT reward_no FROM reward_payments WHERE strftime(done_at, '%Y-%m') = $month)"
    approved = "p.state = 'approved' AND strftime(p.done_at, '%Y-%m') = $month"
    either = " OR ".join({"paid": paid, "approved": approved}[state] for state in states)
    return f"({either}) AND {_SPENT_ON}", {"month": month, **_spent_on(cursor)}


def _spent_on(cursor: db.Cursor) -> dict[str, Any]:
    """What `_SPENT_ON` asks for: money in the currency of the policy in force; sums of several say nothing."""
    return {"spent": [str(kind) for kind in SPENT], "currency": _currency(cursor)}


def _currency(cursor: db.Cursor) -> str:
    try:
        return policies.in_force(cursor).rewards.currency
    except NotFound:  # before any policy there are no rewards
        return ""


def spend(cursor: db.Cursor, year: int) -> dict[str, Decimal]:
    """Money of a calendar year: what was `paid` in it, and what was `approved` by its end and is still to be paid.

    A reversal takes a payment back in the year in which it was noted.
    In the currency of the policy in force; what was promised in another one is in `spend_elsewhere`.
    """
    own = _currency(cursor)
    found = next((row for row in _by_currency(cursor, year) if row["currency"] == own), {})
    return {state: found.get(state, Decimal(0)) for state in ("paid", "approved")}


def spend_elsewhere(cursor: db.Cursor, year: int) -> list[db.Row]:
    """The same of every other currency, by its name: {currency, paid, approved}."""
    own = _currency(cursor)
    return [row for row in _by_currency(cursor, year) if row["currency"] != own]


def _by_currency(cursor: db.Cursor, year: int) -> list[db.Row]:
    return db.rows(
        cursor,
        f"SELECT currency, {_SUMS} FROM ({_MOVED}) p WHERE list_contains($spent, kind)"
        " AND (state = 'approved' AND year(done_at) <= $year OR state = 'paid' AND year(done_at) = $year)"
        " GROUP BY currency ORDER BY currency",
        {"spent": [str(kind) for kind in SPENT], "year": year},
    )


def spend_by_month(cursor: db.Cursor, year: int) -> list[db.Row]:
    """The money of a calendar year as twelve rows: {month (1 to 12), paid, approved in it and still to be paid}."""
    return db.rows(
        cursor,
        f"SELECT m.month, {_SUMS} FROM (SELECT unnest(range(1, 13)) AS month) m LEFT JOIN ({_MOVED}) p"
        f" ON month(p.done_at) = m.month AND year(p.done_at) = $year AND {_SPENT_ON}"
        " GROUP BY m.month ORDER BY m.month",
        {**_spent_on(cursor), "year": year},
    )


def paid_in_month(cursor: db.Cursor, year: int, month: int) -> dict[str, Decimal]:
    """The money paid in a month less what was reversed in it, by currency; one that comes to nothing is left out."""
    found = db.rows(
        cursor,
        "SELECT currency, sum(amount) AS paid FROM reward_payments WHERE list_contains(?, kind)"
        " AND year(done_at) = ? AND month(done_at) = ? GROUP BY currency HAVING paid <> 0 ORDER BY currency",
        [[str(kind) for kind in SPENT], year, month],
    )
    return {row["currency"]: row["paid"] for row in found}
