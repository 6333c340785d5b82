"""Questions over time: how much comes in, how fast it is answered, what waits, what was known already.

Like queries.py: reads only, one function a question, SQL beside it. Weeks start on Monday, UTC. A
weekly answer has one row for every week of the window, zeros (or None where nothing can be said)
for weeks in which nothing came in.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from triage_core import db

LEAST_WEEKS = 4
WEEK = timedelta(weeks=1)
AGES = ("2 days or less", "3 to 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")
_OLDEST_DAYS = (2, 7, 30, 90)


class Clock(StrEnum):
    """A response clock; its target is the due date that each report was given when it came in."""

    FIRST_RESPONSE = "first_response"
    TRIAGE = "triage"


_DONE = {Clock.FIRST_RESPONSE: "first_response_at", Clock.TRIAGE: "triaged_at"}
_DUE = {Clock.FIRST_RESPONSE: "response_due", Clock.TRIAGE: "triage_due"}


@dataclass(frozen=True, slots=True)
class Window:
    """Reports that came in within the last `weeks` weeks before `now`, the present one included.

    `weeks` None reaches back to the first report. `platform` narrows to these products; empty is all.
    """

    now: datetime
    weeks: int | None = None
    platform: tuple[str, ...] = ()

    @property
    def this_week(self) -> datetime:
        """The Monday on which the week of `now` began."""
        return _monday(self.now)

    @property
    def since(self) -> datetime | None:
        return None if self.weeks is None else self.this_week - (self.weeks - 1) * WEEK

    def where(self, moment: str = "r.received_at") -> tuple[str, dict[str, Any]]:
        """The SQL condition over r (reports) and its parameters; `moment` is the column that falls in the window."""
        parts, values = [f"{moment} <= $now"], {"now": db.naive(self.now)}
        if self.since:
            parts.append(f"{moment} >= $since")
            values["since"] = db.naive(self.since)
        return _product(" AND ".join(parts), values, self)


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


_TO_DECIDE = "c.status IN ('new', 'needs_info', 'triaged')"
_IN_WORK = "c.status IN ('accepted', 'deferred', 'fix_ready', 'fixed', 'retest')"
_FROM = " FROM reports r JOIN cases c USING (report_id)"
# Linked by a reviewer, or word for word an earlier report.
_KNOWN = (
    "(c.canonical_id IS NOT NULL OR r.report_id IN (SELECT report_id FROM (SELECT report_id, row_number()"
    " OVER (PARTITION BY content_sha256 ORDER BY seq) AS copy FROM reports WHERE content_sha256 <> '') WHERE copy > 1))"
)


def figures(cursor: db.Cursor, window: Window) -> Figures:
    """The numbers for the head of the page."""
    where, values = window.where()
    found = db.row(
        cursor,
        f"SELECT count(*) AS reports, count(*) FILTER ({_KNOWN}) AS known,"
        f" {', '.join(map(_kept, Clock))}{_FROM} WHERE {where}",
        values,
    )
    assert found is not None
    where, values = _product("c.status <> 'closed'", {}, window)
    is_open = db.value(cursor, f"SELECT count(*){_FROM} WHERE {where}", values)
    return Figures(
        reports=found["reports"],
        open=int(is_open),
        known=found["known"],
        **{str(clock): Kept(*(found[f"{clock}_{part.name}"] for part in fields(Kept))) for clock in Clock},
    )


def volume_by_state(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """Reports by the week they came in, in the state they have now: week, to_decide, in_work, closed."""
    return _weekly(
        cursor,
        window,
        f"count(*) FILTER ({_TO_DECIDE}) AS to_decide, count(*) FILTER ({_IN_WORK}) AS in_work,"
        " count(*) FILTER (c.status = 'closed') AS closed",
    )


def volume_by_severity(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """Reports by the week they came in and their severity: week, then none to critical, and not_assessed."""
    return _weekly(
        cursor,
        window,
        "count(*) FILTER (c.severity IS NULL) AS not_assessed, count(*) FILTER (c.severity = 'none') AS none,"
        " count(*) FILTER (c.severity = 'low') AS low, count(*) FILTER (c.severity = 'medium') AS medium,"
        " count(*) FILTER (c.severity = 'high') AS high, count(*) FILTER (c.severity = 'critical') AS critical",
    )


def states(cursor: db.Cursor, window: Window) -> dict[str, int]:
    """How many of the window's reports are in each state now."""
    return _counts(cursor, window, "c.status")


def severities(cursor: db.Cursor, window: Window) -> dict[str, int]:
    """How many of the window's reports have each severity; "" counts those not assessed."""
    return _counts(cursor, window, "coalesce(c.severity, '')")


def products(cursor: db.Cursor, window: Window, limit: int) -> dict[str, int]:
    """How many reports the `limit` most reported products got, most first; "" where the reporter named none."""
    return dict(itertools.islice(_counts(cursor, window, "r.platform").items(), limit))


def clocks_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """How the clocks were kept, by the week the reports came in.

    Columns: week, and for each clock CLOCK_counted, CLOCK_inside, CLOCK_median_hours as in `Kept`, and
    CLOCK_share.
    """
    rows = _weekly(cursor, window, ", ".join(map(_kept, Clock)))
    for row in rows:
        for clock in Clock:
            counted = row[f"{clock}_counted"]
            row[f"{clock}_share"] = row[f"{clock}_inside"] / counted if counted else None
    return rows


def known_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """New reports against known ones, by the week they came in: week, new, known."""
    return _weekly(
        cursor, window, f"count(*) FILTER (NOT {_KNOWN}) AS new, count(*) FILTER ({_KNOWN}) AS known"
    )


def backlog(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """What is open now, however old, by age: label (one of AGES), to_decide, in_work. The weeks do not matter."""
    where, values = _product("c.status <> 'closed'", {"now": db.naive(window.now)}, window)
    bands = " ".join(
        f"WHEN r.received_at >= $now - INTERVAL {days} DAY THEN {place}"
        for place, days in enumerate(_OLDEST_DAYS)
    )
    found = db.rows(
        cursor,
        f"SELECT CASE {bands} ELSE {len(_OLDEST_DAYS)} END AS band, count(*) FILTER ({_TO_DECIDE}) AS to_decide,"
        f" count(*) FILTER ({_IN_WORK}) AS in_work{_FROM} WHERE {where} GROUP BY band",
        values,
    )
    by_band = {row["band"]: row for row in found}
    nothing = {"to_decide": 0, "in_work": 0}
    return [
        {"label": age} | {name: by_band.get(band, nothing)[name] for name in nothing}
        for band, age in enumerate(AGES)
    ]


def closures(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """Closures by the week they happened, with what they rest on: week, clause, duplicate, neither.

    A duplicate names the earlier report and needs no clause.
    """
    return _weekly(
        cursor,
        window,
        "count(*) FILTER (c.canonical_id IS NULL AND c.assessment_id IS NOT NULL) AS clause,"
        " count(*) FILTER (c.canonical_id IS NOT NULL) AS duplicate,"
        " count(*) FILTER (c.canonical_id IS NULL AND c.assessment_id IS NULL) AS neither",
        moment="c.closed_at",
    )


def _weekly(cursor: db.Cursor, window: Window, counts: str, moment: str = "r.received_at") -> list[db.Row]:
    """`counts` for every week of the window. `counts` and `moment` are SQL of this module."""
    where, values = window.where(moment)
    found = db.rows(
        cursor,
        f"SELECT date_trunc('week', {moment}) AS week, {counts}{_FROM} WHERE {where} GROUP BY week",
        values,
    )
    # The same counts over no reports at all: what a week without any looks like.
    empty = db.row(cursor, f"SELECT {counts}{_FROM} WHERE false AND $now IS NOT NULL", {"now": values["now"]})
    assert empty is not None
    by_week = {row.pop("week"): row for row in found}
    week = window.since or min([*by_week, window.this_week - (LEAST_WEEKS - 1) * WEEK])
    rows = []
    while week <= window.this_week:
        rows.append({"week": week, **by_week.get(week, empty)})
        week += WEEK
    return rows


def _counts(cursor: db.Cursor, window: Window, column: str) -> dict[str, int]:
    where, values = window.where()
    found = db.rows(
        cursor,
        f"SELECT {column} AS v, count(*) AS n{_FROM} WHERE {where} GROUP BY v ORDER BY n DESC, v",
        values,
    )
    return {row["v"]: row["n"] for row in found}


def _kept(clock: Clock) -> str:
    """SQL columns CLOCK_counted, CLOCK_inside, CLOCK_median_hours; needs $now.

    What is neither answered nor due says nothing yet. A report that was closed without an answer,
    as one that its reporter withdrew, was not ours to answer.
    """
    done, due = f"c.{_DONE[clock]}", f"c.{_DUE[clock]}"
    missed = f"({done} IS NULL AND c.status <> 'closed' AND {due} < $now)"
    hours = f"date_diff('second', r.received_at, {done}) / 3600.0"
    return (
        f"count(*) FILTER ({done} IS NOT NULL OR {missed}) AS {clock}_counted,"
        f" count(*) FILTER ({done} <= {due}) AS {clock}_inside, median({hours}) AS {clock}_median_hours"
    )


def _product(condition: str, values: dict[str, Any], window: Window) -> tuple[str, dict[str, Any]]:
    if not window.platform:
        return condition, values
    return f"{condition} AND list_contains($platform, r.platform)", {
        **values,
        "platform": list(window.platform),
    }


def _monday(moment: datetime) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
