"""Demo reports and decisions for the first start, so that no screen is empty.

The files hold days before now, so that the demo always looks like the last four months.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from triage_core import db, queries
from triage_core.channel import intake, reportformat
from triage_core.desk import answers, preferred, triage
from triage_core.desk.decision import Decision
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
from triage_core.runtime import SYSTEM, Runtime
from triage_core.settings import ROOT

FOLDER = ROOT / "data" / "demo"
APPROVED_BY = {"mara": "jonas", "jonas": "mara"}
"""Whose better answers whom else approves; those of others wait on Answers."""
IMPORTER = Actor("demo", "Demo", frozenset({DeskRole.OPERATOR}))
_BY_OTHERS = "SELECT 1 FROM events WHERE actor_id <> ? AND NOT starts_with(actor_id, 'demo') LIMIT 1"
_DECIDED = "SELECT DISTINCT subject FROM events WHERE starts_with(actor_id, 'demo:')"


def load_demo(runtime: Runtime, folder: Path = FOLDER) -> int:
    """Load the demo, or the rest of it where a start was cut short; gives the number of its reports.

    Does nothing and gives 0 in a store in which anybody else has done anything. Raises Refused when the
    demo files break a rule of the intake.
    """
    with runtime.store.read() as cursor:
        if db.value(cursor, _BY_OTHERS, [SYSTEM.actor_id]):
            return 0
        begun = queries.counts(cursor)["reports"] > 0
    if not begun:
        _import(runtime, folder)
    with runtime.store.read() as cursor:
        reports = db.rows(cursor, "SELECT external_id, report_id, received_at FROM reports")
        decided = {row["subject"] for row in db.rows(cursor, _DECIDED)}
    ids = {row["external_id"]: row["report_id"] for row in reports}
    submitted = {row["external_id"]: row["received_at"] for row in reports}
    # An older release may have brought other reports: decisions on what is not there are passed over.
    decisions = [line for line in _lines(folder / "decisions.jsonl") if line["external_id"] in ids]
    made = [
        (submitted[line["external_id"]] + timedelta(hours=line["after_hours"]), line) for line in decisions
    ]
    # As they were made, not as the reports came in: events are listed in the order of their recording.
    for at, decision in sorted(made, key=lambda one: one[0]):
        name = decision["external_id"]
        if ids[name] not in decided and at < runtime.store.clock():
            _decide(runtime, decision, ids, at)
    return len(ids)


def _import(runtime: Runtime, folder: Path) -> None:
    now = runtime.store.clock()
    submitted: dict[str, datetime] = {}
    batch = []
    for line in _lines(folder / "reports.jsonl"):
        at = now - timedelta(days=line.pop("demo_days_ago"))
        submitted[line["external_id"]] = at
        report = reportformat.parse({**line, "submitted_at": at.isoformat()}, imported=True)
        batch.append(intake.Incoming(report, f"id:{report.external_id}"))
    batch.sort(key=lambda item: submitted[str(item.report.external_id)])
    for receipt in intake.import_batch(runtime.store, runtime.policy, IMPORTER, batch):
        if isinstance(receipt, Refused):
            raise receipt


def _decide(runtime: Runtime, decision: Mapping[str, Any], ids: Mapping[str, str], at: datetime) -> None:
    name = decision["reviewer"]
    actor = _reviewer(name)
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
    if made.better_answer and name in APPROVED_BY:
        with runtime.store.read() as cursor:
            number = preferred.in_force(cursor, report_id).answer_id
        answers.approve(runtime.store, _reviewer(APPROVED_BY[name]), report_id, number, now=at)


def _reviewer(name: str) -> Actor:
    return Actor(f"demo:{name}", name.title(), frozenset({DeskRole.REVIEWER}))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
