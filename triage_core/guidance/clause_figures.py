"""For each clause of the guidance: how often it is cited, taken back by a later decision, and disagreed on."""

from __future__ import annotations

from dataclasses import dataclass

from triage_core import db
from triage_core.counted import LOOKED, OF_CLAUSES, Counted


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """How many reports: `cited` by a decision, `overturned` where another without the clause holds; of `twice`
    reports on which one of two people cited it blind, `disagreed` had it from one of them only."""

    cited: int = 0
    overturned: int = 0
    twice: int = 0
    disagreed: int = 0


def by_clause(cursor: db.Cursor) -> dict[str, ClauseFigures]:
    """The figures of every clause that was ever cited; behind each number stands the list of that `Counted`."""
    cited, overturned = citations(cursor), citations(cursor, Counted.OVERTURNED)
    found = db.rows(
        cursor,
        "SELECT clause, count(*) AS twice, count(*) FILTER (apart) AS disagreed FROM"
        f" (SELECT clause, bool_or(apart) AS apart FROM ({LOOKED}) GROUP BY report_id, clause) GROUP BY clause",
    )
    looked = {row["clause"]: (row["twice"], row["disagreed"]) for row in found}
    return {
        name: ClauseFigures(cited.get(name, 0), overturned.get(name, 0), *looked.get(name, (0, 0)))
        for name in sorted(cited.keys() | looked.keys())
    }


def citations(cursor: db.Cursor, kind: Counted = Counted.CITED) -> dict[str, int]:
    """By clause the reports on which decisions cited it, or did another thing of `OF_CLAUSES` with it."""
    found = db.rows(
        cursor,
        "SELECT clause, count(*) AS n FROM"
        f" (SELECT DISTINCT report_id, clause FROM ({OF_CLAUSES[kind]})) GROUP BY clause",
    )
    return {row["clause"]: row["n"] for row in found}
