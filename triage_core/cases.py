"""The present state of a report: read and compared under a command, changed together with its event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from triage_core import db
from triage_core.errors import Conflict, NotFound
from triage_core.model import Resolution
from triage_core.store import Work

TIMES = frozenset(
    {
        "received_at",
        "response_due",
        "triage_due",
        "fix_due",
        "first_response_at",
        "triaged_at",
        "closed_at",
        "reopened_at",
        "snoozed_until",
        "updated_at",
        "starts_at",
        "ends_at",
        "proposed_end",
        "exited_at",
    }
)
"""The columns of a case and of an embargo that hold a moment; an event's JSON holds them as text."""


def read(cursor: db.Cursor, report_id: str, seen_version: int | None = None) -> db.Row:
    """The case of a report as it stands.

    Raises NotFound, and Conflict when the version differs from the one that was seen.
    """
    case = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    if case is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    if seen_version is not None and seen_version != case["version"]:
        raise Conflict("version", f"{report_id} was changed by {_change(cursor, case, seen_version)}")
    return case


def closed_as(cursor: db.Cursor, report_id: str) -> Resolution | None:
    """As what the flaw of a report is closed, a duplicate's as its canonical report; None while it is open."""
    found = db.value(
        cursor,
        "SELECT flaw.resolution FROM cases c JOIN cases flaw ON flaw.report_id = coalesce(c.canonical_id, c.report_id)"
        " WHERE c.report_id = ?",
        [report_id],
    )
    return Resolution(found) if found else None


def _change(cursor: db.Cursor, case: db.Row, seen: int) -> str:
    """Who changed a case last after version `seen`, and what is different since, for whoever came too late."""
    found = db.rows(
        cursor,
        "SELECT done_at, actor_id, kind, data FROM events WHERE subject = ? ORDER BY seq DESC",
        [case["report_id"]],
    )
    moves = [(row, state) for row in found if _moves(state := decode(row["data"]))][: case["version"] - seen]
    if not moves:
        return f"{case['updated_by']} while you looked at it"
    old = dict(case)
    for _, state in moves:  # the earliest last: what stood before all of them
        old |= state["before"]
    last = moves[0][0]
    what = last["kind"].rpartition(".")[2].replace("_", " ")
    told = [
        f"{name} {one} → {other}"
        for name, one, other in (
            ("state", _state(old), _state(case)),
            ("severity", old["severity"] or "not assessed", case["severity"] or "not assessed"),
        )
        if one != other
    ]
    return (
        f"{by(last)} while you looked at it: {', '.join((what, *(told or [f'it is still {_state(case)}'])))}"
    )


def _moves(data: Mapping[str, Any]) -> bool:
    """Whether an event with this data changed the case: not so those of its looks, its embargo and its rewards."""
    return "after" in data and not data.keys() & {"look_id", "party", "reward_no"}


def _state(case: Mapping[str, Any]) -> str:
    return str(case["resolution"] or case["status"]).replace("_", " ")


def by(row: Mapping[str, Any]) -> str:
    """Who did something and when, for a refusal: of a row with `actor_id` and `done_at`."""
    return f"{row['actor_id']} ({row['done_at']:%d %b %Y %H:%M} UTC)"


def change(
    work: Work, case: Mapping[str, Any], kind: str, after: Mapping[str, Any], details: Mapping[str, Any]
) -> db.Row:
    """Update the case, write the event with both states, give the new case.

    The event's `before` and `after` hold the columns that really change.
    """
    changed = {name: value for name, value in after.items() if case[name] != value}
    new = dict(case) | dict(after)
    new |= {"version": case["version"] + 1, "updated_at": work.now, "updated_by": work.actor.actor_id}
    columns = [*changed, "version", "updated_at", "updated_by"]
    marks = ", ".join(f"{name} = ?" for name in columns)
    values = [db.naive(new[name]) if isinstance(new[name], datetime) else new[name] for name in columns]
    work.cursor.execute(f"UPDATE cases SET {marks} WHERE report_id = ?", [*values, case["report_id"]])
    before = {name: case[name] for name in changed}
    work.event(kind, case["report_id"], {"before": before, "after": changed, **details})
    return new


def decode(data: str) -> dict[str, Any]:
    """The data of an event, with the moments of its `before` and `after` as datetimes again."""
    found: dict[str, Any] = json.loads(data)
    for side in found.keys() & {"before", "after"}:
        state = found[side]
        for name in TIMES & state.keys():
            state[name] = datetime.fromisoformat(state[name]) if state[name] else None
    return found
