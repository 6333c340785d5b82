"""The dry run of a policy: which decisions in force would come out differently under it.

A decision is tried as if its reviewer had answered the same under the other policy: the same clauses and
inputs, and the same override where a person had set the severity apart from the table. It changes when its
severity or its priority does, or when a clause that it cites is gone, so that it could not be made at all.
Reports that are closed as duplicates have no decision of their own and are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triage_core import db
from triage_core.guidance.policy import Policy

# The tables of a policy are 270 and 15 rows, so the decisions join with them instead of being read one by one.
_TRIAL = """
WITH levels AS (
    SELECT unnest($harm) AS harm, unnest($exposure) AS exposure, unnest($generality) AS generality,
        unnest($reliability) AS reliability, unnest($uplift) AS uplift, unnest($level) AS level),
priorities AS (
    SELECT unnest($severity) AS severity, unnest($exploitation) AS exploitation, unnest($priority) AS priority),
decided AS (
    SELECT c.report_id, a.assessment_id, a.done_at, a.clauses, c.severity, c.priority, c.exploitation,
        CASE WHEN a.severity <> a.computed_severity THEN a.severity
            ELSE coalesce(l.level, 'none') END AS new_severity,
        list_filter(a.clauses, lambda clause: NOT list_contains($clauses, clause)) AS gone
    FROM cases c JOIN assessments a USING (assessment_id)
    LEFT JOIN levels l ON l.harm = a.harm AND l.exposure = a.exposure AND l.generality = a.generality
        AND l.reliability = a.reliability AND l.uplift = a.uplift
    WHERE c.canonical_id IS NULL),
tried AS (
    SELECT d.*, p.priority AS new_priority,
        d.severity <> new_severity OR d.priority <> p.priority OR len(gone) > 0 AS changes
    FROM decided d JOIN priorities p ON p.severity = d.new_severity AND p.exploitation = d.exploitation)
"""
_SUMMARY = (
    _TRIAL
    + """
SELECT severity, new_severity, count(*) AS decisions,
    count(*) FILTER (WHERE changes) AS changed,
    count(*) FILTER (WHERE priority <> new_priority) AS priorities,
    count(*) FILTER (WHERE len(gone) > 0) AS gone
FROM tried GROUP BY ALL
"""
)
_ROWS = (
    _TRIAL
    + """
SELECT report_id, assessment_id, done_at, clauses, severity, new_severity, priority, new_priority, gone
FROM tried WHERE changes ORDER BY assessment_id DESC LIMIT $size OFFSET $offset
"""
)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many decisions there are and how many would change.

    `moves` counts them by (severity now, severity then) where the two differ; `priorities` counts those
    whose priority changes, and `gone` those that cite a clause which the other policy does not have.
    """

    decisions: int
    changed: int
    moves: Mapping[tuple[str, str], int]
    priorities: int
    gone: int


def summary(cursor: db.Cursor, policy: Policy) -> Summary:
    """What would become of every decision in force under `policy`."""
    found = db.rows(cursor, _SUMMARY, _tables(policy))
    return Summary(
        decisions=sum(row["decisions"] for row in found),
        changed=sum(row["changed"] for row in found),
        moves={
            (row["severity"], row["new_severity"]): row["decisions"]
            for row in found
            if row["severity"] != row["new_severity"]
        },
        priorities=sum(row["priorities"] for row in found),
        gone=sum(row["gone"] for row in found),
    )


def changed(cursor: db.Cursor, policy: Policy, page: int = 1, size: int = 25) -> list[db.Row]:
    """One page of the decisions that would change, the newest first, with both levels and the lost clauses."""
    return db.rows(cursor, _ROWS, {**_tables(policy), "size": size, "offset": (page - 1) * size})


def _tables(policy: Policy) -> dict[str, Any]:
    """The parameters of the trial: the two tables by column, and the ids of the clauses."""
    inputs = ("harm", "exposure", "generality", "reliability", "uplift")
    columns: dict[str, Any] = {
        name: [str(key[at]) for key in policy.severity_table] for at, name in enumerate(inputs)
    }
    return {
        **columns,
        "level": [str(level) for level in policy.severity_table.values()],
        "severity": [str(severity) for severity, _ in policy.priority_table],
        "exploitation": [str(exploitation) for _, exploitation in policy.priority_table],
        "priority": [str(priority) for priority in policy.priority_table.values()],
        "clauses": [clause.clause_id for clause in policy.clauses],
    }
