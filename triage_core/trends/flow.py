"""What becomes of reports: known or new, in time or late, waiting, closed on what, and come back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from triage_core import db
from triage_core.counted import FIXED, Counted
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.model import Severity
from triage_core.trends.head import FIX_END, OF_ARRIVAL, WITH_FIX, Clock, how_many, kept
from triage_core.trends.window import FROM, WEEK, Window, weekly, windows

AGES = ("2 days or less", "3 to 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")
_OLDEST_DAYS = (2, 7, 30, 90)


def clocks_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """How the clocks were kept: first response and triage by the week the reports came in, the fix by that of its end.

    Columns: week, and for each of these clocks CLOCK_counted, CLOCK_inside, CLOCK_median_hours as in
    `Kept`, and CLOCK_share.
    """
    rows = weekly(cursor, window, ", ".join(map(kept, OF_ARRIVAL)))
    fixes = weekly(cursor, window, kept(Clock.FIX), moment=FIX_END, among=WITH_FIX)
    ends = {row["week"]: row for row in fixes}
    nothing = {"fix_counted": 0, "fix_inside": 0, "fix_median_hours": None}
    rows = [row | ends.get(row["week"], nothing) for row in rows]
    for row in rows:
        for clock in (*OF_ARRIVAL, Clock.FIX):
            counted = row[f"{clock}_counted"]
            row[f"{clock}_share"] = row[f"{clock}_inside"] / counted if counted else None
    return rows


def fixes_by_severity(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """The fixes that ended within the window, the worst severity first: severity, fix_inside, fix_late."""
    where, values = window.where(FIX_END)
    counts = _counts(Counted.FIX_INSIDE, Counted.FIX_LATE)
    found = db.rows(cursor, f"SELECT c.severity, {counts}{FROM} WHERE {where} GROUP BY c.severity", values)
    by_severity = {row["severity"]: row for row in found}
    nothing = {"fix_inside": 0, "fix_late": 0}
    levels = [str(level) for level in reversed(Severity) if level is not Severity.NONE]
    return [nothing | by_severity.get(level, {}) | {"severity": level} for level in levels]


def known_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """New reports against known ones, by the week they came in: week, fresh, known."""
    return weekly(cursor, window, _counts(Counted.FRESH, Counted.KNOWN))


def backlog(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """What is open now, however old, by age: label (one of AGES), to_decide, in_work. The weeks do not matter."""
    where, values = window.product("c.status <> 'closed'", {"at": db.naive(window.now)})
    bands = " ".join(
        f"WHEN c.received_at >= $at - INTERVAL {days} DAY THEN {place}"
        for place, days in enumerate(_OLDEST_DAYS)
    )
    found = db.rows(
        cursor,
        f"SELECT CASE {bands} ELSE {len(_OLDEST_DAYS)} END AS band,"
        " count(*) FILTER (c.status IN ('new', 'needs_info', 'triaged')) AS to_decide,"
        f" count(*) FILTER (c.status NOT IN ('new', 'needs_info', 'triaged')) AS in_work{FROM}"
        f" WHERE {where} GROUP BY band",
        values,
    )
    by_band = {row["band"]: row for row in found}
    nothing = {"to_decide": 0, "in_work": 0}
    return [
        {"label": age} | {name: by_band.get(band, nothing)[name] for name in nothing}
        for band, age in enumerate(AGES)
    ]


def age_bounds(window: Window, band: int) -> tuple[datetime | None, datetime | None]:
    """Between which moments the reports of an age, by its place in AGES, came in; None is no bound."""
    edges = [window.now - timedelta(days=days) for days in _OLDEST_DAYS]
    since = edges[band] if band < len(edges) else None
    until = edges[band - 1] - timedelta(microseconds=1) if band else None
    return since, until


def closures(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """Closures by the week they happened, with what they rest on: week, by_clause, by_link, by_neither.

    A duplicate names the earlier report and needs no clause; what its reporter withdrew is not counted.
    """
    counts = _counts(Counted.BY_CLAUSE, Counted.BY_LINK, Counted.BY_NEITHER)
    return weekly(cursor, window, counts, moment="c.closed_at")


def come_back(
    cursor: db.Cursor, window: Window, compared: Window | None = None, most: int = 8
) -> list[db.Row]:
    """What came back, by model version ("" where none is named): version, reopened, regression; the most first.

    `reopened` in the window; `regression` came in within the window as a duplicate of what had been fixed. With a
    window `compared`, the same for that one: then_reopened, then_regression.
    """
    counts: dict[str, str] = {}
    values: dict[str, Any] = {}
    # What Counted.REGRESSION says, as one join: the earlier report is fixed, and its retest was over before.
    for mark, one in windows(window, compared).items():
        again, _ = one.where("c.reopened_at", mark)
        came, bounds = one.where(mark=mark)
        values |= bounds
        counts[f"{mark}reopened"] = f"count(*) FILTER ({again})"
        counts[f"{mark}regression"] = f"count(*) FILTER ({came} AND c.received_at > fixed.closed_at)"
    return db.rows(
        cursor,
        f"SELECT c.model_version AS version, {', '.join(f'{count} AS {key}' for key, count in counts.items())}{FROM}"
        f" LEFT JOIN (SELECT report_id, closed_at FROM cases WHERE resolution IN {FIXED}) fixed"
        " ON fixed.report_id = c.canonical_id"
        " WHERE c.reopened_at IS NOT NULL OR c.canonical_id IS NOT NULL GROUP BY c.model_version"
        f" HAVING {' + '.join(counts)} > 0 ORDER BY {' + '.join(counts)} DESC, c.model_version LIMIT $most",
        {**values, "most": most},
    )


def embargo_ends(cursor: db.Cursor, window: Window, weeks: int = 12) -> list[db.Row]:
    """Embargoes in force by the week in which they end, this week and those after it: week, ending.

    Of linked duplicates the earliest end binds all.
    """
    until = window.this_week + weeks * WEEK
    of_product, values = window.product("true", {})
    found: dict[Any, int] = {
        row["week"]: row["ending"]
        for row in db.rows(
            cursor,
            "SELECT date_trunc('week', e.binding_end) AS week, count(*) AS ending FROM embargo_terms e"
            + (" JOIN cases c USING (report_id)" if window.platform else "")
            + " WHERE list_contains($in_force, e.state) AND e.binding_end > $at AND e.binding_end < $until"
            f" AND {of_product} GROUP BY week",
            {
                "in_force": [str(state) for state in IN_FORCE],
                "at": db.naive(window.now),
                "until": db.naive(until),
                **values,
            },
        )
    }
    starts = [window.this_week + number * WEEK for number in range(weeks)]
    return [{"week": week, "ending": found.get(week, 0)} for week in starts]


def _counts(*kinds: Counted) -> str:
    return ", ".join(f"{how_many(kind)} AS {kind}" for kind in kinds)
