"""The demo is whole after a start that was cut short, and touches nothing that is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, bring, open_runtime
from triage_core import db, demo, queries
from triage_core.desk import triage
from triage_core.runtime import Runtime

REPORTS = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The first lines of the demo, with the decisions that concern them alone."""
    made = tmp_path / "demo"
    made.mkdir()
    lines = (demo.FOLDER / "reports.jsonl").read_text("utf-8").splitlines(keepends=True)[:REPORTS]
    names = {line["external_id"] for line in demo._lines(demo.FOLDER / "reports.jsonl")}
    names -= {line["external_id"] for line in list(demo._lines(demo.FOLDER / "reports.jsonl"))[REPORTS:]}
    (made / "reports.jsonl").write_text("".join(lines), "utf-8")
    decisions = (demo.FOLDER / "decisions.jsonl").read_text("utf-8").splitlines(keepends=True)
    concerned = [
        text
        for text, line in zip(decisions, demo._lines(demo.FOLDER / "decisions.jsonl"), strict=True)
        if {line["external_id"], line.get("duplicate_of", line["external_id"])} <= names
    ]
    (made / "decisions.jsonl").write_text("".join(concerned), "utf-8")
    return made


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    yield made
    made.close()


def decided(opened: Runtime) -> list[str]:
    sql = "SELECT DISTINCT subject FROM events WHERE actor_id LIKE 'demo:%' ORDER BY subject"
    with opened.store.read() as cursor:
        return [row["subject"] for row in db.rows(cursor, sql)]


def test_a_start_that_was_cut_short_is_made_good(
    opened: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, calls = demo._decide, []

    def cut_short(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        decide(*arguments)

    with monkeypatch.context() as crash:
        crash.setattr(demo, "_decide", cut_short)
        with pytest.raises(KeyboardInterrupt):
            demo.load_demo(opened, folder)
    assert len(decided(opened)) == 3
    assert demo.load_demo(opened, folder) == REPORTS
    assert len(decided(opened)) == len((folder / "decisions.jsonl").read_text("utf-8").splitlines()) > 4
    with opened.store.read() as cursor:
        assert queries.counts(cursor)["reports"] == REPORTS
    revision = opened.store.revision
    assert demo.load_demo(opened, folder) == REPORTS
    assert opened.store.revision == revision


def test_a_store_in_which_somebody_works_is_left_alone(opened: Runtime, folder: Path) -> None:
    demo.load_demo(opened, folder)
    with opened.store.read() as cursor:
        linked = db.value(cursor, "SELECT report_id FROM cases WHERE canonical_id IS NOT NULL")
    triage.unlink(opened.store, EVERYBODY, linked, reason="They differ.")
    revision = opened.store.revision
    assert demo.load_demo(opened, folder) == 0
    assert opened.store.revision == revision


def test_a_store_with_other_reports_is_left_alone(opened: Runtime, folder: Path) -> None:
    bring(opened.store, {"external_id": "own", "turns": [{"role": "user", "content": "Our own"}]})
    assert demo.load_demo(opened, folder) == 0
    assert decided(opened) == []


def test_what_was_done_later_is_recorded_later(opened: Runtime) -> None:
    demo.load_demo(opened)
    sql = "SELECT done_at FROM events WHERE starts_with(actor_id, 'demo:') ORDER BY seq"
    with opened.store.read() as cursor:
        times = [row["done_at"] for row in db.rows(cursor, sql)]
    assert len(times) > 300
    assert times == sorted(times)
