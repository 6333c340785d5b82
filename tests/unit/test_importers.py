"""JSONL and CSV files read line by line: what arrives, what is refused by number, and what stays bounded."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_corpus import HOSTILE
from triage_core import importers
from triage_core.channel.reportformat import FIELDS
from triage_core.errors import NotFound
from triage_core.importers import Format, Line, columns
from triage_core.importers.lines import MAX_LINE_BYTES
from triage_core.model import DisclosureIntent, FlawReport, HarmType, System, Turn, TurnRole

HELLO = '{"turns": [{"role": "user", "content": "hello"}]}'
OVERLONG = "x" * (MAX_LINE_BYTES + 1)


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    def read(content: str | bytes, name: str = "reports.jsonl", format: str = "auto") -> list[Line]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(importers.read(path, format))

    return read


def contents(found: list[Line]) -> list[str]:
    return [turn.content for line in found if line.report for turn in line.report.turns]


def refusals(found: list[Line]) -> list[tuple[int, str]]:
    return [(line.number, line.error.field) for line in found if line.error]


def as_csv(*rows: dict[str, str]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def test_refused_lines_are_numbered_and_reading_goes_on(lines: Any) -> None:
    found = lines(
        "\n".join(
            [
                HELLO,
                "{broken",
                "",
                '{"turns": [{"role": "boss", "content": "x"}]}',
                '{"turns": [{"role": "user", "content": "\\ud800"}]}',
                OVERLONG,
                '{"prompt": "hello"}',
                '{"external_id": "last", "turns": [{"role": "user", "content": "bye"}]}',
            ]
        )
    )
    assert contents(found) == ["hello", "bye"]
    assert refusals(found) == [
        (2, "body"),
        (4, "turns[0].role"),
        (5, "turns[0].content"),
        (6, "line"),
        (7, "turns"),
    ]
    assert found[-1].number == 8


def test_line_that_is_not_utf8_is_refused_alone(lines: Any) -> None:
    found = lines(HELLO.encode() + b'\n{"turns": "\xff"}\n' + HELLO.encode())
    assert [line.error is None for line in found] == [True, False, True]


def test_windows_file_with_byte_order_mark(lines: Any) -> None:
    assert contents(lines(b"\xef\xbb\xbf" + f"{HELLO}\r\n\r\n{HELLO}\r\n".encode())) == ["hello", "hello"]
    rows = b"\xef\xbb\xbfprompt,response\r\nhello,hi\r\n\r\nbye,\r\n"
    assert contents(lines(rows, "r.csv")) == ["hello", "hi", "bye"]


def test_unicode_line_separators_do_not_end_a_line(lines: Any) -> None:
    text = HOSTILE["line separators"]
    line = json.dumps({"turns": [{"role": "user", "content": text}]}, ensure_ascii=False)
    assert contents(lines(line + "\n" + line)) == [text, text]


@pytest.mark.parametrize("content", ["", "\n\n", " \r\n"])
@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r"])
def test_empty_file_holds_nothing(lines: Any, content: str, name: str) -> None:
    assert lines(content, name) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.JSONL", HELLO),
        ("r.txt", f"\n {HELLO}"),
        ("r", "\ufeff" + HELLO),
        ("r.CSV", "prompt\nhello"),
        ("r.txt", "prompt\nhello"),
    ],
)
def test_format_is_found_out(lines: Any, name: str, content: str) -> None:
    assert contents(lines(content, name)) == ["hello"]


def test_format_can_be_given(lines: Any) -> None:
    assert contents(lines(HELLO, "r.csv", "flaw-report")) == ["hello"]
    assert contents(lines("prompt\nhello", "r.jsonl", Format.CSV)) == ["hello"]


def test_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(NotFound) as caught:
            next(importers.read(path))
        assert caught.value.field == path.name


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("r.jsonl.gz", gzip.compress(HELLO.encode(), mtime=0), "unpack"),
        ("r.jsonl", gzip.compress(HELLO.encode(), mtime=0), "unpack"),
        ("r.xlsx", b"PK\x03\x04\x14\x00", "CSV"),
        ("r.csv", "prompt\nhello".encode("utf-16"), "UTF-16"),
        ("r.jsonl", HELLO.encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_text_is_one_refused_line(lines: Any, name: str, content: bytes, rule: str) -> None:
    (line,) = lines(content, name)
    assert (line.number, line.error.field) == (1, "file")
    assert rule in line.error.rule


def test_an_array_is_not_taken_for_columns(lines: Any) -> None:
    assert refusals(lines(f"[{HELLO}, {HELLO}]", "r.json")) == [(1, "body")]


def test_keys_are_the_same_in_a_second_reading_and_apart_within_one(lines: Any) -> None:
    named = '{"external_id": "a", "turns": [{"role": "user", "content": "hello"}]}'
    respelled = '{"turns":[{"content":"hello","role":"user"}]}'
    first = [line.key for line in lines("\n".join([HELLO, named, respelled]))]
    assert len(set(first)) == 3
    assert [line.key for line in lines("\n".join([HELLO, named, HELLO, HELLO]))[:3]] == first
    assert first[1] == "id:a"


def test_csv_with_every_kind_of_column(lines: Any) -> None:
    row = {
        "External_ID": " a-1",
        "prompt": 'Say "hi",\nplease',
        "response": "no",
        "platform": "Parrot Chat",
        "version": "2",
        "what_is_wrong": "rude",
        "harm_types": "other; misinformation",
        "disclosure_intent": "no",
        "tries": "10",
        "successes": "4",
        "wants_reward": "TRUE",
        "other_systems_tried": '[{"platform": "Owl", "worked": "no"}]',
        "submitted_at": "2024-01-02T03:04:05Z",
        "contact": "",
    }
    (line,) = lines(as_csv(row), "r.csv")
    report = line.report
    assert isinstance(report, FlawReport)
    assert report.turns == (Turn(TurnRole.USER, 'Say "hi",\nplease'), Turn(TurnRole.ASSISTANT, "no"))
    assert report.system == (System("Parrot Chat", version="2"),)
    assert report.harm_types == (HarmType.OTHER, HarmType.MISINFORMATION)
    assert report.disclosure_intent is DisclosureIntent.NO
    assert (report.external_id, report.tries, report.successes, report.wants_reward) == (" a-1", 10, 4, True)
    assert report.other_systems_tried[0].platform == "Owl"
    assert report.submitted_at is not None


def test_csv_with_turns_as_json(lines: Any) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    found = lines(
        as_csv(*({"contact": "me", "turns": cell} for cell in (json.dumps(turns), "[{", ""))), "r.csv"
    )
    assert contents(found) == ["a", "b"]
    assert refusals(found) == [(3, "turns"), (4, "turns")]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("foo,bar", "bar, foo"),
        ("prompt,modle", "modle"),
        ("prompt;response", "commas"),
        ("prompt\tresponse", "commas"),
        ("prompt,<script>", "?script?"),
        ("platform,model", "turns"),
        ("prompt,turns", "either"),
        ("turns,response", "either"),
        ("prompt,Prompt", "name of its own"),
    ],
)
def test_wrong_columns_give_one_error_that_names_them(lines: Any, header: str, named: str) -> None:
    (line,) = lines(f"{header}\na,b\nc,d\n", "r.csv")
    assert line.number == 1
    assert line.error.field == "columns"
    assert named in line.error.rule


def test_refused_csv_records_are_numbered_by_their_first_line(lines: Any) -> None:
    found = lines(
        b"prompt,tries,wants_reward\n"
        b'"two\nlines",1,\n'
        b"short,1\n"
        b"b\xffd,1,\n"
        b"many,lots,\n"
        b"flag,1,perhaps\n"
        b'"quote"s,1,\n'
        b"nul\x00,1,\n"
        b"fine,1,no\n",
        "r.csv",
    )
    assert contents(found) == ["two\nlines", "fine"]
    assert refusals(found) == [
        (4, "line"),
        (5, "prompt"),
        (6, "tries"),
        (7, "wants_reward"),
        (8, "line"),
        (9, "turns[0].content"),
    ]


def test_overlong_csv_records_are_refused_and_reading_goes_on(lines: Any) -> None:
    unclosed = '"never closed\n' + ("y" * 999 + "\n") * (MAX_LINE_BYTES // 1_000)
    found = lines(f"prompt\n{OVERLONG}\nhello\n{unclosed}bye\n", "r.csv")
    assert refusals(found) == [(2, "line"), (4, "line")]
    assert contents(found)[0] == "hello"
    assert contents(found)[-1] == "bye"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_cells_are_kept_exactly(lines: Any, name: str) -> None:
    found = lines(as_csv({"prompt": "hi", "response": HOSTILE[name]}), "r.csv")
    assert contents(found) == ["hi", HOSTILE[name]]


def test_csv_has_a_column_for_every_field() -> None:
    assert set(FIELDS) - {"format", "system"} <= set(columns.COLUMNS)


@pytest.mark.real_data
def test_real_prompts_are_read_without_a_refusal(real_data: Path, tmp_path: Path) -> None:
    text = (real_data / "wild_jailbreaks" / "wild_dev.jsonl").read_text("utf-8")
    rows = [json.loads(row) for row in text.split("\n") if row]
    path = tmp_path / "wild.csv"
    path.write_text(
        as_csv(*({"external_id": row["id"], "prompt": row["text"]} for row in rows)), "utf-8", newline=""
    )
    found = list(importers.read(path))
    assert contents(found) == [row["text"] for row in rows]
    assert [line.report.external_id for line in found if line.report] == [row["id"] for row in rows]
