"""The control port is open to every program of this machine: whatever comes, it answers by rule and goes on."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.making import open_runtime
from triage_core import __version__, control
from triage_core.errors import Refused, StoreBusy
from triage_core.operations import OPERATIONS
from triage_core.store import STORE_FILE


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    opened = open_runtime(tmp_path)
    server = control.ControlServer(opened)
    yield tmp_path
    server.close()
    opened.close()


def ask(folder: Path, line: bytes) -> Any:
    port = json.loads((folder / control.FILE).read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rwb") as stream:
        stream.write(line + b"\n")
        stream.flush()
        return json.loads(stream.readline())["error"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"[]", "request"),
        (b"", "request"),
        (b"{", "request"),
        (b"[" * 100_000, "request"),
        (b"\xff", "request"),
        (b'{"params": []}', "request"),
        (b"{}", "token"),
        (b'{"token": "caf\xc3\xa9"}', "token"),
        (b'{"token": "\\ud800"}', "token"),
        (b'{"token": ["x"]}', "token"),
    ],
)
def test_what_is_no_request_is_answered(folder: Path, line: bytes, field: str) -> None:
    assert ask(folder, line)["field"] == field


def test_an_operation_that_fails_is_answered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setitem(OPERATIONS, "stats", fail)
    messages = list(control.call(folder, "stats", {}))
    assert messages == [{"error": {"field": "server", "rule": "ZeroDivisionError: by zero"}}]
    assert list(control.call(folder, "duplicates", {})) == [{"result": []}]


def test_an_answer_that_breaks_off_ends_without_a_result(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (tmp_path / STORE_FILE).touch()
        inode = (tmp_path / STORE_FILE).stat().st_ino
        details = {"pid": 1, "port": server.getsockname()[1], "token": "x", "inode": inode}
        details |= {"version": __version__}
        (tmp_path / control.FILE).write_text(json.dumps(details))
        messages = control.call(tmp_path, "stats", {})
        connection = server.accept()[0]
        connection.sendall(b'{"progress": [1, 2, "lines"]}\n{"resu')
        connection.close()
        assert list(messages) in ([{"progress": [1, 2, "lines"]}], [])


def test_a_request_that_no_server_reads_is_refused_before_it_is_sent(folder: Path) -> None:
    with pytest.raises(Refused, match="4,000,000 bytes at most"):
        control.call(folder, "similar", {"text": "x" * control.MAX_REQUEST})
    assert list(control.call(folder, "duplicates", {})) == [{"result": []}]


def test_a_server_of_another_version_is_asked_nothing(folder: Path) -> None:
    file = folder / control.FILE
    told = file.read_text("utf-8")
    details = json.loads(told)
    for other in (
        {**details, "version": "0.0.1"},
        {name: details[name] for name in details if name != "version"},
    ):
        file.write_text(json.dumps(other))
        with pytest.raises(StoreBusy, match="a server of another version than"):
            control.call(folder, "stats", {})
    file.write_text(told)


def test_a_copy_of_the_store_does_not_lead_to_the_server_of_the_original(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copied = tmp_path_factory.mktemp("backup")
    for name in (STORE_FILE, control.FILE):
        shutil.copy(folder / name, copied / name)
    with pytest.raises(StoreBusy, match="another process holds the store"):
        control.call(copied, "stats", {})
    assert next(control.call(folder, "duplicates", {})) == {"result": []}
