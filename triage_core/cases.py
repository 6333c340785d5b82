"""The present state of a report: read and compared under a command, changed together with its event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from triage_core import db
from triage_core.errors import Conflict, NotFound
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
        raise Conflict("version", f"{report_id} was changed by {case['updated_by']} while you looked at it")
    return case


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
