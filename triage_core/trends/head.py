"""The window in a few numbers: how much came in, how the clocks were kept, what was known already."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from triage_core import db
from triage_core.counted import CONDITIONS, Counted
from triage_core.trends.window import FROM, Window


class Clock(StrEnum):
    """A response clock; its target is the due date that each report was given when it came in."""

    FIRST_RESPONSE = "first_response"
    TRIAGE = "triage"


_DONE = {Clock.FIRST_RESPONSE: "first_response_at", Clock.TRIAGE: "triaged_at"}
_COUNTED = {Clock.FIRST_RESPONSE: Counted.RESPONSE, Clock.TRIAGE: Counted.TRIAGE}
_INSIDE = {Clock.FIRST_RESPONSE: Counted.RESPONSE_INSIDE, Clock.TRIAGE: Counted.TRIAGE_INSIDE}


@dataclass(frozen=True, slots=True)
class Kept:
    """How one clock was kept.

    `counted` reports were answered or are past their target; of these `inside` were answered in
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
        f"SELECT count(*) AS reports, count(*) FILTER ({CONDITIONS[Counted.KNOWN]}) AS known,"
        f" {', '.join(map(kept, Clock))}{FROM} WHERE {where}",
        values,
    )
    assert found is not None, "a count without groups is one row"
    where, values = window.product("c.status <> 'closed'", {})
    is_open = db.value(cursor, f"SELECT count(*){FROM} WHERE {where}", values)
    return Figures(
        reports=found["reports"],
        open=int(is_open),
        known=found["known"],
        **{str(clock): Kept(*(found[f"{clock}_{part.name}"] for part in fields(Kept))) for clock in Clock},
    )


def kept(clock: Clock) -> str:
    """SQL columns CLOCK_counted, CLOCK_inside, CLOCK_median_hours, as in `Kept`; needs $at."""
    return (
        f"count(*) FILTER ({CONDITIONS[_COUNTED[clock]]}) AS {clock}_counted,"
        f" count(*) FILTER ({CONDITIONS[_INSIDE[clock]]}) AS {clock}_inside,"
        f" median(date_diff('second', c.received_at, c.{_DONE[clock]}) / 3600.0) AS {clock}_median_hours"
    )
