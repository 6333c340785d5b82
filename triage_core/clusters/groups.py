"""What people said of the groups of an axis, and whether one more word on them contradicts the others.

What is bound together, directly or through others, is one group; what is kept apart is so for the
whole groups. Links and cannot-links speak on the axis of the whole; decisions on clusters on their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from triage_core import db
from triage_core.errors import Conflict
from triage_core.likeness.constraints import Constraints
from triage_core.store import Work

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """One decision on groups: the reports of `inside` are one group, and none of `outside` is of it.

    `inside` has at least one report; its first stands for all in what is stored. `act` says in which
    way it was decided, `cluster_id` where.
    """

    axis: str
    cluster_id: str
    act: str
    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()
    reason: str = ""

    @property
    def together(self) -> list[Pair]:
        """The pairs bound; of a group of one, the report with itself."""
        return [(self.inside[0], name) for name in self.inside[1:] or self.inside]

    @property
    def apart(self) -> list[Pair]:
        """The pairs kept apart: for the whole group, since it is bound."""
        return [(self.inside[0], name) for name in self.outside]


def pairs(cursor: db.Cursor) -> dict[str, tuple[frozenset[Pair], frozenset[Pair]]]:
    """By axis, the pairs that belong together and those that are kept apart; axes without a word are left out."""
    return _by_axis(db.rows(cursor, f"{_STANDING} WHERE one_id <> other_id"))


def pairs_when_laid(cursor: db.Cursor) -> dict[str, tuple[frozenset[Pair], frozenset[Pair]]]:
    """Like `pairs`, with those that were taken back since clusters were last written: they still shape them."""
    last = (
        "(SELECT coalesce(max(done_at), TIMESTAMP '1970-01-01') FROM events WHERE kind = 'likeness.placed')"
    )
    found = db.rows(
        cursor,
        f"{_STANDING} WHERE one_id <> other_id"
        " UNION ALL SELECT 'whole', false, canonical_id, child_id FROM duplicate_links"
        f" JOIN duplicate_link_ends e USING (link_id) WHERE e.done_at >= {last}"
        " UNION ALL SELECT 'whole', true, a_id, b_id FROM cannot_links"
        f" JOIN cannot_link_ends e USING (cannot_id) WHERE e.done_at >= {last}"
        " UNION ALL SELECT d.axis, p.apart, p.one_id, p.other_id FROM group_pairs p"
        " JOIN group_decisions d USING (decision_id) WHERE p.one_id <> p.other_id AND decision_id IN"
        f" (SELECT decision_id FROM group_turns WHERE NOT in_force AND done_at >= {last})",
    )
    return _by_axis(found)


_STANDING = (
    "SELECT axis, apart, one_id, other_id FROM (SELECT axis, false AS apart, one_id, other_id FROM bound_pairs"
    " UNION ALL SELECT axis, true, one_id, other_id FROM apart_pairs)"
)


def contradiction(
    cursor: db.Cursor,
    axis: str,
    together: Iterable[Pair],
    apart: Iterable[Pair] = (),
    ignored: Sequence[int] = (),
) -> Pair | None:
    """A pair that would be kept apart and bound at once if these pairs were decided as well; None when there is none.

    `ignored` are numbers of decisions that are about to end.
    """
    together, apart = list(together), list(apart)
    if not apart and not db.value(cursor, "SELECT 1 FROM apart_pairs WHERE axis = ? LIMIT 1", [axis]):
        return None  # nothing is kept apart: the usual case, for a tenth of the time
    asked = {name for pair in (*together, *apart) for name in pair}
    values = {"axis": axis, "ids": sorted(asked), "ignored": list(ignored)}
    reached = {row["name"] for row in db.rows(cursor, f"{_REACHED} SELECT name FROM reach", values)}
    row = {name: number for number, name in enumerate(sorted(reached))}
    bound = db.rows(
        cursor, f"{_REACHED} SELECT DISTINCT a, b FROM reach JOIN edges ON edges.a = reach.name", values
    )
    known = Constraints((row[a], row[b]) for a, b in (*((pair["a"], pair["b"]) for pair in bound), *together))
    kept = db.rows(
        cursor,
        f"{_REACHED} SELECT one_id, other_id FROM apart_pairs WHERE axis = $axis"
        " AND NOT list_contains($ignored, decision_id) AND one_id IN (FROM reach) AND other_id IN (FROM reach)"
        " ORDER BY ALL",
        values,
    )
    for one, other in (*((pair["one_id"], pair["other_id"]) for pair in kept), *apart):
        try:
            known.cannot(row[one], row[other])
        except Conflict:
            return one, other
    return None


_REACHED = (
    "WITH RECURSIVE bonds AS (SELECT one_id, other_id FROM bound_pairs"
    " WHERE axis = $axis AND NOT list_contains($ignored, decision_id)),"
    " edges AS (SELECT one_id AS a, other_id AS b FROM bonds UNION ALL SELECT other_id, one_id FROM bonds),"
    " reach (name) AS (SELECT unnest($ids) UNION SELECT edges.b FROM reach JOIN edges ON edges.a = reach.name)"
)


def record(cursor: db.Cursor, axis: str, one_id: str, other_id: str) -> db.Row:
    """What keeps the pair of a `contradiction` apart, or else what binds one of the two: `name` and `number`
    of the record, the `subject` of the event that made it, and who did."""
    values = {"axis": axis, "one": one_id, "other": other_id}
    decisions = (
        "SELECT 'decision_id' AS name, d.decision_id AS number, d.cluster_id AS subject, d.done_at, d.actor_id"
        " FROM group_decisions d JOIN active_group_pairs p USING (decision_id) WHERE d.axis = $axis AND "
    )
    found = db.row(
        cursor,
        "SELECT 'cannot_id' AS name, cannot_id AS number, b_id AS subject, done_at, actor_id FROM active_cannot_links"
        f" WHERE $axis = 'whole' AND a_id = $one AND b_id = $other UNION ALL {decisions}"
        f" p.apart AND p.one_id = $one AND p.other_id = $other LIMIT 1",
        values,
    ) or db.row(
        cursor,
        "SELECT 'link_id' AS name, link_id AS number, child_id AS subject, done_at, actor_id FROM active_links"
        " WHERE $axis = 'whole' AND ($one IN (child_id, canonical_id) OR $other IN (child_id, canonical_id))"
        f" UNION ALL {decisions} NOT p.apart AND ($one IN (p.one_id, p.other_id) OR $other IN (p.one_id, p.other_id))"
        " ORDER BY subject = $one DESC, done_at DESC, number DESC LIMIT 1",
        values,
    )
    assert found is not None, "a contradiction is about something that stands"
    return found


def last_said(cursor: db.Cursor, axis: str, names: Collection[str]) -> dict[str, db.Row]:
    """The latest word of a person on each of these reports on an axis, by report: `done_at` and `actor_id`."""
    found = db.rows(
        cursor,
        "SELECT name, max(done_at) AS done_at, arg_max(actor_id, done_at) AS actor_id FROM said_of"
        " WHERE axis = $axis AND name IN (SELECT unnest($names)) GROUP BY name",
        {"axis": axis, "names": list(names)},
    )
    return {row["name"]: row for row in found}


def standing(cursor: db.Cursor, axis: str, one: Collection[str], other: Collection[str]) -> list[int]:
    """The decisions that bind a report of `one` to a report of `other`, the oldest first."""
    found = db.rows(
        cursor,
        "SELECT decision_id FROM (SELECT decision_id, unnest([one_id, other_id]) AS name FROM active_group_pairs"
        " WHERE axis = $axis AND NOT apart) GROUP BY decision_id"
        " HAVING bool_or(list_contains($one, name)) AND bool_or(list_contains($other, name)) ORDER BY decision_id",
        {"axis": axis, "one": list(one), "other": list(other)},
    )
    return [row["decision_id"] for row in found]


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
    star = [(False, *pair) for pair in said.together] + [(True, *pair) for pair in said.apart]
    rows = [
        {"decision_id": number, "apart": apart, "one_id": one, "other_id": other}
        for apart, one, other in star
    ]
    db.insert(work.cursor, "group_pairs", rows)
    return number


def turn(work: Work, number: int, in_force: bool, reason: str) -> None:
    """Take a decision out of force or put it back."""
    row = {
        "turn_id": work.next_id("group_turns", "turn_id"),
        "decision_id": number,
        "in_force": in_force,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "reason": reason,
    }
    db.insert(work.cursor, "group_turns", [row])


def said(cursor: db.Cursor, number: int) -> Said:
    """The decision with this number, whether it stands or not."""
    row = db.row(
        cursor,
        "SELECT axis, cluster_id, act, reason FROM group_decisions WHERE decision_id = ?",
        [number],
    )
    assert row is not None, "an event names only decisions that were stored with it"
    found = db.rows(
        cursor,
        "SELECT apart, one_id, other_id FROM group_pairs WHERE decision_id = ? ORDER BY apart, other_id",
        [number],
    )
    first = found[0]["one_id"]
    bound = tuple(pair["other_id"] for pair in found if not pair["apart"] and pair["other_id"] != first)
    return Said(
        **row, inside=(first, *bound), outside=tuple(pair["other_id"] for pair in found if pair["apart"])
    )


def is_standing(cursor: db.Cursor, number: int) -> bool:
    """Whether the decision with this number is in force."""
    found = "SELECT arg_max(in_force, turn_id) FROM group_turns WHERE decision_id = ?"
    return db.value(cursor, found, [number]) is not False


def _by_axis(found: Sequence[db.Row]) -> dict[str, tuple[frozenset[Pair], frozenset[Pair]]]:
    together: dict[str, set[Pair]] = {}
    apart: dict[str, set[Pair]] = {}
    for row in found:
        side = apart if row["apart"] else together
        side.setdefault(row["axis"], set()).add((row["one_id"], row["other_id"]))
    return {
        axis: (frozenset(together.get(axis, ())), frozenset(apart.get(axis, ())))
        for axis in sorted(together.keys() | apart.keys())
    }
