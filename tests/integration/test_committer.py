"""The doors: accepted in a journal, many at once in one line, in the database as promised whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, POLICY, Clock, make_report, open_store
from triage_core import db
from triage_core.channel import intake, reportformat, tracking
from triage_core.channel.committer import Committer
from triage_core.channel.intake import Incoming
from triage_core.channel.journal import JOURNAL_FILE, Journal
from triage_core.errors import Conflict, Refused, StoreError
from triage_core.guidance import policies
from triage_core.model import Channel
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    yield opened
    opened.close()


def incoming(words: str, key: str | None = None) -> Incoming:
    return intake.incoming(reportformat.parse(make_report(words)), Channel.API, key)


class Gate:
    """Holds the first line until `waiting` others are in the queue; counts what each line holds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, committer: Committer, waiting: int) -> None:
        self.lines: list[int] = []
        real = Journal.append

        def append(journal: Journal, group: Sequence[Any]) -> None:
            if not self.lines:
                ready = threading.Event()
                while len(committer._queue) < waiting:
                    ready.wait(0.001)
            self.lines.append(len(group))
            real(journal, group)

        monkeypatch.setattr(Journal, "append", append)


def together(committer: Committer, batch: list[Incoming]) -> list[Any]:
    def one(item: Incoming) -> Any:
        try:
            return committer.receive(POLICY, item)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(batch)) as pool:
        return list(pool.map(one, batch))


def stored(store: Store) -> list[str]:
    with store.read() as cursor:
        return [row["report_id"] for row in db.rows(cursor, "SELECT report_id FROM reports ORDER BY seq")]


def test_those_who_wait_share_one_line(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    gate = Gate(monkeypatch, committer, 7)
    receipts = together(committer, [incoming(f"Question {n}") for n in range(8)])
    assert gate.lines == [1, 7]
    assert sorted(receipt.report_id for receipt in receipts) == [f"FR-{n}" for n in range(1, 9)]
    assert len({receipt.tracking_key for receipt in receipts}) == 8
    store.verify()


def test_who_goes_on_with_the_reports_is_told_after_their_commit(store: Store) -> None:
    all_there = threading.Event()

    def taken() -> None:
        if stored(store) == ["FR-1", "FR-2", "FR-3"]:
            all_there.set()

    together(Committer(store, taken), [incoming(f"Question {n}") for n in range(3)])
    assert all_there.wait(30)


def test_senders_on_an_event_loop_share_a_line_and_one_who_goes_away_takes_nothing_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(store)
    gate = Gate(monkeypatch, committer, 0)

    async def send() -> list[Any]:
        with committer._turn:  # as if a line were being written
            sent = [
                asyncio.ensure_future(committer.receive_soon(POLICY, incoming(f"Question {n}")))
                for n in range(8)
            ]
            while len(committer._queue) < len(sent):
                await asyncio.sleep(0)
            sent[3].cancel()
        return await asyncio.gather(*sent, return_exceptions=True)

    outcomes = asyncio.run(send())
    assert gate.lines == [8]
    assert isinstance(outcomes.pop(3), asyncio.CancelledError)
    assert [receipt.report_id for receipt in outcomes] == ["FR-1", "FR-2", "FR-3", *stored(store)[4:]]
    assert stored(store) == [f"FR-{n}" for n in range(1, 9)]


def test_to_ask_for_the_policy_waits_for_no_report(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    policies.publish(store, EVERYBODY, POLICY)
    committer, current = Committer(store), policies.Current(store)
    committer.receive(POLICY, incoming("one"))
    waits: list[float | None] = []
    with monkeypatch.context() as patched:
        patched.setattr(Committer, "settle", lambda committer, timeout=None: waits.append(timeout))
        assert current.get().version == POLICY.version
    assert waits == []


def test_a_tracking_key_opens_its_report_at_once(store: Store) -> None:
    committer = Committer(store)
    for number in range(20):
        receipt = committer.receive(POLICY, incoming(f"Question {number}"))
        with store.read() as cursor:
            assert tracking.find(cursor, str(receipt.tracking_key)) == receipt.report_id


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
    assert stored(store) == ["FR-1"]


def test_a_disk_that_takes_nothing_accepts_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(store)
    committer.receive(POLICY, incoming("Before"))

    def full(*arguments: Any) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("os.pwrite", full)
        outcomes = together(committer, [incoming(words, words) for words in ("one", "two")])
    assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
    assert committer.receive(POLICY, incoming("one", "one")).report_id == "FR-2"
    assert stored(store) == ["FR-1", "FR-2"]


def test_what_is_accepted_comes_before_what_is_imported_after_it(store: Store) -> None:
    committer = Committer(store)
    for words in ("one", "two"):
        committer.receive(POLICY, incoming(words, words))
    (imported,) = intake.import_batch(store, POLICY, EVERYBODY, [incoming("three", "three")])
    assert not isinstance(imported, Refused)
    assert imported.report_id == "FR-3"
    assert committer.receive(POLICY, incoming("four", "four")).report_id == "FR-4"
    assert committer.receive(POLICY, incoming("three", "three")).already_known
    assert stored(store) == [f"FR-{n}" for n in range(1, 5)]


def test_keys_are_remembered_however_many_came(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage_core.channel.seen_keys.MOST_NEW", 3)
    committer = Committer(store)
    for turn in range(2):
        receipts = [committer.receive(POLICY, incoming(f"Question {n}", f"k{n}")) for n in range(8)]
        assert [receipt.report_id for receipt in receipts] == [f"FR-{n}" for n in range(1, 9)]
        assert {receipt.already_known for receipt in receipts} == {bool(turn)}


@pytest.mark.parametrize(("limit", "most"), [("LONGEST", 4), ("MOST_BYTES", 2_000)])
def test_the_journal_stays_short_under_a_load_that_never_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    clear = Journal.clear

    def never_by_the_thread(
        journal: Journal,
    ) -> None:  # as if the numbers were held whenever it asks for them
        if threading.current_thread().name != "intake":
            clear(journal)

    monkeypatch.setattr(f"triage_core.channel.committer.{limit}", most)
    monkeypatch.setattr(Journal, "clear", never_by_the_thread)
    committer = Committer(store)
    for number in range(12):
        committer.receive(POLICY, incoming(f"report {number}"))
    assert len(committer._journal.read()) <= 5
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports") == 12


def test_a_rush_is_let_by_but_for_whoever_reads_and_not_beyond_a_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage_core.channel.committer.RUSH", 0)  # it never ends
    monkeypatch.setattr("triage_core.channel.committer.LASTING_S", 1e6)
    monkeypatch.setattr("triage_core.channel.committer.GATHER_S", 0.0)
    monkeypatch.setattr("triage_core.channel.committer.LONGEST", 8)
    taken = threading.Event()
    committer = Committer(store, taken.set)
    for number in range(3):
        committer.receive(POLICY, incoming(f"report {number}"))
    assert not taken.wait(0.2)
    assert len(stored(store)) == 3
    assert taken.wait(20)
    taken.clear()
    for number in range(4):
        committer.receive(POLICY, incoming(f"more {number}"))
    assert taken.wait(20)
    committer.receive(POLICY, incoming("the last"))
    store.close()
    reopened = Store(store.folder)
    assert len(stored(reopened)) == 8
    reopened.close()


def test_a_closed_store_accepts_nothing(store: Store) -> None:
    committer = Committer(store)
    committer.receive(POLICY, incoming("one"))
    store.close()
    with pytest.raises(StoreError):
        committer.receive(POLICY, incoming("two"))


def broken(*arguments: Any) -> None:
    raise StoreError("the database is gone")


def test_what_was_accepted_outlives_a_crash_as_it_was_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    opened = open_store(tmp_path, clock)
    policies.publish(opened, EVERYBODY, POLICY)
    committer = Committer(opened)
    with monkeypatch.context() as patched:
        patched.setattr(intake, "take_in", broken)  # nothing reaches the database any more
        receipts = [committer.receive(POLICY, incoming(words, words)) for words in ("one", "two", "three")]
        with pytest.raises(StoreError, match=r"wait in intake\.journal"):
            committer.settle()
        assert stored(opened) == []
        opened.close()
    at = clock.now
    clock.forward(days=3)
    for _ in range(2):  # the second time finds nothing left to do
        opened = Store(tmp_path, clock)
        if not stored(opened):
            with pytest.raises(StoreError, match="start the server"):
                intake.import_batch(opened, POLICY, EVERYBODY, [incoming("x")])
        committer = Committer(opened)
        assert stored(opened) == ["FR-1", "FR-2", "FR-3"]
        with opened.read() as cursor:
            for receipt in receipts:
                assert tracking.find(cursor, str(receipt.tracking_key)) == receipt.report_id
            assert db.value(cursor, "SELECT max(received_at) FROM reports") == at
        assert committer.receive(POLICY, incoming("two", "two")).report_id == "FR-2"
        opened.verify()
        opened.close()


def test_a_journal_of_another_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Store(tmp_path / "first", Clock()), Store(tmp_path / "second", Clock())
    for opened in (first, second):
        policies.publish(opened, EVERYBODY, POLICY)
    committer = Committer(first)
    committer.receive(POLICY, incoming("one"))
    committer.settle()
    with monkeypatch.context() as patched:
        patched.setattr(intake, "take_in", broken)
        committer.receive(POLICY, incoming("two"))
        first.close()
    (second.folder / JOURNAL_FILE).write_bytes((first.folder / JOURNAL_FILE).read_bytes())
    with pytest.raises(StoreError, match="report 2 was promised, and 1 is the next one"):
        Committer(second)
    second.close()
