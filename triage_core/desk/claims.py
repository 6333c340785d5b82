"""Who works on what, and when: a claim is a short lease on one report, an assignment a lasting task,
a snooze puts a report off for everybody.

A claim tells others, it does not stop them: what keeps decisions apart is the version that each
command compares. It ends when it is released, or by itself when no heartbeat has renewed it, so
that nobody who went away blocks the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from triage_core import access, cases, db
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.model import Actor
from triage_core.store import Store, Work

LEASE = timedelta(minutes=5)
LONGEST_SNOOZE = timedelta(days=30)
WAKING_HOUR = 6  # UTC


class Snooze(StrEnum):
    """How long a report is put off, in the words of the screen."""

    TOMORROW = "tomorrow"
    THREE_DAYS = "three_days"
    NEXT_WEEK = "next_week"


@dataclass(frozen=True, slots=True)
class Claim:
    """`holder_id` works on `report_id` since `claimed_at`; the lease ends at `expires_at` unless renewed."""

    report_id: str
    holder_id: str
    claimed_at: datetime
    expires_at: datetime


def claim(store: Store, actor: Actor, report_id: str, *, now: datetime | None = None) -> Claim:
    """Take a report to work on, for `LEASE`; one's own claim is renewed.

    Raises NotFound, and Conflict naming the holder when somebody else has it.
    """
    access.require(actor, access.Command.CLAIM)
    with store.write(actor, access.Command.CLAIM, now) as work:
        cases.read(work.cursor, report_id)
        held = _held(work, report_id)
        _require_mine_or_free(actor, held)
        since = held.claimed_at if held else work.now
        taken = Claim(report_id, actor.actor_id, since, work.now + LEASE)
        _put(work, taken)
        if not held:
            work.event("report.claimed", report_id, {"expires_at": taken.expires_at})
        return taken


def heartbeat(store: Store, actor: Actor, report_id: str, *, now: datetime | None = None) -> Claim:
    """Renew one's own claim; gives it. It writes only when half of the lease is over, and no event.

    Raises Conflict when the claim is lost, naming who has the report now if anybody has.
    """
    access.require(actor, access.Command.CLAIM)
    with store.write(actor, access.Command.CLAIM, now) as work:
        held = _held(work, report_id)
        _require_mine_or_free(actor, held)
        if held is None:
            raise Conflict("claim", f"your claim on {report_id} has ended: claim it again")
        if held.expires_at - work.now > LEASE / 2:
            return held
        renewed = Claim(report_id, held.holder_id, held.claimed_at, work.now + LEASE)
        _put(work, renewed)
        return renewed


def release(store: Store, actor: Actor, report_id: str, *, now: datetime | None = None) -> None:
    """Give one's claim back; without one nothing happens. Raises Conflict when somebody else holds it."""
    access.require(actor, access.Command.CLAIM)
    with store.write(actor, access.Command.CLAIM, now) as work:
        held = _held(work, report_id)
        _require_mine_or_free(actor, held)
        if held:
            _put(work, Claim(report_id, held.holder_id, held.claimed_at, work.now))
            work.event("report.released", report_id, {})


def assign(
    store: Store,
    actor: Actor,
    report_id: str,
    assignee: Actor | None,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> db.Row:
    """Make a report the task of a reviewer (None: of nobody); gives the new state of the case.

    Doing it twice is doing it once. Raises NotAllowed when the assignee may not decide on reports.
    """
    require_assignable(actor, assignee)
    with store.write(actor, access.Command.CLAIM, now) as work:
        return assign_within(work, report_id, assignee, seen_version)


def require_assignable(actor: Actor, assignee: Actor | None) -> None:
    """Return when `actor` may give reports to `assignee`; else raise NotAllowed."""
    access.require(actor, access.Command.CLAIM)
    if assignee and not access.may(assignee, access.Command.ASSESS):
        raise NotAllowed("assignee", f"{assignee.name} may not decide on reports")


def assign_within(
    work: Work, report_id: str, assignee: Actor | None, seen_version: int | None = None
) -> db.Row:
    """`assign` as a part of a running command: whatever it refuses, it refuses before it writes."""
    case = cases.read(work.cursor, report_id, seen_version)
    assigned_to = assignee.actor_id if assignee else None
    if case["assigned_to"] == assigned_to:
        return case
    return cases.change(work, case, "report.assigned", {"assigned_to": assigned_to}, {})


def wakes_at(choice: Snooze, now: datetime) -> datetime:
    """When a report that is put off at `now` comes back: in the morning of that day, UTC."""
    days = {Snooze.TOMORROW: 1, Snooze.THREE_DAYS: 3, Snooze.NEXT_WEEK: 7 - now.weekday()}[choice]
    return (now + timedelta(days=days)).replace(hour=WAKING_HOUR, minute=0, second=0, microsecond=0)


def snooze(
    store: Store,
    actor: Actor,
    report_id: str,
    until: datetime | None,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> db.Row:
    """Put a report off until a moment (None: bring it back now); gives the new state of the case.

    Its clocks run on. Doing it twice is doing it once. Raises Refused when the moment has passed or lies
    more than `LONGEST_SNOOZE` ahead, Conflict when somebody changed the case meanwhile.
    """
    access.require(actor, access.Command.CLAIM)
    with store.write(actor, access.Command.CLAIM, now) as work:
        return snooze_within(work, report_id, until, seen_version)


def snooze_within(
    work: Work, report_id: str, until: datetime | None, seen_version: int | None = None
) -> db.Row:
    """`snooze` as a part of a running command: whatever it refuses, it refuses before it writes."""
    case = cases.read(work.cursor, report_id)
    if case["snoozed_until"] == until:
        return case
    cases.read(work.cursor, report_id, seen_version)
    if until and not work.now < until <= work.now + LONGEST_SNOOZE:
        raise Refused("until", f"a report is put off for at most {LONGEST_SNOOZE.days} days from now")
    return cases.change(work, case, "report.snoozed", {"snoozed_until": until}, {})


def holders(cursor: db.Cursor, report_ids: Sequence[str], now: datetime) -> dict[str, Claim]:
    """The claims that hold at `now`, by report; reports that nobody holds are left out."""
    found = db.rows(
        cursor,
        "SELECT report_id, holder_id, claimed_at, expires_at FROM claims"
        " WHERE report_id IN (SELECT unnest(?)) AND expires_at > ?",
        [list(report_ids), db.naive(now)],
    )
    return {row["report_id"]: Claim(**row) for row in found}


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is at a report: its version and who changed it last and when, and who holds it until when."""

    version: int
    updated_by: str
    updated_at: datetime
    holder_id: str | None
    expires_at: datetime | None


def presence(cursor: db.Cursor, report_id: str, now: datetime) -> Presence:
    """What a colleague's screen should know of a report at `now`. Raises NotFound."""
    found = db.row(
        cursor,
        "SELECT c.version, c.updated_by, c.updated_at, k.holder_id, k.expires_at FROM cases c"
        " LEFT JOIN claims k ON k.report_id = c.report_id AND k.expires_at > $now WHERE c.report_id = $report_id",
        {"report_id": report_id, "now": db.naive(now)},
    )
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    return Presence(**found)


def _held(work: Work, report_id: str) -> Claim | None:
    return holders(work.cursor, [report_id], work.now).get(report_id)


def _require_mine_or_free(actor: Actor, held: Claim | None) -> None:
    if held and held.holder_id != actor.actor_id:
        until = f"{held.expires_at:%H:%M} UTC"
        raise Conflict("claim", f"{held.report_id} is claimed by {held.holder_id} until {until}")


def _put(work: Work, claim: Claim) -> None:
    work.cursor.execute(
        "INSERT INTO claims (report_id, holder_id, claimed_at, expires_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (report_id) DO UPDATE SET holder_id = excluded.holder_id,"
        " claimed_at = excluded.claimed_at, expires_at = excluded.expires_at",
        [claim.report_id, claim.holder_id, db.naive(claim.claimed_at), db.naive(claim.expires_at)],
    )
