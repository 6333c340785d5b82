"""What the command line can ask for, as a table: name, function, plain JSON in and out.

The same functions run in the command's own process when no server holds the store, and inside
the running server otherwise (control.py); so what they take and give is JSON.
"""

from __future__ import annotations

import getpass
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from triage_core import archive, boards, db, importers, intake, queries, triage, verification
from triage_core.decision import Decision
from triage_core.errors import NotFound, Refused
from triage_core.exporters import build as exports
from triage_core.likeness.axes import Axis
from triage_core.model import (
    Actor,
    DeskRole,
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Resolution,
    Severity,
    SeverityInputs,
    TrainingConsent,
    Uplift,
)
from triage_core.runtime import Runtime

BATCH = 500


@dataclass(frozen=True, slots=True)
class Emit:
    """Where a running operation sends what it has: progress (done, total, of what) and single items."""

    progress: Callable[[int, int, str], None] = lambda done, total, what: None
    item: Callable[[Any], None] = lambda item: None


def command_line_actor() -> Actor:
    """Whoever can read the store's folder can do everything; the user's name goes into each event."""
    user = getpass.getuser()
    return Actor(f"cli:{user}", user, frozenset(DeskRole))


def import_files(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Import files line by line; a refused line is named and the rest goes on.

    Committed in batches: an interrupted import keeps what it has acknowledged, and importing the
    same file again goes on from there.
    """
    actor = command_line_actor()
    total = {"received": 0, "stored": 0, "exact_duplicates": 0, "already_known": 0}
    refused: list[dict[str, Any]] = []
    for name in params["files"]:
        path = Path(name)
        lines = importers.read(path, importers.Format(params.get("format", "auto")))
        while batch := list(itertools.islice(lines, BATCH)):
            total["received"] += len(batch)
            incoming = [intake.Incoming(line.report, line.key) for line in batch if line.report is not None]
            outcomes = iter(intake.import_batch(runtime.store, runtime.policy, actor, incoming))
            for line in batch:
                outcome = next(outcomes) if line.report is not None else line.error
                if isinstance(outcome, Refused):
                    refused.append({"file": path.name, "line": line.number, "reason": str(outcome)})
                elif outcome is not None:
                    total["already_known"] += outcome.already_known
                    total["stored"] += not outcome.already_known
                    total["exact_duplicates"] += outcome.exact_duplicate
            emit.progress(total["received"], 0, f"lines of {path.name}")
    runtime.worker.wake()
    return {**total, "refused": refused}


def index(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Embed what is not embedded and bring clusters and suggestions up to date.

    With `archive` (what archive.build gave, and its folder): takes over the archive's vectors first.
    With `rebuild`: what laying all clusters anew would change, done only with `accept`.
    """
    extra: dict[str, Any] = {}
    if built := params.get("archive"):
        brought = archive.import_result(runtime.store, command_line_actor(), Path(built["folder"]))
        extra["archive"] = {**built, "imported": brought}
    if params.get("rebuild"):
        changes = runtime.likeness.rebuild(command_line_actor(), bool(params.get("accept")))
        accepted = bool(params.get("accept"))
        changed = {axis: asdict(change) for axis, change in changes.items()}
        return {"accepted": accepted, "changes": changed, **extra}
    done = runtime.likeness.refresh(
        command_line_actor(), lambda count, total: emit.progress(count, total, "reports embedded")
    )
    return {"embedded": done.embedded, "clusters": done.clusters, "seconds": round(done.seconds, 3), **extra}


def similar(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """The reports most like one report, one text, or (with `all`) each report, best first."""
    axis = Axis(params.get("axis", "whole"))
    k = int(params.get("k", 10))
    if k < 1:
        raise Refused("k", "at least 1")
    if params.get("all"):
        with runtime.store.read() as cursor:
            names = queries.external_ids(cursor)
        for report_id, found in runtime.likeness.all_similar(k, axis):
            neighbours = [
                {"report_id": item.report_id, "external_id": names.get(item.report_id), "score": item.score}
                for item in found
            ]
            emit.item({"report_id": report_id, "external_id": names.get(report_id), "neighbours": neighbours})
        return []
    if params.get("text") is not None:
        return _named(runtime, runtime.likeness.similar_text(params["text"], k, axis))
    with runtime.store.read() as cursor:
        if params.get("external_id"):
            report_id = triage.find_external(cursor, params["external_id"])
        else:
            report_id = triage.find(cursor, params.get("report") or "")
    near = _named(runtime, runtime.likeness.similar(report_id, k, axis))
    for item in near:
        why = runtime.likeness.explain(report_id, item["report_id"])
        item["probability"] = why.probability
        item["reasons"] = [reason for reason, _ in why.reasons[:3]]
    return near


def explain(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Why two reports are alike or not: the axes, a probability with its reasons, shared spans, other words."""
    with runtime.store.read() as cursor:
        one, other = triage.find(cursor, params["one"]), triage.find(cursor, params["other"])
    found = runtime.likeness.explain(one, other)
    return {
        "a": one,
        "b": other,
        "whole": found.whole,
        "technique": found.technique,
        "request": found.request,
        "probability": found.probability,
        "reasons": [{"reason": reason, "log_odds": weight} for reason, weight in found.reasons],
        "shared_spans": {"a": found.shared_a, "b": found.shared_b},
        "differing_words": {"a": found.only_a, "b": found.only_b},
    }


def clusters(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """One row a report: the cluster it is in and that cluster's representative."""
    with runtime.store.read() as cursor:
        return db.rows(
            cursor,
            "SELECT m.report_id, r.external_id, m.cluster_id, k.representative_id AS representative"
            " FROM memberships m JOIN reports r USING (report_id)"
            " JOIN clusters k ON k.axis = m.axis AND k.cluster_id = m.cluster_id WHERE m.axis = ? ORDER BY r.seq",
            [Axis(params.get("axis", "whole"))],
        )


def duplicates(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Suggested duplicate pairs that nobody has decided on, surest first."""
    with runtime.store.read() as cursor:
        return [
            {
                "report_id": row["later_id"],
                "canonical_id": row["earlier_id"],
                "external_id": row["later_external_id"],
                "canonical_external_id": row["earlier_external_id"],
                "score": row["score"],
                "basis": row["basis"],
            }
            for row in boards.suggested_pairs(cursor)
        ]


def assess(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Decide on a report; gives its new state."""
    names = ("harm", "exposure", "generality", "reliability", "uplift")
    given = [name for name in names if params.get(name)]
    inputs = None
    if given:
        missing = [name for name in names if name not in given]
        if missing:
            raise Refused(missing[0], "severity takes all five inputs: " + ", ".join(names))
        inputs = SeverityInputs(
            _enum(Harm, params, "harm"),
            _enum(Exposure, params, "exposure"),
            _enum(Generality, params, "generality"),
            _enum(Reliability, params, "reliability"),
            _enum(Uplift, params, "uplift"),
        )
    decision = Decision(
        clauses=tuple(params.get("clauses") or ()),
        inputs=inputs,
        resolution=_enum(Resolution, params, "resolution") if params.get("resolution") else None,
        note=params.get("note") or "",
        override=_enum(Severity, params, "override") if params.get("override") else None,
        override_reason=params.get("override_reason") or "",
        exploitation=_enum(Exploitation, params, "exploitation") if params.get("exploitation") else None,
        better_answer=params.get("better_answer") or "",
        consent=_enum(TrainingConsent, params, "consent") if params.get("consent") else None,
        reproduction_log=params.get("reproduction_log") or "",
    )
    with runtime.store.read() as cursor:
        report_id = triage.find(cursor, params["report"])
    case = triage.assess(runtime.store, runtime.policy, command_line_actor(), report_id, decision)
    return _case(runtime, case)


def link(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Mark one report as a duplicate of an earlier one."""
    with runtime.store.read() as cursor:
        child, canonical = triage.find(cursor, params["child"]), triage.find(cursor, params["canonical"])
    reason = params.get("reason") or ""
    return _case(runtime, triage.link(runtime.store, command_line_actor(), child, canonical, reason=reason))


def unlink(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Take a duplicate link back."""
    with runtime.store.read() as cursor:
        child = triage.find(cursor, params["child"])
    reason = params.get("reason") or ""
    return _case(runtime, triage.unlink(runtime.store, command_line_actor(), child, reason=reason))


def export(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Build a dataset; gives its manifest."""
    request = exports.ExportRequest.from_json(params)
    actor = command_line_actor()
    return exports.build(
        runtime.store,
        runtime.policy,
        actor,
        request,
        lambda done, total: emit.progress(done, total, "reports read"),
    )


def stats(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """How much the store holds, and in which states."""
    with runtime.store.read() as cursor:
        return {
            **queries.counts(cursor),
            "by_state": queries.by_state(cursor),
            "clusters": queries.cluster_counts(cursor),
            "policy_version": runtime.policy.version,
        }


def verify(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Check the audit chain, its anchor, and that every count agrees. Raises ChainBroken."""
    return {"ok": True, "events": verification.verify(runtime.store)}


Operation = Callable[[Runtime, Mapping[str, Any], Emit], Any]
OPERATIONS: Mapping[str, Operation] = {
    "import": import_files,
    "index": index,
    "similar": similar,
    "explain": explain,
    "clusters": clusters,
    "duplicates": duplicates,
    "assess": assess,
    "link": link,
    "unlink": unlink,
    "export": export,
    "stats": stats,
    "verify": verify,
}


def run(runtime: Runtime, operation: str, params: Mapping[str, Any], emit: Emit) -> Any:
    """Run one operation of the table. Raises NotFound for a name that is not in it."""
    if operation not in OPERATIONS:
        raise NotFound("operation", f"there is no operation {operation!r}")
    return OPERATIONS[operation](runtime, params, emit)


def _enum(kind: Any, params: Mapping[str, Any], name: str) -> Any:
    try:
        return kind(params[name])
    except ValueError as error:
        values = ", ".join(kind)
        raise Refused(name, f"one of {values}, not {params[name]!r}") from error


def _case(runtime: Runtime, case: Mapping[str, Any]) -> dict[str, Any]:
    names = ("report_id", "status", "resolution", "canonical_id", "severity", "priority", "version")
    with runtime.store.read() as cursor:
        external = queries.external_ids(cursor, [case["report_id"]])
    return {**{name: case[name] for name in names}, "external_id": external.get(case["report_id"])}


def _named(runtime: Runtime, found: list[Any]) -> list[dict[str, Any]]:
    with runtime.store.read() as cursor:
        names = queries.external_ids(cursor, [item.report_id for item in found])
    return [
        {
            "report_id": item.report_id,
            "external_id": names.get(item.report_id),
            "score": item.score,
            "exact": item.exact,
        }
        for item in found
    ]
