"""Files with columns of their own: what a mapping reads of CSV and JSON Lines, and what it refuses by name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_corpus import HOSTILE
from triage_core import importers
from triage_core.errors import Refused
from triage_core.importers import Line, mapping
from triage_core.importers.columns import COLUMNS
from triage_core.model import FlawReport, System, Turn, TurnRole

ASKED = ("prompt=question", "response=reply")


class Reader:
    """Reads a file by a mapping; `others` are the columns that were told as not read, None before any were."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.others: list[str] | None = None

    def __call__(self, name: str, content: str, *pairs: str, format: str = "auto") -> list[Line]:
        path = self._folder / name
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
        return list(importers.read(path, format, mapping.parse(pairs), self._hear))

    def _hear(self, names: Sequence[str]) -> None:
        self.others = list(names)


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_jsonl(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


FILES: dict[str, Callable[[Sequence[dict[str, Any]]], str]] = {"own.csv": as_csv, "own.jsonl": as_jsonl}


def only(lines: list[Line]) -> FlawReport:
    (line,) = lines
    assert line.report is not None, line.error
    return line.report


def said(line: Line) -> tuple[int, str]:
    return line.number, str(line.error)


@pytest.mark.parametrize("name", FILES)
def test_columns_of_ones_own_become_fields(read: Reader, name: str) -> None:
    row = {
        "Question": "Say hi",
        "reply": "no",
        "instructions": "Be kind.",
        "no": "17",
        "bot": "parrot-2",
        "tags": "other; misinformation",
        "prompt": "a column that is not asked for",
        "user": "ada@example.org",
    }
    pairs = (
        "prompt=Question",
        "response=reply",
        "system_prompt=instructions",
        "external_id=no",
        "session_id=no",
    )
    report = only(read(name, FILES[name]([row]), *pairs, "model=bot", "harm_types=tags"))
    assert report.turns == (
        Turn(TurnRole.SYSTEM, "Be kind."),
        Turn(TurnRole.USER, "Say hi"),
        Turn(TurnRole.ASSISTANT, "no"),
    )
    assert (report.external_id, report.session_id, report.system) == ("17", "17", (System("", "parrot-2"),))
    assert [harm.value for harm in report.harm_types] == ["other", "misinformation"]
    assert (report.contact, report.extra) == ("", {})
    assert read.others == ["prompt", "user"]


def test_values_of_json_are_read_as_what_they_are(read: Reader) -> None:
    turns = [{"role": "user", "content": "Say hi"}, {"role": "assistant", "content": "no"}]
    rows = [
        {"messages": turns, "id": 17, "n": 3, "paid": True, "score": None},
        {"messages": json.dumps(turns), "id": "", "n": None},
        {"messages": turns},
    ]
    lines = read(
        "own.jsonl", as_jsonl(rows), "turns=messages", "external_id=id", "tries=n", "wants_reward=paid"
    )
    assert [len(line.report.turns) for line in lines if line.report] == [2, 2, 2]
    first, second, third = (line.report for line in lines)
    assert (first.external_id, first.tries, first.wants_reward) == ("17", 3, True)
    assert (second.external_id, second.tries, second.wants_reward) == (None, None, False)
    assert second == third


def test_a_refused_line_is_numbered_and_the_rest_goes_on(read: Reader) -> None:
    content = '{"q": "one"}\n{"q": ["two"]}\n{broken\n\n{"q": "\\ud800"}\n[]\n{"other": 1}\n{"q": "last"}\n'
    lines = read("own.jsonl", content, "prompt=q")
    assert [line.number for line in lines if line.report] == [1, 8]
    assert [(line.number, line.error.field) for line in lines if line.error] == [
        (2, "turns[0].content"), (3, "line"), (5, "turns[0].content"), (6, "line"), (7, "turns"),
    ]  # fmt: skip
    lines = read("own.csv", "q,n\none,1\ntwo\nb\udcffd,1\nlast,x\n", "prompt=q", "tries=n")
    assert [(line.number, line.error.field) for line in lines if line.error] == [
        (3, "line"), (4, "prompt"), (5, "tries"),
    ]  # fmt: skip


def test_half_of_a_pair_within_json_in_json_refuses_its_line(read: Reader) -> None:
    lines = read("own.jsonl", '{"messages": "[\\ud800]"}\n{"messages": "[\\udc80]"}\n', "turns=messages")
    assert [line.error.field for line in lines if line.error] == ["turns", "turns"]


@pytest.mark.parametrize("name", FILES)
def test_a_column_that_the_file_lacks_is_named_with_those_that_it_has(read: Reader, name: str) -> None:
    content = FILES[name]([{"text": "one", "Réponse": "a"}, {"text": "two", "Réponse": "b"}])
    (line,) = read(name, content, "prompt=text", "response=reply")
    assert said(line) == (1, "columns: must hold reply, which is mapped to response; they are text, Réponse")
    assert read.others is None, "the mapping does not fit"


def test_a_column_may_be_missing_in_the_first_of_the_first_lines(read: Reader) -> None:
    rows = [{"q": str(number)} for number in range(120)]
    assert (
        len(read("own.jsonl", as_jsonl([*rows[:99], {"q": "x", "a": "y"}, *rows]), "prompt=q", "response=a"))
        == 220
    )
    (line,) = read("own.jsonl", as_jsonl([*rows, {"q": "x", "a": "y"}]), "prompt=q", "response=a")
    assert said(line)[1].startswith("columns: must hold a,")


def test_a_column_that_is_there_twice_is_refused_where_it_is_asked_for(read: Reader) -> None:
    (line,) = read("own.csv", "q,q\none,two\n", "prompt=q")
    assert said(line) == (1, "columns: must each have a name of its own: q is there more than once")
    assert only(read("own.csv", "q,,\none,,\n", "prompt=q")).turns[0].content == "one"


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_lines_has_no_columns(read: Reader, name: str) -> None:
    assert read(name, "\n", "prompt=q") == []
    assert read.others is None
    (line,) = read("own.csv", "q;a\none;two\n", "prompt=q")
    assert "commas" in said(line)[1]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("file", FILES)
def test_hostile_text_is_kept_exactly(read: Reader, file: str, name: str) -> None:
    report = only(read(file, FILES[file]([{"question": "hi", "reply": HOSTILE[name]}]), *ASKED))
    assert report.turns[1].content == HOSTILE[name]


def test_names_of_columns_are_freed_of_what_could_do_harm(read: Reader) -> None:
    header = ",".join(["<b>", "a/b?", "\u202e", "x" * 99, *(f"c{number}" for number in range(30))])
    (line,) = read("own.csv", header + "\n", "prompt=c0", "response=r")
    assert f"they are <b>, a/b?, ?, {'x' * 60}…, c0, " in said(line)[1]
    assert said(line)[1].endswith(", c15 and 14 more")


@pytest.mark.parametrize("name", FILES)
def test_of_a_file_without_names_nothing_is_repeated(read: Reader, name: str) -> None:
    content = FILES[name]([{"a word of Ada's": "another word of hers"}])
    (line,) = read(name, content, "prompt=question", "response=reply")
    rule = "must hold question, reply; none of its 1 is one of them: has it names in its first line?"
    assert said(line) == (1, f"columns: {rule}")


def test_what_follows_a_header_that_is_none_is_not_read(read: Reader) -> None:
    (line,) = read("own.csv", 'q,"a\0"x\nword of Ada,another\n', "prompt=q")
    assert "Ada" not in said(line)[1]


@pytest.mark.parametrize("name", FILES)
def test_spaces_around_a_name_are_none_of_it(read: Reader, name: str) -> None:
    report = only(read(name, FILES[name]([{" question ": "one"}]), "prompt = question "))
    assert report.turns[0].content == "one"


def test_the_first_object_tells_the_columns_however_late_it_comes(read: Reader) -> None:
    lines = read("own.jsonl", "[]\n" * 120 + '{"other": "one"}\n{"other": "two"}\n', "prompt=q")
    assert [line.number for line in lines] == list(range(1, 122))
    assert said(lines[-1])[1].startswith("columns: must hold q")


@pytest.mark.parametrize("value", [False, 0.5, [], {}])
def test_what_is_no_text_is_refused_where_a_text_is_said(read: Reader, value: object) -> None:
    (line,) = read("own.jsonl", as_jsonl([{"q": "one", "a": value}]), "prompt=q", "response=a")
    assert said(line)[1].startswith("turns[1].content: must be text")


def test_a_file_like_that_of_a_tool_is_read_as_the_mapping_says(read: Reader) -> None:
    hit = {"goal": "x", "prompt": "Say hi", "output": "no", "triggers": None, "score": 1.0, "run_id": "r"}
    report = only(read("hits.jsonl", as_jsonl([hit]), "prompt=prompt", "response=output"))
    assert [turn.content for turn in report.turns] == ["Say hi", "no"]


def test_formats_of_tools_have_no_columns_to_map(read: Reader) -> None:
    rule = "format: must be flaw-report or csv where columns are mapped, not "
    with pytest.raises(Refused, match=f"^{rule}promptfoo"):
        read("own.jsonl", '{"q": "one"}', "prompt=q", format="promptfoo")
    (line,) = read("own.eml", "Subject: one", "prompt=q")
    assert said(line) == (1, f"{rule}email")


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        (["promt=q"], "'promt' is not a field; known are turns, system_prompt, prompt, response, "),
        (["prompt"], "must be FIELD=COLUMN, as in prompt=question, not 'prompt'"),
        (["=q"], "must be FIELD=COLUMN"),
        (["prompt="], "must be FIELD=COLUMN"),
        (["prompt=a", "prompt=b"], "prompt takes one column, not both 'a' and 'b'"),
        (["prompt=" + "a" * 201], "at most 200 characters, not 201"),
        (["prompt=q\udcff"], "must not contain a lone surrogate"),
        (["response=a"], "must hold either turns"),
        (["prompt=a", "turns=b"], "must hold either turns"),
        (["turns=a", "system_prompt=b"], "must hold either turns"),
    ],
)
def test_a_mapping_that_breaks_a_rule_is_refused(pairs: list[str], rule: str) -> None:
    with pytest.raises(Refused) as refusal:
        mapping.parse(pairs)
    assert (refusal.value.field, refusal.value.rule[: len(rule)]) == ("map", rule)


def test_a_mapping_is_written_as_it_is_read() -> None:
    pairs = ["prompt=a=b", "response=c d"]
    assert mapping.parse(pairs).pairs() == pairs
    assert not [name for name in COLUMNS if "=" in name]
