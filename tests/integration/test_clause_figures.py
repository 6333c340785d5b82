"""The figures of clauses are counted by other sentences than the lists behind them; both count the same reports."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.making import EVERYBODY, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db
from triage_core.counted import OF_CLAUSES
from triage_core.guidance import clause_figures, policies

CLAUSES: tuple[list[str], ...] = ([], ["IN-1"], ["IN-2"], ["IN-1", "OOS-1"], ["IN-2", "IN-1"])
ROW = (
    "INSERT INTO assessments BY NAME SELECT ? AS assessment_id, ? AS report_id, ?::VARCHAR[] AS clauses,"
    " ?::BIGINT AS look_id, '2026-01-05'::TIMESTAMP AS done_at, '' AS actor_id, '' AS policy_version,"
    " '' AS override_reason, '' AS note, '' AS reproduction_log"
)


@pytest.mark.parametrize("seed", range(3))
def test_each_figure_counts_the_reports_of_its_list_however_often_they_were_decided(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    store = open_store(tmp_path, Clock())
    policies.publish(store, EVERYBODY, POLICY)
    bring(store, *(make_report(f"Question {number}") for number in range(12)))
    with store.write(REVIEWER, "test") as work:
        for number in range(1, 81):
            name, look = f"FR-{draw.randint(1, 12)}", draw.random() < 0.3
            work.cursor.execute(ROW, [number, name, draw.choice(CLAUSES), number if look else None])
            if look:
                work.cursor.execute(
                    "INSERT INTO second_looks VALUES (?, ?, ?, 'drawn', '2026-01-05', '', true, ?, 0.5)",
                    [number, name, draw.randint(1, number), number],
                )
            elif draw.random() < 0.7:  # else it does not hold, as after an undo
                work.cursor.execute("UPDATE cases SET assessment_id = ? WHERE report_id = ?", [number, name])
    with store.read() as cursor:
        figures = clause_figures.by_clause(cursor)
        cited = clause_figures.citations(cursor)
        assert cited == {name: found.cited for name, found in figures.items() if found.cited}
        for kind, found in OF_CLAUSES.items():
            rows = db.rows(
                cursor, f"SELECT clause, count(DISTINCT report_id) AS n FROM ({found}) GROUP BY clause"
            )
            assert rows
            counted = {name: getattr(one, kind) for name, one in figures.items()}
            assert {name: n for name, n in counted.items() if n} == {row["clause"]: row["n"] for row in rows}
    store.close()
