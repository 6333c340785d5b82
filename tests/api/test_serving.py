"""Starting the server: what cannot work is said in one line, before the server is there."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.making import Clock
from triage_core.errors import InvalidPolicy, Refused, StoreBusy, StoreError
from triage_core.serving import serve
from triage_core.settings import Settings
from triage_core.store import Store


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments of the servers that were started."""
    servers: list[dict[str, str]] = []
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execve", lambda file, command, environment: servers.append(environment))
    return servers


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_server_is_started_on_its_store(tmp_path: Path, port: int, started: list[dict[str, str]]) -> None:
    serve(Settings(store=tmp_path / "store", demo=True), "127.0.0.1", port)
    assert [(one["FLAWDESK_STORE"], one["FLAWDESK_DEMO"]) for one in started] == [
        (str(tmp_path / "store"), "1")
    ]


def test_a_port_that_is_taken_is_all_that_is_said(
    tmp_path: Path, started: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Refused, match=f"^port: {port} is taken: choose another with --port$"):
            serve(Settings(store=tmp_path / "new"), "127.0.0.1", port)
    assert started == []
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "new").exists()


def test_what_cannot_work_starts_no_server(
    tmp_path: Path, repository: Path, port: int, started: list[Any]
) -> None:
    store = Store(tmp_path / "held", Clock())
    (tmp_path / "taken").write_text("")
    shutil.copytree(repository / "data", tmp_path / "policy")
    (tmp_path / "policy" / "policy.toml").write_text("version = ")
    with pytest.raises(Refused, match="no sign-in yet"):
        serve(Settings(store=tmp_path / "new"), "0.0.0.0", port)
    with pytest.raises(StoreBusy):
        serve(Settings(store=tmp_path / "held"), "127.0.0.1", port)
    with pytest.raises(StoreError, match="cannot hold a store"):
        serve(Settings(store=tmp_path / "taken"), "127.0.0.1", port)
    for folder in ("policy", "nowhere"):
        with pytest.raises(InvalidPolicy):
            serve(Settings(store=tmp_path / "new", policy=tmp_path / folder), "127.0.0.1", port)
    with pytest.raises(InvalidPolicy, match=r"FLAWDESK_POLICY: .*/nowhere is no folder; .*policy\.toml, sev"):
        serve(Settings(store=tmp_path / "new", policy=tmp_path / "nowhere"), "127.0.0.1", port)
    (tmp_path / "policy" / "severity.csv").unlink()
    with pytest.raises(InvalidPolicy, match=r"FLAWDESK_POLICY: .*/policy has no severity\.csv; "):
        serve(Settings(store=tmp_path / "new", policy=tmp_path / "policy"), "127.0.0.1", port)
    assert started == []
    assert not (tmp_path / "new").exists()
    store.close()
