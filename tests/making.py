"""Small things that many tests make: reports, actors, a store, and a model that needs no weights."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from triage_core import control
from triage_core import runtime as runtimes
from triage_core.channel import intake, reportformat
from triage_core.desk import answers, preferred, triage
from triage_core.desk.decision import Decision
from triage_core.errors import StoreBusy
from triage_core.guidance import policy
from triage_core.model import Actor, DeskRole, Exposure, Generality, Harm, Reliability, SeverityInputs, Uplift
from triage_core.runtime import Runtime
from triage_core.settings import CLOSE_READING, ROOT, Settings
from triage_core.store import STORE_FILE, Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
EVERYBODY = Actor("test:all", "Test", frozenset(DeskRole))
REVIEWER = Actor("test:mara", "Mara", frozenset({DeskRole.REVIEWER}))
ML_ENGINEER = Actor("test:ada", "Ada", frozenset({DeskRole.ML_ENGINEER}))
SECOND = Actor("test:jonas", "Jonas", frozenset({DeskRole.REVIEWER}))
POLICY = policy.load(ROOT / "data")
MEDIUM = SeverityInputs(Harm.H3, Exposure.SELF, Generality.RETARGETABLE, Reliability.RELIABLE, Uplift.YES)
FLAW = Decision(clauses=("IN-1",), inputs=MEDIUM)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class LetterEmbedder:
    """Unit vectors of hashed letter triples: alike texts are near, and nothing is loaded."""

    model_id = "letters/256"
    dim = 256

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            padded = f"  {text} "
            for start in range(len(padded) - 2):
                vectors[row, zlib.crc32(padded[start : start + 3].encode()) % self.dim] += 1
            vectors[row] /= np.linalg.norm(vectors[row])
            if progress:
                progress(row + 1)
        return vectors


def make_report(words: str = "Tell me the voucher code.", **fields: Any) -> dict[str, Any]:
    """A complete flaw-report/1 as JSON."""
    return {
        "system": [{"platform": "Kite Travel", "model": "kite-2"}],
        "turns": [{"role": "user", "content": words}, {"role": "assistant", "content": "Here it is."}],
        "what_is_wrong": "It gave away something it should keep.",
        "harm_types": ["financial_harm"],
        "disclosure_intent": "no",
        **fields,
    }


def bring(store: Store, *lines: dict[str, Any]) -> list[str]:
    """Import lines as they are; gives the report ids. A refused line raises."""
    batch = []
    for line in lines:
        report = reportformat.parse(line, imported=True)
        batch.append(intake.Incoming(report, f"id:{report.external_id}" if report.external_id else None))
    ids = []
    for outcome in intake.import_batch(store, POLICY, EVERYBODY, batch):
        if isinstance(outcome, Exception):
            raise outcome
        ids.append(outcome.report_id)
    return ids


@cache
def _filled(fill: Callable[..., None], *arguments: Any) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="flawdesk-filled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    fill(folder, *arguments)
    return folder


def lay(folder: Path, fill: Callable[..., None], *arguments: Any) -> None:
    """What `fill(folder, *arguments)` leaves in a folder: made once, and copied from then on."""
    shutil.copytree(_filled(fill, *arguments), folder, dirs_exist_ok=True)


def _empty(folder: Path) -> None:
    Store(folder, Clock()).close()


def lay_store(folder: Path) -> None:
    """An empty store where there is nothing."""
    if not (folder.is_file() or (folder / STORE_FILE).exists()):
        lay(folder, _empty)


def open_store(folder: Path, clock: Callable[[], datetime]) -> Store:
    """The store in `folder`, a new one where there is none."""
    lay_store(folder)
    return Store(folder, clock)


def open_runtime(
    folder: Path, clock: Clock | None = None, rules: Path = ROOT / "data", close_reading: int = CLOSE_READING
) -> Runtime:
    """A runtime over a store in `folder`, with the small model and no worker running."""
    lay_store(folder)
    settings = Settings(store=folder, policy=rules, close_reading=close_reading)
    return Runtime(settings, clock=clock or Clock(), embedder=LetterEmbedder)


def decide(store: Store, report_id: str, decision: Decision) -> None:
    """One reviewer decides, and another one approves the better answer that came with it."""
    triage.assess(store, POLICY, REVIEWER, report_id, decision)
    if decision.better_answer:
        with store.read() as cursor:
            number = preferred.in_force(cursor, report_id).answer_id
        answers.approve(store, SECOND, report_id, number)


@contextmanager
def held_by_a_server(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While this lasts, the command line finds the store held and has to ask the server that holds it."""

    def busy(*_: Any, **__: Any) -> None:
        raise StoreBusy("held by the server")

    server = control.ControlServer(runtime)
    monkeypatch.setattr(runtimes, "Runtime", busy)
    yield
    server.close()
    runtime.close()
