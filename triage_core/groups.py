"""What people said of the groups of an axis, and whether one more word on them contradicts the others.

What is bound together, directly or through others, is one group; what is kept apart is so for the
whole groups. Links and cannot-links speak on the axis of the whole; decisions on clusters on their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triage_core import db
from triage_core.store import Work

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """One decision on groups: the reports of `inside` are one group, and none of `outside` is of it.

    `inside` has at least one report, and its first stands for all in what is stored. `act` says in which
    way it was decided, `cluster_id` where.
    """

    axis: str
    cluster_id: str
    act: str
    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()
    reason: str = ""


def pairs(cursor: db.Cursor) -> dict[str, tuple[frozenset[Pair], frozenset[Pair]]]:
    """By axis, the pairs that belong together and those that are kept apart; axes without a word are left out."""
    together, apart = _by_axis(cursor, "bound_pairs"), _by_axis(cursor, "apart_pairs")
    return {
        axis: (frozenset(together.get(axis, ())), frozenset(apart.get(axis, ())))
        for axis in sorted(together.keys() | apart.keys())
    }


def bound(cursor: db.Cursor, axis: str, report_ids: Iterable[str]) -> set[str]:
    """These reports and all that is bound to one of them, directly or through others."""
    found = db.rows(
        cursor,
        "WITH RECURSIVE edges AS (SELECT one_id AS a, other_id AS b FROM bound_pairs WHERE axis = $axis"
        " UNION ALL SELECT other_id, one_id FROM bound_pairs WHERE axis = $axis),"
        " reach (name) AS (SELECT unnest($ids) UNION SELECT edges.b FROM reach JOIN edges ON edges.a = reach.name)"
        " SELECT name FROM reach",
        {"axis": axis, "ids": sorted(report_ids)},
    )
    return {row["name"] for row in found}


def contradiction(
    cursor: db.Cursor, axis: str, inside: Iterable[str], outside: Iterable[str] = ()
) -> Pair | None:
    """The pair on which somebody has said the opposite of: `inside` is one group, `outside` is not of it.

    None when nothing that stands is in the way. A pair of the same report twice means that it is bound to
    the group from which it is to be kept apart.
    """
    joined = bound(cursor, axis, inside)
    for name in outside:
        if name in joined:
            return name, name
    found = db.row(
        cursor,
        "SELECT one_id, other_id FROM apart_pairs WHERE axis = $axis AND list_contains($ids, one_id)"
        " AND list_contains($ids, other_id) ORDER BY ALL LIMIT 1",
        {"axis": axis, "ids": sorted(joined)},
    )
    return (found["one_id"], found["other_id"]) if found else None


def write(work: Work, said: Said) -> int:
    """Store a decision; gives its number. Whether it contradicts another is for the caller to ask before."""
    number = work.next_id("group_decisions", "decision_id")
    row = {
        "decision_id": number,
        "axis": said.axis,
        "cluster_id": said.cluster_id,
        "act": said.act,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "reason": said.reason,
    }
    db.insert(work.cursor, "group_decisions", [row])
    first, *others = said.inside
    # The pair of the first with itself keeps a group of one.
    star = [(False, name) for name in (first, *others)] + [(True, name) for name in said.outside]
    pairs = [
        {"decision_id": number, "apart": apart, "one_id": first, "other_id": other} for apart, other in star
    ]
    db.insert(work.cursor, "group_pairs", pairs)
    return number


def said(cursor: db.Cursor, number: int) -> Said:
    """The decision with this number, whether it stands or not."""
    row = db.row(
        cursor,
        "SELECT axis, cluster_id, act, reason FROM group_decisions WHERE decision_id = ?",
        [number],
    )
    assert row is not None, "an event names only decisions that were stored with it"
    pairs = db.rows(
        cursor,
        "SELECT apart, other_id FROM group_pairs WHERE decision_id = ? ORDER BY apart, one_id <> other_id, other_id",
        [number],
    )
    inside = tuple(pair["other_id"] for pair in pairs if not pair["apart"])
    return Said(**row, inside=inside, outside=tuple(pair["other_id"] for pair in pairs if pair["apart"]))


def record(cursor: db.Cursor, axis: str, one_id: str, other_id: str) -> db.Row:
    """What `contradiction` found: the name and number of the record, and the subject of the event that made it."""
    found = db.row(
        cursor,
        "SELECT * FROM ("
        " SELECT 'cannot_id' AS name, cannot_id AS number, b_id AS subject, done_at FROM active_cannot_links"
        " WHERE $axis = 'whole' AND $one <> $other AND a_id = $one AND b_id = $other"
        " UNION ALL SELECT 'link_id', link_id, child_id, done_at FROM active_links"
        " WHERE $axis = 'whole' AND $one = $other AND (child_id = $one OR canonical_id = $one)"
        " UNION ALL SELECT 'decision_id', d.decision_id, d.cluster_id, d.done_at FROM group_decisions d"
        " JOIN active_group_pairs p USING (decision_id) WHERE d.axis = $axis AND p.apart = ($one <> $other)"
        " AND ((p.one_id = $one AND p.other_id = $other) OR ($one = $other AND (p.one_id = $one OR p.other_id = $one)))"
        ") ORDER BY done_at DESC, number DESC LIMIT 1",
        {"axis": axis, "one": one_id, "other": other_id},
    )
    assert found is not None, "a contradiction is about something that stands"
    return found


def _by_axis(cursor: db.Cursor, view: str) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for row in db.rows(cursor, f"SELECT axis, one_id, other_id FROM {view} WHERE one_id <> other_id"):
        found.setdefault(row["axis"], []).append((row["one_id"], row["other_id"]))
    return found
