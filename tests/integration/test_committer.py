"""Group commit: many at once share commits, each gets its own answer, and one bad report harms no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.making import POLICY, Clock, make_report
from triage_core import db, intake, reportformat
from triage_core.committer import Committer
from triage_core.errors import Conflict, StoreError
from triage_core.intake import Incoming
from triage_core.model import Channel
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, Clock())
    yield opened
    opened.close()


def incoming(words: str, key: str | None = None) -> Incoming:
    return intake.incoming(reportformat.parse(make_report(words)), Channel.API, key)


class Gate:
    """Holds the first commit until `waiting` others are in the queue; counts the commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, committer: Committer, waiting: int) -> None:
        self.batches: list[int] = []
        real = intake.receive_all

        def receive_all(store: Store, policy: Any, batch: list[Incoming]) -> Any:
            if not self.batches:
                ready = threading.Event()
                while len(committer._queue) < waiting:
                    ready.wait(0.001)
            self.batches.append(len(batch))
            return real(store, policy, batch)

        monkeypatch.setattr(intake, "receive_all", receive_all)


def together(committer: Committer, batch: list[Incoming]) -> list[Any]:
    def one(item: Incoming) -> Any:
        try:
            return committer.receive(POLICY, item)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(batch)) as pool:
        return list(pool.map(one, batch))


def test_those_who_wait_share_one_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    gate = Gate(monkeypatch, committer, 7)
    receipts = together(committer, [incoming(f"Question {n}") for n in range(8)])
    assert gate.batches == [1, 7]
    assert sorted(receipt.report_id for receipt in receipts) == [f"FR-{n}" for n in range(1, 9)]
    assert len({receipt.tracking_key for receipt in receipts}) == 8
    with store.read() as cursor:
        for receipt in receipts:
            digest = intake.tracking_hash(receipt.tracking_key)
            found = "SELECT report_id FROM tracking_keys WHERE key_sha256 = ?"
            assert db.value(cursor, found, [digest]) == receipt.report_id
    store.verify()


def test_one_refusal_is_one_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    committer.receive(POLICY, incoming("First", "k"))
    Gate(monkeypatch, committer, 3)
    batch = [incoming("Second"), incoming("Other", "k"), incoming("First", "k"), incoming("Third", "l")]
    outcomes = together(committer, batch)
    assert isinstance(outcomes[1], Conflict)
    assert outcomes[2].already_known
    assert outcomes[2].report_id == "FR-1"
    assert {outcomes[0].report_id, outcomes[3].report_id} == {"FR-2", "FR-3"}


def test_the_same_key_at_the_same_moment_stores_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    Gate(monkeypatch, committer, 5)
    receipts = together(committer, [incoming("Same", "k")] * 6)
    assert {receipt.report_id for receipt in receipts} == {"FR-1"}
    assert sorted(receipt.already_known for receipt in receipts) == [False] + [True] * 5
    keys = [receipt.tracking_key for receipt in receipts if receipt.tracking_key]
    assert len(set(keys)) == intake.MAX_TRACKING_KEYS
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 1


@pytest.mark.parametrize(
    ("error", "stored"), [(lambda: ZeroDivisionError("a bug"), 3), (lambda: StoreError("disk full"), 0)]
)
def test_a_fault_is_told_and_hits_no_other_report(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], stored: int
) -> None:
    committer = Committer(store)
    real = intake.receive_all

    def fail(store: Store, policy: Any, batch: list[Incoming]) -> Any:
        fault = error()
        if isinstance(fault, StoreError) or any("poison" in item.report.turns[0].content for item in batch):
            raise fault
        return real(store, policy, batch)

    monkeypatch.setattr(intake, "receive_all", fail)
    outcomes = together(committer, [incoming(words) for words in ("one", "poison", "two", "three")])
    assert isinstance(outcomes[1], type(error()))
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == stored
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 4 - stored
