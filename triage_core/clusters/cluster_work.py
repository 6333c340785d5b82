"""Clusters as the unit of work: a person says what belongs together, and decides on many members at once.

On every axis a cluster can be confirmed, split, merged with another, and a member moved: that says which
reports belong together in that way, changes no report, and no later run of the model takes it back. On
the axis of the whole a cluster can be accepted as duplicates; on any axis its members can be assessed.
Members are named one by one as they were shown; every decision is one event or one batch, and undone as such.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from triage_core import access, cases, db
from triage_core.access import Command
from triage_core.clusters import groups
from triage_core.clusters.groups import Said
from triage_core.desk import bulk, linking, triage
from triage_core.desk.bulk import Outcome, Skipped
from triage_core.desk.decision import Decision, check, check_text
from triage_core.errors import Conflict, NotFound, Refused
from triage_core.guidance.policy import Policy
from triage_core.likeness.axes import Axis
from triage_core.model import Actor
from triage_core.store import Store, Work

_NAMED = 3
"""An event names so many of the reports that it is about; the rows of the decision hold them all."""

SAME, SPLIT, MOVE, MERGE, APART = "same", "split", "move", "merge", "apart"


def confirm(
    store: Store,
    actor: Actor,
    axis: Axis,
    cluster_id: str,
    members: Collection[str],
    *,
    reason: str = "",
    now: datetime | None = None,
) -> int:
    """These members of a cluster belong together on this axis; gives the decision's number."""
    with _grouping(store, actor, reason, now) as work:
        _among(work.cursor, axis, cluster_id, members)
        return _say(work, [Said(axis, cluster_id, SAME, tuple(members), reason=reason)])[0]


def split(
    store: Store,
    actor: Actor,
    axis: Axis,
    cluster_id: str,
    leaving: Collection[str],
    *,
    singly: bool = False,
    reason: str = "",
    now: datetime | None = None,
) -> list[int]:
    """The members in `leaving` do not belong to this cluster: together, or `singly` each for itself.

    They are kept apart from all that stay. Gives the numbers of what was said, which is one event. Raises
    Conflict when a duplicate link binds one that leaves to one that stays.
    """
    with _grouping(store, actor, reason, now) as work:
        present = _among(work.cursor, axis, cluster_id, leaving)
        if len(present) == len(set(leaving)):
            raise Refused("members", "somebody must stay: a cluster that leaves as a whole is no other one")
        parts = [(name,) for name in leaving] if singly else [tuple(leaving)]
        others = {part: tuple(name for name in present if name not in part) for part in parts}
        words = [Said(axis, cluster_id, SPLIT, part, others[part], reason) for part in parts]
        return _say(work, words)


def move(
    store: Store,
    actor: Actor,
    axis: Axis,
    cluster_id: str,
    members: Collection[str],
    to_cluster_id: str,
    *,
    reason: str = "",
    now: datetime | None = None,
) -> int:
    """The members belong to another cluster: with all of its members, and apart from those that stay."""
    with _grouping(store, actor, reason, now) as work:
        present = _among(work.cursor, axis, cluster_id, members)
        if to_cluster_id == cluster_id:
            raise Refused("cluster", "a member is moved to another cluster than its own")
        target = _members(work.cursor, axis, to_cluster_id)
        stay = tuple(name for name in present if name not in set(members))
        return _say(work, [Said(axis, cluster_id, MOVE, (*members, *target), stay, reason)], to_cluster_id)[0]


def merge(
    store: Store,
    actor: Actor,
    axis: Axis,
    one_id: str,
    other_id: str,
    *,
    reason: str = "",
    now: datetime | None = None,
) -> int:
    """The two clusters are one on this axis. Raises Conflict when people said that some of them differ."""
    with _grouping(store, actor, reason, now) as work:
        one, other = _two(work.cursor, axis, one_id, other_id)
        return _say(work, [Said(axis, one_id, MERGE, (*one, *other), reason=reason)], other_id)[0]


def keep_apart(
    store: Store,
    actor: Actor,
    axis: Axis,
    one_id: str,
    other_id: str,
    *,
    reason: str = "",
    now: datetime | None = None,
) -> int:
    """The two clusters are not one: their representatives never share a cluster on this axis."""
    with _grouping(store, actor, reason, now) as work:
        _two(work.cursor, axis, one_id, other_id)
        one, other = (_representative(work.cursor, axis, name) for name in (one_id, other_id))
        return _say(work, [Said(axis, one_id, APART, (one,), (other,), reason)], other_id)[0]


def accept(
    store: Store,
    policy: Policy,
    actor: Actor,
    cluster_id: str,
    seen: Mapping[str, int],
    decision: Decision | None = None,
    *,
    grouping: str = "",
    reason: str = "",
    now: datetime | None = None,
) -> Outcome:
    """The members in `seen` (with the version shown of each) are one flaw: duplicates of the earliest of them that its
    reporter has not withdrawn.

    With a `decision` the earliest is assessed as well, so that the whole cluster is cleared at once. If the
    earliest is a duplicate already, its own canonical report takes the others, and is skipped by a `decision` when
    it is not among them. With the `grouping` SPLIT they leave the rest of the cluster in the same batch. What
    cannot be linked is skipped, and the outcome says why.
    """
    access.require(actor, Command.LINK)
    if decision is not None:
        access.require(actor, Command.ASSESS)
        check(policy, decision)
    _require_grouping(actor, grouping)
    check_text("reason", reason)
    bulk.require_few(seen)
    with store.write(actor, Command.LINK, now) as work:
        skipped = _gone(work.cursor, Axis.WHOLE, cluster_id, seen)
        chosen = _earliest_first(work.cursor, [name for name in seen if name not in skipped])
        if not chosen:
            return Outcome((), tuple(skipped.values()), None)
        earliest = next((name for name in chosen if not linking.is_withdrawn(work.cursor, name)), chosen[0])
        canonical = linking.linked_to(work.cursor, earliest) or earliest
        evidence = _evidence(work.cursor, chosen)

        def decide(name: str) -> None:
            if name == canonical:
                assert decision is not None
                triage.assess_within(work, policy, name, decision, seen[name])
            elif linking.linked_to(work.cursor, name) != canonical:  # it may have followed another one
                linking.link_within(
                    work,
                    name,
                    canonical,
                    reason=reason,
                    evidence=evidence[name],
                    seen_version=seen[name],
                )

        decided = [name for name in chosen if name != canonical or decision is not None]
        outcome = bulk.each(work, {name: seen[name] for name in decided}, decide)
        if grouping:
            refused = {item.report_id for item in outcome.skipped}
            _say_of(
                work,
                Axis.WHOLE,
                cluster_id,
                grouping,
                [name for name in chosen if name not in refused],
                skipped,
            )
        if decision is not None and canonical not in (*chosen, *skipped):
            why = f"{earliest} is its duplicate, and it is not among these: decide on it by itself"
            skipped[canonical] = Skipped(canonical, why)
        return replace(outcome, skipped=(*skipped.values(), *outcome.skipped))


def assess(
    store: Store,
    policy: Policy,
    actor: Actor,
    axis: Axis,
    cluster_id: str,
    seen: Mapping[str, int],
    decision: Decision,
    *,
    grouping: str = "",
    now: datetime | None = None,
) -> Outcome:
    """One assessment for the members in `seen` (with the version shown of each), and a list of what was skipped.

    With the `grouping` SAME those that were assessed are confirmed as one group of this axis in the same
    batch; with SPLIT they are one group and leave the rest of the cluster, as far as there is a rest.
    """
    access.require(actor, Command.ASSESS)
    _require_grouping(actor, grouping)
    check(policy, decision)
    bulk.require_few(seen)
    with store.write(actor, Command.ASSESS, now) as work:
        skipped = _gone(work.cursor, axis, cluster_id, seen)
        outcome = bulk.each(
            work,
            {name: version for name, version in seen.items() if name not in skipped},
            lambda name: triage.assess_within(work, policy, name, decision, seen[name]),
        )
        if grouping and outcome.done:
            _say_of(work, axis, cluster_id, grouping, outcome.done, skipped)
        return replace(outcome, skipped=(*skipped.values(), *outcome.skipped))


def _grouping(store: Store, actor: Actor, reason: str, now: datetime | None) -> AbstractContextManager[Work]:
    access.require(actor, Command.MOVE_IN_CLUSTER)
    check_text("reason", reason)
    return store.write(actor, Command.MOVE_IN_CLUSTER, now)


def _require_grouping(actor: Actor, grouping: str) -> None:
    if grouping not in ("", SAME, SPLIT):
        raise Refused("grouping", f"{SAME}, {SPLIT} or nothing")
    if grouping:
        access.require(actor, Command.MOVE_IN_CLUSTER)


def _say_of(
    work: Work, axis: Axis, cluster_id: str, grouping: str, inside: Sequence[str], gone: Collection[str]
) -> None:
    """Say of those that were decided on that they are one group, and with SPLIT that the rest is not of it."""
    present = _members(work.cursor, axis, cluster_id)
    outside = tuple(name for name in present if name not in (*inside, *gone)) if grouping == SPLIT else ()
    _say(work, [Said(axis, cluster_id, grouping, tuple(inside), outside)])


def _say(work: Work, words: Sequence[Said], other_id: str = "") -> list[int]:
    """Store what is said at once of a cluster, and of the other one, with one event; gives the number of each word."""
    numbers, made, ended = [], [], []
    for said in words:
        new, replaced = _store(work, said)
        numbers.append(new[-1])
        made += new
        ended += replaced
    # What one word left of an earlier decision and the next one replaced has never stood.
    passing = set(made) & set(ended)
    inside = list(dict.fromkeys(name for said in words for name in said.inside))
    outside = {name for said in words for name in said.outside}.difference(inside)
    data = {
        "axis": words[0].axis,
        "act": words[0].act,
        "said": True,
        "made": [number for number in made if number not in passing],
        "ended": [number for number in ended if number not in passing],
        "reports": inside[:_NAMED],
        "inside": len(inside),
        "outside": len(outside),
        **({"singly": True} if len(words) > 1 else {}),
        **({"other_id": other_id} if other_id else {}),
    }
    work.event("group.decided", words[0].cluster_id, data)
    return numbers


def _store(work: Work, said: Said) -> tuple[list[int], list[int]]:
    """Store a decision; it replaces what earlier ones bind of those that leave to those that stay.

    Gives the numbers of what was stored, the decision last, and of what it replaced.
    """
    ended = groups.standing(work.cursor, said.axis, said.inside, said.outside) if said.outside else []
    new = [part for number in ended for part in _remains(groups.said(work.cursor, number), said)] + [said]
    pair = groups.contradiction(
        work.cursor,
        said.axis,
        [pair for one in new for pair in one.together],
        [pair for one in new for pair in one.apart],
        ended,
    )
    if pair is not None:
        raise Conflict("members", _why(work.cursor, said.axis, *pair))
    for number in ended:
        groups.turn(work, number, False, f"{said.act} of {said.cluster_id}")
    return [groups.write(work, one) for one in new], ended


def _remains(old: Said, new: Said) -> list[Said]:
    """What an earlier decision still says: of those that stay as it was, of those that leave what fits the new one."""
    leave, stay = (
        tuple(name for name in old.inside if (name in new.inside) is left) for left in (True, False)
    )
    elsewhere = tuple(name for name in old.outside if name not in new.inside)
    parts = (replace(old, inside=leave, outside=elsewhere), replace(old, inside=stay))
    return [part for part in parts if len(part.inside) > 1 or part.outside]


def _why(cursor: db.Cursor, axis: str, one_id: str, other_id: str) -> str:
    found = groups.record(cursor, axis, one_id, other_id)
    if found["name"] == "link_id":
        child = found["subject"]
        linked = f"{child} is a duplicate of {linking.linked_to(cursor, child)}"
        return f"{linked}: unlink it first, {cases.by(found)} said so"
    return f"{cases.by(found)} has said otherwise of {one_id} and {other_id}: undo that first"


def _members(cursor: db.Cursor, axis: str, cluster_id: str) -> list[str]:
    found = db.rows(
        cursor,
        "SELECT report_id FROM memberships JOIN reports USING (report_id)"
        " WHERE axis = ? AND cluster_id = ? ORDER BY seq",
        [axis, cluster_id],
    )
    if not found:
        raise NotFound("cluster", f"there is no cluster {cluster_id!r} any more")
    return [row["report_id"] for row in found]


def _representative(cursor: db.Cursor, axis: str, cluster_id: str) -> str:
    found = "SELECT representative_id FROM clusters WHERE axis = ? AND cluster_id = ?"
    return str(db.value(cursor, found, [axis, cluster_id]))


def _among(cursor: db.Cursor, axis: str, cluster_id: str, chosen: Collection[str]) -> list[str]:
    """All members of the cluster, when it holds every chosen one; else raises Conflict."""
    if not chosen:
        raise Refused("members", "choose at least one member")
    present = _members(cursor, axis, cluster_id)
    gone = sorted(set(chosen) - set(present))
    if gone:
        why = _left(cursor, axis, cluster_id, gone)
        raise Conflict("members", "; ".join(f"{name} {why[name]}" for name in gone[:5]))
    return present


def _gone(cursor: db.Cursor, axis: str, cluster_id: str, seen: Mapping[str, int]) -> dict[str, Skipped]:
    present = set(_members(cursor, axis, cluster_id))
    gone = [name for name in seen if name not in present]
    why = _left(cursor, axis, cluster_id, gone)
    return {name: Skipped(name, f"it {why[name]}") for name in gone}


def _left(cursor: db.Cursor, axis: str, cluster_id: str, gone: Collection[str]) -> dict[str, str]:
    """Of each report that is no member any more, that it left, and who spoke of it last on this axis."""
    said = groups.last_said(cursor, axis, gone) if gone else {}
    left = f"left {cluster_id} while you looked at it"
    return {
        name: f"{left}, after a word of {cases.by(said[name])}" if name in said else f"{left}: compared anew"
        for name in gone
    }


def _two(cursor: db.Cursor, axis: str, one_id: str, other_id: str) -> tuple[list[str], list[str]]:
    if one_id == other_id:
        raise Refused("cluster", "two different clusters are needed")
    return _members(cursor, axis, one_id), _members(cursor, axis, other_id)


def _earliest_first(cursor: db.Cursor, report_ids: Sequence[str]) -> list[str]:
    """In the order of submission; what is a duplicate already comes last, after what it may follow."""
    found = db.rows(
        cursor,
        "SELECT report_id, canonical_id FROM cases WHERE report_id IN (SELECT unnest(?)) ORDER BY received_at, seq",
        [list(report_ids)],
    )
    first, *others = [row["report_id"] for row in found] or [""]
    linked = {row["report_id"] for row in found if row["canonical_id"]}
    return [first, *sorted(others, key=lambda name: name in linked)] if first else []


def _evidence(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each member, its mean likeness to the others and the model that found it."""
    found = db.rows(
        cursor,
        "SELECT report_id, mean AS score, model_id FROM memberships WHERE axis = 'whole'"
        " AND report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row["report_id"]: {"score": row["score"], "model_id": row["model_id"]} for row in found}
