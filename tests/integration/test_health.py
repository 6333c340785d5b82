"""What a look at the installation rests on: notes of what was done, a look beside a writer, words that quote nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import streamlit as st

from tests.making import EVERYBODY, Clock, bring, make_report, open_runtime
from triage_core import db, health, operations, runtime, verification
from triage_core.audit import Anchor, Head
from triage_core.channel import intake, reportformat
from triage_core.channel.intake import Incoming
from triage_core.errors import ModelError, StoreError
from triage_core.health import Anchored
from triage_core.model import Channel
from triage_core.operations import Emit
from triage_core.runtime import Runtime, Step, in_our_words
from ui.health import front

HASH = "a" * 64


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    found = open_runtime(tmp_path)
    yield found
    found.close()


def test_a_look_at_the_anchor_leaves_a_line_that_is_being_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "anchor.log"
    half = f"1 {HASH}\n2 aaaa"
    path.write_text(half)
    assert Anchor(path).look() == Head(1, HASH)
    assert path.read_text() == half
    assert Anchor(path).read() == Head(1, HASH)
    assert path.read_text() == f"1 {HASH}\n"
    assert Anchor(tmp_path / "none").look() is None


def test_a_verification_is_noted_beside_the_store_and_not_in_it(opened: Runtime, clock: Clock) -> None:
    folder = opened.store.folder
    assert verification.last(folder) is None
    bring(opened.store, make_report())
    events = opened.store.revision
    assert operations.run(opened, "verify", {}, Emit()) == {"ok": True, "events": events}
    found = verification.last(folder)
    assert found == verification.Verified(opened.store.clock(), events)
    assert opened.store.revision == events


def test_what_a_verification_found_wrong_is_noted_too(opened: Runtime) -> None:
    bring(opened.store, make_report())
    with opened.store.write(EVERYBODY, "test") as work:
        work.cursor.execute("UPDATE reports SET body_sha256 = 'x'")
    with pytest.raises(StoreError, match="is not what came in"):
        operations.run(opened, "verify", {}, Emit())
    found = verification.last(opened.store.folder)
    assert found is not None
    assert "FR-1 is not what came in" in found.wrong


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": "soon", "events": 1, "wrong": ""}', "\0"])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / verification.NOTE_FILE).write_text(text)
    assert verification.last(tmp_path) is None


def test_a_file_that_was_imported_is_an_event_with_its_counts(opened: Runtime, tmp_path: Path) -> None:
    name = b"in-\xff.jsonl".decode(errors="surrogateescape")
    (tmp_path / name).write_text('{"turns": [{"role": "user", "content": "one"}]}\nno report\n')
    operations.run(opened, "import", {"files": [str(tmp_path / name)]}, Emit())
    (found,) = health.look(opened, EVERYBODY).imports
    assert (found.file, found.received, found.stored, found.already_known, found.refused) == (
        "in-?.jsonl", 2, 1, 0, 1,
    )  # fmt: skip
    verification.verify(opened.store)


def test_a_look_waits_for_nothing_and_counts_what_waits(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    let = threading.Event()
    take_in = intake.take_in

    def held(*arguments: object) -> None:
        assert let.wait(60)
        take_in(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "take_in", held)
    opened.committer.receive(opened.policy, Incoming(reportformat.parse(make_report()), channel=Channel.FORM))
    try:
        found = health.look(opened, EVERYBODY).intake
        assert (found.reports, found.waiting, found.error) == (0, 1, "")
    finally:
        let.set()
    opened.committer.settle()
    found = health.look(opened, EVERYBODY).intake
    assert (found.reports, found.waiting, found.last_channel) == (1, 0, "form")


def test_an_error_is_told_in_our_words_alone() -> None:
    quoting = ValueError("SENTINELWORDS")
    assert in_our_words(ModelError("the model is missing")) == "the model is missing"
    assert in_our_words(quoting) == "ValueError, see what the server printed"
    with pytest.raises(StoreError) as caught:
        raise StoreError("the database failed (SENTINELWORDS)") from db.Error("SENTINELWORDS")
    assert in_our_words(caught.value) == "Error, see what the server printed"


def test_the_worker_remembers_its_last_failure(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "POLL_SECONDS", 0.01)
    failed, worked = threading.Event(), threading.Event()

    def name(actor: object) -> int:
        if not failed.is_set():
            failed.set()
            raise ModelError("the model is missing")
        worked.set()
        return 0

    monkeypatch.setattr(opened.likeness, "name_clusters", name)
    assert not opened.worker.is_running
    opened.worker.start()
    assert worked.wait(60)
    assert opened.worker.is_running
    opened.worker.stop()
    assert not opened.worker.is_running
    assert opened.worker.last_failure is not None
    assert opened.worker.last_failure.why == "the model is missing"
    assert (opened.worker.state.error, opened.worker.step[0]) == ("", Step.REST)


def test_datasets_are_counted_with_those_that_are_gone(opened: Runtime, tmp_path: Path) -> None:
    here = tmp_path / "built"
    here.mkdir()
    manifest = '{"files": [{"bytes": 700}, {"bytes": 77}]}'
    row = {
        "name": "a", "created_at": opened.store.clock(), "actor_id": "x", "profile": "kto", "layout": "strict",
        "format": "jsonl", "manifest": manifest,
    }  # fmt: skip
    with opened.store.write(EVERYBODY, "test") as work:
        for version, folder in (("1", here), ("2", tmp_path / "gone")):
            db.insert(work.cursor, "datasets", [{**row, "version": version, "folder": str(folder)}])
    disk = health.look(opened, EVERYBODY).disk
    assert (disk.datasets, disk.versions, disk.gone) == (777, 2, 1)
    assert disk.folder >= disk.database > 0


def test_a_chain_is_as_its_anchor_says(opened: Runtime) -> None:
    found = health.look(opened, EVERYBODY).record
    assert (found.anchored, found.events) == (Anchored.SAME, opened.store.revision)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """A server in the place of ours that answers /report as what the test puts first, and notes who asked for what."""
    asked: list[tuple[str, str]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Host"]))
            self.send_response(500 if self.headers["Host"] == "broken" else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    monkeypatch.setattr(st, "get_option", {"server.address": "127.0.0.1", "server.port": port}.get)
    st.cache_data.clear()
    yield asked
    server.shutdown()
    server.server_close()
    st.cache_data.clear()


def test_the_form_is_asked_for_as_a_proxy_would_ask(door: list[tuple[str, str]]) -> None:
    assert front.answers("flaws.example.org")
    assert not front.answers("broken")
    assert door == [("/report", "flaws.example.org"), ("/report", "broken")]
    assert front.answers("flaws.example.org")
    assert len(door) == 2, "one look in a while is enough"


def test_nobody_answers() -> None:
    st.cache_data.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "get_option", {"server.address": "127.0.0.1", "server.port": 1}.get)
        assert not front.answers("")
    st.cache_data.clear()
