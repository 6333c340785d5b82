"""Questions to the store: one function a question, SQL beside it, plain rows out.

Nothing here changes anything. Lists are paged in SQL; a page never receives the whole table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from triage_core import activity, db, told
from triage_core.activity import Event
from triage_core.errors import NotFound
from triage_core.model import Status, Turn, TurnRole

OPEN_STATES = tuple(str(status) for status in Status if status is not Status.CLOSED)
EXCERPT = 160


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    PRIORITY = "priority"
    CLUSTER = "cluster"


_ORDER = {
    Sort.NEWEST: "r.received_at DESC, r.seq DESC",
    Sort.OLDEST: "r.received_at, r.seq",
    Sort.DUE: "coalesce(c.fix_due, c.triage_due), r.seq",
    Sort.PRIORITY: (
        "list_position(['immediate','out_of_cycle','scheduled','defer','close'], c.priority) NULLS LAST, r.seq"
    ),
    Sort.CLUSTER: "k.size DESC NULLS LAST, m.cluster_id, r.seq",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reports a list shows; empty means all. `words` is a plain substring."""

    status: Sequence[str] = field(default_factory=tuple)
    severity: Sequence[str] = field(default_factory=tuple)
    platform: Sequence[str] = field(default_factory=tuple)
    harm: Sequence[str] = field(default_factory=tuple)
    cluster_id: str = ""
    words: str = ""
    late_at: datetime | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        """The SQL condition over r (reports), c (cases), m (membership) and its parameters."""
        parts: list[str] = ["true"]
        values: dict[str, Any] = {}
        if self.status:
            parts.append("list_contains($status, c.status)")
            values["status"] = list(self.status)
        if self.severity:
            parts.append("list_contains($severity, c.severity)")
            values["severity"] = list(self.severity)
        if self.platform:
            parts.append("list_contains($platform, r.platform)")
            values["platform"] = list(self.platform)
        if self.harm:
            parts.append("list_has_any(r.harm_types, $harm)")
            values["harm"] = list(self.harm)
        if self.cluster_id:
            parts.append("m.cluster_id = $cluster_id")
            values["cluster_id"] = self.cluster_id
        if self.words:
            parts.append(
                "(contains(lower(r.what_is_wrong), $words) OR r.external_id = $exact OR r.report_id = $exact"
                " OR len(list_filter(r.turns, lambda t: contains(lower(t.content), $words))) > 0)"
            )
            values["words"] = self.words.lower()
            values["exact"] = self.words.strip()
        if self.late_at:
            parts.append(f"({LATE})")
            values["late_at"] = db.naive(self.late_at)
        return " AND ".join(parts), values


LATE = (
    "(c.first_response_at IS NULL AND c.status <> 'closed' AND c.response_due < $late_at)"
    " OR (c.triaged_at IS NULL AND c.status <> 'closed' AND c.triage_due < $late_at)"
    " OR (c.fix_due < $late_at AND c.status NOT IN ('closed', 'fixed', 'fix_ready'))"
)

_FROM = (
    " FROM reports r JOIN cases c USING (report_id)"
    " LEFT JOIN memberships m ON m.report_id = r.report_id AND m.axis = 'whole'"
    " LEFT JOIN clusters k ON k.axis = 'whole' AND k.cluster_id = m.cluster_id"
)


def inbox(
    cursor: db.Cursor, chosen: Filter, sort: Sort = Sort.NEWEST, page: int = 1, size: int = 25
) -> tuple[list[db.Row], int]:
    """One page of reports as rows, and how many reports the filter finds in all."""
    where, values = chosen.where()
    found = db.rows(
        cursor,
        "SELECT r.report_id, r.external_id, r.received_at, r.platform, r.model, c.status, c.resolution, c.severity,"
        " c.priority, c.response_due, c.triage_due, c.fix_due, c.first_response_at, c.triaged_at, c.version,"
        " m.cluster_id, k.size AS cluster_size,"
        f" left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT}) AS excerpt"
        f"{_FROM} WHERE {where} ORDER BY {_ORDER[sort]} LIMIT $size OFFSET $offset",
        {**values, "size": size, "offset": (page - 1) * size},
    )
    total = int(db.value(cursor, f"SELECT count(*){_FROM} WHERE {where}", values) or 0)
    return found, total


def queue(cursor: db.Cursor, chosen: Filter, sort: Sort, limit: int = 500) -> list[str]:
    """The ids of the reports to review, in order."""
    where, values = chosen.where()
    found = db.rows(
        cursor,
        f"SELECT r.report_id{_FROM} WHERE {where} ORDER BY {_ORDER[sort]} LIMIT $limit",
        {**values, "limit": limit},
    )
    return [row["report_id"] for row in found]


@dataclass(frozen=True, slots=True)
class ReportView:
    """Everything a reviewer sees of one report."""

    report: db.Row
    turns: tuple[Turn, ...]
    body: dict[str, Any]
    case: db.Row
    embargo: db.Row | None
    assessment: db.Row | None
    better_answer: str
    memberships: dict[str, db.Row]
    duplicates: list[str]
    history: list[Event]


def report(cursor: db.Cursor, report_id: str) -> ReportView:
    """One report with its case, clocks, embargo, clusters and history. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM reports WHERE report_id = ?", [report_id])
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    case = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    assert case is not None, "every report has a case: both are inserted by one command"
    turns = tuple(Turn(TurnRole(turn["role"]), turn["content"]) for turn in found.pop("turns"))
    memberships = db.rows(
        cursor,
        "SELECT m.*, k.size, k.label, k.representative_id FROM memberships m"
        " JOIN clusters k ON k.axis = m.axis AND k.cluster_id = m.cluster_id WHERE m.report_id = ?",
        [report_id],
    )
    duplicates = db.rows(cursor, "SELECT child_id FROM active_links WHERE canonical_id = ?", [report_id])
    return ReportView(
        report=found,
        turns=turns,
        body=json.loads(found.pop("body")),
        case=case,
        embargo=db.row(cursor, "SELECT * FROM embargoes WHERE report_id = ?", [report_id]),
        assessment=db.row(
            cursor, "SELECT * FROM assessments WHERE assessment_id = ?", [case["assessment_id"]]
        ),
        better_answer=better_answer(cursor, report_id),
        memberships={row["axis"]: row for row in memberships},
        duplicates=[row["child_id"] for row in duplicates],
        history=activity.history(cursor, report_id),
    )


def better_answer(cursor: db.Cursor, report_id: str) -> str:
    """The latest written better answer, or ""."""
    found = db.value(
        cursor,
        "SELECT content FROM better_answers WHERE report_id = ? ORDER BY answer_id DESC LIMIT 1",
        [report_id],
    )
    return str(found or "")


def briefs(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, db.Row]:
    """A line about each report, by id: state, canonical report, time, excerpt, turns."""
    found = db.rows(
        cursor,
        "SELECT r.report_id, r.external_id, r.received_at, r.platform, r.turns, c.status, c.resolution, c.severity,"
        f" c.canonical_id, c.version, left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT})"
        " AS excerpt FROM reports r JOIN cases c USING (report_id) WHERE r.report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row["report_id"]: row for row in found}


def clusters(
    cursor: db.Cursor, axis: str, least: int = 2, page: int = 1, size: int = 25
) -> tuple[list[db.Row], int]:
    """Clusters of at least `least` reports, largest first, with how many are still open; and their count."""
    found = db.rows(
        cursor,
        "SELECT k.cluster_id, k.representative_id, k.size, k.label, count(*) FILTER (c.status <> 'closed') AS open,"
        " min(r.received_at) AS first_at, max(r.received_at) AS last_at"
        " FROM clusters k JOIN memberships m ON m.axis = k.axis AND m.cluster_id = k.cluster_id"
        " JOIN cases c USING (report_id) JOIN reports r USING (report_id)"
        " WHERE k.axis = ? AND k.size >= ? GROUP BY ALL ORDER BY k.size DESC, k.cluster_id LIMIT ? OFFSET ?",
        [axis, least, size, (page - 1) * size],
    )
    total = db.value(cursor, "SELECT count(*) FROM clusters WHERE axis = ? AND size >= ?", [axis, least])
    return found, int(total or 0)


def members(cursor: db.Cursor, axis: str, cluster_id: str, limit: int = 200) -> list[db.Row]:
    """The members of a cluster, nearest to the others first."""
    return db.rows(
        cursor,
        "SELECT m.report_id, r.external_id, m.nearest_id, m.nearest, m.mean, r.received_at, c.status, c.severity,"
        f" c.version, left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT}) AS excerpt"
        " FROM memberships m JOIN reports r USING (report_id) JOIN cases c USING (report_id)"
        " WHERE m.axis = ? AND m.cluster_id = ? ORDER BY m.mean DESC NULLS LAST, r.seq LIMIT ?",
        [axis, cluster_id, limit],
    )


def counts(cursor: db.Cursor) -> db.Row:
    """How much the store holds."""
    found = db.row(
        cursor,
        "SELECT (SELECT count(*) FROM reports) AS reports, (SELECT count(*) FROM events) AS events,"
        " (SELECT count(*) FROM embeddings) AS embeddings, (SELECT count(*) FROM active_links) AS duplicate_links,"
        " (SELECT count(*) FROM active_cannot_links) AS cannot_links,"
        " (SELECT count(*) FROM assessments WHERE look_id IS NULL) AS assessments,"
        " (SELECT count(*) FROM suggestions) AS suggestions, (SELECT count(*) FROM datasets) AS datasets,"
        " (SELECT count(DISTINCT content_sha256) FROM reports WHERE content_sha256 <> '') AS contents",
    )
    assert found is not None
    return found


def by_state(cursor: db.Cursor) -> dict[str, int]:
    found = db.rows(cursor, "SELECT status, count(*) AS n FROM cases GROUP BY status ORDER BY status")
    return {row["status"]: row["n"] for row in found}


def choices(cursor: db.Cursor, column: str) -> list[str]:
    """The distinct values of one of the columns that lists are filtered by."""
    if column not in {"platform", "model", "model_version", "channel"}:
        raise ValueError(column)
    found = db.rows(
        cursor,
        f"SELECT {column} AS v, count(*) AS n FROM reports WHERE {column} <> '' GROUP BY v ORDER BY n DESC, v",
    )
    return [row["v"] for row in found]


def citations(cursor: db.Cursor) -> dict[str, int]:
    """How often each clause has been cited by a decision on a case."""
    found = db.rows(
        cursor,
        "SELECT clause, count(*) AS n FROM (SELECT unnest(clauses) AS clause FROM assessments WHERE look_id IS NULL)"
        " GROUP BY clause",
    )
    return {row["clause"]: row["n"] for row in found}


def external_ids(cursor: db.Cursor, report_ids: Sequence[str] | None = None) -> dict[str, str]:
    """External ids by report id, of these reports or of all; reports without one are left out."""
    where = "" if report_ids is None else " AND report_id IN (SELECT unnest(?))"
    found = db.rows(
        cursor,
        f"SELECT report_id, external_id FROM reports WHERE external_id IS NOT NULL{where}",
        [] if report_ids is None else [list(report_ids)],
    )
    return {row["report_id"]: row["external_id"] for row in found}


def cluster_counts(cursor: db.Cursor) -> dict[str, int]:
    """How many clusters of two and more there are on each axis."""
    found = db.rows(
        cursor, "SELECT axis, count(*) AS n FROM clusters WHERE size > 1 GROUP BY axis ORDER BY axis"
    )
    return {row["axis"]: row["n"] for row in found}


def disagreements(cursor: db.Cursor) -> list[str]:
    """Sentences about records that do not fit each other; empty in a sound store."""
    checks = {
        "reports without a case": "SELECT count(*) FROM reports ANTI JOIN cases USING (report_id)",
        "cases without a report": "SELECT count(*) FROM cases ANTI JOIN reports USING (report_id)",
        "reports without a received event": (
            "SELECT count(*) FROM reports r WHERE r.report_id NOT IN"
            " (SELECT subject FROM events WHERE kind = 'report.received')"
        ),
        "received events without a report": (
            "SELECT count(*) FROM events e WHERE e.kind = 'report.received' AND e.subject NOT IN"
            " (SELECT report_id FROM reports)"
        ),
        "linked reports that are not closed as duplicates": (
            "SELECT count(*) FROM active_links l JOIN cases c ON c.report_id = l.child_id"
            " WHERE c.resolution IS DISTINCT FROM 'duplicate' OR c.canonical_id IS DISTINCT FROM l.canonical_id"
        ),
        "assessments without a clause": "SELECT count(*) FROM assessments WHERE len(clauses) = 0",
        "second looks whose decisions are missing": (
            "SELECT count(*) FROM second_looks l WHERE NOT EXISTS (SELECT 1 FROM assessments f"
            " WHERE f.assessment_id = l.first_id AND f.look_id IS NULL) OR (l.second_id IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM assessments s WHERE s.assessment_id = l.second_id AND s.look_id = l.look_id))"
        ),
    }
    counted = {name: db.value(cursor, sql) for name, sql in checks.items()} | told.differences(cursor)
    return [f"{count} {name}" for name, count in counted.items() if count]
