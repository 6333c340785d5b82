"""A version of a dataset: its manifest, its bytes, what came before it, and builds that end early."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.exported import EXPECTED, SPAM, Export, add, rows
from tests.making import EVERYBODY, FLAW, NOON, POLICY, Clock, decide
from triage_core import db
from triage_core.channel import consent
from triage_core.errors import Conflict, Refused, StoreError
from triage_core.exporters import build as exports
from triage_core.exporters import metadata
from triage_core.exporters.build import ExportRequest, build, build_changed
from triage_core.queries import Filter
from triage_core.store import Store


def test_the_manifest_can_be_checked_against_the_files(store: Store, export: Export) -> None:
    add(store, *(f"Question {number}" for number in range(30)))
    add(store, "A rude joke, please.", decision=EXPECTED)
    made = export("kto", name="voucher", version="2026-03", format="jsonl")
    folder = Path(made["folder"])
    assert folder.parts[-2:] == ("voucher", "2026-03")
    assert {**json.loads((folder / "manifest.json").read_text()), "folder": made["folder"]} == made
    listed = {file["path"] for file in made["files"]}
    assert listed == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {
        "manifest.json"
    }
    for file in made["files"]:
        content = (folder / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    digests = sorted(hashlib.sha256(metadata.canonical(row).encode()).hexdigest() for row in rows(made))
    assert made["content_sha256"] == hashlib.sha256("".join(f"{d}\n" for d in digests).encode()).hexdigest()
    counts = made["rows"]
    assert (counts["total"], counts["label"]) == (31, {"false": 30, "true": 1})
    assert counts["clause"] == {"EXP-1": 1, "IN-1": 30}
    assert sum(counts["split"].values()) == sum(counts["severity"].values()) == 31


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_same_inputs_give_the_same_bytes(
    store: Store, clock: Clock, tmp_path: Path, export: Export, format: str
) -> None:
    add(store, *(f"Question {number}" for number in range(20)))
    ticking = itertools.count(1)
    store.clock = lambda: NOON + timedelta(seconds=next(ticking))
    one = export("kto", version="1", format=format)
    two = export("kto", version="1", format=format, out=tmp_path / "elsewhere")
    files = [
        {
            p.relative_to(made["folder"]): p.read_bytes()
            for p in Path(made["folder"]).rglob("*")
            if p.is_file()
        }
        for made in (one, two)
    ]
    assert files[0] == files[1]


def test_batches_make_no_difference(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import source

    add(store, *(f"Question {number}" for number in range(11)))
    add(store, "no", "never", consent_training="none")
    whole = export("preference", version="1")
    monkeypatch.setattr(source, "BATCH", 4)
    monkeypatch.setattr(source, "TEXT_BYTES", 60)
    monkeypatch.setattr(source, "TOGETHER", 1)
    monkeypatch.setattr(source, "ANSWERED", 3)
    parts = export("preference", version="1", out=tmp_path / "elsewhere")
    assert parts["files"] == whole["files"]


@pytest.mark.parametrize("profile", ["kto", "preference"])
def test_rows_come_in_the_order_of_their_reports_wherever_the_database_keeps_them(
    store: Store, export: Export, tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import source

    monkeypatch.setattr(source, "TEXT_BYTES", 60)
    monkeypatch.setattr(source, "TOGETHER", 1)
    add(store, *(f"Question {number}" for number in range(11)))
    whole = export(profile, version="1")
    with store.write(EVERYBODY, "test") as work:
        for seq in (2, 7):
            work.cursor.execute("CREATE TEMP TABLE moved AS SELECT * FROM reports WHERE seq = ?", [seq])
            work.cursor.execute("UPDATE reports SET turns = [] WHERE seq = ?", [seq])
            work.cursor.execute(
                "UPDATE reports SET turns = moved.turns FROM moved WHERE reports.seq = moved.seq"
            )
            work.cursor.execute("DROP TABLE moved")
    with store.read() as cursor:
        kept = [row["seq"] for row in db.rows(cursor, "SELECT seq FROM reports")]
    assert kept != sorted(kept)
    moved = export(profile, version="1", out=tmp_path / "elsewhere")
    assert moved["files"] == whole["files"]


def test_a_conversation_that_is_not_there_is_missed(store: Store) -> None:
    from triage_core.exporters import source

    add(store, "one", "two")
    with store.read() as cursor, pytest.raises(StoreError, match="report number 9 cannot be read"):
        list(source.conversations(cursor, np.array([1, 2, 9])))


def test_a_version_stands_for_its_rows(store: Store, tmp_path: Path, export: Export) -> None:
    add(store, "one", "two")
    made = export("kto", version="1")
    with pytest.raises(Conflict, match="is there already"):
        export("kto", version="1")
    other = export("kto", version="1", format="jsonl", layout="rich", out=tmp_path / "elsewhere")
    assert other["content_sha256"] == made["content_sha256"]
    add(store, "three")
    with pytest.raises(Conflict, match="kto 1 stands for other rows"):
        export("kto", version="1", out=tmp_path / "third")
    assert not (tmp_path / "third" / "kto").exists()
    newer = export("kto")
    assert (newer["version"], newer["parent"]) == ("2", "1")
    assert newer["diff"] == {"added": 1, "removed": 0, "removed_examples": [], "changed": 0}


def test_a_name_stands_for_one_profile(store: Store, export: Export) -> None:
    add(store, "one", consent_training="safety_and_bad_user")
    export("kto", name="mine")
    with pytest.raises(
        Conflict, match="mine is a dataset of the profile kto: choose another name for bad_user"
    ):
        export("bad_user", name="mine")


def test_the_difference_to_the_parent(store: Store, export: Export) -> None:
    add(store, "one", "two", "three")
    export("preference", format="jsonl")
    decide(store, "FR-1", SPAM)
    decide(store, "FR-2", replace(FLAW, better_answer="Ask the shop."))
    made = export("preference", layout="rich")
    left = made["diff"].pop("removed_examples")
    assert made["diff"] == {"added": 0, "removed": 1, "changed": 1}
    assert len(left) == 1


def test_a_build_is_recorded_and_a_failed_one_is_not(
    store: Store, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "one")
    made = export("kto")
    with store.read() as cursor:
        record = db.row(cursor, "SELECT * FROM datasets")
        event = db.row(cursor, "SELECT * FROM events WHERE kind = 'dataset.built'")
        remembered = db.rows(cursor, "SELECT * FROM dataset_splits")
    assert record is not None
    assert event is not None
    assert (record["name"], record["version"], record["folder"]) == ("kto", "1", made["folder"])
    assert event["subject"] == "kto/1"
    assert json.loads(event["data"])["content_sha256"] == made["content_sha256"]
    assert [row["report_id"] for row in remembered] == ["FR-1"]

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    before = store.revision
    monkeypatch.setattr(db, "insert", fail)
    with pytest.raises(Refused, match="disk full"):
        export("kto")
    assert [path.name for path in (tmp_path / "out" / "kto").iterdir()] == ["1"]
    assert store.revision == before


def test_what_a_killed_build_left_goes_with_the_next_of_another_process(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "one")
    ask = ExportRequest("kto", tmp_path / "out", "jsonl")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(db, "insert", killed)
        with pytest.raises(KeyboardInterrupt):
            build(store, POLICY, EVERYBODY, ask)
    (left,) = (tmp_path / "out" / "kto").iterdir()
    assert (left / "data").is_dir()
    (of_another_store := left.with_name(".1.01234567-89abcdef.0.partial")).mkdir()
    build(store, POLICY, EVERYBODY, ask)
    assert left.exists(), "of this process: it may be running"
    monkeypatch.setattr(exports, "_PROCESS", "another")
    build(store, POLICY, EVERYBODY, ask)
    assert {path.name for path in left.parent.iterdir()} == {"1", "2", of_another_store.name}


def test_a_build_that_nobody_waits_for_stops_and_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triage_core.exporters import beside, source

    add(store, *(f"Question {number}" for number in range(5)))
    left = threading.Event()
    real = source.facts

    def slow(*asked: Any) -> Any:
        left.wait(20)
        return real(*asked)

    def leave(done: int, total: int) -> None:
        assert (done, total) == (0, 5)
        left.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(source, "facts", slow)
    monkeypatch.setattr(beside, "SECONDS", 0.01)
    with pytest.raises(KeyboardInterrupt):
        build(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"), leave)
    assert not (tmp_path / "out" / "kto").exists()
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM datasets") == 0


def test_a_dataset_without_rows_is_refused_with_the_reasons(
    store: Store, export: Export, tmp_path: Path
) -> None:
    add(store, "no", "neither", consent_training="none")
    add(store, "undecided", decision=None)
    with pytest.raises(
        Refused, match=r"none of 3 reports becomes one: 2 because the reporter has .*; 1 because"
    ):
        export("kto")
    with pytest.raises(Refused, match="no report among those"):
        export("kto", chosen=Filter(platform=("Nothing",)))
    assert not (tmp_path / "out" / "kto").exists()


def test_the_next_version_without_rows_is_an_honest_account(
    store: Store, export: Export, tmp_path: Path
) -> None:
    (only,) = add(store, "yes")
    export("kto")
    consent.revoke(store, EVERYBODY, [only])
    made = build_changed(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    assert made is not None
    assert (made["version"], made["rows"]["total"], made["excluded"]) == ("2", 0, {"no_consent": 1})
    assert made["diff"]["removed_examples"] == [f"kto-{only}"]
    assert [file["path"] for file in made["files"]] == ["README.md"]
    front, body = (Path(made["folder"]) / "README.md").read_text().split("---\n", 2)[1:]
    assert "Groups of like reports: 0; on both sides: 0." in body
    assert "configs" not in front, "a loader refuses a configuration without files"
    again = build_changed(store, POLICY, EVERYBODY, ExportRequest("kto", tmp_path / "out"))
    assert again is None, "nothing changed"
