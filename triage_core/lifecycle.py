"""The status machine of a report as data: a flat list of (trigger, source, destination), and its rules.

The embargo is a second machine beside it: embargo_machine.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from triage_core.errors import IllegalTransition, Refused
from triage_core.model import Resolution, Status


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


NO_FLAW: frozenset[Resolution] = frozenset(
    {Resolution.EXPECTED_BEHAVIOUR, Resolution.OUT_OF_SCOPE, Resolution.NOT_APPLICABLE, Resolution.SPAM}
)
"""The closures that say: there is nothing here for us to mend."""


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
        steps = [one for one in allowed(status) if one is not Trigger.WITHDRAW]  # nobody's who reads this
        raise IllegalTransition("status", f"{status} has no step {trigger}; it has {_listed(steps)}")
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
        raise Refused("note", f"{resolution} needs a reason that the reporter can read")
    shown = {
        Evidence.CANONICAL: bool(canonical),
        Evidence.CLAUSE: bool(clauses),
        Evidence.REPRODUCTION_LOG: bool(reproduction_log.strip()),
    }
    needed = REQUIRED.get(resolution)
    if needed is not None and not shown[needed]:
        raise Refused(needed, f"is required to close as {resolution}")


def fix_deployed(status: Status, resolution: Resolution | None) -> bool:
    """True once a fix is in the hands of users, whether or not its retest is done."""
    return status in {Status.FIXED, Status.RETEST} or resolution in _RESOLVED


def _listed(words: Iterable[StrEnum]) -> str:
    return ", ".join(words) or "none"
