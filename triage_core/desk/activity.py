"""What has happened: the events of the audit chain, filtered and paged in SQL, with what was undone.

An undo is an event itself. It stands until it is undone in turn, and an event counts as undone
while an undo of it stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from triage_core import cases, db
from triage_core.errors import NotFound

UNDONE = "event.undone"
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
    """Which events a list shows; empty means all. `report` is a report id or an external id."""

    actor: Sequence[str] = field(default_factory=tuple)
    kind: Sequence[str] = field(default_factory=tuple)
    report: str = ""
    since: datetime | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
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
            # A pair's event is filed under its later report and names the earlier one in its canonical JSON,
            # in which no text can look like a key: quotes inside a text are escaped.
            parts.append(
                "(subject IN (SELECT report_id FROM reports WHERE report_id = $report OR external_id = $report)"
                " OR contains(data, $earlier))"
            )
            values["report"] = self.report
            values["earlier"] = f'"a_id":{json.dumps(self.report)}'
        if self.since:
            parts.append("done_at >= $since")
            values["since"] = db.naive(self.since)
        return " AND ".join(parts), values


def events(cursor: db.Cursor, chosen: Filter, page: int = 1, size: int = 25) -> tuple[list[Event], int]:
    """One page of events, newest first, and how many the filter finds in all."""
    where, values = chosen.where()
    total = int(db.value(cursor, f"SELECT count(*) FROM events WHERE {where}", values) or 0)
    return latest(cursor, chosen, size, (page - 1) * size), total


def latest(cursor: db.Cursor, chosen: Filter, size: int, offset: int = 0) -> list[Event]:
    """The newest `size` events of a filter after `offset` of them, newest first."""
    where, values = chosen.where()
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
    rows = db.rows(cursor, f"SELECT {_COLUMNS} FROM events {condition}", values)
    return [Event(**{**row, "data": cases.decode(row["data"])}) for row in rows]


def _marked(found: Sequence[Event], undos: Sequence[Event]) -> list[Event]:
    """The events with `undone_by`; `undos` in order, at least every undo of these and of each other."""
    standing: dict[int, int] = {}
    for undo in reversed(undos):  # an undo is younger than what it undoes, so whether it stands is known here
        if undo.undoes is not None and undo.seq not in standing:
            standing.setdefault(undo.undoes, undo.seq)
    return [replace(event, undone_by=standing.get(event.seq)) for event in found]
