"""The two state machines of a report as data: its status, and the embargo beside it.

Each machine is a flat list of (trigger, source, destination). The embargo words are those of
CERT/CC's Vultron protocol; the rules for its dates are functions at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from triage_core.clocks import as_utc
from triage_core.errors import IllegalTransition, Refused
from triage_core.model import EmbargoState, Exploitation, Resolution, Severity, Status
from triage_core.policy import Policy


class Trigger(StrEnum):
    ASK_REPORTER = "ask_reporter"
    END_WAIT = "end_wait"  # the reporter answered, or was warned and did not
    TRIAGE = "triage"
    ACCEPT = "accept"
    DEFER = "defer"
    RESUME = "resume"
    REVOKE = "revoke"  # the acceptance is taken back, to decide again
    FINISH_FIX = "finish_fix"
    DEPLOY_FIX = "deploy_fix"
    START_RETEST = "start_retest"
    PASS_RETEST = "pass_retest"
    FAIL_RETEST = "fail_retest"
    CLOSE = "close"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"  # the reporter's own act


OPEN: tuple[Status, ...] = tuple(status for status in Status if status is not Status.CLOSED)

STATUS_TABLE: tuple[tuple[Trigger, Status, Status], ...] = (
    (Trigger.ASK_REPORTER, Status.NEW, Status.NEEDS_INFO),
    (Trigger.END_WAIT, Status.NEEDS_INFO, Status.NEW),
    (Trigger.TRIAGE, Status.NEW, Status.TRIAGED),
    (Trigger.CLOSE, Status.NEW, Status.CLOSED),
    (Trigger.CLOSE, Status.TRIAGED, Status.CLOSED),
    (Trigger.ACCEPT, Status.TRIAGED, Status.ACCEPTED),
    (Trigger.DEFER, Status.ACCEPTED, Status.DEFERRED),
    (Trigger.RESUME, Status.DEFERRED, Status.ACCEPTED),
    (Trigger.REVOKE, Status.ACCEPTED, Status.TRIAGED),
    (Trigger.FINISH_FIX, Status.ACCEPTED, Status.FIX_READY),
    (Trigger.DEPLOY_FIX, Status.FIX_READY, Status.FIXED),
    (Trigger.START_RETEST, Status.FIXED, Status.RETEST),
    (Trigger.PASS_RETEST, Status.RETEST, Status.CLOSED),
    (Trigger.FAIL_RETEST, Status.RETEST, Status.ACCEPTED),
    (Trigger.REOPEN, Status.CLOSED, Status.TRIAGED),
    *((Trigger.WITHDRAW, status, Status.CLOSED) for status in OPEN),
)

_STATUS_STEPS = {(trigger, source): destination for trigger, source, destination in STATUS_TABLE}

_RESOLVED = frozenset({Resolution.RESOLVED_FIXED, Resolution.RESOLVED_MITIGATED})
_WITHDRAWN = frozenset({Resolution.WITHDRAWN})

RESOLUTIONS: Mapping[Trigger, frozenset[Resolution]] = MappingProxyType(
    {
        Trigger.PASS_RETEST: _RESOLVED,
        Trigger.WITHDRAW: _WITHDRAWN,
        Trigger.CLOSE: frozenset(Resolution) - _RESOLVED - _WITHDRAWN,
    }
)
"""The resolutions that each closing trigger may give."""


class Evidence(StrEnum):
    """What a closure must show beside its reason."""

    CANONICAL = "canonical"
    CLAUSE = "clause"
    REPRODUCTION_LOG = "reproduction_log"


REQUIRED: Mapping[Resolution, Evidence] = MappingProxyType(
    {
        Resolution.DUPLICATE: Evidence.CANONICAL,
        Resolution.EXPECTED_BEHAVIOUR: Evidence.CLAUSE,
        Resolution.OUT_OF_SCOPE: Evidence.CLAUSE,
        Resolution.NOT_REPRODUCIBLE: Evidence.REPRODUCTION_LOG,
    }
)


def step(status: Status, trigger: Trigger) -> Status:
    """The status after the trigger; raises IllegalTransition when the table has no such step."""
    if (trigger, status) not in _STATUS_STEPS:
        raise IllegalTransition(
            "status", f"{status} has no step {trigger}; it has {_listed(allowed(status))}"
        )
    return _STATUS_STEPS[trigger, status]


def allowed(status: Status) -> tuple[Trigger, ...]:
    """The triggers that this status takes, in the order of the table."""
    return tuple(trigger for trigger, source, _ in STATUS_TABLE if source is status)


def check_closing(
    trigger: Trigger,
    resolution: Resolution,
    *,
    reason: str,
    canonical: str | None = None,
    clauses: Collection[str] = (),
    reproduction_log: str = "",
) -> None:
    """Return when this closure is complete; else raise Refused naming what is missing.

    `reason` is what the reporter will read; only the reporter's own withdrawal needs none.
    """
    fitting = RESOLUTIONS.get(trigger, frozenset())
    if resolution not in fitting:
        names = _listed([one for one in Resolution if one in fitting])
        raise Refused("resolution", f"{trigger} cannot close as {resolution}; it has {names}")
    if trigger is not Trigger.WITHDRAW and not reason.strip():
        raise Refused("reason", f"{resolution} needs a reason that the reporter can read")
    shown = {
        Evidence.CANONICAL: bool(canonical),
        Evidence.CLAUSE: bool(clauses),
        Evidence.REPRODUCTION_LOG: bool(reproduction_log.strip()),
    }
    needed = REQUIRED.get(resolution)
    if needed is not None and not shown[needed]:
        raise Refused(needed, f"is required to close as {resolution}")


def canonical_of(submitted_at: Mapping[str, datetime]) -> str:
    """The report id that was submitted first, by id when two came at the same instant.

    `submitted_at` holds every report of one duplicate group, at least one; naive date-times are refused.
    """
    return min(submitted_at, key=lambda report: (as_utc(submitted_at[report], "submitted_at"), report))


def is_regression(submitted_at: datetime, fix_deployed_at: datetime | None) -> bool:
    """True when a report of a known flaw came after its fix was deployed: reopen, do not link."""
    if fix_deployed_at is None:
        return False
    return as_utc(submitted_at, "submitted_at") > as_utc(fix_deployed_at, "fix_deployed_at")


class EmbargoTrigger(StrEnum):
    PROPOSE = "propose"
    ACCEPT = "accept"
    REJECT = "reject"
    REVISE = "revise"
    TERMINATE = "terminate"


EMBARGO_TABLE: tuple[tuple[EmbargoTrigger, EmbargoState, EmbargoState], ...] = (
    (EmbargoTrigger.PROPOSE, EmbargoState.NONE, EmbargoState.PROPOSED),
    (EmbargoTrigger.PROPOSE, EmbargoState.PROPOSED, EmbargoState.PROPOSED),
    (EmbargoTrigger.ACCEPT, EmbargoState.PROPOSED, EmbargoState.ACTIVE),
    (EmbargoTrigger.REJECT, EmbargoState.PROPOSED, EmbargoState.NONE),
    (EmbargoTrigger.REVISE, EmbargoState.ACTIVE, EmbargoState.REVISE),
    (EmbargoTrigger.REVISE, EmbargoState.REVISE, EmbargoState.REVISE),
    (EmbargoTrigger.ACCEPT, EmbargoState.REVISE, EmbargoState.ACTIVE),
    (EmbargoTrigger.REJECT, EmbargoState.REVISE, EmbargoState.ACTIVE),
    (EmbargoTrigger.TERMINATE, EmbargoState.ACTIVE, EmbargoState.EXITED),
    (EmbargoTrigger.TERMINATE, EmbargoState.REVISE, EmbargoState.EXITED),
)

_EMBARGO_STEPS = {(trigger, source): destination for trigger, source, destination in EMBARGO_TABLE}

IN_FORCE: frozenset[EmbargoState] = frozenset({EmbargoState.ACTIVE, EmbargoState.REVISE})
"""The states in which an end binds; a pending revision does not interrupt it."""


def embargo_step(state: EmbargoState, trigger: EmbargoTrigger) -> EmbargoState:
    """The embargo state after the trigger; raises IllegalTransition when the table has no such step."""
    if (trigger, state) not in _EMBARGO_STEPS:
        names = _listed(embargo_allowed(state))
        raise IllegalTransition("embargo", f"{state} has no step {trigger}; it has {names}")
    return _EMBARGO_STEPS[trigger, state]


def embargo_allowed(state: EmbargoState) -> tuple[EmbargoTrigger, ...]:
    """The triggers that this embargo state takes, in the order of the table."""
    return tuple(trigger for trigger, source, _ in EMBARGO_TABLE if source is state)


class Proposer(StrEnum):
    """Whose proposal waits for an answer."""

    REPORTER = "reporter"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a report's embargo begins: the steps taken from none, and where they lead.

    `active_end` binds now (None when nothing is in force); `proposed_end`, made by `proposed_by`,
    waits for the other side's answer.
    """

    triggers: tuple[EmbargoTrigger, ...]
    active_end: datetime | None = None
    proposed_end: datetime | None = None
    proposed_by: Proposer | None = None

    @property
    def state(self) -> EmbargoState:
        state = EmbargoState.NONE
        for trigger in self.triggers:
            state = embargo_step(state, trigger)
        return state


def opening(
    policy: Policy,
    severity: Severity | None,
    exploitation: Exploitation,
    now: datetime,
    wish: datetime | None,
    *,
    public: bool = False,
    fix_deployed: bool = False,
) -> Opening:
    """The embargo that a new report starts with; every end is UTC, and naive date-times are refused.

    Our end is the waiting period of the policy from `now`. Without a wish it is in force as the
    published default. The earlier of two ends is in force when the reporter wishes less; when the
    reporter wishes more, ours is, and the wish (no later than the cap) is the proposed revision.
    A wish that has already passed leaves nothing to agree on at once: ours is only proposed.
    Once the flaw or an exploit is public, attacks are seen, or a fix is deployed, none starts.
    """
    now = as_utc(now, "now")
    wish = None if wish is None else as_utc(wish, "embargo_wish")
    if public or fix_deployed or exploitation is not Exploitation.NONE:
        return Opening(())
    ours = now + timedelta(days=policy.waiting_days(severity, exploitation))
    agreed = (EmbargoTrigger.PROPOSE, EmbargoTrigger.ACCEPT)
    if wish is None or wish == ours:
        return Opening(agreed, active_end=ours)
    if wish <= now:
        return Opening((EmbargoTrigger.PROPOSE,), proposed_end=ours, proposed_by=Proposer.COMPANY)
    if wish < ours:
        return Opening(
            (*agreed, EmbargoTrigger.REVISE), active_end=wish, proposed_end=ours, proposed_by=Proposer.COMPANY
        )
    longest = min(wish, latest_end(policy, now))
    if longest == ours:
        return Opening(agreed, active_end=ours)
    return Opening(
        (*agreed, EmbargoTrigger.REVISE), active_end=ours, proposed_end=longest, proposed_by=Proposer.REPORTER
    )


def latest_end(policy: Policy, opened_at: datetime) -> datetime:
    """The end that no extension of an embargo opened then may pass, in UTC."""
    return as_utc(opened_at, "opened_at") + timedelta(days=policy.waiting.cap_days)


def check_end(policy: Policy, opened_at: datetime, now: datetime, end: datetime) -> datetime:
    """The proposed end in UTC; raises Refused when it is naive, not in the future, or beyond the cap."""
    end = as_utc(end, "embargo_end")
    if end <= as_utc(now, "now"):
        raise Refused("embargo_end", "must be in the future")
    latest = latest_end(policy, opened_at)
    if end > latest:
        raise Refused(
            "embargo_end",
            f"must not be later than {latest.isoformat()}: {policy.waiting.cap_days} days in all",
        )
    return end


def merge_ends(ends: Iterable[datetime]) -> datetime | None:
    """The end that binds when duplicates merge without a new agreement: the earliest accepted one, in UTC.

    None when no report of the group has one.
    """
    return min((as_utc(end, "embargo_end") for end in ends), default=None)


def _listed(words: Iterable[StrEnum]) -> str:
    return ", ".join(words) or "none"
