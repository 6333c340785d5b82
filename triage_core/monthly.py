"""The monthly report: one HTML file for people who do not log in, with its charts drawn inside and no script.

Counts, shares and hours only: nothing of a report, and no name of a reporter.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jinja2

from triage_core import currencies, db, trends
from triage_core.channel import promises
from triage_core.channel.intake import EARLIEST
from triage_core.channel.promises import Looking
from triage_core.errors import Refused
from triage_core.rewards import bounty, spending
from triage_core.rewards.bounty import Longer
from triage_core.text import reveal
from triage_core.trends import Dimension, Figures, Month

WEEKS = 13

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("triage_core", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"reveal": reveal, "shown": currencies.money_words}


@dataclass(frozen=True, slots=True)
class Bars:
    """One chart: lying bars with a label and a count each, the first on top."""

    title: str
    bars: tuple[tuple[str, int], ...]

    @property
    def most(self) -> int:
        return max([count for _, count in self.bars], default=0)


@dataclass(frozen=True, slots=True)
class Monthly:
    """What the report of one month says. `until` is the last moment that it is about; all as known at `now`.

    `before` are the figures of the month before, and `looking` what the public figures page says for the
    90 days up to `until`. `longer` and `longer_before` are the fixes and rewards that were done, or due, in
    the month and the one before. `spent` is the money paid in the month,
    by its currency.
    """

    month: str
    now: datetime
    until: datetime
    figures: Figures
    before: Figures
    longer: Longer
    longer_before: Longer
    looking: Looking
    spent: Mapping[str, Decimal]
    charts: tuple[Bars, ...]


def figures(cursor: db.Cursor, now: datetime, month: str = "") -> Monthly:
    """The figures of a month like "2026-10"; without one, of the month of `now`.

    Raises Refused for what is no month, and for a month that has not begun.
    """
    start = _start(month) if month else now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if start > now:
        raise Refused("month", "this month has not begun yet")
    days = calendar.monthrange(start.year, start.month)[1]
    until = min(start + timedelta(days=days) - timedelta(microseconds=1), now)
    # Judged as of now: what waits since then and is past its target by now was not answered in time.
    window, before = (Month(now, until=end) for end in (until, start - timedelta(microseconds=1)))
    charts = [
        Bars(title, _totals(trends.volume(cursor, window, dimension)))
        for dimension, title in (
            (Dimension.STATE, "Where reports of the month stand now"),
            (Dimension.SEVERITY, "How bad they are"),
            (Dimension.PRODUCT, "Which product they are about"),
            (Dimension.HARM, "Which harm they tell of"),
            (Dimension.CHANNEL, "By which door they came in"),
        )
    ]
    weeks = trends.total_by_week(cursor, trends.Window(until, WEEKS))
    backlog = trends.backlog(cursor, trends.Window(now))
    charts += [
        Bars("Reports by week", tuple((f"{row['week']:%d %b %Y}", row["reports"]) for row in weeks)),
        Bars(
            f"Open on {now:%d %b %Y}, by age",
            tuple((row["label"], row["to_decide"] + row["in_work"]) for row in backlog),
        ),
    ]
    return Monthly(
        f"{start:%Y-%m}",
        now,
        until,
        trends.figures(cursor, window),
        trends.figures(cursor, before),
        bounty.longer(cursor, window),
        bounty.longer(cursor, before),
        promises.looking(cursor, now, until),
        spending.paid_in_month(cursor, start.year, start.month),
        tuple(charts),
    )


def document(found: Monthly) -> str:
    """The report as one HTML file: no script, nothing from elsewhere, ready to be printed."""
    return _templates.get_template("monthly.html").render(found=found)


def to_json(found: Monthly) -> dict[str, Any]:
    """The same figures as JSON values."""
    plain = asdict(found)
    plain["spent"] = {currency: float(paid) for currency, paid in found.spent.items()}
    return plain | {name: plain[name].isoformat() for name in ("now", "until")}


def is_month(month: str, now: datetime) -> bool:
    """True for a month like "2026-10" that has begun."""
    try:
        return _start(month) <= now
    except Refused:
        return False


def _start(month: str) -> datetime:
    try:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("month", "a month is written like 2026-10") from None
    if start < EARLIEST:
        raise Refused("month", f"no report is older than {EARLIEST:%Y-%m-%d}")
    return start


def _totals(found: trends.Volume) -> tuple[tuple[str, int], ...]:
    return tuple((_words(value), found.total(place)) for place, value in enumerate(found.values))


def _words(value: str | None) -> str:
    # The product's own words are their identifiers; what a reporter named stands as it is, escaped by the template.
    return "all others" if value is None else value.replace("_", " ") or "not said"
