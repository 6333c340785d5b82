"""A backup is the whole store at one moment, made while others work, or it does not stand under its name."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, bring, make_report, open_runtime
from triage_core import backup, db
from triage_core.channel import intake, reportformat
from triage_core.errors import Conflict, NotAllowed, Refused, StoreError
from triage_core.model import Actor, Channel, DeskRole
from triage_core.runtime import Runtime
from triage_core.settings import ROOT
from triage_core.store import ANCHOR_FILE, STORE_FILE, Store
from triage_core.verification import NOTE_FILE, verify

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    bring(made.store, *(make_report(f"Question {number}.") for number in range(5)))
    yield made
    made.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "monday"


def everything(store: Store) -> dict[str, list[Any]]:
    """Each table and view, and the statement that made it, with its rows."""
    with store.read() as cursor:
        tables = db.rows(
            cursor,
            "SELECT table_name AS name, sql FROM duckdb_tables() UNION ALL"
            " SELECT view_name, sql FROM duckdb_views() WHERE NOT internal",
        )
        found = {
            row["name"]: [row["sql"], *map(str, db.rows(cursor, f"FROM {row['name']} ORDER BY ALL"))]
            for row in tables
        }
    return found


def nothing_left(opened: Runtime, place: Path) -> bool:
    return not list(place.parent.iterdir()) and not list(opened.store.folder.glob("*partial*"))


def test_a_backup_opens_as_the_store_that_it_was(opened: Runtime, place: Path) -> None:
    before, events = everything(opened.store), opened.store.revision
    told: list[tuple[int, int, str]] = []
    made = backup.make(opened.store, EVERYBODY, place, lambda *step: told.append(step))
    assert made == backup.Backup(
        opened.store.clock(), str(place), events, made.head, (place / STORE_FILE).stat().st_size
    )
    assert [path.name for path in place.parent.iterdir()] == ["monday"]
    assert not list(opened.store.folder.glob("*partial*"))
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / STORE_FILE).stat().st_mode & 0o077 == 0
    copy = Store(place, opened.store.clock)
    assert everything(copy) == before
    assert copy.revision == events
    assert verify(copy) == events
    bring(copy, make_report("The desk goes on from here."))
    assert verify(copy) == events + 1
    copy.close()
    rows = [step for step in told if step[2] == "rows copied"]
    assert rows[-1][0] == rows[-1][1] > 5
    assert told[-1][2] == "checking the copy"


def test_it_is_told_when_it_was_made_and_how_much_came_since(opened: Runtime, place: Path) -> None:
    with opened.store.read() as cursor:
        assert backup.last(cursor) is None
    backup.make(opened.store, EVERYBODY, place)
    second = backup.make(opened.store, EVERYBODY, place.with_name("tuesday"))
    with opened.store.read() as cursor:
        assert backup.last(cursor) == second
    assert verify(opened.store) == second.events + 1


def test_what_was_accepted_before_is_in_it_though_not_in_the_database_yet(
    opened: Runtime, place: Path
) -> None:
    report = reportformat.parse(make_report("Accepted a moment ago."))
    receipt = opened.committer.receive(opened.policy, intake.incoming(report, Channel.API, "one"))
    backup.make(opened.store, EVERYBODY, place)
    copy = Store(place)
    with copy.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM reports WHERE report_id = ?", [receipt.report_id]) == 1
    copy.close()


def test_others_read_and_write_meanwhile(opened: Runtime, place: Path) -> None:
    count = "SELECT count(*) FROM reports"
    seen = []

    def work(done: int, total: int, what: str) -> None:
        if what == "rows copied":
            thread = threading.Thread(target=bring, args=(opened.store, make_report(f"In between, {done}.")))
            thread.start()
            thread.join(20)
            assert not thread.is_alive()
            with opened.store.read() as cursor:
                seen.append(db.value(cursor, count))

    made = backup.make(opened.store, EVERYBODY, place, work)
    assert len(seen) > 5
    assert seen == list(range(6, 6 + len(seen)))
    copy = Store(place)
    with copy.read() as cursor:
        assert db.value(cursor, count) == 5
    copy.close()
    assert opened.store.revision > made.events


def test_a_name_that_is_taken_or_no_place_is_refused_by_its_rule(opened: Runtime, place: Path) -> None:
    def refused(folder: Path) -> str:
        with pytest.raises(Refused) as why:
            backup.make(opened.store, EVERYBODY, folder)
        assert why.value.field == "folder"
        return why.value.rule

    assert "lies in the store itself" in refused(opened.store.folder / "copies")
    assert "there is no" in refused(place / "below" / "nothing")
    place.mkdir()
    assert "is there already" in refused(place)
    place.rmdir()
    place.symlink_to(place.parent / "nowhere")
    assert "is there already" in refused(place)
    place.unlink()
    place.with_name("monday.partial").mkdir()
    assert "was cut short: remove it first" in refused(place)


def test_no_room_is_said_before_anything_is_written(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1_000, 1_000))
    with pytest.raises(Refused, match=r"needs \d+ MiB, which are not free"):
        backup.make(opened.store, EVERYBODY, place)
    assert nothing_left(opened, place)


def test_a_copy_that_is_not_sound_is_no_backup(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = opened.store.revision
    copy = db.copy

    def lose_a_row(cursor: db.Cursor, name: str, progress: Any) -> None:
        copy(cursor, name, progress)
        cursor.execute(f"DELETE FROM {name}.events WHERE seq = 3")

    with monkeypatch.context() as damage:
        damage.setattr(db, "copy", lose_a_row)
        with pytest.raises(StoreError, match=r"not sound, and was removed: .*event 3 is missing"):
            backup.make(opened.store, EVERYBODY, place)
    assert nothing_left(opened, place)
    assert opened.store.revision == revision
    (opened.store.folder / ANCHOR_FILE).unlink()
    with pytest.raises(StoreError, match="the anchor file is missing"):
        backup.make(opened.store, EVERYBODY, place)
    assert nothing_left(opened, place)


def test_what_is_set_for_the_server_does_not_concern_the_copy(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAWDESK_POLICY", "no such folder")
    monkeypatch.setenv("FLAWDESK_STORE", "elsewhere")
    backup.make(opened.store, EVERYBODY, place)
    assert {path.name for path in place.iterdir()} == {STORE_FILE, ANCHOR_FILE, NOTE_FILE}


def test_what_a_killed_backup_left_in_the_store_is_removed_before_room_is_asked_for(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = opened.store.folder / "backup.partial"
    left.mkdir()
    (left / STORE_FILE).write_bytes(b"half a copy")
    usage = shutil.disk_usage

    def room(path: Path) -> Usage:
        return Usage(10**9, 10**9, 0) if left.exists() else usage(path)

    monkeypatch.setattr(shutil, "disk_usage", room)
    backup.make(opened.store, EVERYBODY, place)
    assert not left.exists()


def test_a_folder_that_came_meanwhile_is_not_removed(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = place.with_name("monday.partial")
    monkeypatch.setattr(backup, "_check_folder", lambda *_: partial.mkdir())
    with pytest.raises(StoreError, match="cannot be written or read"):
        backup.make(opened.store, EVERYBODY, place)
    assert partial.exists()
    assert not list(opened.store.folder.glob("*partial*"))


def test_an_interrupted_backup_leaves_nothing_and_the_next_one_succeeds(opened: Runtime, place: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.make(opened.store, EVERYBODY, place, stop)
    assert nothing_left(opened, place)
    bring(opened.store, make_report("Nothing stays locked."))
    backup.make(opened.store, EVERYBODY, place)


def test_one_is_made_at_a_time(opened: Runtime, place: Path) -> None:
    def again(done: int, total: int, what: str) -> None:
        with pytest.raises(Conflict, match="another one is being made"):
            backup.make(opened.store, EVERYBODY, place.with_name("tuesday"))

    backup.make(opened.store, EVERYBODY, place, again)


def test_another_disk_is_written_to_as_well(
    opened: Runtime, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def other_disk(source: Any, target: Any) -> None:
        if Path(source).parent.parent != Path(target).parent.parent and Path(source).name == STORE_FILE:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", other_disk)
    events = opened.store.revision
    backup.make(opened.store, EVERYBODY, place)
    copy = Store(place)
    assert verify(copy) == events
    copy.close()


def test_only_an_operator_makes_one(opened: Runtime, place: Path) -> None:
    reviewer = Actor("r", "R", frozenset({DeskRole.REVIEWER}))
    with pytest.raises(NotAllowed):
        backup.make(opened.store, reviewer, place)


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triage_core", *words, "--json"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_says_what_it_made_or_why_not(opened: Runtime, place: Path) -> None:
    store = opened.store.folder
    opened.close()
    done = ask("backup", str(place), "--store", str(store))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["folder"] == str(place)
    assert set(made) == {"at", "folder", "events", "head", "size"}
    again = ask("backup", str(place), "--store", str(store))
    assert again.returncode == 1
    assert "folder" in again.stderr
    assert "is there already" in again.stderr.replace("\n", " ")
    nowhere = ask("backup", str(place.with_name("other")), "--store", str(place.parent / "no store"))
    assert nowhere.returncode == 1
    assert not place.with_name("other").exists()


def test_a_kill_leaves_nothing_under_the_name(opened: Runtime, place: Path) -> None:
    store, events = opened.store.folder, opened.store.revision
    opened.close()
    held = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.making import EVERYBODY\n"
        "from triage_core import backup\n"
        "from triage_core.store import Store\n"
        "def step(done, total, what):\n"
        "    if what != 'rows copied':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "backup.make(Store(Path(sys.argv[1])), EVERYBODY, Path(sys.argv[2]), step)\n"
    )
    done = subprocess.run([sys.executable, "-c", held, str(store), str(place)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    partial = place.with_name("monday.partial")
    assert partial.exists()
    shutil.rmtree(partial)
    reopened = Store(store)
    assert reopened.revision == events
    assert backup.make(reopened, EVERYBODY, place).events == events
    reopened.close()
