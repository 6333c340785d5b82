"""The store that the benchmarks of the desk are run on: sound, alike on every run, and like a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import synthetic_desk
from tests.making import Clock, open_store
from triage_core import db, queries, told
from triage_core.index.indexing import Likeness
from triage_core.model import Actor, DeskRole
from triage_core.queries import Filter, Only
from triage_core.settings import Settings
from triage_core.store import Store

COUNT = 400


def filled(folder: Path) -> tuple[list[db.Row], Store]:
    store = open_store(folder, Clock())
    synthetic_desk.fill(store, COUNT, dim=8)
    with store.read() as cursor:
        return db.rows(cursor, "FROM cases ORDER BY seq"), store


def test_it_is_sound_and_alike_on_every_run(tmp_path: Path) -> None:
    cases, store = filled(tmp_path / "one")
    again, other = filled(tmp_path / "other")
    assert cases == again
    with store.read() as cursor:
        # It writes cases as if they had been decided, and no event of that: what is compared with events is left out.
        history = told.differences(cursor)
        found = [sentence.split(" ", 1)[1] for sentence in told.disagreements(cursor)]
        assert [what for what in found if what not in history] == []
        assert queries.counts(cursor)["embeddings"] == COUNT
        sizes = db.rows(
            cursor,
            "SELECT k.size, count(*) AS n, bool_or(m.report_id = k.representative_id) AS led FROM clusters k"
            " JOIN memberships m USING (axis, cluster_id) GROUP BY k.cluster_id, k.size",
        )
    assert all(row["size"] == row["n"] and row["led"] for row in sizes)
    store.verify()
    store.close()
    other.close()


def test_the_worker_finds_everything_read_and_answers_at_once(tmp_path: Path) -> None:
    _, store = filled(tmp_path)
    likeness = Likeness(store, lambda: pytest.fail("no model is needed"), Settings().model, close_reading=100)
    with store.read() as cursor:
        before = db.value(cursor, "SELECT count(*) FROM events")
    assert len(likeness.similar("FR-400", 5)) == 5
    assert likeness.refresh(Actor("w", "Worker", frozenset(DeskRole))).embedded == 0
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM readings") == COUNT
        events = db.value(cursor, "SELECT count(*) FROM events WHERE kind = 'reports.read'")
        assert events == 0, f"of {before} events before"
    store.close()


def test_every_list_of_the_inbox_finds_something(tmp_path: Path) -> None:
    _, store = filled(tmp_path)
    with store.read() as cursor:
        for only in Only:
            chosen = Filter(only=only, at=store.clock(), who=synthetic_desk.REVIEWERS[0])
            assert queries.count(cursor, chosen), only
        assert queries.count(cursor, Filter(status=["new"])) > COUNT // 50
    store.close()
