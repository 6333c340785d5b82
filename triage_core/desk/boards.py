"""Questions that single screens ask: figures for a desk, pairs to judge, how far the worker is.

Like queries.py: reads only, SQL beside the function, lists paged in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from triage_core import access, db, queries
from triage_core.listed import NEXT_DUE
from triage_core.model import DeskRole
from triage_core.text import conversation_text, turns_of


@dataclass(frozen=True, slots=True)
class Compared:
    """How many reports have been compared with the others, of those that hold a conversation."""

    done: int
    total: int


def compared(cursor: db.Cursor) -> Compared:
    found = db.row(
        cursor,
        "SELECT (SELECT count(*) FROM reports WHERE content_sha256 <> '') AS total,"
        " (SELECT count(*) FROM memberships WHERE axis = 'whole') AS done",
    )
    assert found is not None
    return Compared(found["done"], found["total"])


def deciders(cursor: db.Cursor) -> list[str]:
    """The ids of the people who have done a reviewer's work, by name: those to whom a report can be given."""
    mine = [str(command) for command, roles in access.MAY.items() if roles == {DeskRole.REVIEWER}]
    found = db.rows(
        cursor,
        "SELECT DISTINCT actor_id FROM events WHERE list_contains(?, command) ORDER BY actor_id",
        [mine],
    )
    return [row["actor_id"] for row in found]


@dataclass(frozen=True, slots=True)
class Brief:
    """A report as one side of a comparison; `asked` is what likeness read of it."""

    report_id: str
    external_id: str | None
    seq: int
    received_at: datetime
    platform: str
    status: str
    resolution: str | None
    severity: str | None
    canonical_id: str | None
    version: int
    next_due: datetime | None
    excerpt: str
    asked: str


def briefs(cursor: db.Cursor, report_ids: Iterable[str]) -> dict[str, Brief]:
    """These reports by id; those that do not exist are left out."""
    found = queries.briefs(cursor, list(report_ids))
    return {
        report_id: Brief(
            asked=conversation_text(turns_of(row.pop("turns"))),
            seq=int(report_id.removeprefix("FR-")),
            **row,
        )
        for report_id, row in found.items()
    }


def standings(cursor: db.Cursor, report_ids: Iterable[str]) -> dict[str, db.Row]:
    """The part of a brief that changes, by report: status, resolution, severity, canonical report, version, clock."""
    found = db.rows(
        cursor,
        "SELECT c.report_id, c.status, c.resolution, c.severity, c.canonical_id, c.version,"
        f" {NEXT_DUE} AS next_due FROM cases c WHERE c.report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row.pop("report_id"): row for row in found}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports that may be one flaw: the later one would become a duplicate of `target_id`.

    That is the earlier report, or the one of which the earlier report is a duplicate itself.
    """

    earlier: Brief
    later: Brief

    @property
    def target_id(self) -> str:
        return self.earlier.canonical_id or self.earlier.report_id


def pair(one: Brief, other: Brief) -> Pair:
    """The two in the order in which they were submitted."""
    earlier, later = sorted((one, other), key=lambda brief: (brief.received_at, brief.seq))
    return Pair(earlier, later)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pair that the likeness found: its score (0 to 1), what the score rests on, and the model."""

    pair: Pair
    score: float
    basis: str
    model_id: str


# Asked for what is closed, not for what is open: of a million reports that wait, nothing is then looked up.
_OPEN_PAIRS = (
    "WITH open_pairs AS MATERIALIZED (SELECT s.* FROM suggestions s"
    " WHERE s.later_id NOT IN (SELECT report_id FROM cases WHERE status = 'closed')"
    " AND NOT EXISTS (SELECT 1 FROM told_apart n WHERE n.one_id = s.canonical_id AND n.other_id = s.child_id)"
    " AND NOT EXISTS (SELECT 1 FROM told_apart n WHERE n.one_id = s.child_id AND n.other_id = s.canonical_id))"
)


def suggestions(cursor: db.Cursor, page: int = 1, size: int = 25) -> tuple[list[Suggestion], int]:
    """Open duplicate suggestions, surest first, and their count.

    Open: the later report is not closed, and nobody has said that the two are not duplicates.
    """
    rows = db.rows(
        cursor,
        f"{_OPEN_PAIRS} SELECT n.total, p.* FROM (SELECT count(*) AS total FROM open_pairs) n LEFT JOIN"
        " (FROM open_pairs ORDER BY score DESC, later_id LIMIT ? OFFSET ?) p ON true ORDER BY p.score DESC, p.later_id",
        [size, (page - 1) * size],
    )
    total = rows[0]["total"]
    rows = [row for row in rows if row["child_id"]]
    sides = briefs(cursor, {row[name] for row in rows for name in ("child_id", "canonical_id")})
    found = [
        Suggestion(
            pair(sides[row["child_id"]], sides[row["canonical_id"]]),
            row["score"],
            row["basis"],
            row["model_id"],
        )
        for row in rows
    ]
    return found, total


def suggested_pairs(cursor: db.Cursor) -> list[db.Row]:
    """Every open duplicate suggestion as ids alone, surest first: for scripts."""
    return db.rows(
        cursor,
        f"{_OPEN_PAIRS} SELECT s.later_id, x.external_id AS later_external_id, y.report_id AS earlier_id,"
        " y.external_id AS earlier_external_id, s.score, s.basis FROM open_pairs s"
        " JOIN reports x ON x.report_id = s.later_id JOIN reports y ON y.report_id ="
        " CASE WHEN s.later_id = s.child_id THEN s.canonical_id ELSE s.child_id END"
        " ORDER BY s.score DESC, x.seq",
    )


def links(cursor: db.Cursor, page: int = 1, size: int = 25) -> tuple[list[db.Row], int]:
    """Duplicate links in force, newest first, with the child's version and excerpt; and their count."""
    found = db.rows(
        cursor,
        f"SELECT l.*, c.version, {queries.EXCERPT_OF_R}"
        " FROM active_links l JOIN cases c ON c.report_id = l.child_id JOIN reports r ON r.report_id = l.child_id"
        " ORDER BY l.link_id DESC LIMIT $size OFFSET $offset",
        {"size": size, "offset": (page - 1) * size},
    )
    return found, int(db.value(cursor, "SELECT count(*) FROM active_links") or 0)


def is_placed(cursor: db.Cursor, report_id: str) -> bool:
    """True when the worker has compared this report with the others."""
    found = "SELECT true FROM memberships WHERE axis = 'whole' AND report_id = ? LIMIT 1"
    return bool(db.value(cursor, found, [report_id]))


def kept_apart(cursor: db.Cursor, report_id: str) -> set[str]:
    """The reports of which a reviewer has said that they are not duplicates of this one."""
    found = db.rows(
        cursor,
        "SELECT CASE WHEN one_id = $id THEN other_id ELSE one_id END AS other FROM told_apart"
        " WHERE one_id = $id OR other_id = $id",
        {"id": report_id},
    )
    return {row["other"] for row in found}


def cluster(cursor: db.Cursor, axis: str, cluster_id: str) -> db.Row | None:
    """One cluster with its label, size and representative; None when no such cluster stands.

    The name of a cluster that has gone into another one gives that other one.
    """
    return db.row(
        cursor,
        "WITH RECURSIVE led (name) AS (SELECT $name UNION SELECT a.new_id FROM cluster_aliases a"
        " JOIN led ON a.old_id = led.name WHERE a.axis = $axis)"
        " SELECT k.* FROM clusters k JOIN led ON k.cluster_id = led.name WHERE k.axis = $axis"
        " ORDER BY k.cluster_id <> $name, k.cluster_id LIMIT 1",
        {"axis": axis, "name": cluster_id},
    )
