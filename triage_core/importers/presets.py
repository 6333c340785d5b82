"""Presets: mappings of columns, kept under a name for the next file from the same source; the desk shares them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from triage_core import access, db
from triage_core.access import Command
from triage_core.desk.decision import check_text
from triage_core.errors import NotFound, Refused
from triage_core.importers.mapping import ColumnMapping
from triage_core.model import Actor
from triage_core.store import Store

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    mapping: ColumnMapping
    saved_at: datetime
    saved_by: str


def save(store: Store, actor: Actor, name: str, mapping: ColumnMapping) -> None:
    """Keep a mapping under a name; the same one a second time changes nothing.

    Raises Refused for a name that is no short line of words, or is that of another mapping.
    """
    access.require(actor, Command.IMPORT_REPORTS)
    if not name or name != name.strip() or not name.isprintable():
        raise Refused("preset", "needs a name, one line of words without spaces around it")
    check_text("preset", name, LONGEST_NAME)
    with store.write(actor, Command.IMPORT_REPORTS) as work:
        known = {preset.name: preset.mapping for preset in listing(work.cursor)}
        if known.get(name) == mapping:
            return
        if name in known:
            raise Refused("preset", f"{name!r} is another mapping already: delete it, or give another name")
        columns = dict(mapping.columns)
        row = {"name": name, "columns": json.dumps(columns), "saved_at": work.now}
        db.insert(work.cursor, "import_presets", [{**row, "actor_id": actor.actor_id}])
        work.event("preset.saved", f"preset {name}", {"columns": columns})


def delete(store: Store, actor: Actor, name: str) -> None:
    """Forget a preset; what was imported by it stays. Raises NotFound."""
    access.require(actor, Command.IMPORT_REPORTS)
    with store.write(actor, Command.IMPORT_REPORTS) as work:
        named(work.cursor, name)
        work.cursor.execute("DELETE FROM import_presets WHERE name = ?", [name])
        work.event("preset.deleted", f"preset {name}", {})


def named(cursor: db.Cursor, name: str) -> Preset:
    """The preset of this name. Raises NotFound."""
    for preset in listing(cursor):
        if preset.name == name:
            return preset
    raise NotFound("preset", f"there is no preset {name!r}: `presets list` names all")


def listing(cursor: db.Cursor) -> list[Preset]:
    """Every preset, by name."""
    found = db.rows(cursor, "FROM import_presets ORDER BY name")
    return [
        Preset(row["name"], ColumnMapping(json.loads(row["columns"])), row["saved_at"], row["actor_id"])
        for row in found
    ]
