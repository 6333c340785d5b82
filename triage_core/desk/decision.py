"""One decision of a reviewer, and the rules that it keeps: pure, so that a screen can ask them too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triage_core import lifecycle
from triage_core.channel.jsontext import check_plain
from triage_core.errors import Refused
from triage_core.guidance.policy import ClauseKind, Policy
from triage_core.lifecycle import Trigger
from triage_core.model import Exploitation, Resolution, Severity, SeverityInputs, Status, TrainingConsent

MAX_NOTE = 5_000
MAX_ANSWER = 50_000

# What a clause says about a report when the reviewer does not name a resolution.
# What belongs to the authority goes there, whatever else is cited: hence the order.
RESOLUTION_OF_KIND = {
    ClauseKind.REROUTED: Resolution.REROUTED,
    ClauseKind.OUT_OF_SCOPE: Resolution.OUT_OF_SCOPE,
    ClauseKind.EXPECTED: Resolution.EXPECTED_BEHAVIOUR,
}
KIND_OF_RESOLUTION = {resolution: kind for kind, resolution in RESOLUTION_OF_KIND.items()}

# A report is decided on in triage; deciding again first takes the earlier decision back.
_TO_TRIAGED: Mapping[Status, tuple[Trigger, ...]] = {
    Status.NEW: (Trigger.TRIAGE,),
    Status.NEEDS_INFO: (Trigger.END_WAIT, Trigger.TRIAGE),
    Status.ACCEPTED: (Trigger.REVOKE,),
    Status.DEFERRED: (Trigger.RESUME, Trigger.REVOKE),
    Status.CLOSED: (Trigger.REOPEN,),
}
_BEYOND_TRIAGE = {Status.FIX_READY, Status.FIXED, Status.RETEST}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decides about one report; `inputs` may be None where no clause is in scope."""

    clauses: tuple[str, ...]
    inputs: SeverityInputs | None = None
    resolution: Resolution | None = None
    note: str = ""
    override: Severity | None = None
    override_reason: str = ""
    exploitation: Exploitation | None = None
    better_answer: str = ""
    consent: TrainingConsent | None = None
    reproduction_log: str = ""


def check_text(name: str, content: str, limit: int = MAX_NOTE) -> None:
    """Return when a reviewer's text can be stored and exported as it is; else raise Refused naming it."""
    if len(content) > limit:
        raise Refused(name, f"at most {limit:,} characters, not {len(content):,}")
    check_plain(content, name)


def check(policy: Policy, decision: Decision) -> Resolution | None:
    """The resolution that the decision closes with, None when the report stays open.

    Raises Refused naming the field that breaks a rule.
    """
    if not decision.clauses:
        raise Refused("clause", "cite at least one clause of the policy in force")
    kinds = {policy.clause(clause_id).kind for clause_id in decision.clauses}
    if ClauseKind.IN_SCOPE in kinds and decision.inputs is None:
        raise Refused("harm", "an in-scope clause needs the five severity inputs")
    if decision.override and not decision.override_reason.strip():
        raise Refused("override_reason", "an override of the computed severity needs a reason")
    for name in ("note", "override_reason"):
        check_text(name, getattr(decision, name))
    for name in ("better_answer", "reproduction_log"):
        check_text(name, getattr(decision, name), MAX_ANSWER)
    resolution = decision.resolution or _implied_resolution(kinds)
    needed = KIND_OF_RESOLUTION.get(resolution) if resolution else None
    if needed and needed not in kinds:
        raise Refused("clause", f"{resolution} cites a clause of the kind {needed}, which says why")
    if resolution is Resolution.DUPLICATE:
        raise Refused("resolution", "a duplicate is closed by linking it to its canonical report")
    if resolution:
        lifecycle.check_closing(
            Trigger.CLOSE,
            resolution,
            reason=decision.note or policy.clause(decision.clauses[0]).title,
            clauses=decision.clauses,
            reproduction_log=decision.reproduction_log,
        )
    return resolution


def computed_level(policy: Policy, decision: Decision) -> Severity:
    """The severity of the inputs, from the policy's table; none without inputs."""
    return policy.severity(decision.inputs) if decision.inputs else Severity.NONE


def level(policy: Policy, decision: Decision) -> Severity:
    """The severity that the decision gives: the computed one, or the one that overrides it."""
    return decision.override or computed_level(policy, decision)


def gravest_level(policy: Policy, decision: Decision) -> Severity:
    """The higher of the two: what the inputs say, and what the decision gives."""
    both = (computed_level(policy, decision), level(policy, decision))
    return max(both, key=lambda severity: severity.rank)


def _implied_resolution(kinds: set[ClauseKind]) -> Resolution | None:
    if ClauseKind.IN_SCOPE in kinds:
        return None
    return next(resolution for kind, resolution in RESOLUTION_OF_KIND.items() if kind in kinds)


def decided_status(status: Status, severity: Severity, resolution: Resolution | None) -> Status:
    """Walk the status machine from `status` to where the decision leads."""
    if resolution is None and status in _BEYOND_TRIAGE:
        return status  # a fix is under way: the severity is corrected, the work goes on
    for trigger in _TO_TRIAGED.get(status, ()):
        status = lifecycle.step(status, trigger)
    if resolution:
        return lifecycle.step(status, Trigger.CLOSE)
    return lifecycle.step(status, Trigger.ACCEPT) if severity is not Severity.NONE else status
