"""A clock that tests turn, and a store that goes by it: files that need another one make their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dated import Ask
from tests.integration.exported import Export
from tests.making import EVERYBODY, POLICY, Clock, LetterEmbedder, held_by_a_server, open_runtime, open_store
from triage_core.exporters.build import ExportRequest, build
from triage_core.guidance import policies
from triage_core.runtime import Runtime
from triage_core.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """With the policy in force; it must still tell the truth in the end."""
    opened = open_store(tmp_path / "store", clock)
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.verify()
    opened.close()


@pytest.fixture(params=["own process", "running server"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store's folder: free, or held by a server that the command line has to ask."""
    made = tmp_path / "store"
    monkeypatch.setattr(Runtime, "_load_model", lambda self: LetterEmbedder())
    if request.param == "own process":
        yield made
        return
    with held_by_a_server(open_runtime(made, Clock()), monkeypatch):
        yield made


@pytest.fixture
def ask(store: Store) -> Ask:
    def run(question: Callable[..., Any], *args: Any) -> Any:
        with store.read() as cursor:
            return question(cursor, *args)

    return run


@pytest.fixture
def export(store: Store, tmp_path: Path) -> Export:
    def run(profile: str = "kto", **fields: Any) -> dict[str, Any]:
        return build(store, POLICY, EVERYBODY, ExportRequest(profile, **{"out": tmp_path / "out", **fields}))

    return run
