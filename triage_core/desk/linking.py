"""Duplicate links as parts of a command: made, taken back, and kept from becoming chains.

A report is a duplicate of one that is no duplicate itself. When a report that has duplicates becomes
one, they follow it to its canonical report, each by an event of its own; the event of the link names
those (`moved`), so that taking the link back, by hand or by undo, gives them back too. Whatever is
refused here is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core import cases, db
from triage_core.clusters import groups
from triage_core.desk import activity
from triage_core.desk.activity import Event
from triage_core.desk.decision import decided_status
from triage_core.disclosure import shared_ends
from triage_core.errors import Conflict, NotFound, Refused
from triage_core.likeness.axes import Axis
from triage_core.model import Resolution, Severity, Status
from triage_core.store import Work


def link_within(
    work: Work,
    child_id: str,
    canonical_id: str,
    *,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    seen_version: int | None = None,
) -> dict[str, Any]:
    """Close a report as a duplicate of an earlier one; its own duplicates follow it."""
    case = cases.read(work.cursor, child_id, seen_version)
    leading = cases.read(work.cursor, canonical_id)
    _require_earlier(case, leading)
    if leading["resolution"] == Resolution.WITHDRAWN:
        raise Conflict(
            "canonical", f"{canonical_id} was withdrawn by its reporter, so nobody works on it for another"
        )
    if case["canonical_id"] == canonical_id:
        return case  # the same press twice is one decision
    if link := _link_of(work.cursor, case):
        raise Conflict("child", f"{child_id} is already {_linked(link)}: unlink it first")
    if root := _link_of(work.cursor, leading):
        raise Conflict("canonical", f"{canonical_id} is itself {_linked(root)}: link to that one")
    against = groups.contradiction(work.cursor, Axis.WHOLE, [(child_id, canonical_id)])
    if against:
        who = cases.by(groups.record(work.cursor, Axis.WHOLE, *against))
        raise Conflict("canonical", f"{who} has said that {' and '.join(against)} are not duplicates")
    status = decided_status(Status(case["status"]), Severity.NONE, Resolution.DUPLICATE)
    shared_ends.joined(work, child_id, canonical_id)
    why = f"{child_id} became a duplicate of {canonical_id}"
    moved = [_repoint(work, follower, canonical_id, why) for follower in duplicates(work.cursor, child_id)]
    link_id = _insert(work, child_id, canonical_id, reason, evidence or {})
    after = {
        "status": str(status),
        "resolution": str(Resolution.DUPLICATE),
        "canonical_id": canonical_id,
        "first_response_at": case["first_response_at"] or work.now,
        "triaged_at": case["triaged_at"] or work.now,
        "closed_at": work.now,
    }
    details = {"link_id": link_id, "canonical_id": canonical_id} | ({"moved": moved} if moved else {})
    return cases.change(work, case, "report.linked", after, details)


def unlink_within(
    work: Work, child_id: str, *, reason: str = "", seen_version: int | None = None
) -> dict[str, Any]:
    """Take a link back: the child is what it was before, and those that followed it are its duplicates again."""
    case = cases.read(work.cursor, child_id, seen_version)
    link = link_of(work.cursor, child_id)
    if link is None:
        raise NotFound("child", f"{child_id} is not linked as a duplicate")
    story = _story(work.cursor, child_id, link["link_id"])
    followers = _followers(work.cursor, story)
    shared_ends.parted(work, link["canonical_id"], [child_id, *followers])
    return _unlink(work, case, story, followers, reason)


def _unlink(
    work: Work, case: Mapping[str, Any], story: list[Event], followers: list[str], reason: str
) -> dict[str, Any]:
    """`story` are the events that led to the link, the latest first; the followers leave with the child."""
    child_id, link_id = case["report_id"], story[0].data["link_id"]
    before: dict[str, Any] = {}
    for event in story:
        before |= event.before
    _end(work, link_id, reason)
    why = f"{child_id} is no duplicate any more"
    moved = [_repoint(work, follower, child_id, why) for follower in followers]
    details = {"link_id": link_id} | ({"moved": moved} if moved else {})
    return cases.change(work, case, "report.unlinked", before, details)


def is_withdrawn(cursor: db.Cursor, report_id: str) -> bool:
    """Whether its reporter took a report back: whoever sent the same flaw did not, and must not lose by it."""
    return bool(cases.read(cursor, report_id)["resolution"] == Resolution.WITHDRAWN)


def hand_over(work: Work, report_id: str) -> None:
    """Let the earliest duplicate of a report lead on in its place: open again as it was, and the others follow it."""
    earliest = "SELECT report_id FROM cases WHERE canonical_id = ? ORDER BY received_at, seq LIMIT 1"
    first: str | None = db.value(work.cursor, earliest, [report_id])
    if first is None:
        return
    shared_ends.parted(work, report_id, duplicates(work.cursor, report_id))
    why = f"{report_id} does not lead on any more"
    link = link_of(work.cursor, first)
    assert link is not None, "a case names a canonical report only by a link"
    story = _story(work.cursor, first, link["link_id"])
    _unlink(work, cases.read(work.cursor, first), story, _followers(work.cursor, story), why)
    for follower in duplicates(work.cursor, report_id):
        _repoint(work, follower, first, why)


def keep_apart_within(work: Work, one_id: str, other_id: str, *, reason: str = "") -> int:
    """Record that two reports are not duplicates; gives the number of the record, also when it stood already."""
    a_id, b_id = sorted((one_id, other_id), key=lambda name: _seq(work.cursor, name))
    if a_id == b_id:
        raise Refused("report", "a report cannot be kept apart from itself")
    existing = db.value(
        work.cursor, "SELECT cannot_id FROM active_cannot_links WHERE a_id = ? AND b_id = ?", [a_id, b_id]
    )
    if existing:
        return int(existing)
    for child, canonical in ((a_id, b_id), (b_id, a_id)):
        link = link_of(work.cursor, child)
        if link and link["canonical_id"] == canonical:
            raise Conflict("report", f"{child} is {_linked(link)}: unlink it first")
    if against := groups.contradiction(work.cursor, Axis.WHOLE, (), [(a_id, b_id)]):
        who = cases.by(groups.record(work.cursor, Axis.WHOLE, *against))
        raise Conflict(
            "report",
            f"{a_id} and {b_id} were put together through other reports, last by {who}: undo that first",
        )
    cannot_id = work.next_id("cannot_links", "cannot_id")
    row = {
        "cannot_id": cannot_id,
        "a_id": a_id,
        "b_id": b_id,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "reason": reason,
    }
    db.insert(work.cursor, "cannot_links", [row])
    work.event("pair.kept_apart", b_id, {"cannot_id": cannot_id, "a_id": a_id, "b_id": b_id})
    return cannot_id


def require_unlinked(cursor: db.Cursor, case: Mapping[str, Any]) -> None:
    """Return when the report of a case is no duplicate; else raise Conflict naming its canonical report."""
    if link := _link_of(cursor, case):
        raise Conflict(
            "report", f"{case['report_id']} is {_linked(link)}: unlink it before deciding on it alone"
        )


def linked_to(cursor: db.Cursor, report_id: str) -> str | None:
    """The report of which this one is a duplicate; None when it is none."""
    link = link_of(cursor, report_id)
    return link["canonical_id"] if link else None


def link_of(cursor: db.Cursor, report_id: str) -> db.Row | None:
    """The link by which a report is a duplicate, as it was recorded; None when it is none."""
    return db.row(cursor, "SELECT * FROM active_links WHERE child_id = ?", [report_id])


def _link_of(cursor: db.Cursor, case: Mapping[str, Any]) -> db.Row | None:
    """`link_of` the report of a case, at no cost in the usual one: a case names a canonical report as long as it has
    a link."""
    return link_of(cursor, case["report_id"]) if case["canonical_id"] else None


def first_link_of(cursor: db.Cursor, report_id: str) -> db.Row | None:
    """The link that a person made, before it was moved on to where `link_of` finds it; None for no duplicate."""
    link = link_of(cursor, report_id)
    if link is None:
        return None
    first = _story(cursor, report_id, link["link_id"])[-1].data["link_id"]
    return db.row(cursor, "SELECT * FROM duplicate_links WHERE link_id = ?", [first])


def _linked(link: Mapping[str, Any]) -> str:
    return f"a duplicate of {link['canonical_id']} by {cases.by(link)}"


def duplicates(cursor: db.Cursor, report_id: str) -> list[str]:
    """The duplicates of a report, in the order in which they were linked."""
    found = db.rows(
        cursor, "SELECT child_id FROM active_links WHERE canonical_id = ? ORDER BY link_id", [report_id]
    )
    return [row["child_id"] for row in found]


def _repoint(work: Work, child_id: str, canonical_id: str, reason: str) -> int:
    """Another canonical report for a duplicate, which stays as closed as it was; gives the event's number."""
    case = cases.read(work.cursor, child_id)
    old = db.value(work.cursor, "SELECT link_id FROM active_links WHERE child_id = ?", [child_id])
    _end(work, old, reason)
    link_id = _insert(work, child_id, canonical_id, reason, {})
    number = work.next_event
    details = {"link_id": link_id, "canonical_id": canonical_id, "ended_link_id": old}
    cases.change(work, case, "report.linked", {"canonical_id": canonical_id}, details)
    return number


def _insert(work: Work, child_id: str, canonical_id: str, reason: str, evidence: Mapping[str, Any]) -> int:
    link_id = work.next_id("duplicate_links", "link_id")
    row = {
        "link_id": link_id,
        "child_id": child_id,
        "canonical_id": canonical_id,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "reason": reason,
        "score": evidence.get("score"),
        "model_id": evidence.get("model_id"),
        "threshold": evidence.get("threshold"),
    }
    db.insert(work.cursor, "duplicate_links", [row])
    return link_id


def _end(work: Work, link_id: int, reason: str) -> None:
    end = {"link_id": link_id, "done_at": work.now, "actor_id": work.actor.actor_id, "reason": reason}
    db.insert(work.cursor, "duplicate_link_ends", [end])


def _story(cursor: db.Cursor, child_id: str, link_id: int) -> list[Event]:
    """The events that led from no duplicate to this link, the latest first: a link may have been moved on."""
    made = {
        event.data["link_id"]: event
        for event in activity.history(cursor, child_id)
        if "link_id" in event.data and "canonical_id" in event.after and event.after["canonical_id"]
    }
    story, number = [], link_id
    while True:
        story.append(made[number])
        if not story[-1].before.get("canonical_id"):
            return story
        number = story[-1].data["ended_link_id"]


def _followers(cursor: db.Cursor, story: list[Event]) -> list[str]:
    """The reports that were moved along when the story began, and that nobody has moved otherwise since."""
    found = []
    for number in story[-1].data.get("moved", ()):
        moved = activity.event(cursor, number)
        now = db.value(cursor, "SELECT link_id FROM active_links WHERE child_id = ?", [moved.subject])
        if now and any(
            event.data["link_id"] == moved.data["link_id"] for event in _story(cursor, moved.subject, now)
        ):
            found.append(moved.subject)
    return found


def _seq(cursor: db.Cursor, report_id: str) -> int:
    found = db.value(cursor, "SELECT seq FROM reports WHERE report_id = ?", [report_id])
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    return int(found)


def _require_earlier(child: Mapping[str, Any], canonical: Mapping[str, Any]) -> None:
    if child["report_id"] == canonical["report_id"]:
        raise Refused("canonical", "a report cannot be a duplicate of itself")
    if (child["received_at"], child["seq"]) < (canonical["received_at"], canonical["seq"]):
        raise Refused(
            "canonical", f"the canonical report is the one submitted first, which is {child['report_id']}"
        )
