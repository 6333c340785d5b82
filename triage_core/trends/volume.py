"""How much came in, week by week, by what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage_core import db
from triage_core.counted import TECHNIQUES, others
from triage_core.model import Severity
from triage_core.trends.window import FROM, Window, weekly, weeks_of


class Dimension(StrEnum):
    """What reports are told apart by; each with its SQL value in `_VALUE`, "" where nothing is said."""

    STATE = "state"
    SEVERITY = "severity"
    PRODUCT = "product"
    VERSION = "version"
    CHANNEL = "channel"
    HARM = "harm"
    TECHNIQUE = "technique"


_VALUE: Mapping[Dimension, str] = {
    Dimension.STATE: (
        "CASE WHEN c.status IN ('new', 'needs_info', 'triaged') THEN 'to_decide'"
        " WHEN c.status = 'closed' THEN 'closed' ELSE 'in_work' END"
    ),
    Dimension.SEVERITY: "coalesce(c.severity, '')",
    Dimension.PRODUCT: "c.platform",
    Dimension.VERSION: "c.model_version",
    Dimension.CHANNEL: "c.channel",
    # A report of several harms counts once under each.
    Dimension.HARM: "unnest(CASE WHEN len(c.harm_types) = 0 THEN [''] ELSE c.harm_types END)",
    Dimension.TECHNIQUE: "coalesce(t.family, '')",
}
FIXED: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.STATE: ("to_decide", "in_work", "closed"),
    Dimension.SEVERITY: ("", *map(str, Severity)),
}
"""The values of a dimension that has its own order, all shown even where there are none."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Counts by week and value, values in the order in which they are shown; None stands for all the others.

    `counts[place][number]` is the count of `values[place]` in `weeks[number]`. A report of
    several harms counts under each of them, and once among the others.
    """

    weeks: tuple[datetime, ...]
    values: tuple[str | None, ...]
    counts: tuple[tuple[int, ...], ...]

    def total(self, place: int) -> int:
        return sum(self.counts[place])


def volume(cursor: db.Cursor, window: Window, dimension: Dimension, most: int = 6) -> Volume:
    """Reports by the week they came in and by a dimension, the `most` frequent values of the window told apart."""
    where, values = window.where()
    source = f" LEFT JOIN ({TECHNIQUES}) t USING (report_id)" if dimension is Dimension.TECHNIQUE else ""
    found = db.rows(
        cursor,
        f"WITH told AS (SELECT date_trunc('week', c.received_at) AS week, {_VALUE[dimension]} AS v{FROM}{source}"
        f" WHERE {where}), found AS MATERIALIZED (SELECT week, v, count(*) AS n FROM told GROUP BY week, v),"
        " named AS (SELECT v, row_number() OVER (ORDER BY sum(n) DESC, v) AS place FROM found GROUP BY v)"
        " SELECT week, CASE WHEN place <= $most THEN v END AS v, min(place) AS place, sum(n)::BIGINT AS n"
        " FROM found JOIN named USING (v) GROUP BY ALL",
        {**values, "most": len(FIXED.get(dimension, ())) or most},
    )
    places = {row["v"]: row["place"] for row in found}
    shown = FIXED.get(dimension) or tuple(sorted(places, key=lambda value: (value is None, places[value])))
    weeks = weeks_of(window, {row["week"] for row in found})
    counts = {(row["week"], row["v"]): row["n"] for row in found}
    if dimension is Dimension.HARM and None in places:
        counts |= _others(cursor, window, dimension, [value for value in shown if value is not None])
    return Volume(
        tuple(weeks),
        shown,
        tuple(tuple(counts.get((week, value), 0) for week in weeks) for value in shown),
    )


def _others(
    cursor: db.Cursor, window: Window, dimension: Dimension, named: list[str]
) -> dict[tuple[datetime, str | None], int]:
    where, values = window.where()
    found = db.rows(
        cursor,
        f"SELECT date_trunc('week', c.received_at) AS week, count(*) AS n{FROM}"
        f" WHERE {where} AND {others(dimension, named)} GROUP BY week",
        {**values, "without": named},
    )
    return {(row["week"], None): row["n"] for row in found}


def total_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """Reports by the week they came in: week, reports."""
    return weekly(cursor, window, "count(*) AS reports")
