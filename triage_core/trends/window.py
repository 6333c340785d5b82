"""The span of time and the products that a question is about, and answers laid out by week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from triage_core import db

LEAST_WEEKS = 4
WEEK = timedelta(weeks=1)
_FIRST_WEEK = datetime(1, 1, 1, tzinfo=UTC)  # a Monday
FROM = " FROM cases c"
THEN = "then_"
"""What begins the names of counts of a window that is compared with another."""


@dataclass(frozen=True, slots=True)
class Window:
    """Reports that came in within the last `weeks` weeks before `now`, the present one included.

    `weeks` None reaches back to the first report. `platform` narrows to these products; empty is all.
    `until` ends the window before `now`, at which its reports are judged all the same.
    """

    now: datetime
    weeks: int | None = None
    platform: tuple[str, ...] = ()
    until: datetime | None = None

    @property
    def end(self) -> datetime:
        """The last moment of the window."""
        return self.until or self.now

    @property
    def this_week(self) -> datetime:
        """The Monday on which the last week began."""
        return monday(self.end)

    @property
    def since(self) -> datetime | None:
        return None if self.weeks is None else self.this_week - (self.weeks - 1) * WEEK

    def back(self, weeks: int) -> Window:
        """The window `weeks` weeks earlier, as long and as far into its last week, as it looks now."""
        return replace(self, until=self.end - weeks * WEEK)

    def where(self, moment: str = "c.received_at", mark: str = "") -> tuple[str, dict[str, Any]]:
        """The SQL condition over c (cases) and its parameters; `moment` is the column that falls in the window.

        The names of its bounds begin with `mark`, where one question is about two windows of the same products.
        """
        parts, values = [f"{moment} <= $at"], {"at": db.naive(self.now)}
        if self.since:
            parts.append(f"{moment} >= ${mark}since")
            values[f"{mark}since"] = db.naive(self.since)
        if self.until:
            parts.append(f"{moment} <= ${mark}until")
            values[f"{mark}until"] = db.naive(self.until)
        return self.product(" AND ".join(parts), values)

    def product(self, condition: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A condition and its parameters, narrowed to the window's products."""
        if not self.platform:
            return condition, values
        narrowed = f"{condition} AND list_contains($platform, c.platform)"
        return narrowed, {**values, "platform": list(self.platform)}


@dataclass(frozen=True, slots=True)
class Month(Window):
    """The calendar month, UTC, of the window's end, up to that end."""

    @property
    def since(self) -> datetime:
        return self.end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def windows(window: Window, compared: Window | None) -> dict[str, Window]:
    """The windows that one question is about, by what begins the names of their counts."""
    return {"": window} | ({THEN: compared} if compared else {})


def weekly(
    cursor: db.Cursor, window: Window, counts: str, moment: str = "c.received_at", among: str = "true"
) -> list[db.Row]:
    """`counts` for every week of the window, oldest first; `among` leaves out what none of them counts.

    The three are SQL of this package. A week without any has what the counts give over no reports at all.
    """
    where, values = window.where(moment)
    # The number of a week is found in less time than its Monday.
    found = db.rows(
        cursor,
        f"SELECT date_diff('week', TIMESTAMP '{_FIRST_WEEK.date()}', {moment}) AS week, {counts}{FROM}"
        f" WHERE {among} AND {where} GROUP BY week",
        values,
    )
    by_week = {_FIRST_WEEK + row.pop("week") * WEEK: row for row in found}
    weeks = weeks_of(window, by_week)
    empty: db.Row | None = {}
    if not by_week.keys() >= set(weeks):
        empty = db.row(cursor, f"SELECT {counts}{FROM} WHERE false AND $at IS NOT NULL", {"at": values["at"]})
    assert empty is not None, "a count without groups is one row"
    return [{"week": week, **by_week.get(week, empty)} for week in weeks]


def weeks_of(window: Window, found: Any) -> list[datetime]:
    """The Mondays of the window; without a beginning, from the first of those `found`, four at least."""
    week = monday(window.since or min([*found, window.this_week - (LEAST_WEEKS - 1) * WEEK]))
    weeks = []
    while week <= window.this_week:
        weeks.append(week)
        week += WEEK
    return weeks


def monday(moment: datetime) -> datetime:
    """The beginning of the week that holds `moment`."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
