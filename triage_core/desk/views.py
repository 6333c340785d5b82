"""A person's own views of the lists: the filters of a list, kept under a name.

What the filters mean is up to the screen that reads them; a view that names what no longer exists
shows less, never something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triage_core import access, db
from triage_core.desk.decision import check_text
from triage_core.errors import NotFound, Refused
from triage_core.model import Actor
from triage_core.store import Store

LONGEST_NAME = 40
LONGEST_FILTERS = 2_000
MOST = 20


@dataclass(frozen=True, slots=True)
class SavedView:
    """The filters of a list, by the name of each, as somebody saved them under `name`."""

    name: str
    filters: Mapping[str, Any]


def save(store: Store, actor: Actor, name: str, filters: Mapping[str, Any]) -> None:
    """Keep filters under a name of one's own; a view of that name is replaced.

    Raises Refused for a name without a letter or longer than `LONGEST_NAME`, for filters that are too
    long, and for more than `MOST` views.
    """
    access.require(actor, access.Command.VIEW_REPORTS)
    name = " ".join(name.split())
    if not name:
        raise Refused("name", "a view needs a name")
    check_text("name", name, LONGEST_NAME)
    text = json.dumps(filters, sort_keys=True)
    check_text("filters", text, LONGEST_FILTERS)
    with store.write(actor, access.Command.VIEW_REPORTS) as work:
        known = {view.name: view for view in of(work.cursor, actor)}
        if name in known and known[name].filters == filters:
            return
        if name not in known and len(known) >= MOST:
            raise Refused("name", f"at most {MOST} views: remove one first")
        work.cursor.execute(
            "INSERT INTO saved_views VALUES (?, ?, ?, ?) ON CONFLICT (owner_id, name)"
            " DO UPDATE SET filters = excluded.filters, saved_at = excluded.saved_at",
            [actor.actor_id, name, text, db.naive(work.now)],
        )
        work.event("view.saved", name, {})


def remove(store: Store, actor: Actor, name: str) -> None:
    """Forget a view of one's own. Raises NotFound."""
    access.require(actor, access.Command.VIEW_REPORTS)
    with store.write(actor, access.Command.VIEW_REPORTS) as work:
        if name not in {view.name for view in of(work.cursor, actor)}:
            raise NotFound("name", "you have no view of this name")
        work.cursor.execute("DELETE FROM saved_views WHERE owner_id = ? AND name = ?", [actor.actor_id, name])
        work.event("view.removed", name, {})


def of(cursor: db.Cursor, actor: Actor) -> list[SavedView]:
    """The views of one person, by name."""
    found = db.rows(
        cursor, "SELECT name, filters FROM saved_views WHERE owner_id = ? ORDER BY name", [actor.actor_id]
    )
    return [SavedView(row["name"], json.loads(row["filters"])) for row in found]
