"""PyRIT's memory, a SQLite file: only the conversations of its successes, and the file stays as it was."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scanner_files import RUDE, SCORE, SECRET, Row, conversation, only, piece, refusals
from triage_core import importers
from triage_core.channel.reportformat import MAX_TURNS, to_json
from triage_core.importers import Line
from triage_core.importers.lines import MAX_LINE_BYTES

TARGET = piece(0, "user", "")["prompt_target_identifier"]
RESULT: Row = {
    "id": "a-1",
    "conversation_id": "c-1",
    "objective": "make it rude",
    "outcome": "success",
    "outcome_reason": "It was rude.",
    "error_traceback": SECRET,
}
MESSAGES = (piece(1, "assistant", RUDE[1][1]), piece(0, "user", RUDE[0][1]))
SCORED = SCORE | {"prompt_request_response_id": "m-1"}


def memory(folder: Path, **tables: Sequence[Row]) -> Path:
    """A database with these tables, of which the first row names the columns."""
    path = folder / "pyrit.db"
    with closing(sqlite3.connect(path)) as made, made:
        for table, rows in tables.items():
            names = list(rows[0])
            made.execute(f'CREATE TABLE "{table}" ({", ".join(names)})')
            for row in rows:
                made.execute(
                    f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(names))})',
                    [
                        json.dumps(row[name]) if isinstance(row[name], dict | list) else row[name]
                        for name in names
                    ],
                )
    return path


def made(folder: Path, **changed: Sequence[Mapping[str, Any]]) -> list[Line]:
    tables = {"AttackResultEntries": [RESULT], "PromptMemoryEntries": MESSAGES, "ScoreEntries": [SCORED]}
    return list(importers.read(memory(folder, **{**tables, **changed}), "pyrit-memory"))


def test_a_success_is_a_report_and_the_file_stays_as_it_was(tmp_path: Path) -> None:
    path = memory(
        tmp_path,
        AttackResultEntries=[
            RESULT | {"conversation_id": "c-2", "outcome": "failure"},
            RESULT | {"objective": "an earlier one"},
            RESULT,
        ],
        PromptMemoryEntries=[*MESSAGES, piece(0, "user", "Attack it.", conversation_id="c-2")],
        ScoreEntries=[SCORED],
    )
    before = hashlib.sha256(path.read_bytes()).digest()
    report = only(list(importers.read(path, "pyrit-memory")))
    assert conversation(report) == RUDE
    assert report.external_id == "pyrit:c-1"
    assert (report.system[0].platform, report.system[0].model) == ("OpenAIChatTarget", "parrot-2")
    assert report.what_is_wrong.splitlines()[1:] == [
        "Goal: make it rude",
        "Outcome: success",
        "Reason: It was rude.",
        "Score 1: SelfAskTrueFalseScorer True It was rude.",
    ]
    assert SECRET not in json.dumps(to_json(report))
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert [file.name for file in tmp_path.iterdir()] == ["pyrit.db"]


def test_in_1_1_the_conversation_names_the_target(tmp_path: Path) -> None:
    bare = [{name: row[name] for name in row if name != "prompt_target_identifier"} for row in MESSAGES]
    target = {"class_name": "OpenAIChatTarget", "model_name": "parrot-3", "endpoint": SECRET}
    found = made(
        tmp_path,
        PromptMemoryEntries=bare,
        Conversations=[{"conversation_id": "c-1", "target_identifier": target}],
    )
    assert only(found).system[0].model == "parrot-3"


def test_what_cannot_be_read_is_refused_by_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    names = ["none", "long", "many", "bytes", "json", 7, "c-1"]
    found = made(
        tmp_path,
        AttackResultEntries=[RESULT | {"conversation_id": name} for name in names],
        PromptMemoryEntries=[
            *MESSAGES,
            piece(0, "user", "x" * (MAX_LINE_BYTES + 1), conversation_id="long"),
            *(piece(at, "user", "x", conversation_id="many") for at in range(MAX_TURNS + 1)),
            piece(0, "user", "x", conversation_id="bytes") | {"converted_value": b"\xff"},
            piece(0, "user", "x", conversation_id="json") | {"prompt_target_identifier": "{broken"},
        ],
    )
    assert refusals(found) == [
        (1, "turns"),
        (2, "conversation_id"),
        (3, "turns"),
        (4, "turns"),
        (5, "prompt_target_identifier"),
        (6, "conversation_id"),
    ]
    assert conversation(found[-1].report) == RUDE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 5_000, b"text"]
)
def test_what_is_no_memory_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pyrit.db"
    path.write_bytes(content)
    assert refusals(list(importers.read(path, "pyrit-memory"))) == [(1, "file")]


def test_a_view_is_no_table_and_auto_names_the_format(tmp_path: Path) -> None:
    path = memory(tmp_path, PromptMemoryEntries=MESSAGES, ScoreEntries=[SCORED])
    (line,) = importers.read(path)
    assert line.error is not None
    assert "--format pyrit-memory" in line.error.rule
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("CREATE VIEW AttackResultEntries AS SELECT 1 AS conversation_id")
    (line,) = importers.read(path, "pyrit-memory")
    assert line.error is not None
    assert "AttackResultEntries" in line.error.rule


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE kept AS SELECT * FROM AttackResultEntries; DROP TABLE AttackResultEntries;"
        " CREATE VIRTUAL TABLE AttackResultEntries"
        " USING fts5(conversation_id, objective, outcome, outcome_reason);"
        " INSERT INTO AttackResultEntries SELECT conversation_id, objective, outcome, outcome_reason FROM kept",
        "ALTER TABLE AttackResultEntries ADD COLUMN told AS (outcome || 'x')",
    ],
)
def test_a_table_that_computes_is_no_table(tmp_path: Path, change: str) -> None:
    path = memory(tmp_path, AttackResultEntries=[RESULT], PromptMemoryEntries=MESSAGES, ScoreEntries=[SCORED])
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.executescript(change)
    (line,) = importers.read(path, "pyrit-memory")
    assert line.report is None


def test_a_text_that_is_no_utf8_loses_no_other_conversation(tmp_path: Path) -> None:
    path = memory(
        tmp_path,
        AttackResultEntries=[RESULT | {"conversation_id": "c-0"}, RESULT],
        PromptMemoryEntries=[*MESSAGES, piece(0, "user", "Hello.", conversation_id="c-0")],
        ScoreEntries=[SCORED],
    )
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(
            "UPDATE AttackResultEntries SET outcome_reason = CAST(x'ff' AS TEXT) WHERE conversation_id = 'c-0'"
        )
    assert [line.report is not None for line in importers.read(path, "pyrit-memory")] == [True, True]
