"""Due dates by business day, holiday and zone; a date-time without a zone is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from triage_core.errors import Refused
from triage_core.guidance.clocks import Clocks, as_utc, due, fix_due
from triage_core.model import Severity

CLOCKS = Clocks(
    zone="UTC",
    business_days=frozenset(range(5)),
    holidays=frozenset({date(2026, 12, 25)}),
    first_response_days=2,
    triage_days=5,
    bounty_days=10,
    fix_days={Severity.CRITICAL: 7, Severity.LOW: 90},
)
ZURICH = replace(CLOCKS, zone="Europe/Zurich")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (utc(2026, 3, 2, 9), 2, utc(2026, 3, 4, 9)),  # Monday to Wednesday
        (utc(2026, 3, 6, 15), 2, utc(2026, 3, 10, 15)),  # Friday to Tuesday
        (utc(2026, 3, 7, 12), 2, utc(2026, 3, 11)),  # Saturday: the end of Tuesday
        (utc(2026, 3, 7, 12), 0, utc(2026, 3, 9)),  # Saturday: the start of Monday
        (utc(2026, 12, 24, 10), 1, utc(2026, 12, 28, 10)),  # over a holiday and a weekend
        (utc(2026, 3, 2, 9), 10, utc(2026, 3, 16, 9)),
    ],
)
def test_due(start: datetime, days: int, end: datetime) -> None:
    assert due(start, days, CLOCKS) == end


def test_the_zone_of_the_desk_decides_which_day_it_is() -> None:
    friday_evening_in_utc = utc(2026, 3, 6, 23, 30)  # already Saturday in Zurich
    assert due(friday_evening_in_utc, 1, CLOCKS) == utc(2026, 3, 9, 23, 30)
    assert due(friday_evening_in_utc, 1, ZURICH) == utc(2026, 3, 9, 23)


def test_the_hour_on_the_wall_is_kept_when_summer_time_begins() -> None:
    friday = utc(2026, 3, 27, 9)  # 10:00 in Zurich; the clocks change on Sunday
    assert due(friday, 1, ZURICH) == utc(2026, 3, 30, 8)
    assert fix_due(friday, Severity.CRITICAL, ZURICH) == utc(2026, 4, 3, 8)


def test_fix_due_counts_calendar_days_and_none_has_no_fix() -> None:
    assert fix_due(utc(2026, 12, 24), Severity.CRITICAL, CLOCKS) == utc(2026, 12, 31)
    assert fix_due(utc(2026, 12, 24), Severity.NONE, CLOCKS) is None


def test_results_are_utc() -> None:
    east = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=5)))
    assert due(east, 1, ZURICH).tzinfo is UTC
    assert as_utc(east, "start") == utc(2026, 3, 2, 4)


def test_a_date_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 2)
    for call in (lambda: due(naive, 1, CLOCKS), lambda: fix_due(naive, Severity.NONE, CLOCKS)):
        with pytest.raises(Refused, match="start: must be a date-time with a time zone"):
            call()


def test_a_moment_outside_utc_is_refused() -> None:
    west = timezone(timedelta(hours=-10))
    with pytest.raises(Refused, match="planned_date: is beyond"):
        as_utc(datetime.max.replace(tzinfo=west), "planned_date")


def test_negative_days_are_a_bug() -> None:
    with pytest.raises(ValueError, match="negative"):
        due(utc(2026, 3, 2), -1, CLOCKS)
