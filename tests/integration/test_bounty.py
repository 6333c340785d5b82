"""The bounty clock: from triage in business days of the desk, until somebody decides on a reward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import db
from triage_core.desk import triage
from triage_core.guidance import clocks, policies
from triage_core.guidance.clocks import Clocks
from triage_core.rewards import bounty, rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, Clock())
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.close()


def test_a_bounty_skips_weekends_and_holidays() -> None:
    desk = Clocks("Europe/Berlin", frozenset(range(5)), frozenset({date(2026, 3, 5)}), 2, 5, 10, {})
    # Ten working days from Monday the 2nd: without the holiday the 16th, with it the 17th.
    assert clocks.bounty_due(NOON, desk) == datetime(2026, 3, 17, 12, tzinfo=UTC)


def test_the_clock_runs_from_triage_until_a_decision(store: Store) -> None:
    asked, silent, unread = bring(
        store,
        make_report("one", wants_reward=True),
        make_report("two"),
        make_report("three", wants_reward=True),
    )
    for name in (asked, silent):
        triage.assess(store, POLICY, REVIEWER, name, FLAW)
    due = clocks.bounty_due(NOON, POLICY.clocks)
    with store.read() as cursor:
        assert bounty.due(cursor, [asked, unread]) == {asked: due}
        assert bounty.late(cursor, due) == []
        assert bounty.late(cursor, due + timedelta(seconds=1)) == [(asked, due)]
        product = str(db.value(cursor, "SELECT platform FROM reports WHERE report_id = ?", [asked]))
        assert bounty.late(cursor, due + timedelta(days=1), (product, "Other")) == [(asked, due)]
        assert bounty.late(cursor, due + timedelta(days=1), ("Other",)) == []
    number = rewards.propose(store, POLICY, REVIEWER, asked, RewardKind.CASH, Decimal(800))
    with store.read() as cursor:
        assert bounty.late(cursor, due + timedelta(days=1)) == [(asked, due)]
    rewards.decline(store, EVERYBODY, number, "already paid elsewhere")
    with store.read() as cursor:
        assert bounty.late(cursor, due + timedelta(days=1)) == []
