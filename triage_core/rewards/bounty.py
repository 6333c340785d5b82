"""The clock of the bounty: by when the reward that a reporter asked for is decided on, and how that was kept.

It runs from triage, in business days of the policy of the day on which the report came in, and stops
when a reward is approved or declined; one that is only proposed still runs. It has none where the report
is no confirmed flaw or a duplicate without a share, or its reporter asks for no reward.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from triage_core import db, trends
from triage_core.counted import Counted
from triage_core.guidance import clocks, policies
from triage_core.guidance.policy import Policy
from triage_core.rewards.entitlements import CONFIRMED, without_share
from triage_core.trends import Clock, Kept, Window

# A duplicate of a flaw that was triaged long before it came in has its own decision to count from.
_DUE = (
    "SELECT o.report_id, r.policy_version, greatest(c.triaged_at, o.triaged_at) AS triaged_at"
    " FROM cases o JOIN reports r USING (report_id)"
    " JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
    " WHERE o.report_id IN (SELECT unnest(?)) ORDER BY o.report_id"
)
# The first decision after the last proposal: one that was undone is followed by a row that proposes again.
_DECIDED = (
    "(SELECT report_id, min(done_at) AS decided_at FROM (SELECT *, max(reward_id) FILTER (state IN"
    " ('proposed', 'withdrawn')) OVER (PARTITION BY reward_no) AS before FROM rewards)"
    " WHERE state IN ('approved', 'paid', 'declined') AND reward_id > coalesce(before, 0) GROUP BY report_id)"
)
# The case that is decided is found by its number, which is part of its id: in a third of the time. What holds for that
# case is told and not asked for, since DuckDB would look for it among all cases before it joins the few.
_PROMISED = (
    "SELECT o.report_id, o.seq, r.policy_version, greatest(c.triaged_at, o.triaged_at) AS triaged_at, d.decided_at,"
    f" {CONFIRMED} AND c.severity NOT IN ('', 'none') AS is_flaw, o.canonical_id IS NOT NULL AS is_linked"
    " FROM reports r JOIN cases o USING (seq)"
    " JOIN cases c ON c.seq = coalesce(TRY_CAST(split_part(o.canonical_id, '-', 2) AS BIGINT), o.seq)"
    f" LEFT JOIN {_DECIDED} d ON d.report_id = o.report_id"
    " WHERE r.wants_reward AND ($platforms = [] OR list_contains($platforms, r.platform))"
)


class Bounty(NamedTuple):  # made by the thousand, in half the time of a dataclass
    """A reward that is `due`, and when it was decided on, None where nobody has decided.

    `seq` is the number of the report whose reporter asks for it. `ended` is when it was decided on, or due,
    whichever comes first: its clock counts for that moment.
    """

    report_id: str
    seq: int
    triaged_at: datetime
    due: datetime
    decided_at: datetime | None
    ended: datetime

    @property
    def is_inside(self) -> bool:
        """Whether it was decided on in time."""
        return self.decided_at is not None and self.decided_at <= self.due

    def is_counted(self, kind: Counted) -> bool:
        """Whether it belongs to one of the counts of the bounty."""
        if kind is Counted.BOUNTY_DONE:
            return self.decided_at is not None
        return kind is Counted.BOUNTY or self.is_inside == (kind is Counted.BOUNTY_INSIDE)


def due(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, datetime]:
    """By when a reward is due, by report; reports that nobody has triaged are left out."""
    found = db.rows(cursor, _DUE, [list(report_ids)])
    due_of = _calendars(cursor)
    return {
        row["report_id"]: due_of(row["policy_version"], row["triaged_at"])
        for row in found
        if row["triaged_at"]
    }


def late(cursor: db.Cursor, now: datetime, platforms: Sequence[str] = ()) -> list[tuple[str, datetime]]:
    """(report, due) of every bounty clock that runs and is missed at `now`, the latest first.

    Of reports about these products (none: all).
    """
    running = _promised(cursor, platforms, "d.decided_at IS NULL")
    missed = sorted((one.due, one.report_id) for one in running if one.due < now)
    return [(name, at) for at, name in missed]


def ended(cursor: db.Cursor, window: Window) -> list[Bounty]:
    """Every bounty clock that ended within the window: with a decision, or as its time passed without one."""
    # A clock that was stopped before the window did not end within it.
    maybe = "($since IS NULL OR coalesce(d.decided_at >= $since, true))"
    found = _promised(cursor, window.platform, maybe, since=db.naive(window.since))
    since, end = window.since, window.end
    return [one for one in found if one.ended <= end and (since is None or since <= one.ended)]


def kept(cursor: db.Cursor, window: Window) -> Kept:
    """How the bounty clock was kept by those that ended within the window; the hours run from triage."""
    return _kept(ended(cursor, window))


@dataclass(frozen=True, slots=True)
class Longer:
    """How the two clocks that run for weeks were kept by those that ended within a window."""

    fix: Kept
    bounty: Kept


def longer(cursor: db.Cursor, window: Window) -> Longer:
    """The fix from the day on which a report came in, the bounty from its triage."""
    return Longer(trends.fixes(cursor, window), kept(cursor, window))


def clocks_by_week(cursor: db.Cursor, window: Window) -> list[db.Row]:
    """`trends.clocks_by_week` with the bounty among the clocks, by the week in which its clock ended."""
    rows = trends.clocks_by_week(cursor, window)
    weeks = [row["week"] for row in rows]
    by_week: list[list[Bounty]] = [[] for _ in rows]
    for one in ended(cursor, window):
        if one.ended >= weeks[0]:
            by_week[bisect_right(weeks, one.ended) - 1].append(one)
    for row, bounties in zip(rows, by_week, strict=True):
        how = _kept(bounties)
        row |= {f"{Clock.BOUNTY}_{name}": value for name, value in asdict(how).items()}
        row[f"{Clock.BOUNTY}_share"] = how.share
    return rows


def named(
    cursor: db.Cursor, now: datetime, kind: Counted, since: datetime | None, until: datetime | None
) -> list[int]:
    """The numbers of the reports behind one of the counts of the bounty at `now`.

    `since` and `until` bound the moment at which their clocks ended, both included.
    """
    return [
        one.seq
        for one in ended(cursor, Window(now))
        if one.is_counted(kind) and (not since or one.ended >= since) and (not until or one.ended <= until)
    ]


def _kept(bounties: Sequence[Bounty]) -> Kept:
    hours = [
        (one.decided_at - one.triaged_at) / timedelta(hours=1)
        for one in bounties
        if one.decided_at is not None
    ]
    inside = sum(one.is_inside for one in bounties)
    return Kept(len(bounties), inside, median(hours) if hours else None)


def _promised(cursor: db.Cursor, platforms: Sequence[str], condition: str, **values: Any) -> Iterator[Bounty]:
    """The flaws with a bounty that fulfil the condition, triaged all; a duplicate without a share has none."""
    cursor.execute(f"{_PROMISED} AND {condition}", {"platforms": list(platforms), **values})
    found = cursor.fetchall()
    nothing = without_share(cursor, [row[0] for row in found if row[-1]])
    due_of = _calendars(cursor)
    for report_id, seq, version, triaged, decided, is_flaw, _ in found:
        if is_flaw and triaged and report_id not in nothing:
            triaged_at, decided_at = db.aware(triaged), db.aware(decided)
            at = due_of(version, triaged_at)
            yield Bounty(report_id, seq, triaged_at, at, decided_at, min(at, decided_at or at))


def _calendars(cursor: db.Cursor) -> Callable[[str, datetime], datetime]:
    """By when a reward is due, of a version of the policy and the moment of triage; each version is read once."""
    known: dict[str, Policy] = {}

    def due_of(version: str, triaged_at: datetime) -> datetime:
        if version not in known:
            known[version] = policies.version(cursor, version)
        return clocks.bounty_due(triaged_at, known[version].clocks)

    return due_of
