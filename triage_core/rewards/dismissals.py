"""Rewards whose flaw counts as one no longer: what was decided on it after the reward was proposed or approved.

The reward stays as it is, since a promise was made to the reporter: whoever approves or pays it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.model import Severity
from triage_core.rewards.entitlements import CONFIRMED, CONFIRMED_ENDS

_STANDS = f"({CONFIRMED} AND coalesce(c.severity, '') NOT IN ('', '{Severity.NONE}'))"
# A duplicate has its own share: only one that was none when the reward was proposed or approved is told.
# An undo, which has words, decides nothing on the flaw: what it brings back was known when it was proposed or approved.
_OPEN = f"""
WITH known AS (SELECT reward_no, state, max(done_at) AS known_at FROM rewards
    WHERE version = 1 OR reason = '' GROUP BY reward_no, state)
SELECT p.reward_no, c.report_id AS root, c.resolution, c.severity, {_STANDS} AS stands,
    CASE WHEN {_STANDS} THEN o.report_id ELSE c.report_id END AS decided,
    CASE WHEN a.resolution = c.resolution THEN a.clauses ELSE [] END AS clauses
FROM present_rewards p JOIN known k USING (reward_no, state) JOIN cases o USING (report_id)
JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)
LEFT JOIN assessments a ON a.assessment_id = c.assessment_id
WHERE p.state IN ('proposed', 'approved') AND (NOT {_STANDS} OR (o.canonical_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM duplicate_links l LEFT JOIN duplicate_link_ends e USING (link_id)
    WHERE l.child_id = o.report_id AND l.done_at <= k.known_at AND (e.done_at IS NULL OR e.done_at > k.known_at))))
ORDER BY p.reward_no
"""
# When each of them was decided on last. Only their own events are looked into, of millions.
_MOVED = """
WITH own AS MATERIALIZED (SELECT subject, done_at, data FROM events WHERE subject IN (SELECT unnest(?)))
SELECT subject, max(done_at) AS at FROM own
WHERE json_exists(data, '$.after.status') OR json_exists(data, '$.after.resolution')
    OR json_exists(data, '$.after.severity')
GROUP BY subject
"""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """What became of a flaw at `at`; `report_id` is the report decided on, which for a duplicate is the earlier one.

    `stands`: a confirmed flaw all the same, of which this report became a duplicate.
    """

    report_id: str
    at: datetime
    what: str
    stands: bool

    def __str__(self) -> str:
        return f"{self.report_id} {self.what} on {self.at:%d %b %Y %H:%M} UTC"


def since(cursor: db.Cursor) -> dict[int, Dismissal]:
    """Of the rewards that wait for a decision or their payment those whose flaw was dismissed since, by number."""
    rows = db.rows(cursor, _OPEN)
    if not rows:
        return {}
    moved = {row["subject"]: row["at"] for row in db.rows(cursor, _MOVED, [[row["decided"] for row in rows]])}
    return {
        row["reward_no"]: Dismissal(row["decided"], moved[row["decided"]], _what(row), row["stands"])
        for row in rows
    }


def _what(row: db.Row) -> str:
    if row["stands"]:
        return f"was closed as a duplicate of {row['root']}"
    if row["resolution"] not in {None, *CONFIRMED_ENDS}:
        by = f" by {', '.join(row['clauses'])}" if row["clauses"] else ""
        return f"was closed as {row['resolution'].replace('_', ' ')}{by}"
    if row["severity"] == Severity.NONE:
        return "was given a severity of none"
    return "is to be decided on anew: its decision was taken back"
