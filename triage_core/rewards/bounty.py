"""The clock of the bounty: by when the reward that a reporter asked for is decided on.

It runs from triage, in business days of the policy of the day on which the report came in, and stops
when a reward is approved or declined; one that is only proposed still runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from triage_core import db
from triage_core.guidance import clocks, policies
from triage_core.guidance.policy import Policy
from triage_core.rewards.rewards import CONFIRMED

_TRIAGED = (
    "SELECT o.report_id, r.policy_version, coalesce(c.triaged_at, o.triaged_at) AS triaged_at"
    " FROM cases o JOIN {reports} r USING (report_id)"
    " JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
)
# Few ask for a reward: those first, found by the word before any body is parsed, and then their cases.
_ASKED = (
    "(SELECT report_id, policy_version, platform FROM reports"
    " WHERE contains(body, '\"wants_reward\"') AND (body ->> 'wants_reward') = 'true')"
)
_RUNS = (
    f" WHERE {CONFIRMED} AND c.severity NOT IN ('', 'none')"
    " AND o.report_id NOT IN (SELECT report_id FROM present_rewards WHERE state IN ('approved', 'paid', 'declined'))"
)
_DUE = f"{_TRIAGED.format(reports='reports')} WHERE o.report_id IN (SELECT unnest(?)) ORDER BY o.report_id"
_RUNNING = _TRIAGED.format(reports=_ASKED) + _RUNS


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
