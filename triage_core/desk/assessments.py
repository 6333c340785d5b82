"""Assessments as facts: one row for each decision that somebody made, on a case or blind, never changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from triage_core import db
from triage_core.desk.decision import Decision, check, computed_level, level
from triage_core.guidance.policy import Policy
from triage_core.model import Exploitation
from triage_core.store import Work


def record(
    work: Work,
    policy: Policy,
    report_id: str,
    decision: Decision,
    exploitation: Exploitation,
    look_id: int | None = None,
) -> dict[str, Any]:
    """Write a checked decision down and give its row; `look_id` marks the blind answer to a second look."""
    resolution = check(policy, decision)
    inputs = decision.inputs
    severity = level(policy, decision)
    row: dict[str, Any] = {
        "assessment_id": work.next_id("assessments", "assessment_id"),
        "report_id": report_id,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "policy_version": policy.version,
        "clauses": list(decision.clauses),
        "harm": str(inputs.harm) if inputs else None,
        "exposure": str(inputs.exposure) if inputs else None,
        "generality": str(inputs.generality) if inputs else None,
        "reliability": str(inputs.reliability) if inputs else None,
        "uplift": str(inputs.uplift) if inputs else None,
        "computed_severity": str(computed_level(policy, decision)),
        "severity": str(severity),
        "override_reason": decision.override_reason,
        "priority": str(policy.priority(severity, exploitation)),
        "resolution": str(resolution) if resolution else None,
        "note": decision.note,
        "reproduction_log": decision.reproduction_log,
        "look_id": look_id,
    }
    db.insert(work.cursor, "assessments", [row])
    work.say("assessments", row)
    return row


def numbered(cursor: db.Cursor, numbers: Collection[int]) -> dict[int, db.Row]:
    """The assessments with these numbers, by number; one that is not there is left out."""
    if not numbers:
        return {}
    found = db.rows(
        cursor, "SELECT * FROM assessments WHERE assessment_id IN (SELECT unnest(?))", [sorted(numbers)]
    )
    return {row["assessment_id"]: row for row in found}
