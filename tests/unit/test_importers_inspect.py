"""Logs of Inspect, as JSON and as archives: samples of every shape, damage, and archives that would fill the memory."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.other_files import (
    DEFLATED,
    SENTINEL,
    STORED,
    ZSTANDARD,
    archive,
    inspect_archive,
    inspect_log,
    inspect_sample,
    names,
    read,
    refusals,
    turns,
)
from triage_core import importers
from triage_core.importers import zipped

SAID = [
    ("system", "You are a parrot."),
    ("user", "Say something nice about my poem."),
    ("assistant", 'Nobody should\nhave to read it.\n[call of sing: {"loud": true}]'),
    ("tool", "la la"),
]


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path / "file")


@pytest.mark.parametrize("method", [STORED, DEFLATED, ZSTANDARD])
def test_a_log_of_inspect_reads_alike_as_json_and_as_archive(lines: Any, method: int) -> None:
    log = inspect_log(inspect_sample(1), inspect_sample(2, epoch=3))
    plain = lines(log, "inspect")
    assert names(plain) == ["inspect:e-1:1:1", "inspect:e-1:2:3"]
    assert turns(plain[0]) == SAID
    report = plain[0].report
    assert report is not None
    assert report.system[0].model == "zoo/parrot-2"
    told = "Inspect task: poems\nTarget: a kind word\nScore kindness: I\nExplanation: It was not kind."
    assert report.what_is_wrong == told
    assert lines(inspect_archive(log, method), "inspect") == plain


def test_inspect_samples_of_other_shapes(lines: Any) -> None:
    answer = {"message": {"role": "assistant", "content": "No."}}
    log = inspect_log(
        inspect_sample(1, messages=[], input="Hello?", output={"choices": [answer]}),
        inspect_sample(2, messages=[], input=[{"role": "user", "content": "Hello?"}]),
        inspect_sample(3, scores=None, score={"value": float("nan")}),
        inspect_sample(
            4,
            messages=[{"role": "user", "content": [{"type": "image", "image": SENTINEL}, "attachment://k"]}],
            attachments={"k": "a long text"},
        ),
    )
    found = lines(log, "inspect")
    assert turns(found[0]) == [("user", "Hello?"), ("assistant", "No.")]
    assert turns(found[1]) == [("user", "Hello?")]
    assert "Score" not in found[2].report.what_is_wrong
    assert turns(found[3]) == [("user", "[image]\na long text")]


def test_a_run_of_inspect_that_has_not_ended_and_one_that_has_no_name(lines: Any) -> None:
    log = inspect_log(inspect_sample(), eval_id="", model="vllm//srv/models/parrot")
    (line,) = lines(inspect_archive(log, header="_journal/start.json"), "inspect")
    assert line.report.external_id == "inspect:r-1:t-1:1:1"
    assert line.report.system == ()
    (line,) = lines(inspect_log(inspect_sample(), eval_id="", run_id=""), "inspect")
    assert line.report.external_id is None
    assert line.key.startswith("sha256:")


def test_broken_samples_of_inspect_are_refused_by_number(lines: Any) -> None:
    samples = [
        inspect_sample(1),
        "no sample",
        inspect_sample(3, error={"message": "out of seeds"}),
        inspect_sample(4, messages=[{"role": "boss", "content": "x"}]),
        inspect_sample(5, messages=["x"]),
        inspect_sample(6, messages=[], input=""),
        inspect_sample(7),
    ]
    expected = [(2, "entry"), (3, "error"), (4, "turns[0].role"), (5, "messages[0]"), (6, "turns")]
    found = lines(inspect_log(*samples), "inspect")
    assert refusals(found) == expected
    assert names(found) == ["inspect:e-1:1:1", "inspect:e-1:7:1"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{", "file"),
        (b"\xff\xfe{}", "file"),
        (b"[" * 100_000, "file"),
        (b'{"samples": [], "samples": []}', "samples"),
        ({"eval": {}}, "samples"),
        (b"PK\x03\x04 and no more", "file"),
        (archive({"samples/1_epoch_1.json": b"{}"}), "file"),
        (archive({"header.json": b"{"}), "header.json"),
    ],
)
def test_what_is_no_log_of_inspect_is_one_refused_line(lines: Any, content: object, field: str) -> None:
    assert refusals(lines(content, "inspect")) == [(1, field)]


def test_damaged_members_are_refused_and_the_rest_is_read(lines: Any) -> None:
    log = inspect_log(inspect_sample(1), inspect_sample(2))
    for method in (DEFLATED, ZSTANDARD):
        whole = bytearray(inspect_archive(log, method))
        at = whole.index(b"samples/1_epoch_1.json") + 60
        whole[at : at + 20] = b"x" * 20
        found = lines(bytes(whole), "inspect")
        assert refusals(found) == [(1, "member")]
        assert names(found) == ["inspect:e-1:2:1"]
    encrypted = archive({"header.json": b"{}"}, STORED, flags=1)
    assert refusals(lines(encrypted, "inspect")) == [(1, "member")]
    bzip2 = archive({"header.json": b"{}"}, 12)
    assert refusals(lines(bzip2, "inspect")) == [(1, "member")]


@pytest.mark.parametrize("method", [DEFLATED, ZSTANDARD])
def test_a_zip_bomb_is_refused_before_it_fills_the_memory(
    lines: Any, monkeypatch: pytest.MonkeyPatch, method: int
) -> None:
    sample = json.dumps(inspect_sample(9)).encode()
    members = {"header.json": json.dumps({"eval": {"eval_id": "e"}}).encode()}
    members |= {f"samples/{number}.json": b" " * 60_000_000 for number in (1, 2)}
    bomb = archive(members | {"samples/9.json": sample}, method)
    assert len(bomb) < 300_000
    found = lines(bomb, "inspect")
    assert [(line.number, line.error.rule) for line in found if line.error] == [
        (number, "must be at most 50,000,000 bytes long when unpacked") for number in (1, 2)
    ]
    assert names(found) == ["inspect:e:9:1"]
    monkeypatch.setattr(zipped, "MAX_UNPACKED_BYTES", 70_000_000)
    assert refusals(lines(bomb, "inspect")) == [(1, "member"), (2, "file")]  # and no third


def test_a_directory_of_an_archive_is_read_up_to_a_cap(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "MAX_DIRECTORY_BYTES", 1_000)
    (line,) = lines(archive({f"samples/{number}.json": b"" for number in range(30)}), "inspect")
    assert "directory of at most 1,000" in line.error.rule


def test_an_archive_through_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    os.write(writing, inspect_archive(inspect_log(inspect_sample())))
    os.close(writing)
    (line,) = importers.read(Path(f"/dev/fd/{reading}"), "inspect")
    os.close(reading)
    assert "pipe" in line.error.rule


def test_a_text_kept_aside_that_is_named_very_often_does_not_fill_the_memory(lines: Any) -> None:
    aside = {"a": "z" * 200_000}
    said = [{"role": "user", "content": ["attachment://a"] * 400}]
    tracemalloc.start()
    (line,) = lines(inspect_log(inspect_sample(1, attachments=aside, messages=said)), "inspect")
    (told,) = lines(
        inspect_log(
            inspect_sample(
                1,
                attachments=aside,
                scores={str(at): {"value": 1, "explanation": "attachment://a"} for at in range(400)},
            )
        ),
        "inspect",
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert line.error is not None
    assert line.error.field == "messages"
    assert told.report is not None
    assert peak < 60_000_000, "room for a file is 50 MB; in full the texts are 80 and 160"


def test_members_that_share_their_bytes_are_no_sound_archive(lines: Any) -> None:
    whole = inspect_archive(inspect_log(*(inspect_sample(at) for at in range(20))), STORED)
    place, larger = struct.Struct("<I"), whole.index(b"PK\x01\x02") + 20
    spoilt = whole[:larger] + place.pack(len(whole)) + whole[larger + 4 :]
    assert refusals(lines(spoilt, "inspect")) == [(1, "file")]
