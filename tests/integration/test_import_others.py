"""Files of other tools through the command line: imported twice, they add nothing; what is private reaches no table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.other_files import SENTINEL, feedback, inspect_archive, inspect_log, inspect_sample, threat
from triage_core import cli, db
from triage_core.store import Store

LOG = inspect_log(inspect_sample(1), {"id": 2, "epoch": 1, "messages": [{"role": "boss"}]}, inspect_sample(3))
MAIL = (
    b"From: ada@example.org\nMessage-ID: <a@b>\nX-Originating-IP: " + SENTINEL.encode() + b"\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n"
    b"--b\n\nIt was rude.\n--b\nContent-Disposition: attachment\n\n" + SENTINEL.encode() + b"\n--b--\n"
)
FILES = {
    "log.json": ("inspect", json.dumps(LOG).encode(), 2, [2]),
    "log.eval": ("inspect", inspect_archive(LOG), 2, [2]),
    "feedback.json": (
        "openwebui",
        json.dumps([feedback(), 7, feedback("f-2", user_id=SENTINEL)]).encode(),
        2,
        [2],
    ),
    "feed.json": ("0din", json.dumps({"threat_feeds": [None, threat()]}).encode(), 3, [1]),
    "mail.eml": ("auto", MAIL, 1, []),
}


@pytest.mark.parametrize("name", FILES)
def test_a_second_import_adds_nothing_and_nothing_private_is_stored(tmp_path: Path, name: str) -> None:
    format, content, stored, refused = FILES[name]
    (tmp_path / name).write_bytes(content)
    done = _import(tmp_path, name, format)
    assert (done["stored"], done["already_known"]) == (stored, 0)
    assert [row["line"] for row in done["refused"]] == refused
    again = _import(tmp_path, name, format)
    assert (again["stored"], again["already_known"], again["refused"]) == (0, stored, done["refused"])
    assert done["received"] == again["received"] == stored + len(refused)

    tables = _tables(tmp_path / "store")
    assert SENTINEL not in json.dumps(tables, default=str)
    assert len(tables["reports"]) == stored
    for case in tables["cases"]:
        assert (case["status"], case["severity"], case["resolution"]) == ("new", None, None)
        assert case["consent_training"] == "none"
    contacts = [reporter["contact"] for reporter in tables["reporters"]]
    assert contacts == (["ada@example.org"] if name == "mail.eml" else [])
    assert not tables["assessments"]


def test_a_log_of_inspect_is_known_again_in_its_other_shape(tmp_path: Path) -> None:
    for name in ("log.json", "log.eval"):
        (tmp_path / name).write_bytes(FILES[name][1])
    assert _import(tmp_path, "log.json", "inspect")["stored"] == 2
    assert _import(tmp_path, "log.eval", "inspect")["already_known"] == 2


def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    result = CliRunner().invoke(cli.app, ["import", str(tmp_path / "x"), "--format", "excel"])
    assert result.exit_code == 2
    assert "openwebui" in result.output


def _import(folder: Path, name: str, format: str) -> dict[str, Any]:
    arguments = ["import", str(folder / name), "--format", format, "--store", str(folder / "store"), "--json"]
    result = CliRunner().invoke(cli.app, arguments)
    if result.exception:
        raise result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _tables(folder: Path) -> dict[str, list[db.Row]]:
    store = Store(folder)
    try:
        with store.read() as cursor:
            names = "SELECT table_name AS t FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
            found = [row["t"] for row in db.rows(cursor, names)]
            return {table: db.rows(cursor, f'SELECT * FROM "{table}"') for table in found}
    finally:
        store.close()
