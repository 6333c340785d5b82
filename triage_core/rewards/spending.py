"""What rewards cost: money by year and month, in the currency of the policy in force and, told apart, in others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from triage_core import db
from triage_core.errors import NotFound
from triage_core.guidance import policies
from triage_core.rewards.reward_rules import SPENT

SPENT_ON = "list_contains($spent, p.kind) AND p.currency = $currency"


def spent_on(cursor: db.Cursor) -> dict[str, Any]:
    """What `SPENT_ON` asks for: money in the currency of the policy in force; sums of several say nothing."""
    return {"spent": [str(kind) for kind in SPENT], "currency": _currency(cursor)}


def _currency(cursor: db.Cursor) -> str:
    try:
        return policies.in_force(cursor).rewards.currency
    except NotFound:  # before any policy there are no rewards
        return ""


def spend(cursor: db.Cursor, year: int) -> dict[str, Decimal]:
    """Money of a calendar year: what was `paid` in it, and what was `approved` by its end and is still to be paid.

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
        "SELECT currency, coalesce(sum(amount) FILTER (state = 'paid'), 0) AS paid,"
        " coalesce(sum(amount) FILTER (state = 'approved'), 0) AS approved FROM present_rewards"
        " WHERE list_contains($spent, kind) AND (state = 'approved' AND year(done_at) <= $year"
        " OR state = 'paid' AND year(done_at) = $year)"
        " GROUP BY currency ORDER BY currency",
        {"spent": [str(kind) for kind in SPENT], "year": year},
    )


def spend_by_month(cursor: db.Cursor, year: int) -> list[db.Row]:
    """The money of a calendar year as twelve rows: {month (1 to 12), paid, approved in it and still to be paid}."""
    return db.rows(
        cursor,
        "SELECT m.month, coalesce(sum(amount) FILTER (state = 'paid'), 0) AS paid,"
        " coalesce(sum(amount) FILTER (state = 'approved'), 0) AS approved"
        " FROM (SELECT unnest(range(1, 13)) AS month) m LEFT JOIN present_rewards p"
        f" ON month(p.done_at) = m.month AND year(p.done_at) = $year AND {SPENT_ON}"
        " GROUP BY m.month ORDER BY m.month",
        {**spent_on(cursor), "year": year},
    )


def paid_in_month(cursor: db.Cursor, year: int, month: int) -> dict[str, Decimal]:
    """The money paid in a month, by its currency; a currency in which nothing was paid is left out."""
    found = db.rows(
        cursor,
        "SELECT currency, sum(amount) AS paid FROM present_rewards WHERE list_contains(?, kind) AND state = 'paid'"
        " AND year(done_at) = ? AND month(done_at) = ? GROUP BY currency ORDER BY currency",
        [[str(kind) for kind in SPENT], year, month],
    )
    return {row["currency"]: row["paid"] for row in found}
