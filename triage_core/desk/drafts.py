"""Drafts: what a reviewer has entered and not decided yet, kept over a reload.

A draft is of a report, named by its id, or of what `of_look` and `of_many` name: an answer to a second look, or one
decision for many reports. It is nobody else's business: it writes no event, changes no case and no version. That of a
report is over when its author decides on it, by an assessment or a duplicate link; the others when they are emptied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from triage_core import access, cases, db
from triage_core.desk.decision import MAX_ANSWER, check_text
from triage_core.errors import Refused
from triage_core.model import Actor
from triage_core.store import Store

FIELDS = frozenset(
    {
        "clauses",
        "harm",
        "exposure",
        "generality",
        "reliability",
        "uplift",
        "exploitation",
        "override",
        "override_reason",
        "resolution",
        "log",
        "note",
        "better",
        "question",
        "retest",
    }
)
"""What a draft may hold: `clauses` is a list of clause ids, everything else a text."""

_DECIDED = ("report.assessed", "report.linked")
_LOOK, _MANY = "look ", "many "


def of_look(look_id: int) -> str:
    """Names the actor's own decision on a second look, apart from any other on the same report."""
    return f"{_LOOK}{look_id}"


def of_many(report_ids: Iterable[str]) -> str:
    """Names one decision for exactly these reports, in whatever order."""
    return _MANY + hashlib.sha256("\n".join(sorted(report_ids)).encode()).hexdigest()[:16]


def save(
    store: Store, actor: Actor, of: str, fields: Mapping[str, Any], *, now: datetime | None = None
) -> None:
    """Keep what the actor has entered for what `of` names, in place of what was kept before.

    `fields` are some of `FIELDS`; empty ones are left out, and nothing at all ends the draft. Raises
    NotFound without such a report, Refused naming the field that cannot be kept.
    """
    command = access.Command.ADJUDICATE if of.startswith(_LOOK) else access.Command.ASSESS
    access.require(actor, command)
    kept = {name: value for name, value in fields.items() if value}
    for name, value in kept.items():
        _check(name, value)
    with store.write(actor, command, now) as work:
        if not of.startswith((_LOOK, _MANY)):
            cases.read(work.cursor, of)
        if not kept:
            whose = [of, actor.actor_id]
            work.cursor.execute("DELETE FROM drafts WHERE report_id = ? AND actor_id = ?", whose)
            return
        # The column is named for what most drafts are of.
        work.cursor.execute(
            "INSERT INTO drafts (report_id, actor_id, fields, after_seq, saved_at)"
            " VALUES (?, ?, ?, (SELECT coalesce(max(seq), 0) FROM events), ?)"
            " ON CONFLICT (report_id, actor_id) DO UPDATE SET fields = excluded.fields,"
            " after_seq = excluded.after_seq, saved_at = excluded.saved_at",
            [of, actor.actor_id, json.dumps(kept), db.naive(work.now)],
        )


def read(cursor: db.Cursor, actor: Actor, of: str) -> dict[str, Any]:
    """The actor's own draft of what `of` names, by field; empty when there is none or it is over."""
    found = db.value(
        cursor,
        "SELECT d.fields FROM drafts d WHERE d.report_id = $report AND d.actor_id = $actor AND NOT EXISTS"
        " (SELECT 1 FROM events e WHERE e.subject = $report AND e.actor_id = $actor AND e.seq > d.after_seq"
        " AND list_contains($decided, e.kind))",
        {"report": of, "actor": actor.actor_id, "decided": list(_DECIDED)},
    )
    fields: dict[str, Any] = json.loads(found) if found else {}
    return fields


def _check(name: str, value: Any) -> None:
    if name not in FIELDS:
        raise Refused(name, f"a draft holds {', '.join(sorted(FIELDS))}")
    texts = value if name == "clauses" and isinstance(value, list) else [value]
    for text in texts:
        if not isinstance(text, str):
            raise Refused(name, "is a text; clauses are a list of texts")
        check_text(name, text, MAX_ANSWER)
