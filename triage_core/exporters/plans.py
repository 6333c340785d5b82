"""Datasets that are built again and again, and versions that are no longer kept.

Nothing here runs by itself: the operator's scheduler calls `build_due` (python -m triage_core datasets
build-due), say every night, and it builds what is due by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from triage_core import access, db
from triage_core.access import Command
from triage_core.errors import NotFound, Refused
from triage_core.exporters import build as exports
from triage_core.exporters import catalog, manifest
from triage_core.exporters.request import ExportRequest
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.store import Store, Work

LONGEST = 366

_LATEST = (
    "SELECT name, version, created_at FROM datasets"
    " QUALIFY row_number() OVER (PARTITION BY name ORDER BY created_at DESC, version DESC) = 1"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A dataset that is built every so many days: its latest version, and when the next is due."""

    name: str
    every_days: int
    latest: str
    next_at: datetime


def plan(store: Store, actor: Actor, name: str, every_days: int, *, now: datetime | None = None) -> None:
    """Have the next version of a dataset built after so many days, as its latest one was; 0 ends the plan.

    Raises NotFound without such a dataset, Refused for a number that is none of 0 to `LONGEST`.
    """
    access.require(actor, Command.EXPORT_DATASET)
    if not 0 <= every_days <= LONGEST:
        raise Refused("every_days", f"0 to {LONGEST}")
    with store.write(actor, Command.EXPORT_DATASET, now) as work:
        _require_dataset(work.cursor, name)
        before = db.value(work.cursor, "SELECT every_days FROM dataset_plans WHERE name = ?", [name]) or 0
        if before == every_days:
            return
        work.cursor.execute(
            "INSERT INTO dataset_plans VALUES (?, ?) ON CONFLICT DO UPDATE SET every_days = excluded.every_days",
            [name, every_days],
        )
        work.event("dataset.planned", name, {"before": before, "after": every_days})


def plans(cursor: db.Cursor) -> list[Plan]:
    """Every plan in force, the next one due first."""
    found = db.rows(
        cursor,
        "SELECT p.*, version, greatest(created_at, looked_at) AS looked_at"
        f" FROM dataset_plans p JOIN ({_LATEST}) l USING (name)"
        " LEFT JOIN (SELECT subject, max(done_at) AS looked_at FROM events WHERE kind = 'dataset.unchanged'"
        " GROUP BY subject) ON subject = concat(l.name, '/', version) WHERE every_days > 0",
    )
    made = [
        Plan(
            row["name"],
            row["every_days"],
            row["version"],
            row["looked_at"] + timedelta(days=row["every_days"]),
        )
        for row in found
    ]
    return sorted(made, key=lambda one: (one.next_at, one.name))


def build_due(
    store: Store, policy: Policy, actor: Actor, told: Callable[[str, int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Build the next version of each dataset that is due; gives {name, version, rows, diff} or {name, refused}.

    Where nothing changed since the latest version none is made: {name, version, unchanged}, and the next look is due
    when the next version would have been. One that is refused (a near-copy across the split, say) stops none of the
    others. `told` gets the name, and how many of how many reports have been read.
    """
    access.require(actor, Command.EXPORT_DATASET)
    with store.read() as cursor:
        now = store.clock()
        due = [one for one in plans(cursor) if one.next_at <= now]
        latest = {version.name: version for version in catalog.latest(cursor)}
    done: list[dict[str, Any]] = []
    for one in due:
        before = latest[one.name]
        request = ExportRequest.of_manifest(before.manifest, before.folder.parent.parent)
        progress = partial(told, one.name) if told else None
        try:
            made = exports.build_changed(store, policy, actor, request, progress)
        except Refused as error:
            done.append({"name": one.name, "refused": str(error)})
            continue
        if made is None:
            with store.write(actor, Command.EXPORT_DATASET) as work:
                work.event("dataset.unchanged", f"{one.name}/{one.latest}", {})
            done.append({"name": one.name, "version": one.latest, "unchanged": True})
        else:
            done.append({part: made[part] for part in ("name", "version", "rows", "diff")})
    return done


def retire(
    store: Store,
    actor: Actor,
    name: str,
    *,
    version: str = "",
    keep: int = 0,
    now: datetime | None = None,
) -> list[str]:
    """Delete the files of one version, or of all but the latest `keep`; gives the versions, the oldest first.

    What is known of a version stays: its manifest, its rows' hash, the split of its reports. Only files that the
    manifest names are deleted. Doing it twice is doing it once. Raises NotFound, and Refused for the latest version,
    from which the next one is told apart.
    """
    access.require(actor, Command.EXPORT_DATASET)
    if bool(version) == bool(keep) or keep < 0:
        raise Refused("keep", "either a version to retire, or how many of the latest to keep, 1 at least")
    with store.write(actor, Command.EXPORT_DATASET, now) as work:
        _require_dataset(work.cursor, name)
        found = db.rows(
            work.cursor,
            "SELECT version, folder, manifest FROM datasets WHERE name = ? ORDER BY created_at, version",
            [name],
        )
        known = [row["version"] for row in found]
        if version and version not in known:
            raise NotFound("version", f"there is no version {version!r} of {name}")
        if version == known[-1]:
            raise Refused("version", f"{version} is the latest: the next one is compared with it")
        gone = [row for row in found if row["version"] == version] if version else found[:-keep]
        for row in gone:
            _note(work, name, row["version"])
    for row in gone:
        _delete(Path(row["folder"]), json.loads(row["manifest"]))
    return [row["version"] for row in gone]


def _note(work: Work, name: str, version: str) -> None:
    values = [name, version]
    if db.value(work.cursor, "SELECT 1 FROM dataset_retirements WHERE name = ? AND version = ?", values):
        return
    row = {"name": name, "version": version, "done_at": work.now, "actor_id": work.actor.actor_id}
    db.insert(work.cursor, "dataset_retirements", [row])
    work.event("dataset.retired", f"{name}/{version}", {})


def _delete(folder: Path, account: dict[str, Any]) -> None:
    """The files of a version, and its folders where nothing else lies in them."""
    paths = [folder / file["path"] for file in account["files"]] + [folder / manifest.FILE]
    for path in paths:
        path.unlink(missing_ok=True)
    inner = sorted({path.parent for path in paths if path.parent != folder})
    for place in [*inner, folder]:
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _require_dataset(cursor: db.Cursor, name: str) -> None:
    if not db.value(cursor, "SELECT 1 FROM datasets WHERE name = ? LIMIT 1", [name]):
        raise NotFound("dataset", f"there is no dataset {name!r}")
