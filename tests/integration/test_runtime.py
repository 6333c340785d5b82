"""An open installation ends when it is told to, whatever its worker is at."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.making import Clock, open_runtime
from triage_core import runtime
from triage_core.store import Store


def test_a_stop_does_not_wait_for_work_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()
    opened = open_runtime(tmp_path, Clock())

    def last(actor: object) -> None:
        begun.set()
        ended.wait(60)

    monkeypatch.setattr(runtime, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(opened.likeness, "name_clusters", last)
    opened.worker.start()
    try:
        assert begun.wait(60)
        opened.close()
        assert not ended.is_set()
        Store(opened.store.folder).close()  # it is free for another process
    finally:
        ended.set()
