"""For each clause of the guidance: how often it is cited, taken back by a later decision, and disagreed on."""

from __future__ import annotations

from dataclasses import dataclass

from triage_core import db
from triage_core.counted import OF_CLAUSES, Counted


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """How many reports: `cited` by a decision, `overturned` where another without the clause holds; of `twice`
    reports on which one of two people cited it blind, `disagreed` had it from one of them only."""

    cited: int = 0
    overturned: int = 0
    twice: int = 0
    disagreed: int = 0


def by_clause(cursor: db.Cursor) -> dict[str, ClauseFigures]:
    """The figures of every clause that was ever cited."""
    found = {kind: citations(cursor, kind) for kind in OF_CLAUSES}
    names = sorted({name for counts in found.values() for name in counts})
    return {
        name: ClauseFigures(**{str(kind): counts.get(name, 0) for kind, counts in found.items()})
        for name in names
    }


def citations(cursor: db.Cursor, kind: Counted = Counted.CITED) -> dict[str, int]:
    """By clause the reports on which decisions cited it, or did another thing of `OF_CLAUSES` with it."""
    found = db.rows(
        cursor,
        f"SELECT clause, count(DISTINCT report_id) AS n FROM ({OF_CLAUSES[kind]}) GROUP BY clause",
    )
    return {row["clause"]: row["n"] for row in found}
