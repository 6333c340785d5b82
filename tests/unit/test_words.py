"""Times in relation to now, as badges and cells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ui.words import ago, clock, moment, next_due, span

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (5 * HOUR / 60, "5 min"),
        (3 * HOUR, "3 h"),
        (47 * HOUR, "47 h"),
        (73 * HOUR, "3 d"),
        (-3 * HOUR, "3 h"),
    ],
)
def test_span(length, expected):
    assert span(length) == expected


def test_ago_looks_both_ways():
    assert [ago(NOW - 2 * HOUR, NOW), ago(NOW, NOW), ago(NOW + 2 * HOUR, NOW)] == [
        "2 h ago",
        "just now",
        "in 2 h",
    ]


def test_a_moment_has_its_hour_and_zone():
    assert moment(NOW) == "04 Nov 2026 12:00 UTC"


@pytest.mark.parametrize(
    ("due", "done", "running", "expected"),
    [
        (NOW + HOUR, None, True, ":blue-badge[:material/schedule: Fix due in 1 h]"),
        (NOW - 3 * HOUR, None, True, ":red-badge[:material/alarm: Fix late by 3 h]"),
        (NOW - 3 * HOUR, None, False, ""),
        (None, None, True, ""),
        (NOW, NOW - HOUR, False, ":green-badge[Fix in time]"),
        (NOW, NOW + 5 * HOUR, False, ":orange-badge[Fix 5 h late]"),
    ],
)
def test_clock(due, done, running, expected):
    assert clock("Fix", due, done, running, NOW) == expected


def test_the_next_clock_is_late_or_to_come():
    assert next_due(NOW + 5 * HOUR, NOW) == "in 5 h"
    assert next_due(NOW - 2 * HOUR, NOW) == "2 h late"
    assert next_due(None, NOW) == ""
