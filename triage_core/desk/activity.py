"""What has happened: the events of the audit chain, filtered and paged in SQL, with what was undone.

An undo is an event itself. It stands until it is undone in turn, and an event counts as undone
while an undo of it stands. An event is filed under one subject and may concern others: a link its
canonical report, a word on two reports the earlier one, a decision on a cluster every report that it names
and the other cluster.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from triage_core import cases, db
from triage_core.errors import NotFound

UNDONE = "event.undone"
TOLD = "report.told"
WITH_IT = "embargo_event"
"""Under this name the event of a decision has the number of what that decision made of the report's embargo."""

ELSEWHERE = 200
"""So many of the latest events that are filed elsewhere stand in the history of a report."""

_SHARED = {"report.linked", "report.unlinked", "pair.kept_apart", "group.decided", UNDONE}
_COLUMNS = "seq, done_at, actor_id, command, kind, subject, data"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `undone_by` is the number of the event that took it back, None while it stands."""

    seq: int
    done_at: datetime
    actor_id: str
    command: str
    kind: str
    subject: str
    data: dict[str, Any]
    undone_by: int | None = None

    @property
    def before(self) -> dict[str, Any]:
        """The columns of the case that it changed, as they were."""
        return self.data.get("before") or {}

    @property
    def after(self) -> dict[str, Any]:
        """The same columns as it left them."""
        return self.data.get("after") or {}

    @property
    def undoes(self) -> int | None:
        """The number of the event that this one took back."""
        return self.data["undone"] if self.kind == UNDONE else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a list shows; empty means all. `report` is a report id, an external id, or a cluster id."""

    actor: Sequence[str] = field(default_factory=tuple)
    kind: Sequence[str] = field(default_factory=tuple)
    report: str = ""
    since: datetime | None = None

    def where(self, cursor: db.Cursor) -> tuple[str, dict[str, Any]]:
        """The SQL condition over events and its parameters."""
        parts: list[str] = ["true"]
        values: dict[str, Any] = {}
        if self.actor:
            parts.append("list_contains($actor, actor_id)")
            values["actor"] = list(self.actor)
        if self.kind:
            parts.append("list_contains($kind, kind)")
            values["kind"] = list(self.kind)
        if self.report:
            parts.append("seq IN (SELECT unnest($numbers))")
            values["numbers"] = concerning(cursor, self.report)
        if self.since:
            parts.append("done_at >= $since")
            values["since"] = db.naive(self.since)
        return " AND ".join(parts), values


def events(cursor: db.Cursor, chosen: Filter, page: int = 1, size: int = 25) -> tuple[list[Event], int]:
    """One page of events, newest first, and how many the filter finds in all."""
    condition = chosen.where(cursor)
    total = int(db.value(cursor, f"SELECT count(*) FROM events WHERE {condition[0]}", condition[1]) or 0)
    return _newest(cursor, condition, size, (page - 1) * size), total


def _newest(cursor: db.Cursor, condition: tuple[str, dict[str, Any]], size: int, offset: int) -> list[Event]:
    where, values = condition
    found = _read(
        cursor,
        f"WHERE {where} ORDER BY seq DESC LIMIT $size OFFSET $offset",
        {**values, "size": size, "offset": offset},
    )
    undos = _read(
        cursor,
        "WHERE kind = $kind AND subject IN (SELECT unnest($subjects)) ORDER BY seq",
        {"kind": UNDONE, "subjects": sorted({event.subject for event in found})},
    )
    return _marked(found, undos)


def event(cursor: db.Cursor, seq: int) -> Event:
    """One event by its number. Raises NotFound."""
    subject = db.value(cursor, "SELECT subject FROM events WHERE seq = ?", [seq])
    if subject is None:
        raise NotFound("event", f"there is no event {seq}")
    return history(cursor, subject, seq)[0]


def history(cursor: db.Cursor, subject: str, first: int = 1) -> list[Event]:
    """The events of one subject from number `first` on, oldest first."""
    found = _read(
        cursor,
        "WHERE subject = $subject AND seq >= $first ORDER BY seq",
        {"subject": subject, "first": first},
    )
    return _marked(found, [event for event in found if event.undoes])


# An undo takes an event back, and the undo of that undo does it again: of an event that an odd number of undos
# lead back to, the last one stands.
_UNDONE = """
WITH RECURSIVE undos AS MATERIALIZED (
    SELECT seq, CAST(data ->> 'undone' AS BIGINT) AS undone FROM events WHERE kind = $undo),
chains (first, seq) AS (
    SELECT undone, seq FROM undos WHERE undone NOT IN (SELECT seq FROM undos)
    UNION ALL SELECT first, undos.seq FROM chains JOIN undos ON undos.undone = chains.seq)
SELECT first FROM chains GROUP BY first HAVING count(*) % 2 = 1
"""


def newest_standing(cursor: db.Cursor, actor_id: str, kinds: Collection[str]) -> Event | None:
    """The newest event of one of these kinds, undos apart, that this person has made and nobody has undone."""
    seq = db.value(
        cursor,
        f"SELECT max(seq) FROM events WHERE actor_id = $who AND list_contains($kinds, kind) AND seq NOT IN ({_UNDONE})",
        {"who": actor_id, "kinds": sorted(kinds), "undo": UNDONE},
    )
    return None if seq is None else event(cursor, seq)


def whole_history(cursor: db.Cursor, report_id: str) -> list[Event]:
    """The history of a report, oldest first: its own events, and the latest of those that concern it as well."""
    own = _read(cursor, "WHERE subject = $subject", {"subject": report_id})
    found = [*own, *map(_event, _elsewhere(cursor, report_id)[-ELSEWHERE:])]
    found.sort(key=lambda event: event.seq)
    return _marked(found, [event for event in found if event.undoes])


def concerning(cursor: db.Cursor, name: str) -> list[int]:
    """The numbers of all events that concern what has this name: a report, by either of its ids, or a cluster."""
    found = db.rows(
        cursor,
        "SELECT report_id AS name FROM reports WHERE external_id = $name UNION SELECT $name",
        {"name": name},
    )
    names = [row["name"] for row in found]
    own = db.rows(cursor, "SELECT seq FROM events WHERE subject IN (SELECT unnest(?))", [names])
    # A decision on two clusters is filed under one and names the other; what takes it back names it again.
    second = db.rows(
        cursor,
        "SELECT seq FROM events WHERE list_contains($kinds, kind) AND contains(data, $other)",
        {"kinds": ["group.decided", UNDONE], "other": f'"other_id":{json.dumps(name)}'},
    )
    shared = (row for one in names for row in _elsewhere(cursor, one))
    return sorted({row["seq"] for row in (*own, *second, *shared)})


def _elsewhere(cursor: db.Cursor, name: str) -> list[db.Row]:
    """The rows of the events that concern a report and are filed under another name, the oldest first."""
    # What a person says of a report together with others is stored with its moment, which the event shares.
    said = db.rows(
        cursor,
        "SELECT DISTINCT subject, done_at FROM said_of WHERE name = $name AND subject <> $name",
        {"name": name},
    )
    if not said:
        return []
    found = db.rows(
        cursor,
        f"SELECT {_COLUMNS} FROM events JOIN (SELECT unnest($subjects) AS subject, unnest($moments) AS done_at)"
        " USING (subject, done_at) ORDER BY seq",
        {
            "subjects": [row["subject"] for row in said],
            "moments": [db.naive(row["done_at"]) for row in said],
        },
    )
    # The same moment may hold more of that subject. No text in canonical JSON can look like a name or a key of ours:
    # quotes inside a text are escaped. It is asked here, since DuckDB would ask it of every event before it joins.
    quoted = json.dumps(name)
    return [
        row
        for row in found
        if row["kind"] in _SHARED and (quoted in row["data"] or '"made":[' in row["data"])
    ]


def batch(cursor: db.Cursor, number: int) -> list[Event]:
    """The events of the bulk decision that begins with this number, oldest first; `undone_by` is left out."""
    # One command has one moment, which tells DuckDB where to stop reading.
    found = _read(
        cursor,
        "WHERE seq >= $first AND done_at = (SELECT done_at FROM events WHERE seq = $first) ORDER BY seq",
        {"first": number},
    )
    return [event for event in found if event.data.get("batch") == number]


def ending(cursor: db.Cursor, number: int, after: int) -> Event:
    """The last event, after number `after`, that took this decision on a group out of force."""
    found = _read(
        cursor,
        "WHERE seq > $after AND contains(data, '\"ended\":[') ORDER BY seq DESC",
        {"after": after},
    )
    return next(event for event in found if number in event.data["ended"])


def value_after(name: str, event: Event, later: Sequence[Event], present: Mapping[str, Any]) -> Any:
    """A column of what events change, as it was right after `event`, from those after it and the present row."""
    if name in event.after:
        return event.after[name]
    return next((other.before[name] for other in later if name in other.before), present[name])


def actors(cursor: db.Cursor) -> list[str]:
    """Everybody who has done something, the busiest first."""
    return _distinct(cursor, "actor_id")


def kinds(cursor: db.Cursor) -> list[str]:
    """Every kind of event that has happened, the most frequent first."""
    return _distinct(cursor, "kind")


def _distinct(cursor: db.Cursor, column: str) -> list[str]:
    found = db.rows(cursor, f"SELECT {column} AS v, count(*) AS n FROM events GROUP BY v ORDER BY n DESC, v")
    return [row["v"] for row in found]


def _read(cursor: db.Cursor, condition: str, values: dict[str, Any]) -> list[Event]:
    return list(map(_event, db.rows(cursor, f"SELECT {_COLUMNS} FROM events {condition}", values)))


def _event(row: db.Row) -> Event:
    return Event(**{**row, "data": cases.decode(row["data"])})


def _marked(found: Sequence[Event], undos: Sequence[Event]) -> list[Event]:
    """The events with `undone_by`; `undos` in order, at least every undo of these and of each other."""
    standing: dict[int, int] = {}
    for undo in reversed(undos):  # an undo is younger than what it undoes, so whether it stands is known here
        if undo.undoes is not None and undo.seq not in standing:
            standing.setdefault(undo.undoes, undo.seq)
    return [replace(event, undone_by=standing.get(event.seq)) for event in found]
