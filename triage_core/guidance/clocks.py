"""The clocks that a policy promises: due dates by business day or by calendar day.

Every date-time that goes in must name its zone; every date-time that comes out is UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from triage_core.errors import Refused
from triage_core.model import Severity


@dataclass(frozen=True, slots=True)
class Clocks:
    """Response targets of one policy version.

    `business_days` holds weekday numbers (Monday is 0). First response, triage and bounty count
    business days; `fix_days` counts calendar days and has no entry for a severity of none.
    """

    zone: str
    business_days: frozenset[int]
    holidays: frozenset[date]
    first_response_days: int
    triage_days: int
    bounty_days: int
    fix_days: Mapping[Severity, int]

    def is_working(self, day: date) -> bool:
        """True when the desk works on this day of its own zone."""
        return day.weekday() in self.business_days and day not in self.holidays


def as_utc(moment: datetime, field: str) -> datetime:
    """The same moment in UTC; raises Refused naming `field` when it has no zone or no such moment exists."""
    if moment.utcoffset() is None:
        raise Refused(field, "must be a date-time with a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # 9999-12-31 west of Greenwich is after the last moment of UTC
        raise Refused(field, "is beyond the years 1 to 9999 in UTC") from None


def due(start: datetime, business_days: int, clocks: Clocks) -> datetime:
    """The moment by which `business_days` working days after `start` have passed, in UTC.

    The hour of the day is kept: two days from Friday 15:00 is Tuesday 15:00 in the desk's zone.
    What arrives on a day off counts from the first instant of the next working day, so that two
    days from Saturday noon is the end of Tuesday.
    """
    if business_days < 0:
        raise ValueError("business_days must not be negative")
    zone = ZoneInfo(clocks.zone)
    local = as_utc(start, "start").astimezone(zone)
    hour = local.time() if clocks.is_working(local.date()) else time.min
    day = _after(local.date(), business_days, clocks.business_days, clocks.holidays)
    return datetime.combine(day, hour, zone).astimezone(UTC)


def bounty_due(triaged_at: datetime, clocks: Clocks) -> datetime:
    """By when a reward is decided on, in business days after triage, in UTC."""
    return due(triaged_at, clocks.bounty_days, clocks)


def fix_due(start: datetime, severity: Severity, clocks: Clocks) -> datetime | None:
    """When a fix is due, counted in calendar days of the desk's zone, in UTC; None for severity none."""
    start = as_utc(start, "start")
    if severity not in clocks.fix_days:
        return None
    local = start.astimezone(ZoneInfo(clocks.zone))
    return (local + timedelta(days=clocks.fix_days[severity])).astimezone(UTC)


@lru_cache(maxsize=4096)  # figures ask for thousands of dates, of few days
def _after(day: date, business_days: int, working: frozenset[int], holidays: frozenset[date]) -> date:
    """The day that is so many working days after `day`; a day off counts as the next working day."""
    left = business_days
    while left or day.weekday() not in working or day in holidays:
        # Only working days that are left behind count.
        left -= day.weekday() in working and day not in holidays
        day += timedelta(days=1)
    return day
