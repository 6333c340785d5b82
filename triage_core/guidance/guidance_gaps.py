"""Where the guidance has holes: clusters of reports that no clause explains, the largest first.

A cluster is far when nobody has decided one of its reports and its representative is unlike every clause's examples
and decisions. It is disputed when its reports were decided under clauses of which none leads, or decided twice with
little agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from triage_core import db
from triage_core.guidance.policy import ClauseKind, Policy
from triage_core.index.vectors import conversation
from triage_core.likeness import clause_draft, labels
from triage_core.likeness.advice import NEAR_ENOUGH

LOOKED_AT, LEAST_DECIDED = 500, 3
LEADS, AGREED = 0.5, 2 / 3
_MEMBERS = 12

Explained = Callable[[Policy, Sequence[str]], Mapping[str, tuple[str, float]]]


class Why(StrEnum):
    FAR = "far"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Gap:
    """A cluster of the whole axis. `nearest` is the clause nearest to it and `likeness` how near (0 to 1), for a
    disputed one the clause that most decisions cite and its share of them."""

    cluster_id: str
    size: int
    representative_id: str
    label: str
    why: Why
    nearest: str
    likeness: float


_CLUSTERS = (
    "WITH large AS (SELECT cluster_id, size, representative_id, label FROM clusters WHERE axis = 'whole' AND size > 1"
    " ORDER BY size DESC, cluster_id LIMIT $most),"
    " inside AS (SELECT m.cluster_id, m.report_id FROM memberships m JOIN large USING (cluster_id)"
    " WHERE m.axis = 'whole'),"
    " decided AS (SELECT i.cluster_id, a.assessment_id, a.clauses FROM inside i"
    " JOIN cases c ON c.report_id = i.report_id JOIN assessments a ON a.assessment_id = c.assessment_id),"
    " cited AS (SELECT cluster_id, clause, count(*) AS n FROM"
    " (SELECT cluster_id, unnest(clauses) AS clause FROM decided) GROUP BY ALL),"
    " ahead AS (SELECT cluster_id, arg_max(clause, (n, clause)) AS clause, max(n) AS n FROM cited GROUP BY cluster_id),"
    " agreed AS (SELECT i.cluster_id, avg(l.agreement) AS agreement FROM inside i JOIN second_looks l"
    " ON l.report_id = i.report_id WHERE l.second_id IS NOT NULL GROUP BY i.cluster_id)"
    " SELECT l.*, coalesce(d.n, 0) AS decided, k.clause, coalesce(k.n, 0) AS leads, g.agreement FROM large l"
    " LEFT JOIN (SELECT cluster_id, count(*) AS n FROM decided GROUP BY cluster_id) d USING (cluster_id)"
    " LEFT JOIN ahead k USING (cluster_id) LEFT JOIN agreed g USING (cluster_id)"
    " ORDER BY l.size DESC, l.cluster_id"
)


def gaps(cursor: db.Cursor, policy: Policy, explained: Explained) -> list[Gap]:
    """The gaps among the LOOKED_AT largest clusters; `explained` says which clause is nearest to each report.

    A report that is not indexed yet, so that nothing is known of it, is no gap.
    """
    rows = db.rows(cursor, _CLUSTERS, {"most": LOOKED_AT})
    undecided = [row["representative_id"] for row in rows if not row["decided"]]
    near = explained(policy, undecided)
    found = []
    for row in rows:
        gap = _gap(row, near)
        if gap:
            why, nearest, likeness = gap
            found.append(
                Gap(
                    row["cluster_id"],
                    row["size"],
                    row["representative_id"],
                    row["label"],
                    why,
                    nearest,
                    likeness,
                )
            )
    return found


def _gap(row: db.Row, near: Mapping[str, tuple[str, float]]) -> tuple[Why, str, float] | None:
    if not row["decided"]:
        clause, likeness = near.get(row["representative_id"], ("", 1.0))
        return (Why.FAR, clause, likeness) if likeness < NEAR_ENOUGH else None
    share = row["leads"] / row["decided"]
    unlike = row["decided"] >= LEAST_DECIDED and share <= LEADS
    disputed = row["agreement"] is not None and row["agreement"] < AGREED
    return (Why.DISPUTED, row["clause"] or "", share) if unlike or disputed else None


def draft(cursor: db.Cursor, clause_id: str, gap: Gap) -> str:
    """A clause for a gap as the policy file writes it, in scope and under this number, to be edited."""
    found = db.rows(
        cursor,
        # Turns are read of those that are chosen only.
        "WITH chosen AS MATERIALIZED (SELECT report_id, report_id <> ? AS later, c.seq FROM memberships m"
        " JOIN cases c USING (report_id) WHERE m.axis = 'whole' AND m.cluster_id = ? ORDER BY later, c.seq LIMIT ?)"
        " SELECT report_id, r.turns FROM chosen k JOIN reports r USING (report_id) ORDER BY k.later, k.seq",
        [gap.representative_id, gap.cluster_id, _MEMBERS],
    )
    texts = [conversation(row["turns"]) for row in found]
    label = gap.label or labels.distinctive({gap.cluster_id: texts, "": []})[gap.cluster_id]
    return clause_draft.draft(clause_id, str(ClauseKind.IN_SCOPE), label, texts)
