"""Migrations on a store that holds data: everything it held is there afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.making import FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import cases, claims, db, drafts, migrations, second_look, triage
from triage_core.store import Store


def tables(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the record of migrations."""
    with store.read() as cursor:
        names = db.rows(cursor, "SELECT table_name AS name FROM duckdb_tables() ORDER BY name")
        found = {row["name"]: db.rows(cursor, f"FROM {row['name']} ORDER BY ALL") for row in names}
    del found["migrations"]
    return found


def decide_as_the_first_release_did(store: Store) -> None:
    """An assessment and its case: the command of today writes columns that were not there."""
    row = {
        "assessment_id": 1,
        "report_id": "FR-1",
        "done_at": NOON,
        "actor_id": REVIEWER.actor_id,
        "policy_version": POLICY.version,
        "clauses": ["IN-1"],
        "severity": "medium",
        **dict.fromkeys(("override_reason", "note", "reproduction_log"), ""),
    }
    with store.write(REVIEWER, "assess") as work:
        db.insert(work.cursor, "assessments", [row])
        case = cases.read(work.cursor, "FR-1")
        after = {"status": "accepted", "assessment_id": 1, "severity": "medium"}
        cases.change(work, case, "report.assessed", after, {"assessment_id": 1})


def test_claims_and_tasks_come_to_a_store_of_the_first_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first_release:
        first = migrations.available()[:1]
        first_release.setattr(migrations, "available", lambda: first)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"), make_report("Two"), make_report("Three"))
        decide_as_the_first_release_did(old)
        triage.link(old, REVIEWER, "FR-2", "FR-1")
        before = tables(old)
        old.close()

    store = Store(tmp_path, Clock())
    after = tables(store)
    new = ("claims", "drafts", "second_looks", "draw_key")
    assert [after.pop(name) for name in new] == [[], [], [], []]
    for assessment in before["assessments"]:
        assessment["look_id"] = None
    for case in before["cases"]:
        case |= {"assigned_to": None, "snoozed_until": None}
    assert {name: after[name] for name in before} == before
    assert store.verify() == len(before["events"])
    claims.claim(store, REVIEWER, "FR-3")
    claims.assign(store, REVIEWER, "FR-3", REVIEWER)
    triage.unlink(store, REVIEWER, "FR-2")
    assert second_look.ask(store, REVIEWER, "FR-1") == 1
    triage.assess(store, POLICY, REVIEWER, "FR-3", FLAW)
    store.close()
    Store(tmp_path, Clock()).close()


def test_drafts_come_to_a_store_that_has_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before_drafts:
        known = migrations.available()[:2]
        before_drafts.setattr(migrations, "available", lambda: known)
        old = Store(tmp_path, Clock())
        bring(old, make_report("One"))
        claims.claim(old, REVIEWER, "FR-1")
        before = tables(old)
        old.close()
    store = Store(tmp_path, Clock())
    after = tables(store)
    assert {name: after[name] for name in before} == before
    drafts.save(store, REVIEWER, "FR-1", {"note": "Seen"})
    with store.read() as cursor:
        assert drafts.read(cursor, REVIEWER, "FR-1") == {"note": "Seen"}
    store.close()
