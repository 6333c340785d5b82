"""Importing another tool's file: stored once however often it is imported, with none of its configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.making import open_runtime
from tests.scanner_files import ONE_OF_EACH, SECRET, read
from triage_core import cli, db
from triage_core.operations import Emit, run
from triage_core.runtime import Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    opened = open_runtime(tmp_path / "store")
    yield opened
    opened.close()


def everything(runtime: Runtime) -> str:
    """Each row of each table, as text."""
    with runtime.store.read() as cursor:
        tables = [str(row["table_name"]) for row in db.rows(cursor, "SELECT table_name FROM duckdb_tables()")]
        return "\n".join(str(db.rows(cursor, f'FROM "{table}"')) for table in tables)


@pytest.mark.parametrize("format", ONE_OF_EACH)
def test_twice_adds_nothing_and_secrets_stay_behind(runtime: Runtime, tmp_path: Path, format: str) -> None:
    read(tmp_path, ONE_OF_EACH[format])
    file = tmp_path / "file.jsonl"
    params = {"files": [str(file)], "format": format}
    first, second = (run(runtime, "import", params, Emit()) for _ in range(2))
    assert (first["received"], first["stored"], first["refused"]) == (1, 1, 0)
    assert (second["received"], second["stored"], second["already_known"], second["refused"]) == (1, 0, 1, 0)
    stored = everything(runtime)
    assert "Squawk, silly!" in stored
    if format != "garak-hitlog":  # which has no configuration
        assert SECRET in file.read_text("utf-8")
    assert SECRET not in stored
    with runtime.store.read() as cursor:
        case = db.row(cursor, "SELECT status, severity, resolution FROM cases")
        assert db.value(cursor, "SELECT count(*) FROM assessments", []) == 0
    assert case is not None
    assert (case["status"], case["severity"], case["resolution"]) == ("new", None, None)


def test_the_command_line_takes_the_format_by_name(tmp_path: Path) -> None:
    read(tmp_path, ONE_OF_EACH["garak-hitlog"])
    words = ["import", str(tmp_path / "file.jsonl"), "--store", str(tmp_path / "store"), "--json"]
    done = CliRunner().invoke(cli.app, words)
    assert "--format garak-hitlog" in json.loads(done.stdout)["refused"][0]["reason"]
    done = CliRunner().invoke(cli.app, [*words, "--format", "garak-hitlog"])
    assert json.loads(done.stdout)["stored"] == 1
