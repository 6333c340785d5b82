"""The clock of the bounty: by when the reward that a reporter asked for is decided on.

It runs from triage, in business days of the policy of the day on which the report came in, and stops
when a reward is approved or declined; one that is only proposed still runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from triage_core import clocks, db, policies
from triage_core.policy import Policy
from triage_core.rewards import CONFIRMED

_TRIAGED = (
    "SELECT o.report_id, r.policy_version, coalesce(c.triaged_at, o.triaged_at) AS triaged_at"
    " FROM cases o JOIN reports r USING (report_id) JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
)
_RUNS = (
    f" WHERE {CONFIRMED} AND c.severity NOT IN ('', 'none') AND (r.body ->> 'wants_reward') = 'true'"
    " AND o.report_id NOT IN (SELECT report_id FROM present_rewards WHERE state IN ('approved', 'paid', 'declined'))"
)


def due(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, datetime]:
    """By when a reward is due, by report; reports that nobody has triaged are left out."""
    found = db.rows(
        cursor, f"{_TRIAGED} WHERE o.report_id IN (SELECT unnest(?)) ORDER BY o.report_id", [list(report_ids)]
    )
    return _due(cursor, found)


def late(cursor: db.Cursor, now: datetime) -> list[tuple[str, datetime]]:
    """(report, due) of every bounty clock that runs and is missed at `now`, the latest first."""
    found = _due(cursor, db.rows(cursor, _TRIAGED + _RUNS))
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
