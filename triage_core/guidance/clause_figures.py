"""For each clause of the guidance: how often it is cited, taken back by a later decision, and disagreed on."""

from __future__ import annotations

from dataclasses import dataclass

from triage_core import db
from triage_core.counted import LOOKED, PAIRS


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """How many reports: `cited` by a decision, `overturned` where another without the clause holds; of `twice`
    reports on which one of two people cited it blind, `disagreed` had it from one of them only."""

    cited: int = 0
    overturned: int = 0
    twice: int = 0
    disagreed: int = 0


# Few lists of clauses are cited by many decisions, so equal lists are counted together. Most reports have one decision
# and one second look at most: only of those with more is each clause counted once for the report, one by one. What is
# counted is what `counted.OF_CLAUSES` lists.
_DECIDED = (
    "WITH made AS (SELECT assessment_id, report_id, clauses FROM assessments WHERE look_id IS NULL),"
    " old AS MATERIALIZED (SELECT * FROM made WHERE assessment_id NOT IN"
    " (SELECT assessment_id FROM cases WHERE assessment_id IS NOT NULL)),"
    " lists AS (SELECT clauses, count(*) AS n FROM made GROUP BY clauses UNION ALL SELECT clauses, -1 FROM old),"
    " dropped AS (SELECT report_id, clause, coalesce(bool_or(later), false) AS overturned FROM"
    " (SELECT o.report_id, f.clauses AS now, f.assessment_id > o.assessment_id AS later, unnest(o.clauses) AS clause"
    " FROM old o LEFT JOIN cases k ON k.report_id = o.report_id"
    " LEFT JOIN assessments f ON f.assessment_id = k.assessment_id)"
    " WHERE NOT coalesce(list_contains(now, clause), false) GROUP BY report_id, clause)"
    " SELECT clause, sum(n)::BIGINT AS cited, sum(gone)::BIGINT AS overturned FROM"
    " (SELECT unnest(list_distinct(clauses)) AS clause, n, 0 AS gone FROM lists"
    " UNION ALL SELECT clause, 1 AS n, overturned::INT AS gone FROM dropped) GROUP BY clause HAVING cited > 0"
)
_TWICE = (
    "WITH several AS MATERIALIZED (SELECT report_id FROM second_looks WHERE second_id IS NOT NULL"
    " GROUP BY report_id HAVING count(*) > 1),"
    f" lists AS (SELECT one, other, count(*) AS n FROM ({PAIRS}) WHERE report_id NOT IN (FROM several)"
    " GROUP BY one, other),"
    " found AS (SELECT clause, n, list_contains(one, clause) <> list_contains(other, clause) AS apart FROM"
    " (SELECT *, unnest(list_distinct(one || other)) AS clause FROM lists) UNION ALL"
    f" SELECT clause, 1, bool_or(apart) FROM ({LOOKED}) WHERE report_id IN (FROM several) GROUP BY report_id, clause)"
    " SELECT clause, sum(n)::BIGINT AS twice, coalesce(sum(n) FILTER (apart), 0)::BIGINT AS disagreed FROM found"
    " GROUP BY clause"
)


def by_clause(cursor: db.Cursor) -> dict[str, ClauseFigures]:
    """The figures of every clause that was ever cited; behind each number stands the list of that `Counted`."""
    decided = {row["clause"]: (row["cited"], row["overturned"]) for row in db.rows(cursor, _DECIDED)}
    looked = {row["clause"]: (row["twice"], row["disagreed"]) for row in db.rows(cursor, _TWICE)}
    return {
        name: ClauseFigures(*decided.get(name, (0, 0)), *looked.get(name, (0, 0)))
        for name in sorted(decided.keys() | looked.keys())
    }


def citations(cursor: db.Cursor) -> dict[str, int]:
    """By clause the reports on which decisions cited it."""
    return {row["clause"]: row["cited"] for row in db.rows(cursor, _DECIDED)}
