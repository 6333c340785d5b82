"""Rewards whose flaw counts as one no longer, or for less: what was decided on it after the proposal or approval.

The reward stays as it is, since a promise was made to the reporter: whoever approves or pays it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.model import Severity
from triage_core.rewards.entitlements import CONFIRMED, CONFIRMED_ENDS

_STANDS = f"({CONFIRMED} AND coalesce(c.severity, '') NOT IN ('', '{Severity.NONE}'))"
# A duplicate has its own share: only one that was none when the reward was proposed or approved is told.
# An undo, which has words, decides nothing on the flaw: what it brings back was known when it was proposed or approved.
# A proposal with a lower severity is asked again at its approval: only an approval is told of it.
_OPEN = f"""
WITH known AS (SELECT reward_no, state, max(done_at) AS known_at, arg_max(severity, reward_id) AS severity FROM rewards
    WHERE version = 1 OR reason = '' GROUP BY reward_no, state),
told AS (
    SELECT p.reward_no, o.report_id, c.report_id AS root, c.resolution, c.severity, k.severity AS severity_then,
        {_STANDS} AS stands, c.assessment_id,
        p.state = 'approved' AND list_position($levels, c.severity) < list_position($levels, k.severity) AS lowered,
        o.canonical_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM duplicate_links l LEFT JOIN duplicate_link_ends e USING (link_id) WHERE
            l.child_id = o.report_id AND l.done_at <= k.known_at AND (e.done_at IS NULL OR e.done_at > k.known_at)
        ) AS linked
    FROM present_rewards p JOIN known k USING (reward_no, state) JOIN cases o USING (report_id)
    JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)
    WHERE p.state IN ('proposed', 'approved'))
SELECT t.* EXCLUDE (assessment_id), CASE WHEN a.resolution = t.resolution THEN a.clauses ELSE [] END AS clauses
FROM told t LEFT JOIN assessments a USING (assessment_id)
WHERE NOT stands OR linked OR lowered ORDER BY reward_no
"""
# When each of them was decided on last. Only their own events are looked into, of millions.
_MOVED = """
WITH own AS MATERIALIZED (SELECT subject, done_at, data FROM events WHERE subject IN (SELECT unnest(?)))
SELECT subject,
    max(done_at) FILTER (json_exists(data, '$.after.status') OR json_exists(data, '$.after.resolution')
        OR json_exists(data, '$.after.severity')) AS decided_at,
    max(done_at) FILTER (json_exists(data, '$.after.severity')) AS severity_at,
    max(done_at) FILTER (json_exists(data, '$.after.canonical_id')) AS linked_at
FROM own GROUP BY subject
"""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """What became of a flaw at `at`; `report_id` is the report decided on, which for a duplicate is the earlier one.

    `stands`: a confirmed flaw all the same, of which this report became a duplicate, or which was lowered.
    """

    report_id: str
    at: datetime
    what: str
    stands: bool

    def __str__(self) -> str:
        return f"{self.report_id} {self.what} on {self.at:%d %b %Y %H:%M} UTC"


def since(cursor: db.Cursor) -> dict[int, Dismissal]:
    """Of the rewards that wait for a decision or their payment those of which something was decided since, by number.

    Their flaw was dismissed, or after the approval given a lower severity.
    """
    rows = db.rows(cursor, _OPEN, {"levels": [str(level) for level in Severity]})
    if not rows:
        return {}
    names = {row[name] for row in rows for name in ("report_id", "root")}
    moved = {row["subject"]: row for row in db.rows(cursor, _MOVED, [sorted(names)])}
    return {row["reward_no"]: _told(row, moved) for row in rows}


def _told(row: db.Row, moved: Mapping[str, db.Row]) -> Dismissal:
    root = moved[row["root"]]
    if not row["stands"]:
        return Dismissal(row["root"], root["decided_at"], _what(row), stands=False)
    own = moved[row["report_id"]]
    if row["linked"]:
        what = f"was closed as a duplicate of {row['root']}"
        return Dismissal(row["report_id"], own["decided_at"], what, stands=True)
    # It goes down too as its earlier report becomes a duplicate of a less severe one, or it is a duplicate no more.
    at = max(filter(None, (root["severity_at"], own["linked_at"])))
    what = f"was lowered from {row['severity_then']} to {row['severity']}"
    return Dismissal(row["root"], at, what, stands=True)


def _what(row: db.Row) -> str:
    if row["resolution"] not in {None, *CONFIRMED_ENDS}:
        by = f" by {', '.join(row['clauses'])}" if row["clauses"] else ""
        return f"was closed as {row['resolution'].replace('_', ' ')}{by}"
    if row["severity"] == Severity.NONE:
        return "was given a severity of none"
    return "is to be decided on anew: its decision was taken back"
