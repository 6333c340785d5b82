"""Demo reports and decisions for the first start, so that no screen is empty.

The files hold days before now, so that the demo always looks like the last four months.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from triage_core import intake, queries, reportformat, triage
from triage_core.decision import Decision
from triage_core.errors import Refused
from triage_core.model import (
    Actor,
    DeskRole,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Resolution,
    SeverityInputs,
    Uplift,
)
from triage_core.runtime import Runtime
from triage_core.settings import ROOT

log = logging.getLogger(__name__)

FOLDER = ROOT / "data" / "demo"
IMPORTER = Actor("demo", "Demo", frozenset({DeskRole.OPERATOR}))


def load_demo(runtime: Runtime, folder: Path = FOLDER) -> int:
    """Load the demo into an empty store; gives the number of reports, 0 when the store is not empty.

    Raises Refused when the demo files break a rule of the intake.
    """
    with runtime.store.read() as cursor:
        if queries.counts(cursor)["reports"]:
            return 0
    now = runtime.store.clock()
    submitted: dict[str, datetime] = {}
    batch = []
    for line in _lines(folder / "reports.jsonl"):
        at = now - timedelta(days=line.pop("demo_days_ago"))
        submitted[line["external_id"]] = at
        report = reportformat.parse({**line, "submitted_at": at.isoformat()}, imported=True)
        batch.append(intake.Incoming(report, f"id:{report.external_id}"))
    batch.sort(key=lambda item: submitted[str(item.report.external_id)])
    receipts = intake.import_batch(runtime.store, runtime.policy, IMPORTER, batch)
    ids = {}
    for receipt in receipts:
        if isinstance(receipt, Refused):
            raise receipt
        ids[receipt.external_id] = receipt.report_id
    decisions = sorted(_lines(folder / "decisions.jsonl"), key=lambda d: submitted[d["external_id"]])
    for decision in decisions:
        at = submitted[decision["external_id"]] + timedelta(hours=decision["after_hours"])
        if at < now:
            _decide(runtime, decision, ids, at)
    return len(ids)


def _decide(
    runtime: Runtime, decision: Mapping[str, Any], ids: Mapping[str | None, str], at: datetime
) -> None:
    name = decision["reviewer"]
    actor = Actor(f"demo:{name}", name.title(), frozenset({DeskRole.REVIEWER}))
    report_id = ids[decision["external_id"]]
    if decision.get("duplicate_of"):
        canonical = ids[decision["duplicate_of"]]
        triage.link(runtime.store, actor, report_id, canonical, reason=decision.get("note", ""), now=at)
        return
    inputs = None
    if decision.get("harm"):
        inputs = SeverityInputs(
            Harm(decision["harm"]),
            Exposure(decision["exposure"]),
            Generality(decision["generality"]),
            Reliability(decision["reliability"]),
            Uplift(decision["uplift"]),
        )
    resolution = decision.get("resolution")
    made = Decision(
        clauses=tuple(decision["clauses"]),
        inputs=inputs,
        resolution=Resolution(resolution) if resolution else None,
        note=decision.get("note", ""),
        better_answer=decision.get("better_answer") or "",
        reproduction_log=decision.get("reproduction_log", ""),
    )
    triage.assess(runtime.store, runtime.policy, actor, report_id, made, now=at)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
