"""Undo: any decision, at any age, is taken back by an inverse event, or the refusal says who stands in the way.

Nothing is deleted: a link is ended by a row of its own and made again as a new one, and the undo is
an event that can be undone, which is redo. What a decision changed is one whole (`DECISION`): it is
undone only while the case stands as the event left it, so that undo leads to a state that the case
has really had, never to a mixture of two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import access, cases, db
from triage_core.channel.consent import REVOKED
from triage_core.channel.messages import REPORTER
from triage_core.clusters import groups
from triage_core.desk import activity, linking, looks, preferred
from triage_core.desk.activity import UNDONE, WITH_IT, Event
from triage_core.desk.undoable import DECISION, UNDOABLE, WHY_NOT
from triage_core.disclosure import embargoes, shared_ends
from triage_core.errors import Conflict, NotAllowed, Refused
from triage_core.likeness.axes import Axis
from triage_core.model import Actor, Resolution, TrainingConsent
from triage_core.outgoing import follow_through
from triage_core.rewards import rewards
from triage_core.store import Store, Work


def undo(store: Store, actor: Actor, seq: int, *, now: datetime | None = None) -> None:
    """Take event `seq` back; undoing an undo does the thing again.

    Whoever may give the command of the event may undo it. A better answer is an event of its own
    beside the assessment that it came with. Raises NotFound without such an event, Refused when its
    kind cannot be undone, Conflict naming the event that undid it already or that stands in the way,
    and who did that.
    """
    with store.read() as cursor:
        event = activity.event(cursor, seq)
    _require_kind(event)
    access.require(actor, event.command)
    # The undo is kept under the command that it undoes: the same roles may undo it in turn.
    with store.write(actor, event.command, now) as work:
        undo_within(work, event)


def undo_within(work: Work, event: Event) -> set[int]:
    """`undo` as a part of a running command: whatever it refuses, it refuses before it writes.

    Gives the numbers of the events that were taken back: this one, and those that came about with it.
    """
    _require_kind(event)
    parts = _require_clear(work.cursor, event)
    taken = {event.seq, *(part.seq for part in parts)}
    details: dict[str, Any] = {}
    if embargo := with_it(work.cursor, event):
        taken.add(embargo.seq)
        embargoes.take_back(work, embargo)
        details[WITH_IT] = work.next_event - 1  # what is told of it comes first
    if "canonical_id" in event.before:
        _tell_ends(work, event, [event.subject, *(part.subject for part in parts)])
    moved = []
    for part in parts:
        moved.append(work.next_event)
        _undo_change(work, part, {})
    if kind := _kind(event):
        kind.take_back(work, event)
    else:
        _undo_change(work, event, details | ({"moved": moved} if moved else {}))
    return taken


def with_it(cursor: db.Cursor, event: Event) -> Event | None:
    """What a decision has made of the embargo, unless that cannot be taken back now: an agreement binds both sides."""
    number = event.data.get(WITH_IT)
    return activity.event(cursor, number) if number and not obstacle(cursor, number) else None


def _tell_ends(work: Work, event: Event, together: Sequence[str]) -> None:
    """Tell whose waiting period gets another end as the links of these reports change back."""
    present = linking.linked_to(work.cursor, event.subject)
    if present:
        shared_ends.parted(work, present, together)
    if event.before["canonical_id"]:
        shared_ends.joined(work, event.subject, event.before["canonical_id"])


def may(actor: Actor, event: Event) -> bool:
    """Whether an event is one that can be undone, and by this person; what a reporter did is for nobody to undo."""
    return event.kind in UNDOABLE and not _is_reporters(event) and access.may(actor, event.command)


def last_of(cursor: db.Cursor, actor: Actor, kinds: Set[str] = UNDOABLE) -> Event | None:
    """The actor's newest event of these kinds that stands and can be undone, undos apart; None without one."""
    return activity.newest_standing(cursor, actor.actor_id, kinds - {UNDONE})


def of_pair(cursor: db.Cursor, one_id: str, other_id: str) -> Event:
    """The event by which these two reports are kept apart. Raises Refused when they are not."""
    found = _cannot_link(cursor, one_id, other_id)
    if found is None:
        raise Refused("report", f"nobody keeps {one_id} and {other_id} apart by a decision on these two")
    return _maker(cursor, found["b_id"], "cannot_id", found["cannot_id"])


def obstacle(cursor: db.Cursor, seq: int) -> str:
    """Why event `seq` cannot be undone now, in a sentence; "" when it can. Raises NotFound."""
    event = activity.event(cursor, seq)
    try:
        _require_kind(event)
        _require_clear(cursor, event)
    except Refused as refusal:
        return refusal.rule
    return ""


def _require_kind(event: Event) -> None:
    if event.kind not in UNDOABLE:
        why = WHY_NOT.get(event.kind, f"{event.kind} is no decision of a person")
        raise Refused("event", f"event {event.seq} cannot be undone: {why}")
    if _is_reporters(event):
        raise Refused("event", f"event {event.seq} cannot be undone: it is the reporter's own act")


def _is_reporters(event: Event) -> bool:
    """Whether it came about by an act of the reporter's, such as a withdrawal that hands duplicates over."""
    return event.actor_id == REPORTER.actor_id


def _require_clear(cursor: db.Cursor, event: Event) -> list[Event]:
    """The events that go with this one, when all of it can be undone; else raise Conflict naming the one in the way.

    They are the duplicates that followed a report when a link of it was made or taken back.
    """
    parts = [activity.event(cursor, seq) for seq in event.data.get("moved", ())]
    together = {event.subject, *(part.subject for part in parts)}
    for listed in (event, *parts):
        one, *later = activity.history(cursor, listed.subject, listed.seq)
        if one.undone_by:
            by = next(other for other in later if other.seq == one.undone_by)
            raise Conflict("event", f"event {one.seq} was undone already by {_named(by)}")
        if kind := _kind(one):
            blocker = kind.in_the_way(cursor, one, later)
        else:
            blocker = _after_change(cursor, one, later, together)
        if blocker:
            raise Conflict("event", f"{_named(blocker)} stands in the way: undo that first")
    return parts


def _named(event: Event) -> str:
    return f"event {event.seq} ({event.kind} {event.subject}) of {event.actor_id}"


def _after_change(cursor: db.Cursor, event: Event, later: list[Event], together: set[str]) -> Event | None:
    """What changed the case since, or forbids that two reports are linked again.

    `together` are the reports whose links change with this one.
    """
    case = cases.read(cursor, event.subject)
    fields = set(event.after) | (DECISION if DECISION & set(event.after) else set())
    left = {name: activity.value_after(name, event, later, case) for name in fields}
    changed = {name for name in fields if case[name] != left[name]}
    if changed:
        return next(other for other in reversed(later) if changed & set(other.after))
    if event.before.get("consent_training", TrainingConsent.NONE) != TrainingConsent.NONE:
        revoked = next((other for other in reversed(later) if other.kind == REVOKED), None)
        if revoked:
            return revoked
    canonical_id = event.before.get("canonical_id")
    if not canonical_id:
        return None
    if linking.is_withdrawn(cursor, canonical_id):
        story = activity.history(cursor, canonical_id)
        return next(
            other for other in reversed(story) if other.after.get("resolution") == Resolution.WITHDRAWN
        )
    links = db.rows(
        cursor,
        "SELECT child_id, link_id FROM active_links WHERE child_id = $canonical OR canonical_id = $child",
        {"canonical": canonical_id, "child": event.subject},
    )
    chain = next((link for link in links if link["child_id"] not in together), None)
    if chain:
        return _maker(cursor, chain["child_id"], "link_id", chain["link_id"])
    return _against(cursor, Axis.WHOLE, [(event.subject, canonical_id)])


def _undo_change(work: Work, event: Event, more: Mapping[str, Any]) -> None:
    case = cases.read(work.cursor, event.subject)
    details: dict[str, Any] = {"undone": event.seq, **more}
    if "canonical_id" in event.before:
        if case["canonical_id"]:
            details["ended_link_id"] = _end_link(work, event)
        if event.before["canonical_id"]:
            details["link_id"] = _link_again(work, event.subject, event.before["canonical_id"])
    changed = cases.change(work, case, UNDONE, event.before, details)
    if not (case["canonical_id"] or changed["canonical_id"]):  # a duplicate has no fix of its own
        follow_through.fix_moved(work, case, changed)


def _end_link(work: Work, event: Event) -> int:
    link_id = db.value(work.cursor, "SELECT link_id FROM active_links WHERE child_id = ?", [event.subject])
    _end(work, "duplicate_link_ends", "link_id", link_id, event)
    return int(link_id)


def _link_again(work: Work, child_id: str, canonical_id: str) -> int:
    """A new row for a link that was ended, with the evidence of the old one."""
    row = db.row(
        work.cursor,
        "SELECT * FROM duplicate_links WHERE child_id = ? AND canonical_id = ? ORDER BY link_id DESC LIMIT 1",
        [child_id, canonical_id],
    )
    assert row is not None, "a case names a canonical report only by a link"
    link_id = work.next_id("duplicate_links", "link_id")
    again = {"link_id": link_id, "done_at": work.now, "actor_id": work.actor.actor_id}
    db.insert(work.cursor, "duplicate_links", [row | again])
    return link_id


def _after_pair(cursor: db.Cursor, event: Event, later: list[Event]) -> Event | None:
    """What has said something else about the pair since: another word on it, or a link between the two."""
    a_id, b_id = event.data["a_id"], event.data["b_id"]
    if (_cannot_link(cursor, a_id, b_id) is None) == ("cannot_id" in event.data):
        return next(other for other in reversed(later) if other.data.get("a_id") == a_id)
    if "cannot_id" in event.data:
        return None
    return _against(cursor, Axis.WHOLE, (), [(a_id, b_id)])


def _undo_pair(work: Work, event: Event) -> None:
    a_id, b_id = event.data["a_id"], event.data["b_id"]
    details: dict[str, Any] = {"undone": event.seq, "a_id": a_id, "b_id": b_id}
    if found := _cannot_link(work.cursor, a_id, b_id):
        _end(work, "cannot_link_ends", "cannot_id", found["cannot_id"], event)
        details["ended_cannot_id"] = found["cannot_id"]
    else:
        before = "SELECT * FROM cannot_links WHERE a_id = ? AND b_id = ? ORDER BY cannot_id DESC LIMIT 1"
        row = db.row(work.cursor, before, [a_id, b_id])
        assert row is not None, "an undo of a pair ended the record of that pair"
        details["cannot_id"] = work.next_id("cannot_links", "cannot_id")
        again = {"cannot_id": details["cannot_id"], "done_at": work.now, "actor_id": work.actor.actor_id}
        db.insert(work.cursor, "cannot_links", [row | again])
    work.event(UNDONE, b_id, details)


def _after_look(cursor: db.Cursor, event: Event, later: list[Event]) -> Event | None:
    """What has been said about the second look since, or the adjudication that rests on it."""
    look = looks.read(cursor, event.data["look_id"])
    since = [other for other in later if other.data.get("look_id") == look["look_id"]]
    answered = look["second_id"] is not None and "wanted" in event.after
    if answered or any(look[name] != value for name, value in event.after.items()):
        return since[-1]
    settled = [other for other in later if other.data.get("settles") == look["look_id"]]
    return next((other for other in reversed(settled) if other.undone_by is None), None)


def _undo_look(work: Work, event: Event) -> None:
    look = looks.read(work.cursor, event.data["look_id"])
    if event.actor_id != work.actor.actor_id:
        # Else whoever decided first could send a second decision away that differs.
        looks.require_apart(work.actor.actor_id, look, {look["first_by"]})
    looks.change(work, look, UNDONE, event.before, {"undone": event.seq})


def _after_answer(cursor: db.Cursor, event: Event, later: list[Event]) -> Event | None:
    held = preferred.in_force(cursor, event.subject, event.data["answer_id"])
    if preferred.in_force(cursor, event.subject).same(held):
        return None
    return next(other for other in reversed(later) if "answer_id" in other.data)


def _undo_answer(work: Work, event: Event) -> None:
    """Put the earlier answer back as it stood, approved or not; an empty one says that there is none."""
    earlier = preferred.in_force(work.cursor, event.subject, event.data["answer_id"] - 1)
    present = preferred.in_force(work.cursor, event.subject)
    me = work.actor.actor_id
    if earlier.by_two and not present.approved_by and me == earlier.written_by and me != event.actor_id:
        # Else a writer could bring back an approval that was taken back by somebody else.
        raise NotAllowed(event.command, "a second person approves what you have written")
    number = preferred.add(work, event.subject, earlier)
    case = cases.read(work.cursor, event.subject)
    cases.change(work, case, UNDONE, {}, {"undone": event.seq, "answer_id": number})


def _end(work: Work, table: str, column: str, number: int, event: Event) -> None:
    end = {
        column: number,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "reason": f"undo of event {event.seq}",
    }
    db.insert(work.cursor, table, [end])


def _cannot_link(cursor: db.Cursor, one_id: str, other_id: str) -> db.Row | None:
    return db.row(
        cursor,
        "SELECT * FROM active_cannot_links WHERE (a_id = $one AND b_id = $other) OR (a_id = $other AND b_id = $one)",
        {"one": one_id, "other": other_id},
    )


def _after_group(cursor: db.Cursor, event: Event, later: list[Event]) -> Event | None:
    """What has replaced a decision on a group since, or said the opposite of one that is to be made again."""
    replaced = [number for number in event.data["made"] if not groups.is_standing(cursor, number)]
    if replaced:
        return activity.ending(cursor, replaced[0], event.seq)
    again = [groups.said(cursor, number) for number in event.data["ended"]]
    return _against(
        cursor,
        event.data["axis"],
        [pair for said in again for pair in said.together],
        [pair for said in again for pair in said.apart],
        event.data["made"],
    )


def _undo_group(work: Work, event: Event) -> None:
    """Take what the event made out of force, and put what it ended back."""
    for name, in_force in (("made", False), ("ended", True)):
        for number in event.data[name]:
            groups.turn(work, number, in_force, f"undo of event {event.seq}")
    data = {key: value for key, value in event.data.items() if key != "batch"}
    data |= {"undone": event.seq, "said": not data["said"]}
    data |= {"made": event.data["ended"], "ended": event.data["made"]}
    work.event(UNDONE, event.subject, data)


def _against(
    cursor: db.Cursor,
    axis: str,
    together: Sequence[groups.Pair],
    apart: Sequence[groups.Pair] = (),
    ignored: Sequence[int] = (),
) -> Event | None:
    """The event that contradicts these pairs, if they are decided once more."""
    pair = groups.contradiction(cursor, axis, together, apart, ignored)
    if pair is None:
        return None
    record = groups.record(cursor, axis, *pair)
    return _maker(cursor, record["subject"], record["name"], record["number"])


def _maker(cursor: db.Cursor, subject: str, name: str, number: int) -> Event:
    """The event that made the link, the cannot-link or the decision on a group with this number."""
    # The first to name it: an unlink names the link as well, as the one that it ends.
    return next(
        event
        for event in activity.history(cursor, subject)
        if event.data.get(name) == number or (name == "decision_id" and number in event.data.get("made", ()))
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """Events that are more than a change of a case: what stands in the way of undoing one, and how it is done."""

    in_the_way: Callable[[db.Cursor, Event, list[Event]], Event | None]
    take_back: Callable[[Work, Event], None]


_KINDS: Mapping[str, _Kind] = {
    "a_id": _Kind(_after_pair, _undo_pair),
    "look_id": _Kind(_after_look, _undo_look),
    "party": _Kind(embargoes.in_the_way, embargoes.take_back),
    "reward_no": _Kind(rewards.in_the_way, rewards.take_back),
    "answer_id": _Kind(_after_answer, _undo_answer),
    "axis": _Kind(_after_group, _undo_group),
}
"""By what an event of the kind names in its data."""


def _kind(event: Event) -> _Kind | None:
    return next((kind for name, kind in _KINDS.items() if name in event.data), None)
