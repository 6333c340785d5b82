"""The clock of the bounty: by when the reward that a reporter asked for is decided on, and how that was kept.

It runs from triage, in business days of the policy of the day on which the report came in, and stops
when a reward is approved or declined; one that is only proposed still runs. It has none where the report
is no confirmed flaw, or its reporter asks for no reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median

from triage_core import db, trends
from triage_core.counted import Counted
from triage_core.guidance import clocks, policies
from triage_core.guidance.policy import Policy
from triage_core.rewards.rewards import CONFIRMED
from triage_core.trends import Clock, Kept, Window
from triage_core.trends.window import monday

# A duplicate of a flaw that was triaged long before it came in has its own decision to count from.
_TRIAGED = (
    "SELECT o.report_id, r.policy_version, greatest(c.triaged_at, o.triaged_at) AS triaged_at"
    " FROM cases o JOIN {reports} r USING (report_id)"
    " JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
)
# Few ask for a reward: those first, found by the word before any body is parsed, and then their cases.
_ASKED = (
    "(SELECT report_id, seq, policy_version, platform FROM reports"
    " WHERE contains(body, '\"wants_reward\"') AND (body ->> 'wants_reward') = 'true')"
)
_DUE_ONES = f" WHERE {CONFIRMED} AND c.severity NOT IN ('', 'none')"
_RUNS = (
    f"{_DUE_ONES} AND o.report_id NOT IN"
    " (SELECT report_id FROM present_rewards WHERE state IN ('approved', 'paid', 'declined'))"
)
_DUE = f"{_TRIAGED.format(reports='reports')} WHERE o.report_id IN (SELECT unnest(?)) ORDER BY o.report_id"
_RUNNING = _TRIAGED.format(reports=_ASKED) + _RUNS
# The first decision after the last proposal: one that was undone is followed by a row that proposes again.
_DECIDED = (
    "(SELECT report_id, min(done_at) AS decided_at FROM (SELECT *, max(reward_id) FILTER (state IN"
    " ('proposed', 'withdrawn')) OVER (PARTITION BY reward_no) AS before FROM rewards)"
    " WHERE state IN ('approved', 'paid', 'declined') AND reward_id > coalesce(before, 0) GROUP BY report_id)"
)
# Few of them are duplicates: only those look for another case than their own.
_PROMISED = (
    "WITH mine AS MATERIALIZED (SELECT o.report_id, o.canonical_id, o.triaged_at, o.status, o.resolution, o.severity,"
    f" r.policy_version FROM {_ASKED} r JOIN cases o USING (seq)"
    " WHERE $platforms = [] OR list_contains($platforms, r.platform)),"
    " told AS (SELECT report_id, policy_version, triaged_at, status, resolution, severity FROM mine"
    " WHERE canonical_id IS NULL UNION ALL SELECT o.report_id, o.policy_version,"
    " greatest(c.triaged_at, o.triaged_at), c.status, c.resolution, c.severity"
    " FROM mine o JOIN cases c ON c.report_id = o.canonical_id)"
    f" SELECT c.report_id, policy_version, triaged_at, decided_at FROM told c LEFT JOIN {_DECIDED} d"
    f" ON d.report_id = c.report_id{_DUE_ONES} AND triaged_at IS NOT NULL"
    " AND ($since IS NULL OR coalesce(decided_at >= $since, true))"
)


@dataclass(frozen=True, slots=True)
class Bounty:
    """A reward that was `due`, and when it was decided on, None where it is past its time without a decision."""

    report_id: str
    triaged_at: datetime
    due: datetime
    decided_at: datetime | None

    @property
    def ended(self) -> datetime:
        """When it was decided on, or due, whichever came first: its clock counts for that moment."""
        return min(self.due, self.decided_at or self.due)

    def is_counted(self, kind: Counted) -> bool:
        """Whether it belongs to one of the three counts of the bounty."""
        inside = self.decided_at is not None and self.decided_at <= self.due
        return kind is Counted.BOUNTY or inside == (kind is Counted.BOUNTY_INSIDE)


def due(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, datetime]:
    """By when a reward is due, by report; reports that nobody has triaged are left out."""
    return _due(cursor, db.rows(cursor, _DUE, [list(report_ids)]))


def late(cursor: db.Cursor, now: datetime, platforms: Sequence[str] = ()) -> list[tuple[str, datetime]]:
    """(report, due) of every bounty clock that runs and is missed at `now`, the latest first.

    Of reports about these products (none: all).
    """
    of_them = " AND ($platforms = [] OR list_contains($platforms, r.platform))"
    found = _due(cursor, db.rows(cursor, _RUNNING + of_them, {"platforms": list(platforms)}))
    missed = sorted((at, name) for name, at in found.items() if at < now)
    return [(name, at) for at, name in missed]


def ended(cursor: db.Cursor, window: Window) -> list[Bounty]:
    """Every bounty clock that ended within the window: with a decision, or as its time passed without one."""
    since = db.naive(window.since)
    found = db.rows(cursor, _PROMISED, {"since": since, "platforms": list(window.platform)})
    dates = _due(cursor, found)
    bounties = [
        Bounty(row["report_id"], row["triaged_at"], dates[row["report_id"]], row["decided_at"])
        for row in found
    ]
    return [one for one in bounties if (window.since or one.ended) <= one.ended <= window.end]


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
    weeks: dict[datetime, list[Bounty]] = {}
    for one in ended(cursor, window):
        weeks.setdefault(monday(one.ended), []).append(one)
    rows = trends.clocks_by_week(cursor, window)
    for row in rows:
        how = _kept(weeks.get(row["week"], []))
        row |= {f"{Clock.BOUNTY}_{name}": value for name, value in asdict(how).items()}
        row[f"{Clock.BOUNTY}_share"] = how.share
    return rows


def named(
    cursor: db.Cursor, now: datetime, kind: Counted, since: datetime | None, until: datetime | None
) -> dict[str, datetime]:
    """The reports behind one of the counts of the bounty at `now`, with the moment at which their clocks ended.

    `since` and `until` bound that moment, both included.
    """
    return {
        one.report_id: one.ended
        for one in ended(cursor, Window(now))
        if one.is_counted(kind) and (not since or one.ended >= since) and (not until or one.ended <= until)
    }


def _kept(bounties: Sequence[Bounty]) -> Kept:
    hours = [
        (one.decided_at - one.triaged_at) / timedelta(hours=1)
        for one in bounties
        if one.decided_at is not None
    ]
    inside = sum(one.is_counted(Counted.BOUNTY_INSIDE) for one in bounties)
    return Kept(len(bounties), inside, median(hours) if hours else None)


def _due(cursor: db.Cursor, found: Sequence[db.Row]) -> dict[str, datetime]:
    known: dict[str, Policy] = {}
    dates = {}
    for row in found:
        name = row["policy_version"]
        if row["triaged_at"] is not None:
            if name not in known:
                known[name] = policies.version(cursor, name)
            dates[row["report_id"]] = clocks.bounty_due(row["triaged_at"], known[name].clocks)
    return dates
