"""Migrations on a store that holds data: everything it held is there afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.making import POLICY, REVIEWER, Clock, bring, make_report
from triage_core import claims, db, drafts, intake, migrations, triage
from triage_core.decision import Decision
from triage_core.store import Store

ADDED = ("seq", "received_at")  # to the cases, from the reports


def tables(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the record of migrations."""
    with store.read() as cursor:
        names = db.rows(cursor, "SELECT table_name AS name FROM duckdb_tables() ORDER BY name")
        found = {row["name"]: db.rows(cursor, f"FROM {row['name']} ORDER BY ALL") for row in names}
    del found["migrations"]
    return found


def go_back(patch: pytest.MonkeyPatch, migrated: int) -> None:
    """Open stores with so many migrations alone, and take reports in as was done before cases had an order."""
    known, case_row = migrations.available()[:migrated], intake._case_row

    def as_then(*given: Any) -> dict[str, Any]:
        return {name: value for name, value in case_row(*given).items() if name not in ADDED}

    patch.setattr(migrations, "available", lambda: known)
    patch.setattr(intake, "_case_row", as_then)


def test_claims_and_tasks_come_to_a_store_of_the_first_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first_release:
        go_back(first_release, 1)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"), make_report("Two"), make_report("Three"))
        triage.assess(old, POLICY, REVIEWER, "FR-1", Decision(("EXP-1",)))
        triage.link(old, REVIEWER, "FR-2", "FR-1")
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    after = tables(store)
    assert after.pop("claims") == []
    assert after.pop("drafts") == []
    for case in before["cases"]:
        report = next(report for report in before["reports"] if report["report_id"] == case["report_id"])
        case |= {"assigned_to": None, "snoozed_until": None}
        case |= {name: report[name] for name in ADDED}
    assert {name: after[name] for name in before} == before
    assert store.verify() == len(before["events"])
    claims.claim(store, REVIEWER, "FR-3")
    claims.assign(store, REVIEWER, "FR-3", REVIEWER)
    triage.unlink(store, REVIEWER, "FR-2")
    store.close()
    Store(tmp_path, Clock()).close()


def test_drafts_come_to_a_store_that_has_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before_drafts:
        go_back(before_drafts, 2)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"))
        claims.claim(old, REVIEWER, "FR-1")
        before = tables(old)
        old.close()
    store = Store(tmp_path, Clock())
    after = tables(store)
    for case in after["cases"]:
        for name in ADDED:
            del case[name]
    assert {name: after[name] for name in before} == before
    drafts.save(store, REVIEWER, "FR-1", {"note": "Seen"})
    with store.read() as cursor:
        assert drafts.read(cursor, REVIEWER, "FR-1") == {"note": "Seen"}
    store.close()
