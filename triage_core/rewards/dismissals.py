"""Rewards whose flaw counts as one no longer: what was decided on it after the reward was proposed or approved.

The reward stays as it is, since a promise was made to the reporter: whoever approves or pays it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.desk import activity
from triage_core.model import Resolution, Severity
from triage_core.rewards.entitlements import CONFIRMED

_STANDS = f"({CONFIRMED} AND coalesce(c.severity, '') NOT IN ('', '{Severity.NONE}'))"
# A duplicate has its own share: only one that was none when the reward was proposed or approved is told.
_OPEN = f"""
SELECT p.reward_no, o.report_id, c.report_id AS root, c.resolution, c.severity, {_STANDS} AS stands,
    CASE WHEN a.resolution = c.resolution THEN a.clauses ELSE [] END AS clauses
FROM present_rewards p JOIN cases o USING (report_id)
JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)
LEFT JOIN assessments a ON a.assessment_id = c.assessment_id
WHERE p.state IN ('proposed', 'approved') AND (NOT {_STANDS} OR (o.canonical_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM duplicate_links l LEFT JOIN duplicate_link_ends e USING (link_id)
    WHERE l.child_id = o.report_id AND l.done_at <= p.done_at AND (e.done_at IS NULL OR e.done_at > p.done_at))))
ORDER BY p.reward_no
"""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """What became of a flaw at `at`; `report_id` is the report decided on, which for a duplicate is the earlier one."""

    report_id: str
    at: datetime
    what: str

    def __str__(self) -> str:
        return f"{self.report_id} {self.what} on {self.at:%d %b %Y %H:%M} UTC"


def since(cursor: db.Cursor) -> dict[int, Dismissal]:
    """Of the rewards that wait for a decision or their payment those whose flaw was dismissed since, by number."""
    found = {}
    for row in db.rows(cursor, _OPEN):
        if row["stands"]:
            decided, what = row["report_id"], f"was closed as a duplicate of {row['root']}"
        else:
            decided, what = row["root"], _what(row)
        moved = [
            event.done_at
            for event in activity.history(cursor, decided)
            if event.after.keys() & {"status", "resolution", "severity"}
        ]
        found[row["reward_no"]] = Dismissal(decided, moved[-1], what)
    return found


def _what(row: db.Row) -> str:
    if row["resolution"] not in {None, *_FIXED}:
        by = f" by {', '.join(row['clauses'])}" if row["clauses"] else ""
        return f"was closed as {row['resolution'].replace('_', ' ')}{by}"
    if row["severity"] == Severity.NONE:
        return "was given a severity of none"
    return "is to be decided on anew: its decision was taken back"


_FIXED = (Resolution.RESOLVED_FIXED, Resolution.RESOLVED_MITIGATED, Resolution.ACCEPTED_RISK)
