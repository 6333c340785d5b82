"""The embargoes in the store: read with their version, changed together with their event, followed by news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage_core import db
from triage_core.channel.messages import Kind
from triage_core.desk import activity
from triage_core.desk.activity import Event
from triage_core.disclosure import embargo_machine, shared_ends
from triage_core.disclosure.embargo import Terms, is_active
from triage_core.disclosure.embargo_machine import IN_FORCE, Embargo, ExitReason, Party
from triage_core.errors import Conflict, NotFound
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.lifecycle import fix_deployed
from triage_core.model import (
    DisclosureIntent,
    EmbargoState,
    Exploitation,
    PeerConsent,
    Resolution,
    Severity,
    Status,
    Tlp,
    TrainingConsent,
)
from triage_core.outgoing import follow_through
from triage_core.store import Work

COLUMNS = ("state", "starts_at", "ends_at", "proposed_end", "proposed_by", "exited_at", "exit_reason")
_STATES = [str(state) for state in IN_FORCE]


def row(cursor: db.Cursor, report_id: str, seen_version: int | None = None) -> db.Row:
    """The embargo of a report as a row; of one that has none yet, the row that it would begin with (version 0).

    `opened_at` is when the report came in. Its own end is what the machine works on; the end that binds, of all
    its linked duplicates the earliest, is in the view `embargo_terms`. Raises NotFound, and Conflict when the
    version differs from the one that was seen.
    """
    found = db.row(
        cursor,
        f"SELECT r.report_id, r.received_at AS opened_at, {', '.join(COLUMNS)}, e.version"
        " FROM reports r LEFT JOIN embargoes e USING (report_id) WHERE r.report_id = ?",
        [report_id],
    )
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    if found["version"] is None:
        found |= {"state": str(EmbargoState.NONE), "proposed_by": "", "exit_reason": "", "version": 0}
    if seen_version is not None and seen_version != found["version"]:
        raise Conflict("version", f"the embargo of {report_id} was changed while you looked at it")
    return found


def of(found: Mapping[str, Any]) -> Embargo:
    """The machine's value of a row."""
    return Embargo(
        opened_at=found["opened_at"],
        state=EmbargoState(found["state"]),
        ends_at=found["ends_at"],
        proposed_end=found["proposed_end"],
        proposed_by=Party(found["proposed_by"]) if found["proposed_by"] else None,
        exited_at=found["exited_at"],
        exit_reason=ExitReason(found["exit_reason"]) if found["exit_reason"] else None,
    )


def change(
    work: Work,
    found: Mapping[str, Any],
    after: Embargo,
    kind: str,
    party: Party,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Store what has become of an embargo, with the event; its `before` and `after` hold what really changed."""
    columns = {
        "state": str(after.state),
        "starts_at": found["starts_at"] or after.opened_at,
        "ends_at": after.ends_at,
        "proposed_end": after.proposed_end,
        "proposed_by": str(after.proposed_by or ""),
        "exited_at": after.exited_at,
        "exit_reason": str(after.exit_reason or ""),
    }
    # Told first, so that the act itself is the last event of its command.
    _tell(work, found["report_id"], of(found), after, party)
    write(work, found, columns, kind, {"party": str(party), **(details or {})})


def _tell(work: Work, report_id: str, before: Embargo, after: Embargo, party: Party) -> None:
    """Tell the reporters whom an act concerns: of linked duplicates the earliest end binds, and that one is told.

    Whoever acted knows. What time alone has ended is no news.
    """
    linked = _linked(work.cursor, report_id)
    own, others = (_accepted(before), _accepted(after)), [one["accepted_end"] for one in linked]
    old, new = (min([*others, end] if end else others, default=None) for end in own)
    is_over = old is not None and old <= work.now
    if party is Party.COMPANY and not (before.in_force and is_over):
        if new is not None and own[1] not in (None, own[0]):
            follow_through.embargo_changed(work, report_id, Kind.EMBARGO_CHANGED, new)
        _tell_proposal(work, report_id, before, after)
    if not is_over:
        shared_ends.tell(work, linked, old, new)


def _tell_proposal(work: Work, report_id: str, before: Embargo, after: Embargo) -> None:
    """Tell the reporter what we made of a proposal: ours is there, or gone; theirs is refused, or waits again."""
    was, now = ((one.proposed_end, one.proposed_by) for one in (before, after))
    end, by = now
    if was == now:
        return
    if end is not None:
        if end > work.now:  # else it was put back too late: nobody can answer it, and it lapses by itself
            kind = Kind.EMBARGO_PROPOSED if by is Party.COMPANY else Kind.EMBARGO_REOPENED
            follow_through.embargo_changed(work, report_id, kind, end)
        return
    gone, of_whom = was
    if gone is not None and gone > work.now and gone != after.ends_at and not after.exit_reason:
        kind = Kind.EMBARGO_TAKEN_BACK if of_whom is Party.COMPANY else Kind.EMBARGO_REFUSED
        follow_through.embargo_changed(work, report_id, kind, gone)


def _linked(cursor: db.Cursor, report_id: str) -> list[db.Row]:
    """The other reports of the same flaw that have, or had, an accepted end: report_id, state, accepted_end."""
    root = db.value(
        cursor, "SELECT coalesce(canonical_id, report_id) FROM cases WHERE report_id = ?", [report_id]
    )
    return [
        one
        for one in shared_ends.ends_of(cursor, root)
        if one["report_id"] != report_id and one["accepted_end"]
    ]


def _accepted(embargo: Embargo) -> datetime | None:
    """The end that this embargo has, of those that the view `accepted_ends` compares."""
    if embargo.in_force:
        return embargo.ends_at
    return embargo.exited_at if embargo.state is EmbargoState.EXITED else None


def write(
    work: Work,
    found: Mapping[str, Any],
    columns: Mapping[str, Any],
    kind: str,
    details: Mapping[str, Any],
) -> None:
    """Store these columns of an embargo, with the event."""
    changed = {name: value for name, value in columns.items() if found[name] != value}
    if not changed:
        return  # the same press twice is one act
    if found["version"]:
        marks = ", ".join(f"{name} = ?" for name in changed)
        values = [db.naive(value) if isinstance(value, datetime) else value for value in changed.values()]
        work.cursor.execute(
            f"UPDATE embargoes SET {marks}, version = version + 1 WHERE report_id = ?",
            [*values, found["report_id"]],
        )
    else:
        new = {name: found[name] for name in COLUMNS} | dict(columns)
        db.insert(work.cursor, "embargoes", [{"report_id": found["report_id"], **new, "version": 1}])
    before = {name: found[name] for name in changed}
    work.event(kind, found["report_id"], {"before": before, "after": changed, **details})


def barred(cursor: db.Cursor, report_id: str) -> str:
    """Why the flaw of this report gets no new embargo, in a sentence; "" when it may have one.

    What is known about one of its duplicates is known about the flaw.
    """
    root = db.value(
        cursor, "SELECT coalesce(canonical_id, report_id) FROM cases WHERE report_id = ?", [report_id]
    )
    known = db.rows(
        cursor,
        "SELECT c.exploitation, c.status, c.resolution, r.disclosure_intent, coalesce(e.exit_reason, '') AS exit_reason"
        " FROM cases c JOIN reports r USING (report_id) LEFT JOIN embargoes e USING (report_id)"
        " WHERE c.report_id = $root OR c.canonical_id = $root",
        {"root": root},
    )
    for one in known:
        why = embargo_machine.bar(
            Exploitation(one["exploitation"]),
            public=one["disclosure_intent"] == DisclosureIntent.ALREADY
            or one["exit_reason"] == ExitReason.PUBLIC,
            fix_deployed=fix_deployed(Status(one["status"]), _resolution(one["resolution"])),
        )
        if why:
            return why
    return ""


def follow(
    work: Work, policy: Policy, report_id: str, severity: Severity | None, exploitation: Exploitation
) -> dict[str, int]:
    """What a command has just learned about a flaw, carried to its embargo: see `embargo_machine.follow`.

    Gives for the event of what was learned the number of the embargo's, which comes before it: the last event of a
    command is the one that its maker undoes, and the other goes with it. The promises are those of the policy of the
    day on which the report came in. Refuses nothing.
    """
    found = row(work.cursor, report_id)
    before = of(found)
    if before.state in {EmbargoState.NONE, EmbargoState.EXITED} or is_over_by_link(work, report_id, before):
        return {}
    pinned = policies.of_report(work.cursor, policy, report_id)
    after = embargo_machine.follow(pinned, before, severity, exploitation, work.now)
    if after == before:
        return {}
    change(work, found, after, _kind(before, after), Party.COMPANY)
    return {activity.WITH_IT: work.next_event - 1}


def is_over_by_link(work: Work, report_id: str, held: Embargo) -> bool:
    """Whether the date of a linked duplicate has ended an embargo whose own end is still to come."""
    return held.in_force and any(one["accepted_end"] <= work.now for one in _linked(work.cursor, report_id))


def settle(work: Work, report_id: str) -> bool:
    """Write down what time alone has made of an embargo; False when that is nothing."""
    found = row(work.cursor, report_id)
    before = of(found)
    after = embargo_machine.settle(before, work.now)
    if after == before:
        return False
    change(work, found, after, "embargo.lapsed" if not after.exit_reason else "embargo.exited", Party.COMPANY)
    return True


def due(cursor: db.Cursor, now: datetime, limit: int = 1_000) -> list[str]:
    """The reports whose embargo or proposal has reached its own end, and it is not written down yet."""
    found = db.rows(
        cursor,
        "SELECT report_id FROM embargoes WHERE (list_contains($states, state) AND ends_at <= $now)"
        " OR proposed_end <= $now ORDER BY report_id LIMIT $limit",
        {"states": _STATES, "now": db.naive(now), "limit": limit},
    )
    return [one["report_id"] for one in found]


def reminders(cursor: db.Cursor, now: datetime, days: tuple[int, ...] = (7, 1)) -> list[db.Row]:
    """What ends soon: {report_id, binding_end, days}, the soonest first.

    `days` is the least of the given numbers of days within which it ends. Asking again gives the
    same: whoever sends reminders remembers what has been sent by these three values.
    """
    found = db.rows(
        cursor,
        "SELECT report_id, binding_end FROM embargo_terms WHERE list_contains($states, state)"
        " AND binding_end > $now AND binding_end <= $until ORDER BY binding_end, report_id",
        {"states": _STATES, "now": db.naive(now), "until": db.naive(now + timedelta(days=max(days)))},
    )
    for one in found:
        one["days"] = min(each for each in days if one["binding_end"] <= now + timedelta(days=each))
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """What is under an active embargo at one moment and is told again by other reports.

    Report ids, and the number of the first report of each conversation.
    """

    reports: frozenset[str]
    contents: Mapping[str, int]

    def covers(self, found: Mapping[str, Any]) -> bool:
        """True when the report tells what an embargo holds: a later copy of the conversation, or a linked duplicate.

        `found` has report_id, seq, content_sha256 and canonical_id.
        """
        earlier = self.contents.get(found["content_sha256"], found["seq"]) < found["seq"]
        return earlier or found["canonical_id"] in self.reports


def held(cursor: db.Cursor, now: datetime) -> Held:
    """What an active embargo holds now and other reports tell again. For some reports alone, ask `holdings.of`."""
    found = db.rows(cursor, _TOLD_AGAIN, {"states": _STATES})
    active = [one for one in found if is_active(EmbargoState(one["state"]), one["binding_end"], now)]
    return Held(
        frozenset(one["report_id"] for one in active),
        {one["content_sha256"]: one["seq"] for one in active if one["content_sha256"]},
    )


_TOLD_AGAIN = (
    "WITH open AS (SELECT t.report_id, t.state, t.binding_end, r.content_sha256, r.seq FROM embargo_terms t"
    " JOIN reports r USING (report_id) WHERE list_contains($states, t.state))"
    " SELECT * FROM open WHERE report_id IN (SELECT canonical_id FROM active_links) OR content_sha256 IN"
    " (SELECT content_sha256 FROM reports WHERE content_sha256 <> ''"
    " AND content_sha256 IN (SELECT content_sha256 FROM open) GROUP BY content_sha256 HAVING count(*) > 1)"
    " ORDER BY seq DESC"
)


def terms(found: Mapping[str, Any], covered: bool) -> Terms:
    """The terms of a report from a row of its case joined with `embargo_terms`; `covered` as `Held.covers` says."""
    status, resolution = Status(found["status"]), _resolution(found["resolution"])
    # A withdrawal ends the consent; those of earlier releases left it as it was.
    withdrawn = resolution is Resolution.WITHDRAWN
    return Terms(
        embargo=EmbargoState(found["state"] or EmbargoState.NONE),
        ends_at=found["binding_end"],
        earlier_copy_held=covered,
        tlp=Tlp(found["tlp"]),
        consent_training=TrainingConsent(found["consent_training"]),
        consent_share_peers=PeerConsent.NO if withdrawn else PeerConsent(found["consent_share_peers"]),
        fix_deployed=fix_deployed(status, resolution),
    )


def in_the_way(cursor: db.Cursor, event: Event, later: Sequence[Event]) -> Event | None:
    """The later act on the embargo because of which `event` cannot be taken back, or None."""
    acts = [other for other in later if "party" in other.data]
    present = row(cursor, event.subject)
    left = {name: activity.value_after(name, event, acts, present) for name in COLUMNS}
    changed = {name for name in COLUMNS if present[name] != left[name]}
    if not changed:
        return None
    return next(other for other in reversed(acts) if changed & set(other.after))


def take_back(work: Work, event: Event) -> None:
    """Give the embargo the state again that it had before `event`, with the event of the undo."""
    found = row(work.cursor, event.subject)
    _tell(work, event.subject, of(found), of({**found, **event.before}), Party.COMPANY)
    details = {"undone": event.seq, "party": event.data["party"]}
    write(work, found, event.before, activity.UNDONE, details)


def _kind(before: Embargo, after: Embargo) -> str:
    if after.state is EmbargoState.EXITED:
        return "embargo.exited"
    if after.proposed_end is None:
        return "embargo.rejected"
    return "embargo.revised" if before.in_force else "embargo.proposed"


def _resolution(stored: str | None) -> Resolution | None:
    return Resolution(stored) if stored else None
