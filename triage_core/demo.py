"""Demo reports, and what a made-up desk did with them, for the first start: so that no screen is empty.

The files hold days before now and hours after a report, so that the demo always looks like the last four months.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from triage_core import db, demo_acts
from triage_core.channel import intake, reportformat
from triage_core.channel.intake import Incoming
from triage_core.channel.messages import REPORTER
from triage_core.demo_acts import CAST, Scene
from triage_core.errors import Refused
from triage_core.model import Actor, Channel, DeskRole
from triage_core.runtime import SYSTEM, Runtime
from triage_core.settings import ROOT

FOLDER = ROOT / "data" / "demo"
IMPORTER = Actor("demo:files", "Demo", frozenset({DeskRole.OPERATOR}))
_ACTORS = [actor.actor_id for actor in (*CAST.values(), REPORTER)]
# A peer is in a store only where somebody else has added it.
_BY_WHOM = (
    "SELECT bool_or(NOT is_act) AS by_others, max(done_at) FILTER (is_act) AS last FROM ("
    " SELECT done_at, list_contains($actors, actor_id) OR starts_with(actor_id, 'peer:') AS is_act"
    " FROM events WHERE NOT list_contains($loading, actor_id))"
)
_Stored = Mapping[str | None, tuple[str, datetime]]


def load_demo(runtime: Runtime, folder: Path = FOLDER) -> int:
    """Load the demo, or the rest of it where a start was cut short; gives the number of its reports.

    Does nothing and gives 0 in a store in which anybody else has done anything. An act that the policy of this
    installation refuses is left out. Raises Refused when the demo files break a rule of the intake.
    """
    with runtime.store.read() as cursor:
        loading = [IMPORTER.actor_id, SYSTEM.actor_id]
        (done,) = db.rows(cursor, _BY_WHOM, {"actors": _ACTORS, "loading": loading})
    if done["by_others"]:
        return 0
    last: datetime | None = done["last"]
    now = runtime.store.clock()
    stored = _stored(runtime)
    batch = [_incoming(line, stored, now) for line in _lines(folder / "reports.jsonl")]
    if not stored:
        for receipt in intake.import_batch(runtime.store, runtime.policy, IMPORTER, batch):
            if isinstance(receipt, Refused):
                raise receipt
        stored = _stored(runtime)
    acts = [
        (stored[line["external_id"]][1] + timedelta(hours=line["after_hours"]), line)
        for name in ("decisions", "acts")
        for line in _lines(folder / f"{name}.jsonl")
    ]
    # As they were done, not as the reports came in: events are listed in the order of their recording, and so the
    # last one says where a start was cut short.
    left = sorted(
        (one for one in acts if (last is None or one[0] > last) and one[0] < now), key=lambda one: one[0]
    )
    if left:
        scene = Scene(
            runtime.store,
            runtime.policy,
            {str(name): found for name, (found, _) in stored.items()},
            _keys(runtime, batch),
        )
        for at, line in left:
            demo_acts.perform(scene, line, at)
    return len(stored)


def _stored(runtime: Runtime) -> _Stored:
    """The id of each report and when it came in, by its name in the files."""
    with runtime.store.read() as cursor:
        found = db.rows(cursor, "SELECT external_id, report_id, received_at FROM reports")
    return {row["external_id"]: (row["report_id"], row["received_at"]) for row in found}


def _incoming(line: dict[str, Any], stored: _Stored, now: datetime) -> Incoming:
    name, door = line["external_id"], Channel(line.pop("demo_door", Channel.IMPORT))
    at = now - timedelta(days=line.pop("demo_days_ago"))
    if stored:
        at = stored[name][1]
    report = reportformat.parse({**line, "submitted_at": at.isoformat()}, imported=True)
    return Incoming(report, f"id:{name}", door)


def _keys(runtime: Runtime, batch: list[Incoming]) -> dict[str, str]:
    """A tracking key of each report from a public door, known in this process alone.

    Whoever delivers a report again is given another key, as the first answer may never have come: so a start that
    goes on where another was cut short has keys too, and none stands in a file.
    """
    public = [item for item in batch if item.channel is not Channel.IMPORT]
    receipts = intake.receive_all(runtime.store, runtime.policy, public)
    return {
        receipt.report_id: receipt.tracking_key
        for receipt in receipts
        if not isinstance(receipt, Refused) and receipt.tracking_key
    }


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
