"""A reviewer's commands: assess, link and unlink duplicates, keep apart, answer, move the status.

Each is one transaction, checks the actor's role, compares the version that the reviewer saw with
the present one (when given), and writes an event that holds the state before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from triage_core import access, cases, db, lifecycle
from triage_core.channel import messages
from triage_core.desk import answers, assessments, linking, looks, preferred
from triage_core.desk.decision import Decision, check, check_text, decided_status, gravest_level, level
from triage_core.disclosure import embargoes
from triage_core.errors import NotFound, Refused
from triage_core.guidance import clocks, policies
from triage_core.guidance.policy import Policy
from triage_core.lifecycle import Trigger
from triage_core.model import (
    Actor,
    Exploitation,
    Resolution,
    Severity,
    Status,
)
from triage_core.outgoing import follow_through
from triage_core.store import Store, Work


def find(cursor: db.Cursor, name: str) -> str:
    """The report id for a report id or an external id. Raises NotFound."""
    found = db.value(cursor, "SELECT report_id FROM reports WHERE report_id = ?", [name])
    return str(found) if found else find_external(cursor, name)


def find_external(cursor: db.Cursor, name: str) -> str:
    """The report of this external id; what we imported goes before what a stranger called so. Raises NotFound."""
    found = db.value(
        cursor,
        "SELECT report_id FROM reports WHERE external_id = ? ORDER BY channel <> 'import', seq LIMIT 1",
        [name],
    )
    if not found:
        raise NotFound("report", f"there is no report {name!r}")
    return str(found)


def assess(
    store: Store,
    policy: Policy,
    actor: Actor,
    report_id: str,
    decision: Decision,
    *,
    approve: bool = False,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Decide on a report against the policy in force; gives the new state of the case.

    At least one clause is cited. The severity comes from the inputs through the policy's table; an
    override needs a reason. An in-scope report becomes accepted, any other closed with the
    resolution that its clause implies, unless the decision names one. Deciding again takes the
    earlier decision back first. A better answer is a draft until somebody else approves it; `approve`
    does so at once, for whoever holds every role. Raises Refused naming the field and the rule.
    """
    access.require(actor, "assess")
    with store.write(actor, "assess", now) as work:
        return assess_within(work, policy, report_id, decision, seen_version, approve=approve)


def assess_within(
    work: Work,
    policy: Policy,
    report_id: str,
    decision: Decision,
    seen_version: int | None = None,
    *,
    settles: int | None = None,
    approve: bool = False,
) -> dict[str, Any]:
    """`assess` as a part of a running command: whatever it refuses, it refuses before it writes.

    `settles` is the number of the second look that the decision adjudicates; any other decision may be
    drawn for a second look.
    """
    # What somebody else has done comes first: whoever is to complete a decision would do so for an old version.
    case = cases.read(work.cursor, report_id, seen_version)
    resolution = check(policy, decision)
    linking.require_unlinked(work.cursor, case)
    if settles is None:
        looks.require_undisputed(work.cursor, case)
    severity = level(policy, decision)
    was_closed = case["status"] == Status.CLOSED
    status = decided_status(Status(case["status"]), severity, resolution)
    exploitation = decision.exploitation or Exploitation(case["exploitation"])
    assessed = assessments.record(work, policy, report_id, decision, exploitation)
    assessment_id = assessed["assessment_id"]
    if decision.better_answer:
        # The turn that somebody has chosen stays chosen.
        turn = preferred.in_force(work.cursor, report_id).turn
        written = answers.write_within(work, report_id, decision.better_answer, turn, alone=approve)
        if written:
            work.event("answer.written", report_id, written)
    if settles:
        look: dict[str, Any] = {"settles": settles}
    else:
        look = looks.draw(work, policy, report_id, assessment_id, gravest_level(policy, decision))
    followed = embargoes.follow(work, policy, report_id, severity, exploitation)
    decided = cases.change(
        work,
        case,
        "report.assessed",
        {
            "status": str(status),
            "resolution": assessed["resolution"],
            "canonical_id": None,
            "assessment_id": assessment_id,
            "severity": assessed["severity"],
            "priority": assessed["priority"],
            "exploitation": str(exploitation),
            "consent_training": str(decision.consent or case["consent_training"]),
            "fix_due": None if resolution else _fix_due(work, policy, case, severity),
            "first_response_at": case["first_response_at"] or work.now,
            "triaged_at": case["triaged_at"] or work.now,
            "closed_at": work.now if resolution else None,
            "reopened_at": work.now if was_closed and not resolution else case["reopened_at"],
        },
        {
            "assessment_id": assessment_id,
            "clauses": list(decision.clauses),
            "policy_version": policy.version,
            **look,
            **followed,
        },
    )
    follow_through.fix_moved(work, case, decided)
    return decided


def _fix_due(work: Work, policy: Policy, case: db.Row, severity: Severity) -> datetime | None:
    """By when the policy of the day on which the report came in promises a fix."""
    pinned = policies.of_report(work.cursor, policy, case["report_id"])
    return clocks.fix_due(case["received_at"], severity, pinned.clocks)


def link(
    store: Store,
    actor: Actor,
    child_id: str,
    canonical_id: str,
    *,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Mark `child_id` as a duplicate of the earlier `canonical_id` and close it as such.

    `evidence` may hold score, model_id and threshold of the suggestion that was accepted. Raises
    Refused when the canonical report is not the earlier one, Conflict when the child is linked
    already or a reviewer has said that the two, or reports bound to them, are not duplicates. What is
    a duplicate of the child follows it, so that no chain comes about.
    """
    access.require(actor, "link")
    check_text("reason", reason)
    with store.write(actor, "link", now) as work:
        return linking.link_within(
            work, child_id, canonical_id, reason=reason, evidence=evidence, seen_version=seen_version
        )


def unlink(
    store: Store,
    actor: Actor,
    child_id: str,
    *,
    reason: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Take a duplicate link back: the child is again what it was before, its own duplicates included.

    Raises NotFound when it is no duplicate.
    """
    access.require(actor, "unlink")
    check_text("reason", reason)
    with store.write(actor, "unlink", now) as work:
        return linking.unlink_within(work, child_id, reason=reason, seen_version=seen_version)


def keep_apart(
    store: Store, actor: Actor, one_id: str, other_id: str, *, reason: str = "", now: datetime | None = None
) -> int:
    """Record that two reports are not duplicates: no model suggests the pair again.

    Gives the number of the record; doing it twice is doing it once. Raises Conflict when the two
    are linked at present.
    """
    access.require(actor, "cannot_link")
    check_text("reason", reason)
    with store.write(actor, "cannot_link", now) as work:
        return linking.keep_apart_within(work, one_id, other_id, reason=reason)


def move(
    store: Store,
    actor: Actor,
    report_id: str,
    trigger: Trigger,
    *,
    resolution: Resolution | None = None,
    note: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Fire one trigger of the status machine: ask, defer, fix, retest ...

    A passed retest closes with the `resolution` (resolved_fixed or resolved_mitigated) and a note that
    the reporter can read, and asking has the question in its note. Accepting and every other closure go
    through `assess` and `link`.
    """
    access.require(actor, "set_status")
    check_text("note", note)
    if trigger is Trigger.WITHDRAW:
        raise Refused("trigger", "only the reporter can withdraw a report, on its tracking page")
    with store.write(actor, "set_status", now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        linking.require_unlinked(work.cursor, case)
        status = lifecycle.step(Status(case["status"]), trigger)
        if trigger is Trigger.ACCEPT or (status is Status.CLOSED and trigger is not Trigger.PASS_RETEST):
            raise Refused("trigger", f"{trigger} needs an assessment with a clause, or a duplicate link")
        if status is Status.CLOSED:
            if resolution is None:
                raise Refused("resolution", "a passed retest closes as resolved_fixed or resolved_mitigated")
            lifecycle.check_closing(trigger, resolution, reason=note)
        after: dict[str, Any] = {
            "status": str(status),
            "resolution": str(resolution) if status is Status.CLOSED else None,
            "closed_at": work.now if status is Status.CLOSED else None,
            "reopened_at": work.now if trigger is Trigger.REOPEN else case["reopened_at"],
        }
        if trigger is Trigger.ASK_REPORTER:
            if not note.strip():
                raise Refused("note", "whoever is asked must be able to read the question")
            after["first_response_at"] = case["first_response_at"] or work.now
            messages.record(work, report_id, messages.Kind.QUESTION, note)
        if trigger is Trigger.TRIAGE:
            after["triaged_at"] = case["triaged_at"] or work.now
        moved = cases.change(work, case, "report.moved", after, {"trigger": str(trigger), "note": note})
        follow_through.fix_moved(work, case, moved)
        return moved
