"""The bounty clock: from triage in business days of the desk, until somebody decides on a reward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db, queries
from triage_core.channel import promises
from triage_core.counted import Counted, Moment
from triage_core.desk import activity, triage, undo
from triage_core.desk.decision import Decision
from triage_core.guidance import clocks, policies
from triage_core.guidance.clocks import Clocks
from triage_core.rewards import bounty, rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store
from triage_core.trends import WEEK, Kept, Window


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
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


def test_how_the_clock_was_kept_counts_when_it_ends(store: Store) -> None:
    asked = {"wants_reward": True}
    quick, slow, waiting, linked, no_flaw, silent = bring(
        store, *(make_report(f"Report {n}", **(asked if n != 5 else {})) for n in range(6))
    )
    for name in (quick, slow, waiting, silent):
        triage.assess(store, POLICY, REVIEWER, name, FLAW)
    triage.assess(store, POLICY, REVIEWER, no_flaw, Decision(("OOS-1",)))
    due = clocks.bounty_due(NOON, POLICY.clocks)
    triage.link(store, REVIEWER, linked, quick, now=due)  # its own clock has just begun
    for name, at in ((quick, NOON + timedelta(hours=6)), (slow, due + timedelta(days=8))):
        number = rewards.propose(store, POLICY, REVIEWER, name, RewardKind.CASH, Decimal(700), now=NOON)
        rewards.decline(store, EVERYBODY, number, "paid elsewhere", now=at)
    now, before = due + timedelta(days=9), Window(due - timedelta(seconds=1))
    with store.read() as cursor:
        assert bounty.kept(cursor, before) == Kept(1, 1, 6)
        longer = promises.looking(cursor, now).longer
        assert longer.bounty == Kept(3, 1, (6 + (due - NOON) / timedelta(hours=1) + 8 * 24) / 2)
        rows = bounty.clocks_by_week(cursor, Window(now))
        assert [(row["bounty_counted"], row["bounty_inside"]) for row in rows[-4:]] == [
            (1, 1),
            (0, 0),
            (2, 0),
            (0, 0),
        ]
        week = {"since": rows[-2]["week"], "until": rows[-2]["week"] + WEEK}
        for kind, names in (
            (Counted.BOUNTY, {slow, waiting}),
            (Counted.BOUNTY_INSIDE, set()),
            (Counted.BOUNTY_LATE, {slow, waiting}),
            (Counted.BOUNTY_DONE, {slow}),
        ):
            bounties = bounty.named(cursor, now, kind, *week.values())
            behind = queries.Filter(only=kind, at=now, moment=Moment.BOUNTY_END, bounties=bounties, **week)
            assert {row["report_id"] for row in queries.inbox(cursor, behind)} == names
        assert bounty.kept(cursor, Window(now, platform=("Other",))) == Kept(0, 0, None)
        declined = activity.history(cursor, quick)[-1]
    undo.undo(store, EVERYBODY, declined.seq)
    with store.read() as cursor:
        assert bounty.kept(cursor, before) == Kept(0, 0, None)  # it runs again, up to this moment
