"""The commands of the embargo: propose, accept, reject, end, mark what is known, lower the TLP label.

Both sides give the same commands: a person of the desk as an `Actor`, a reporter as `ByKey`. Each compares the
version that was seen, and writes an event that says whose act it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import access, cases, db
from triage_core.access import Command
from triage_core.channel import tracking
from triage_core.channel.messages import REPORTER
from triage_core.desk.decision import check_text
from triage_core.disclosure import embargo, embargo_machine, embargoes, sharing
from triage_core.disclosure.embargo_machine import MAY_END, Embargo, ExitReason, Party
from triage_core.errors import IllegalTransition, NotFound, Refused
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.lifecycle import NO_FLAW
from triage_core.model import Actor, Exploitation, Severity, Tlp
from triage_core.store import Store, Work

_SWEEP = "sweep_embargoes"


@dataclass(frozen=True, slots=True)
class ByKey:
    """A reporter, known by the tracking key of the report and by nothing else."""

    key: str


Who = Actor | ByKey


def propose(
    store: Store,
    policy: Policy,
    who: Who,
    report_id: str,
    end: datetime,
    *,
    note: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Embargo:
    """Propose an end: of a new embargo, or, where one is in force, a revision that leaves it so until it is accepted.

    It takes the place of a proposal that waits. `end` names its zone. Raises Refused for an end that has
    passed or lies beyond the cap, and once the flaw is public, attacked or fixed.
    """

    def step(work: Work, held: Embargo, party: Party) -> tuple[str, Embargo]:
        pinned = policies.of_report(work.cursor, policy, report_id)
        barred = embargoes.barred(work.cursor, report_id)
        after = embargo_machine.offer(pinned, held, party, end, work.now, barred)
        return "embargo.revised" if after.in_force else "embargo.proposed", after

    return _act(store, Command.PROPOSE_EMBARGO, who, report_id, step, note, seen_version, now)


def accept(
    store: Store, who: Who, report_id: str, *, seen_version: int | None = None, now: datetime | None = None
) -> Embargo:
    """Accept the other side's proposal: its end is in force from now on."""

    def step(work: Work, held: Embargo, party: Party) -> tuple[str, Embargo]:
        barred = embargoes.barred(work.cursor, report_id)
        return "embargo.accepted", embargo_machine.accept(held, party, work.now, barred)

    return _act(store, Command.PROPOSE_EMBARGO, who, report_id, step, "", seen_version, now)


def reject(
    store: Store,
    who: Who,
    report_id: str,
    *,
    note: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Embargo:
    """Refuse the other side's proposal, or take one's own back; what is in force stays in force."""

    def step(work: Work, held: Embargo, party: Party) -> tuple[str, Embargo]:
        return "embargo.rejected", embargo_machine.reject(held, work.now)

    return _act(store, Command.PROPOSE_EMBARGO, who, report_id, step, note, seen_version, now)


def terminate(
    store: Store,
    who: Who,
    report_id: str,
    reason: ExitReason,
    *,
    note: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Embargo:
    """End an embargo that is in force, for good. The reasons of each side are `MAY_END`; OTHER is said in a note."""

    def step(work: Work, held: Embargo, party: Party) -> tuple[str, Embargo]:
        if reason not in MAY_END[party]:
            raise Refused("reason", f"the {party} ends an embargo as {' or '.join(MAY_END[party])}")
        if reason is ExitReason.OTHER and not note.strip():
            raise Refused("note", "an end for another reason says which")
        return "embargo.exited", embargo_machine.terminate(held, reason, work.now)

    return _act(store, Command.END_EMBARGO, who, report_id, step, note, seen_version, now)


def release(
    store: Store, who: ByKey, report_id: str, *, seen_version: int | None = None, now: datetime | None = None
) -> Embargo:
    """End an embargo because its report is closed as no flaw: the act of a reporter who means to publish.

    The closing itself ends nothing, as it may be undone or reopened and an exit may not. Raises Refused for
    a report that is open, or closed in another way.
    """

    def step(work: Work, held: Embargo, party: Party) -> tuple[str, Embargo]:
        if cases.closed_as(work.cursor, report_id) not in NO_FLAW:
            raise Refused("embargo", "goes on to its end: the report is not closed as no flaw")
        return "embargo.exited", embargo_machine.terminate(held, ExitReason.OTHER, work.now)

    note = "It is closed as no flaw, so nothing is waited for."
    return _act(store, Command.END_EMBARGO, who, report_id, step, note, seen_version, now)


def mark(
    store: Store,
    policy: Policy,
    actor: Actor,
    report_id: str,
    known: Exploitation,
    *,
    note: str = "",
    seen_version: int | None = None,
    now: datetime | None = None,
) -> db.Row:
    """Mark a flaw as public (PUBLIC_POC) or as attacked (ACTIVE); gives the case.

    A public flaw has no embargo from this moment. On attacks the shorter waiting period is proposed, and
    ending it at once is for a person (`terminate`). The priority follows from the policy's table.
    `seen_version` is the case's. Doing it twice is doing it once.
    """
    access.require(actor, Command.MARK_KNOWN)
    check_text("note", note)
    if known is Exploitation.NONE:
        raise Refused("exploitation", "a mark that was wrong is taken back by undoing it")
    with store.write(actor, Command.MARK_KNOWN, now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        severity = Severity(case["severity"]) if case["severity"] else None
        worse = max(known, Exploitation(case["exploitation"]), key=list(Exploitation).index)
        after: dict[str, Any] = {"exploitation": str(worse)}
        if severity is not None:
            after["priority"] = str(policy.priority(severity, worse))
        followed = embargoes.follow(work, policy, report_id, severity, known)
        if worse != case["exploitation"]:
            details = {"known": str(known), "note": note, **followed}
            case = cases.change(work, case, "report.marked", after, details)
        return case


def set_tlp(
    store: Store,
    actor: Actor,
    report_id: str,
    label: Tlp,
    reason: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> db.Row:
    """Give a report another TLP label, with the reason; gives the case. It never happens by itself.

    Raises Refused when more people would know of a flaw that is under an active embargo.
    """
    access.require(actor, Command.SET_TLP)
    check_text("reason", reason)
    if not reason.strip():
        raise Refused("reason", "another label needs a reason")
    with store.write(actor, Command.SET_TLP, now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        if case["tlp"] == label:
            return case
        held = sharing.terms(work.cursor, report_id, work.now)
        if embargo.is_held(held, work.now) and embargo.is_lower(label, held.tlp):
            raise Refused("tlp", "is not lowered under an active embargo: end that first")
        return cases.change(work, case, "report.tlp_set", {"tlp": str(label)}, {"reason": reason})


def sweep(store: Store, actor: Actor, now: datetime | None = None) -> int:
    """Write down the exits and the lapsed proposals whose time has come; gives their number.

    Nothing depends on when this runs: the gate compares the end with the clock. Doing it again does nothing.
    """
    count = 0
    while True:
        with store.read() as cursor:
            due = embargoes.due(cursor, now or store.clock())
        if not due:
            return count
        with store.write(actor, _SWEEP, now) as work:
            settled = sum(embargoes.settle(work, report_id) for report_id in due)
        count += settled
        if not settled:  # somebody else was faster
            return count


def report_of(cursor: db.Cursor, who: ByKey) -> str:
    """The report that a tracking key belongs to. Raises NotFound, in the same words for every unknown key."""
    found = tracking.find(cursor, who.key)
    if found is None:
        raise NotFound("tracking_key", "no report has this key")
    return found


_Step = Callable[[Work, Embargo, Party], tuple[str, Embargo]]


def _act(
    store: Store,
    command: Command,
    who: Who,
    report_id: str,
    step: _Step,
    note: str,
    seen_version: int | None,
    now: datetime | None,
) -> Embargo:
    """One act of either side as one transaction: who may, what was seen, the step, the event."""
    check_text("note", note)
    actor, party = (who, Party.COMPANY) if isinstance(who, Actor) else (REPORTER, Party.REPORTER)
    if isinstance(who, Actor):
        access.require(who, command)
    with store.write(actor, command, now) as work:
        if isinstance(who, ByKey) and report_of(work.cursor, who) != report_id:
            raise NotFound("tracking_key", "no report has this key")
        found = embargoes.row(work.cursor, report_id, seen_version)
        held = embargoes.of(found)
        if embargoes.is_over_by_link(work, report_id, held):
            raise IllegalTransition(
                "embargo", "is over: the earliest end of its linked duplicates is reached"
            )
        kind, after = step(work, held, party)
        embargoes.change(work, found, after, kind, party, {"note": note} if note else None)
        return after
