"""What the first preview of a dataset would wait for is ready before somebody asks for one."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.making import Clock, open_runtime
from triage_core import runtime
from triage_core.exporters import ready
from triage_core.likeness.kernels import COMPILED

# In a process of its own: what other tests have used is loaded already.
PREVIEW = """
import sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from tests.making import bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.exporters import build, ready
from triage_core.exporters.request import ExportRequest
from triage_core.model import TrainingConsent
from triage_core.operations.base import command_line_actor

folder = Path(sys.argv[1])
opened = open_runtime(folder / "store")
for number in range(40):
    (report,) = bring(opened.store, make_report(f"Please sing song number {number} of the {number * 7} that you know."))
    decision = Decision(clauses=("EXP-1",), note="As it should be.", consent=TrainingConsent.ANY_SAFETY_TRAINING)
    triage.assess(opened.store, opened.policy, command_line_actor(), report, decision)
ready.load()
waited, first = [], Dispatcher._compile_for_args
Dispatcher._compile_for_args = lambda self, *args, **named: (
    waited.append(self.__name__), first(self, *args, **named))[1]
found = build.preview(opened.store, opened.policy, ExportRequest("classifier", folder))
opened.close()
print(found.counts["rows"], waited)
"""


def test_an_idle_worker_loads_it_after_its_first_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, rounds = threading.Event(), []
    opened = open_runtime(tmp_path, Clock())
    monkeypatch.setattr(runtime, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(opened.likeness, "name_clusters", lambda actor: rounds.append(actor))
    monkeypatch.setattr(ready, "load", lambda: rounds.append("loaded"))
    try:
        opened.worker.start(loaded=lambda: (rounds.append("told"), loaded.set()))
        assert loaded.wait(60)
    finally:
        opened.close()
    assert rounds.index("loaded") >= 2, "the first round is for what came in"
    assert rounds.index("told") == rounds.index("loaded") + 1
    assert rounds.count("told") == 1
    assert not opened.worker.state.error


def test_what_cannot_be_loaded_ahead_is_tried_once_and_is_no_fault_of_likeness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, rounds = threading.Event(), []
    opened = open_runtime(tmp_path, Clock())

    def fail() -> None:
        rounds.append("tried")
        raise MemoryError

    def named(actor: object) -> None:
        rounds.append("round")
        if rounds.count("round") > 5:
            later.set()

    monkeypatch.setattr(runtime, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(opened.likeness, "name_clusters", named)
    monkeypatch.setattr(ready, "load", fail)
    try:
        opened.worker.start()
        assert later.wait(60)
    finally:
        opened.close()
    assert rounds.count("tried") == 1
    assert not opened.worker.state.error


@pytest.mark.skipif(not COMPILED, reason="without numba nothing is loaded")
def test_a_preview_loads_nothing_more(tmp_path: Path, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PREVIEW, str(tmp_path)],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'total': 0" not in done.stdout
    assert done.stdout.strip().endswith("[]"), done.stdout
