"""The embargo of a report as data and pure functions, in the words of CERT/CC's Vultron protocol.

    none -> proposed -> active -> revise -> active ... -> exited

The table says which steps there are; the functions below take them. Each gives a new `Embargo` and
refuses what the rules forbid, so that no path leads to an embargo without an end or beyond the cap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from triage_core.errors import IllegalTransition, Refused
from triage_core.guidance.clocks import as_utc
from triage_core.guidance.policy import Policy
from triage_core.model import EmbargoState, Exploitation, Severity


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
        names = ", ".join(embargo_allowed(state)) or "none"
        raise IllegalTransition("embargo", f"{state} has no step {trigger}; it has {names}")
    return _EMBARGO_STEPS[trigger, state]


def embargo_allowed(state: EmbargoState) -> tuple[EmbargoTrigger, ...]:
    """The triggers that this embargo state takes, in the order of the table."""
    return tuple(trigger for trigger, source, _ in EMBARGO_TABLE if source is state)


class Party(StrEnum):
    """Whose act or whose proposal it is: the two sides of an embargo."""

    REPORTER = "reporter"
    COMPANY = "company"


class ExitReason(StrEnum):
    END_REACHED = "end_reached"
    PUBLIC = "public"  # the flaw or an exploit is public
    EXPLOITED = "exploited"  # attacks are seen
    FIXED = "fixed"
    OTHER = "other"  # said in the note


MAY_END: dict[Party, tuple[ExitReason, ...]] = {
    Party.COMPANY: (ExitReason.EXPLOITED, ExitReason.FIXED, ExitReason.OTHER),
    Party.REPORTER: (ExitReason.PUBLIC, ExitReason.OTHER),
}
"""The reasons that each side may end an embargo with; our own word that a flaw is public is a mark, with its effect."""


@dataclass(frozen=True, slots=True)
class Embargo:
    """The embargo of one report; every moment is UTC.

    `opened_at` is when the report came in: the cap counts from there, however late an embargo is
    agreed on. `ends_at` is the accepted end, `proposed_end` waits for the answer of the side that is
    not `proposed_by`.
    """

    opened_at: datetime
    state: EmbargoState = EmbargoState.NONE
    ends_at: datetime | None = None
    proposed_end: datetime | None = None
    proposed_by: Party | None = None
    exited_at: datetime | None = None
    exit_reason: ExitReason | None = None

    @property
    def in_force(self) -> bool:
        return self.state in IN_FORCE


def bar(exploitation: Exploitation, *, public: bool = False, fix_deployed: bool = False) -> str:
    """Why no embargo may start any more, in a sentence; "" when one may."""
    if public or exploitation is Exploitation.PUBLIC_POC:
        return "the flaw is public, and what is public cannot be held back"
    if exploitation is Exploitation.ACTIVE:
        return "attacks are seen, and those who are attacked must be told"
    return "a fix is deployed, so nothing is to be waited for" if fix_deployed else ""


def offer(policy: Policy, embargo: Embargo, by: Party, end: datetime, now: datetime, barred: str) -> Embargo:
    """A proposed end: a new embargo where none is in force (PROPOSE), else a revision of it (REVISE).

    It takes the place of a proposal that waits. Raises Refused for an end that the rules forbid, and for
    a new embargo where `barred` says why there may be none.
    """
    embargo = settle(embargo, now)
    trigger = EmbargoTrigger.REVISE if embargo.in_force else EmbargoTrigger.PROPOSE
    state = embargo_step(embargo.state, trigger)
    if barred and trigger is EmbargoTrigger.PROPOSE:
        raise Refused("embargo", f"no new embargo: {barred}")
    end = check_end(policy, embargo.opened_at, now, end)
    if end == embargo.ends_at:
        raise Refused("embargo_end", "is the end that is in force already")
    return replace(embargo, state=state, proposed_end=end, proposed_by=by)


def accept(embargo: Embargo, by: Party, now: datetime, barred: str) -> Embargo:
    """The proposal that waits, in force. Raises Refused for one's own proposal, or where `barred`."""
    embargo = settle(embargo, now)
    state = embargo_step(embargo.state, EmbargoTrigger.ACCEPT)
    if embargo.proposed_by is by:
        raise Refused("embargo", "a proposal is accepted by the other side")
    if barred and not embargo.in_force:
        raise Refused("embargo", f"no new embargo: {barred}")
    return replace(embargo, state=state, ends_at=embargo.proposed_end, proposed_end=None, proposed_by=None)


def reject(embargo: Embargo, now: datetime) -> Embargo:
    """Without the proposal that waits: refused by the other side, or taken back by one's own."""
    embargo = settle(embargo, now)
    state = embargo_step(embargo.state, EmbargoTrigger.REJECT)
    return replace(embargo, state=state, proposed_end=None, proposed_by=None)


def terminate(embargo: Embargo, reason: ExitReason, now: datetime) -> Embargo:
    """Ended now; an exit is for good, and obliges nobody to publish."""
    embargo = settle(embargo, now)
    state = embargo_step(embargo.state, EmbargoTrigger.TERMINATE)
    return replace(
        embargo, state=state, proposed_end=None, proposed_by=None, exited_at=now, exit_reason=reason
    )


def settle(embargo: Embargo, now: datetime) -> Embargo:
    """What time alone has made of it: over once its end is reached, and a proposal gone once its end has passed."""
    if embargo.in_force and embargo.ends_at is not None and embargo.ends_at <= now:
        return replace(
            embargo,
            state=EmbargoState.EXITED,
            proposed_end=None,
            proposed_by=None,
            exited_at=embargo.ends_at,
            exit_reason=ExitReason.END_REACHED,
        )
    if embargo.proposed_end is not None and embargo.proposed_end <= now:
        state = embargo_step(embargo.state, EmbargoTrigger.REJECT)
        return replace(embargo, state=state, proposed_end=None, proposed_by=None)
    return embargo


def follow(
    policy: Policy, embargo: Embargo, severity: Severity | None, exploitation: Exploitation, now: datetime
) -> Embargo:
    """What an assessment or a mark makes of it; the same embargo when nothing.

    A public flaw ends it at once. Seen attacks and a higher severity shorten the waiting period that
    the policy promises, counted from the day on which that became known; an agreement binds both
    sides, so the shorter end is our proposal and what was agreed stays in force until it is answered.
    A proposal of the reporter's is never pushed aside by this.
    """
    embargo = settle(embargo, now)
    if exploitation is Exploitation.PUBLIC_POC and embargo.in_force:
        return terminate(embargo, ExitReason.PUBLIC, now)
    if embargo.state is EmbargoState.PROPOSED and bar(exploitation):
        return reject(embargo, now)
    standing = embargo.proposed_end or embargo.ends_at
    if standing is None or embargo.state is EmbargoState.EXITED or embargo.proposed_by is Party.REPORTER:
        return embargo
    ours = now + timedelta(days=policy.waiting_days(severity, exploitation))
    if ours >= min(standing, embargo.ends_at or standing):
        return embargo
    return offer(policy, embargo, Party.COMPANY, ours, now, "")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a report's embargo begins: the steps taken from none, and where they lead.

    `active_end` binds now (None when nothing is in force); `proposed_end`, made by `proposed_by`,
    waits for the other side's answer.
    """

    triggers: tuple[EmbargoTrigger, ...]
    active_end: datetime | None = None
    proposed_end: datetime | None = None
    proposed_by: Party | None = None

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
    if bar(exploitation, public=public, fix_deployed=fix_deployed):
        return Opening(())
    ours = now + timedelta(days=policy.waiting_days(severity, exploitation))
    agreed = (EmbargoTrigger.PROPOSE, EmbargoTrigger.ACCEPT)
    if wish is None or wish == ours:
        return Opening(agreed, active_end=ours)
    if wish <= now:
        return Opening((EmbargoTrigger.PROPOSE,), proposed_end=ours, proposed_by=Party.COMPANY)
    if wish < ours:
        return Opening(
            (*agreed, EmbargoTrigger.REVISE), active_end=wish, proposed_end=ours, proposed_by=Party.COMPANY
        )
    longest = min(wish, latest_end(policy, now))
    if longest == ours:
        return Opening(agreed, active_end=ours)
    return Opening(
        (*agreed, EmbargoTrigger.REVISE), active_end=ours, proposed_end=longest, proposed_by=Party.REPORTER
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
            f"must not be later than {latest:%Y-%m-%d %H:%M} UTC: {policy.waiting.cap_days} days in all",
        )
    return end
