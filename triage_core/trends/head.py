"""The window in a few numbers: how much came in, how the clocks were kept, what was known already."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from triage_core import db
from triage_core.counted import COLUMN, CONDITIONS, FIXED_AT, Counted, Moment
from triage_core.trends.window import FROM, Window


class Clock(StrEnum):
    """A clock of the policy; its target is the due date of each report."""

    FIRST_RESPONSE = "first_response"
    TRIAGE = "triage"
    FIX = "fix"
    BOUNTY = "bounty"


OF_ARRIVAL = (Clock.FIRST_RESPONSE, Clock.TRIAGE)
"""The clocks that run for days, counted when reports come in; the others run for weeks, and count when they end."""
_DONE = {
    Clock.FIRST_RESPONSE: "c.first_response_at",
    Clock.TRIAGE: "c.triaged_at",
    Clock.FIX: FIXED_AT,
}
_COUNTED = {
    Clock.FIRST_RESPONSE: (Counted.RESPONSE, Counted.RESPONSE_INSIDE),
    Clock.TRIAGE: (Counted.TRIAGE, Counted.TRIAGE_INSIDE),
    Clock.FIX: (Counted.FIX, Counted.FIX_INSIDE),
}
FIX_END = COLUMN[Moment.FIX_END]
WITH_FIX = "c.fix_due IS NOT NULL"
"""Which reports the clock of the fix is for: `kept` asks of it among these."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How one clock was kept.

    `counted` reports were answered (fixed, rewarded) or are past their target; of these `inside` were in
    time. `median_hours` is that of the answered ones, None when there are none.
    """

    counted: int
    inside: int
    median_hours: float | None

    @property
    def late(self) -> int:
        """Those answered after their target, or past it without an answer."""
        return self.counted - self.inside

    @property
    def share(self) -> float | None:
        """`inside` of `counted`, 0 to 1; None when nothing is counted."""
        return self.inside / self.counted if self.counted else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The window in numbers; `open` counts whatever is open now, however old. `known` are the duplicates."""

    reports: int
    open: int
    known: int
    first_response: Kept
    triage: Kept

    @property
    def known_share(self) -> float | None:
        return self.known / self.reports if self.reports else None


def figures(cursor: db.Cursor, window: Window) -> Figures:
    """The numbers for the head of the page."""
    where, values = window.where()
    found = db.row(
        cursor,
        f"SELECT count(*) AS reports, {how_many(Counted.KNOWN)} AS known,"
        f" {', '.join(map(kept, OF_ARRIVAL))}{FROM} WHERE {where}",
        values,
    )
    assert found is not None, "a count without groups is one row"
    where, values = window.product("c.status <> 'closed'", {})
    is_open = db.value(cursor, f"SELECT count(*){FROM} WHERE {where}", values)
    return Figures(
        reports=found["reports"],
        open=int(is_open),
        known=found["known"],
        **{str(clock): _of_row(clock, found) for clock in OF_ARRIVAL},
    )


def fixes(cursor: db.Cursor, window: Window) -> Kept:
    """How the clock of the fix was kept by the reports whose fix passed its retest, or was due, in the window.

    It runs from the day on which a report came in, for as many days as its severity has, and stands
    while a fix waits for its retest.
    """
    where, values = window.where(FIX_END)
    found = db.row(cursor, f"SELECT {kept(Clock.FIX)}{FROM} WHERE {WITH_FIX} AND {where}", values)
    assert found is not None, "a count without groups is one row"
    return _of_row(Clock.FIX, found)


def _of_row(clock: Clock, row: db.Row) -> Kept:
    return Kept(*(row[f"{clock}_{part.name}"] for part in fields(Kept)))


def how_many(kind: Counted) -> str:
    """SQL that counts the reports with the condition of `kind`; in three quarters of the time of a FILTER."""
    return f"coalesce(countif({CONDITIONS[kind]}), 0)"


def kept(clock: Clock) -> str:
    """SQL columns CLOCK_counted, CLOCK_inside, CLOCK_median_hours, as in `Kept`; needs $at."""
    counted, inside = _COUNTED[clock]
    return (
        f"{how_many(counted)} AS {clock}_counted, {how_many(inside)} AS {clock}_inside,"
        f" median(date_diff('second', c.received_at, {_DONE[clock]})) / 3600 AS {clock}_median_hours"
    )
