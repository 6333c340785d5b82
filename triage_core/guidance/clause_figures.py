"""For each clause of the guidance: how often it is cited, taken back by a later decision, and disagreed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from triage_core import db, queries
from triage_core.desk import looks
from triage_core.desk.agreement import Pair


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """`cited` counts decisions, `overturned` those after which another without the clause holds; of `twice` reports on
    which one of two people cited it blind, `disagreed` had it from one of them only."""

    clause_id: str
    cited: int
    overturned: int
    twice: int
    disagreed: int


# Decisions that do not hold any more are few: they are found before the ones that took their place.
_OVERTURNED = (
    "SELECT clause, count(*) AS n FROM (SELECT f.clauses AS now, unnest(g.clauses) AS clause FROM"
    " (SELECT assessment_id, report_id, clauses FROM assessments WHERE look_id IS NULL AND assessment_id NOT IN"
    " (SELECT assessment_id FROM cases WHERE assessment_id IS NOT NULL)) g"
    " JOIN cases c ON c.report_id = g.report_id AND c.assessment_id > g.assessment_id"
    " JOIN assessments f ON f.assessment_id = c.assessment_id)"
    " WHERE NOT list_contains(now, clause) GROUP BY clause"
)


def by_clause(cursor: db.Cursor) -> dict[str, ClauseFigures]:
    """The figures of every clause that was ever cited."""
    cited = queries.citations(cursor)
    overturned = {row["clause"]: row["n"] for row in db.rows(cursor, _OVERTURNED)}
    looked = _looked(looks.pairs(cursor))
    return {
        name: ClauseFigures(name, cited.get(name, 0), overturned.get(name, 0), *looked.get(name, (0, 0)))
        for name in sorted(cited.keys() | looked.keys())
    }


def _looked(pairs: Iterable[Pair]) -> dict[str, tuple[int, int]]:
    """By clause: reports on which one of two people cited it, and those where only one did."""
    twice: defaultdict[str, int] = defaultdict(int)
    apart: defaultdict[str, int] = defaultdict(int)
    for pair in pairs:
        one, other = pair.first.clauses, pair.second.clauses
        for name in one | other:
            twice[name] += pair.count
            apart[name] += pair.count * (name in one ^ other)
    return {name: (count, apart[name]) for name, count in twice.items()}
