"""Questions to the store: one function a question, SQL beside it, plain rows out.

Nothing here changes anything. Lists are paged in SQL; a page never receives the whole table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import db
from triage_core.desk import activity
from triage_core.desk.activity import Event
from triage_core.disclosure import embargo_board
from triage_core.errors import NotFound
from triage_core.listed import BREACHING_WITHIN as BREACHING_WITHIN
from triage_core.listed import CLUSTERS, NEXT_DUE, ORDER
from triage_core.listed import OPEN_STATES as OPEN_STATES
from triage_core.listed import Filter as Filter
from triage_core.listed import Only as Only
from triage_core.listed import Sort as Sort
from triage_core.model import Turn
from triage_core.text import turns_of

EXCERPT = 160
EXCERPT_OF_R = f"left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT}) AS excerpt"
"""The SQL column that names a report of r (reports) in a list: what is wrong with it, or how it begins."""


def _listed(
    cursor: db.Cursor, chosen: Filter, sort: Sort, limit: int, offset: int = 0
) -> list[tuple[str, int]]:
    """(report id, version) of the reports from place `offset` on, in order."""
    where, values = chosen.where()
    source = chosen.source() + (CLUSTERS if sort is Sort.CLUSTER else "")
    order = ORDER[sort]
    if sort is Sort.DUE and chosen.also:
        order = f"least({NEXT_DUE}, $dates[list_position($also, c.report_id)]) NULLS LAST, c.seq"
        values["dates"] = [db.naive(date) for date in chosen.also.values()]
    found = db.rows(
        cursor,
        f"SELECT c.report_id, c.version{source} WHERE {where} ORDER BY {order} LIMIT $limit OFFSET $offset",
        {**values, "limit": limit, "offset": offset},
    )
    return [(row["report_id"], row["version"]) for row in found]


def inbox(
    cursor: db.Cursor, chosen: Filter, sort: Sort = Sort.NEWEST, page: int = 1, size: int = 25
) -> list[db.Row]:
    """One page of reports as rows.

    `next_due` is the first clock that runs, None where none does.
    """
    # The ids first and then these few rows, table by table: a join would read a million rows for one page.
    ids = [name for name, _ in _listed(cursor, chosen, sort, size, (page - 1) * size)]
    return inbox_rows(cursor, ids, chosen.also)


def inbox_rows(cursor: db.Cursor, ids: Sequence[str], also: Mapping[str, datetime]) -> list[db.Row]:
    """These reports as rows of `inbox`, in this order; `also` as in Filter."""
    found = db.rows(
        cursor,
        "SELECT r.report_id, r.external_id, r.received_at, r.platform, c.status, c.resolution, c.severity,"
        f" c.priority, c.version, c.assigned_to, c.snoozed_until, {NEXT_DUE} AS next_due,"
        f" {EXCERPT_OF_R}"
        " FROM cases c JOIN reports r USING (report_id) WHERE c.report_id IN (SELECT unnest(?))",
        [list(ids)],
    )
    rows = {row["report_id"]: row for row in found}
    for name in rows.keys() & also.keys():
        rows[name]["next_due"] = min(rows[name]["next_due"] or also[name], also[name])
    return [rows[name] for name in ids]


def cluster_sizes(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, int]:
    """How many reports the cluster of each of these reports holds, of those that are in one with others.

    It reads through all clusters: for a few hundred reports that takes no longer than for one.
    """
    found = db.rows(
        cursor,
        "WITH k AS MATERIALIZED (SELECT cluster_id, size FROM clusters WHERE axis = 'whole' AND size > 1)"
        " SELECT m.report_id, k.size FROM k JOIN (SELECT report_id, cluster_id FROM memberships"
        " WHERE axis = 'whole' AND report_id IN (SELECT unnest(?))) m USING (cluster_id)",
        [list(report_ids)],
    )
    return {row["report_id"]: row["size"] for row in found}


def is_empty(cursor: db.Cursor) -> bool:
    """True when no report has come in yet."""
    return db.value(cursor, "SELECT 1 FROM cases LIMIT 1") is None


def count(cursor: db.Cursor, chosen: Filter) -> int:
    """How many reports a filter finds."""
    where, values = chosen.where()
    return int(db.value(cursor, f"SELECT count(*){chosen.source()} WHERE {where}", values))


def counts_of(cursor: db.Cursor, chosen: Sequence[Filter]) -> list[int]:
    """How many reports each of these filters finds."""
    return [count(cursor, one) for one in chosen]


def queue(cursor: db.Cursor, chosen: Filter, sort: Sort, limit: int = 500) -> list[str]:
    """The ids of the reports to review, in order."""
    return [name for name, _ in _listed(cursor, chosen, sort, limit)]


def snapshot(cursor: db.Cursor, chosen: Filter, sort: Sort, limit: int, offset: int = 0) -> dict[str, int]:
    """The ids of `limit` reports that a filter finds now, from place `offset` on, in order, with their versions."""
    return dict(_listed(cursor, chosen, sort, limit, offset))


@dataclass(frozen=True, slots=True)
class ReportView:
    """Everything a reviewer sees of one report; `embargo` as on the Disclosure screen, None where it has none."""

    report: db.Row
    turns: tuple[Turn, ...]
    body: dict[str, Any]
    case: db.Row
    embargo: db.Row | None
    assessment: db.Row | None
    better_answer: str
    history: list[Event]


def report(cursor: db.Cursor, report_id: str) -> ReportView:
    """One report with its case, clocks, embargo and history. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM reports WHERE report_id = ?", [report_id])
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    case = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    assert case is not None, "every report has a case: both are inserted by one command"
    embargo = embargo_board.one(cursor, report_id)
    turns = turns_of(found.pop("turns"))
    return ReportView(
        report=found,
        turns=turns,
        body=json.loads(found.pop("body")),
        case=case,
        embargo=embargo if embargo and embargo["state"] else None,
        assessment=db.row(
            cursor, "SELECT * FROM assessments WHERE assessment_id = ?", [case["assessment_id"]]
        ),
        better_answer=better_answer(cursor, report_id),
        history=activity.whole_history(cursor, report_id),
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
        f" c.canonical_id, c.version, {NEXT_DUE} AS next_due,"
        f" {EXCERPT_OF_R}"
        " FROM reports r JOIN cases c USING (report_id) WHERE r.report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row["report_id"]: row for row in found}


def members(cursor: db.Cursor, axis: str, cluster_id: str) -> list[db.Row]:
    """All members of a cluster, nearest to the others first."""
    return db.rows(
        cursor,
        "SELECT m.report_id, r.external_id, m.nearest_id, m.nearest, m.mean, r.received_at, c.status, c.severity,"
        f" c.version, {EXCERPT_OF_R}"
        " FROM memberships m JOIN reports r USING (report_id) JOIN cases c USING (report_id)"
        " WHERE m.axis = ? AND m.cluster_id = ? ORDER BY m.mean DESC NULLS LAST, r.seq",
        [axis, cluster_id],
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
