"""Questions to the store: one function a question, SQL beside it, plain rows out.

Nothing here changes anything. Lists are paged in SQL; a page never receives the whole table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from triage_core import counted, db
from triage_core.counted import Counted, Moment
from triage_core.desk import activity
from triage_core.desk.activity import Event
from triage_core.disclosure.embargo_machine import IN_FORCE
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


class Only(StrEnum):
    """The one reason for which a list picks reports out; each with the SQL condition in `_ONLY`."""

    MINE = "mine"
    LATE = "late"
    BREACHING = "breaching"
    EMBARGO = "embargo"
    SNOOZED = "snoozed"


BREACHING_WITHIN = timedelta(hours=24)
EMBARGO_WITHIN = timedelta(days=7)

# The first clock of a case that runs. A clock that was met runs no more, nor does any after the fix or the closing.
NEXT_DUE = (
    "CASE WHEN c.status <> 'closed' THEN least("
    "CASE WHEN c.first_response_at IS NULL THEN c.response_due END,"
    " CASE WHEN c.triaged_at IS NULL THEN c.triage_due END,"
    " CASE WHEN c.status NOT IN ('fixed', 'fix_ready') THEN c.fix_due END) END"
)
_SNOOZED = "coalesce(c.snoozed_until > $at AND c.status <> 'closed', false)"
_OF_TECHNIQUE = f"c.report_id IN (SELECT report_id FROM ({counted.TECHNIQUES}) WHERE family = $technique)"
_ONLY: Mapping[str, str] = {
    **counted.CONDITIONS,
    Only.MINE: (
        "(c.assigned_to = $who OR c.report_id IN (SELECT report_id FROM claims WHERE holder_id = $who"
        f" AND expires_at > $at)) AND NOT {_SNOOZED}"
    ),
    Only.LATE: f"{NEXT_DUE} < $at",
    Only.BREACHING: f"{NEXT_DUE} < $breaching",
    Only.EMBARGO: (
        "c.report_id IN (SELECT report_id FROM embargoes WHERE list_contains($in_force, state)"
        " AND ends_at BETWEEN $at AND $embargo)"
    ),
    Only.SNOOZED: _SNOOZED,
}
_ORDER = {
    Sort.NEWEST: "c.received_at DESC, c.seq DESC",
    Sort.OLDEST: "c.received_at, c.seq",
    Sort.DUE: f"{NEXT_DUE} NULLS LAST, c.seq",
    Sort.PRIORITY: (
        "list_position(['immediate','out_of_cycle','scheduled','defer','close'], c.priority) NULLS LAST, c.seq"
    ),
    Sort.CLUSTER: "k.size DESC NULLS LAST, m.cluster_id, c.seq",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reports a list shows; empty means all. `words` is a plain substring, or an id.

    `only` picks out by a moment `at` and, for MINE, a person `who`. With `at` alone, reports that are snoozed at that
    moment are left out. `clause` is what `only` counts by clauses, or else one that a decision on the report cited.
    `other` (see counted.others) asks for a value of that kind that is none of `without`. `api_key` is the number of a
    report button's key, as text; "none" finds what came that way without one. `since` and `until` bound the `moment`,
    both included. What only the calendar of a policy tells is given by report: `also` holds when a bounty's clock runs
    out, which LATE and BREACHING ask for, and `bounties` when it ended, which a count of the bounty asks for.
    """

    status: Sequence[str] = field(default_factory=tuple)
    severity: Sequence[str] = field(default_factory=tuple)
    platform: Sequence[str] = field(default_factory=tuple)
    model_version: Sequence[str] = field(default_factory=tuple)
    channel: Sequence[str] = field(default_factory=tuple)
    harm: Sequence[str] = field(default_factory=tuple)
    technique: str = ""
    clause: str = ""
    other: str = ""
    without: Sequence[str] = field(default_factory=tuple)
    api_key: str = ""
    cluster_id: str = ""
    words: str = ""
    moment: Moment = Moment.RECEIVED
    since: datetime | None = None
    until: datetime | None = None
    only: Only | Counted | None = None
    at: datetime | None = None
    who: str = ""
    also: Mapping[str, datetime] = field(default_factory=dict)
    bounties: Mapping[str, datetime] = field(default_factory=dict)

    def where(self) -> tuple[str, dict[str, Any]]:
        """The SQL condition over c (cases), and r (reports) where it asks for one; and its parameters."""
        parts: list[str] = ["true"]
        values: dict[str, Any] = {}
        for column in ("status", "severity", "platform", "model_version", "channel"):
            if wanted := getattr(self, column):
                parts.append(f"list_contains(${column}, c.{column})")
                values[column] = list(wanted)
        if self.harm:
            parts.append("list_has_any(c.harm_types, $harm)")
            values["harm"] = list(self.harm)
        if self.technique:
            parts.append(_OF_TECHNIQUE)
            values["technique"] = self.technique
        if self.other:
            parts.append(counted.others(self.other, self.without))
            values["without"] = list(self.without)
        if self.clause and self.only not in counted.OF_CLAUSES:
            parts.append(counted.CONDITIONS[Counted.CITED])
            values["clause"] = self.clause
        if self.api_key:
            parts.append(counted.BY_KEY)
            values["api_key"] = self.api_key
        for name, bound, compared in (("since", self.since, ">="), ("until", self.until, "<=")):
            if bound:
                parts.append(f"{counted.COLUMN[self.moment]} {compared} ${name}")
                values[name] = db.naive(bound)
        if self.cluster_id:
            parts.append(
                "c.report_id IN (SELECT report_id FROM memberships WHERE axis = 'whole' AND cluster_id = $cluster_id)"
            )
            values["cluster_id"] = self.cluster_id
        if self.words:
            parts.append(
                "(contains(lower(r.what_is_wrong), $words) OR r.external_id = $exact OR r.report_id = $exact"
                " OR len(list_filter(r.turns, lambda t: contains(lower(t.content), $words))) > 0)"
            )
            values["words"] = self.words.lower()
            values["exact"] = self.words.strip()
        if self.at:
            condition = _ONLY[self.only] if self.only else f"NOT {_SNOOZED}"
            if self.also:
                condition += " OR list_contains($also, c.report_id)"
                values["also"] = list(self.also)
            moments = {
                "at": self.at,
                "breaching": self.at + BREACHING_WITHIN,
                "embargo": self.at + EMBARGO_WITHIN,
            }
            given: dict[str, Any] = {name: db.naive(moment) for name, moment in moments.items()}
            given |= {"who": self.who, "clause": self.clause, "in_force": [str(state) for state in IN_FORCE]}
            values |= {name: value for name, value in given.items() if f"${name}" in condition}
            parts.append(f"({condition})")
        where = " AND ".join(parts)
        named = {"named": list(self.bounties), "ends": [db.naive(end) for end in self.bounties.values()]}
        return where, values | {name: value for name, value in named.items() if f"${name}" in where}

    def source(self) -> str:
        """The tables that the condition reads: every report has a case, which is all that most lists need."""
        return " FROM cases c" + (" JOIN reports r USING (report_id)" if self.words else "")


_CLUSTERS = (
    " LEFT JOIN memberships m ON m.report_id = c.report_id AND m.axis = 'whole'"
    " LEFT JOIN clusters k ON k.axis = 'whole' AND k.cluster_id = m.cluster_id"
)


def _listed(
    cursor: db.Cursor, chosen: Filter, sort: Sort, limit: int, offset: int = 0
) -> list[tuple[str, int]]:
    """(report id, version) of the reports from place `offset` on, in order."""
    where, values = chosen.where()
    source = chosen.source() + (_CLUSTERS if sort is Sort.CLUSTER else "")
    order = _ORDER[sort]
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
        f" left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT}) AS excerpt"
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
    """Everything a reviewer sees of one report."""

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
    turns = tuple(Turn(TurnRole(turn["role"]), turn["content"]) for turn in found.pop("turns"))
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
        f" left(coalesce(nullif(r.what_is_wrong, ''), r.turns[1].content), {EXCERPT}) AS excerpt"
        " FROM reports r JOIN cases c USING (report_id) WHERE r.report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row["report_id"]: row for row in found}


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
