"""Whatever a policy owner edits, an accepted policy is total and monotone; clocks never run back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from triage_core.disclosure.embargo_machine import IN_FORCE, latest_end, opening
from triage_core.errors import InvalidPolicy
from triage_core.guidance.clocks import Clocks, due
from triage_core.guidance.policy import load, parse
from triage_core.guidance.tables import Key
from triage_core.lifecycle import allowed, step
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Severity,
    Status,
    Uplift,
)

POLICY = load(Path(__file__).parents[2] / "data")
INPUTS = (Harm, Exposure, Generality, Reliability, Uplift)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


def dominated(low: Key, high: Key) -> bool:
    """True when no input of `low` is above that of `high`."""
    return all(list(type(a)).index(a) <= list(type(b)).index(b) for a, b in zip(low, high, strict=True))


def monotone_at(key: Key, table: Mapping[Key, Severity]) -> bool:
    """The definition by brute force: no comparable combination gives more for less, or less for more."""
    mine = table[key].rank
    return not any(
        (other.rank > mine and dominated(at, key)) or (other.rank < mine and dominated(key, at))
        for at, other in table.items()
    )


def test_the_shipped_table_is_total_and_monotone_over_all_pairs() -> None:
    assert set(POLICY.severity_table) == set(itertools.product(*INPUTS))
    assert all(monotone_at(key, POLICY.severity_table) for key in POLICY.severity_table)


@given(key=st.sampled_from(sorted(POLICY.severity_table)), level=st.sampled_from(Severity))
def test_one_changed_cell_is_accepted_exactly_when_it_stays_monotone(key: Key, level: Severity) -> None:
    assume(POLICY.severity_table[key] is not level)
    row = ",".join(key)
    text = POLICY.severity_csv.replace(f"{row},{POLICY.severity_table[key]}\n", f"{row},{level}\n")
    changed = dict(POLICY.severity_table) | {key: level}
    if monotone_at(key, changed):
        assert parse(POLICY.toml_text, text, POLICY.priority_csv).severity_table == changed
    else:
        with pytest.raises(InvalidPolicy, match=re.escape(f"({', '.join(key)})")):
            parse(POLICY.toml_text, text, POLICY.priority_csv)


@given(text=st.text(max_size=300), which=st.sampled_from(["toml", "severity", "priority"]))
def test_random_text_is_refused_as_a_policy_and_never_crashes(text: str, which: str) -> None:
    texts = {"toml": POLICY.toml_text, "severity": POLICY.severity_csv, "priority": POLICY.priority_csv}
    texts[which] = text
    with pytest.raises(InvalidPolicy):
        parse(texts["toml"], texts["severity"], texts["priority"])


@given(data=st.data())
def test_a_walk_over_the_status_table_never_gets_stuck(data: st.DataObject) -> None:
    status = Status.NEW
    for _ in range(20):
        triggers = allowed(status)
        assert triggers
        status = step(status, data.draw(st.sampled_from(triggers)))


@given(
    moments=st.tuples(MOMENTS, MOMENTS),
    days=st.integers(0, 30),
    business_days=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.frozensets(st.dates(date(2020, 1, 1), date(2020, 3, 1)), max_size=20),
)
def test_due_is_later_than_its_start_and_keeps_the_order_of_reports(
    moments: tuple[datetime, datetime], days: int, business_days: frozenset[int], holidays: frozenset[date]
) -> None:
    clocks = Clocks("UTC", business_days, holidays, 2, 5, 10, {})
    first, second = sorted(moments)
    assert first + timedelta(days=days) <= due(first, days, clocks) <= due(second, days, clocks)


@given(
    severity=st.none() | st.sampled_from(Severity),
    exploitation=st.sampled_from(Exploitation),
    now=MOMENTS,
    wish=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_an_opening_has_an_end_in_the_future_within_the_cap(
    severity: Severity | None, exploitation: Exploitation, now: datetime, wish: datetime | None
) -> None:
    opened = opening(POLICY, severity, exploitation, now, wish)
    assert (opened.active_end is not None) == (opened.state in IN_FORCE)
    ends = [end for end in (opened.active_end, opened.proposed_end) if end is not None]
    assert all(now < end <= latest_end(POLICY, now) for end in ends)
    if opened.active_end is not None:
        assert min(ends) == opened.active_end  # a pending revision only ever lengthens
        assert wish is None or opened.active_end <= wish
