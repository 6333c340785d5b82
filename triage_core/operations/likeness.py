"""Operations of likeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triage_core import db, queries
from triage_core.archives import archive
from triage_core.channel.reportformat import MAX_CONVERSATION_CHARACTERS
from triage_core.clusters import cluster_splits
from triage_core.desk import boards, triage
from triage_core.errors import Refused
from triage_core.index import readings
from triage_core.likeness.axes import Axis
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime


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
    done = runtime.likeness.refresh(command_line_actor(), emit.progress)
    while runtime.likeness.name_clusters(command_line_actor()):
        pass
    with runtime.store.read() as cursor:
        clusters = int(db.value(cursor, "SELECT count(*) FROM clusters WHERE axis = 'whole'"))
    return {"embedded": done.embedded, "clusters": clusters, "seconds": round(done.seconds, 3), **extra}


def similar(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """The reports most like one report, one text, or (with `all`) each report, best first."""
    axis = Axis(params.get("axis", "whole"))
    k = int(params.get("k", 10))
    if k < 1:
        raise Refused("k", "at least 1")
    if params.get("all"):
        with runtime.store.read() as cursor:
            _tell_what_waits(cursor, emit)
            names = queries.external_ids(cursor)
        for report_id, found in runtime.likeness.all_similar(k, axis):
            neighbours = [
                {"report_id": item.report_id, "external_id": names.get(item.report_id), "score": item.score}
                for item in found
            ]
            emit.item({"report_id": report_id, "external_id": names.get(report_id), "neighbours": neighbours})
        return []
    if (text := params.get("text")) is not None:
        if (
            len(text) > MAX_CONVERSATION_CHARACTERS
        ):  # a model reads a longer one for minutes, and no report is
            raise Refused("text", f"at most {MAX_CONVERSATION_CHARACTERS:,} characters, not {len(text):,}")
        with runtime.store.read() as cursor:
            _tell_what_waits(cursor, emit)
        return _named(runtime, runtime.likeness.similar_text(text, k, axis))
    with runtime.store.read() as cursor:
        if params.get("external_id"):
            report_id = triage.find_external(cursor, params["external_id"])
        else:
            report_id = triage.find(cursor, params.get("report") or "")
        _require_words(cursor, report_id)
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
        _require_words(cursor, one, other)
        spans = readings.spans(cursor, [one, other])
    found = runtime.likeness.explain(one, other)
    return {
        "a": one,
        "b": other,
        "whole": found.whole,
        "technique": found.technique,
        "request": found.request,
        "probability": found.probability,
        "reasons": [{"reason": reason, "log_odds": weight} for reason, weight in found.reasons],
        "parts": {"a": spans.get(one), "b": spans.get(other)},
        "shared_spans": {"a": found.shared_a, "b": found.shared_b},
        "differing_words": {"a": found.only_a, "b": found.only_b},
    }


def clusters(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """One row a report: the cluster it is in and that cluster's representative.

    On the technique axis also the family that the cluster is taken for; null where that is unsure.
    """
    axis = Axis(params.get("axis", "whole"))
    family = ", k.family" if axis is Axis.TECHNIQUE else ""
    with runtime.store.read() as cursor:
        _tell_what_waits(cursor, emit)
        return db.rows(
            cursor,
            f"SELECT m.report_id, r.external_id, m.cluster_id, k.representative_id AS representative{family}"
            " FROM memberships m JOIN reports r USING (report_id)"
            " JOIN clusters k ON k.axis = m.axis AND k.cluster_id = m.cluster_id WHERE m.axis = ? ORDER BY r.seq",
            [axis],
        )


def audit(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Look for clusters that hold two groups of reports; changes no cluster."""
    done = runtime.likeness.audit(command_line_actor())
    with runtime.store.read() as cursor:
        found = [asdict(split) for split in cluster_splits.standing(cursor)]
    return {**asdict(done), "done_at": done.done_at.isoformat(), "suggestions": found}


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


def _require_words(cursor: db.Cursor, *report_ids: str) -> None:
    """Raises Refused for a report without a conversation, which no `index` will ever take."""
    for report_id in report_ids:
        if not db.value(cursor, "SELECT content_sha256 FROM reports WHERE report_id = ?", [report_id]):
            raise Refused("report", f"{report_id} holds no conversation that could be compared")


def _tell_what_waits(cursor: db.Cursor, emit: Emit) -> None:
    """Reports that nobody has indexed are in no answer: says how many. Refused where all of them are."""
    total = int(db.value(cursor, "SELECT count(*) FROM reports WHERE content_sha256 <> ''"))
    placed = int(db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = 'whole'"))
    if total and not placed:
        raise Refused("reports", f"none of {total} is indexed yet: run `index`, or wait for the worker")
    if placed < total:
        emit.note(f"{total - placed} of {total} reports are not indexed yet and left out: run `index`")


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
