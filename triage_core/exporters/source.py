"""What an export reads from the store: standing first, text only of reports that passed the gate.

Everything is read on one cursor, hence from one consistent look, in batches along the reports' numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from triage_core import db, embargoes
from triage_core.exporters.gate import Standing
from triage_core.exporters.split import Seqs, Split
from triage_core.likeness.cluster import Params
from triage_core.model import Resolution, Turn, TurnRole
from triage_core.queries import Filter

BATCH = 20_000
TEXTS = 500  # conversations may be long: 400,000 characters each
NEAR_DUPLICATE = Params().join
"""The cosine from which a suggested duplicate is kept on one side of the split."""

_FROM = (
    " FROM reports r JOIN cases c USING (report_id)"
    " LEFT JOIN embargo_terms e USING (report_id)"
    " LEFT JOIN assessments a ON a.assessment_id = c.assessment_id"
    " LEFT JOIN memberships m ON m.report_id = r.report_id AND m.axis = 'technique'"
)
_COLUMNS = (
    "SELECT r.seq, r.report_id, r.external_id, r.reporter_id, r.received_at, r.content_sha256, r.platform,"
    " r.model, r.model_version, r.harm_types, c.status, c.resolution, c.canonical_id, c.severity, c.tlp,"
    " c.consent_training, c.consent_share_peers, e.state, e.binding_end, a.clauses, a.policy_version,"
    " m.cluster_id AS technique,"
    " a.reproduction_log <> '' OR a.reliability IN ('intermittent', 'reliable') AS is_reproduced,"
    " r.report_id IN (SELECT report_id FROM memberships WHERE axis = 'whole') AS is_indexed"
)

_EDGES = (
    "WITH pairs AS (SELECT canonical_id, child_id FROM active_links"
    " UNION ALL SELECT canonical_id, child_id FROM suggestions WHERE score >= $least)"
    " SELECT a, b FROM ("
    " SELECT min(seq) OVER (PARTITION BY content_sha256) AS a, seq AS b FROM reports WHERE content_sha256 <> ''"
    " UNION ALL SELECT one.seq, two.seq FROM pairs"
    " JOIN reports one ON one.report_id = canonical_id JOIN reports two ON two.report_id = child_id"
    " UNION ALL SELECT min(r.seq) OVER (PARTITION BY m.cluster_id), r.seq"
    " FROM memberships m JOIN reports r USING (report_id) WHERE m.axis = 'whole'"
    ") WHERE a <> b"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One report that an export considers: its number and id, its standing, and the facts for the metadata."""

    seq: int
    report_id: str
    standing: Standing
    facts: db.Row


def count(cursor: db.Cursor, chosen: Filter) -> int:
    """How many reports the filter finds."""
    where, values = chosen.where()
    return int(db.value(cursor, f"SELECT count(*){_FROM} WHERE {where}", values))


def candidates(cursor: db.Cursor, chosen: Filter, now: datetime) -> Iterator[list[Candidate]]:
    """The reports that the filter finds, oldest first, in batches; no text is read."""
    where, values = chosen.where()
    held = embargoes.held(cursor, now)
    after = 0
    while True:
        found = db.rows(
            cursor,
            f"{_COLUMNS}{_FROM} WHERE {where} AND r.seq > $after ORDER BY r.seq LIMIT $batch",
            {**values, "after": after, "batch": BATCH},
        )
        yield [_candidate(row, held) for row in found]
        if len(found) < BATCH:
            return
        after = found[-1]["seq"]


def conversations(
    cursor: db.Cursor, chosen: Sequence[Candidate], with_answers: bool
) -> Iterator[tuple[Candidate, tuple[Turn, ...], str]]:
    """Each candidate with its turns and the latest better answer ("" for none, or when not asked for)."""
    for start in range(0, len(chosen), TEXTS):
        part = chosen[start : start + TEXTS]
        ids = [candidate.report_id for candidate in part]
        turns = db.rows(
            cursor,
            "SELECT report_id, turns FROM reports"
            " WHERE seq BETWEEN $first AND $last AND report_id IN (SELECT unnest($ids))",
            {"first": part[0].seq, "last": part[-1].seq, "ids": ids},
        )
        by_id = {row["report_id"]: row["turns"] for row in turns}
        answers = _better_answers(cursor, ids) if with_answers else {}
        for candidate in part:
            spoken = tuple(
                Turn(TurnRole(turn["role"]), turn["content"]) for turn in by_id[candidate.report_id]
            )
            yield candidate, spoken, answers.get(candidate.report_id, "")


def last_seq(cursor: db.Cursor) -> int:
    """The number of the newest report, 0 for none."""
    return int(db.value(cursor, "SELECT coalesce(max(seq), 0) FROM reports"))


def edges(cursor: db.Cursor) -> tuple[Seqs, Seqs]:
    """The pairs of reports that belong together, as numbers: same text, duplicate links, near duplicates, clusters."""
    found = db.frame(cursor, _EDGES, {"least": NEAR_DUPLICATE})
    return found["a"].to_numpy(np.int64), found["b"].to_numpy(np.int64)


def remembered(cursor: db.Cursor) -> dict[Split, Seqs]:
    """The numbers of the reports that have been in a dataset, by their side."""
    found = db.frame(cursor, "SELECT r.seq, s.split FROM dataset_splits s JOIN reports r USING (report_id)")
    seqs = found["seq"].to_numpy(np.int64)
    return {side: seqs[(found["split"] == str(side)).to_numpy(bool)] for side in Split}


def ids(cursor: db.Cursor, seqs: Sequence[int]) -> dict[int, str]:
    """Report ids by number."""
    found = db.rows(
        cursor, "SELECT seq, report_id FROM reports WHERE seq IN (SELECT unnest(?))", [list(seqs)]
    )
    return {row["seq"]: row["report_id"] for row in found}


def _candidate(row: db.Row, held: embargoes.Held) -> Candidate:
    standing = Standing(
        terms=embargoes.terms(row, held.covers(row)),
        resolution=Resolution(row["resolution"]) if row["resolution"] else None,
        clauses=tuple(row["clauses"] or ()),
    )
    return Candidate(row["seq"], row["report_id"], standing, row)


def _better_answers(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, str]:
    found = db.rows(
        cursor,
        "SELECT report_id, arg_max(content, answer_id) AS content FROM better_answers"
        " WHERE report_id IN (SELECT unnest(?)) GROUP BY report_id",
        [list(report_ids)],
    )
    return {row["report_id"]: row["content"] for row in found}
