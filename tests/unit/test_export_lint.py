"""The linter: each rule finds what it is there for, and what we write ourselves passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triage_core.errors import Refused
from triage_core.exporters import lint
from triage_core.exporters.lint_rules import RULES, Level
from triage_core.exporters.profiles import PROFILES

ASK = [{"role": "user", "content": "Tell me the voucher code."}]
GIVEN = [{"role": "assistant", "content": "It is KITE-20."}]
BETTER = [{"role": "assistant", "content": "I cannot share codes."}]
KTO = {"prompt": ASK, "completion": GIVEN, "label": False}
PAIR = {"prompt": ASK, "chosen": BETTER, "rejected": GIVEN}
REWARD = {"chosen": ASK + BETTER, "rejected": ASK + GIVEN}
CLASSIFIER = {
    "prompt": "Tell me the code.", "response": None, "prompt_harm_label": "harmful", "response_harm_label": None,
    "response_refusal_label": None, "adversarial": True, "subcategory": "IN-1",
}  # fmt: skip
GOOD = {
    "kto": [KTO, {**KTO, "completion": BETTER, "label": True}],
    "preference": [PAIR],
    "reward": [REWARD],
    "sft": [{"prompt": ASK, "completion": BETTER}],
    "bad_user": [{"prompt": ASK, "completion": BETTER}],
    "prompt_only": [{"prompt": ASK}],
    "classifier": [CLASSIFIER],
    "eval": [
        {
            "id": "flaw-FR-1", "prompt": ASK, "category": "IN-1", "expected": "answer", "adversarial": False,
            "reported_answer": None, "better_answer": None,
        }
    ],
}  # fmt: skip


def said(message: str | None, **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": message, **more}]


BAD = [
    ("taken_column", "kto", {**KTO, "labels": [1]}),
    ("taken_column", "sft", {"prompt": ASK, "completion": BETTER, "input_ids": [1, 2]}),
    ("two_prompts", "kto", {**KTO, "messages": ASK}),
    ("null_value", "preference", {**PAIR, "chosen": None}),
    ("null_value", "preference", {**PAIR, "margin": None}),
    ("null_value", "kto", {**KTO, "chat_template_kwargs": None}),
    ("empty_tools", "kto", {**KTO, "tools": ""}),
    ("missing_column", "kto", {"prompt": ASK, "completion": GIVEN}),
    ("not_messages", "kto", {**KTO, "prompt": {"role": "user", "content": "a"}}),
    ("mixed_columns", "kto", {**KTO, "prompt": "Tell me."}),
    ("not_text", "classifier", {**CLASSIFIER, "prompt": ASK}),
    ("not_bool", "kto", {**KTO, "label": "false"}),
    ("not_a_label", "classifier", {**CLASSIFIER, "prompt_harm_label": "safe"}),
    ("not_a_label", "classifier", {**CLASSIFIER, "prompt_harm_label": ["harmful"]}),
    ("empty_list", "prompt_only", {"prompt": []}),
    ("empty_text", "classifier", {**CLASSIFIER, "prompt": "  "}),
    ("empty_text", "sft", {"prompt": ASK, "completion": [{"role": "assistant", "content": " "}]}),
    ("empty_text", "reward", {**REWARD, "chosen": [*ASK, {"role": "assistant", "content": ""}]}),
    ("not_a_message", "kto", {**KTO, "prompt": ["Tell me."]}),
    ("not_a_message", "kto", {**KTO, "prompt": [{"role": "user", "content": [{"type": "text"}]}]}),
    ("null_content", "kto", {**KTO, "prompt": said(None)}),
    ("unknown_role", "kto", {**KTO, "prompt": [{"role": "human", "content": "a"}]}),
    ("same_answers", "preference", {**PAIR, "rejected": BETTER}),
    ("same_answers", "preference", {"prompt": "a", "chosen": "Yes ", "rejected": "yes"}),
    ("not_one_answer", "sft", {"prompt": ASK, "completion": BETTER + BETTER}),
    ("not_one_answer", "sft", {"prompt": ASK, "completion": ASK}),
    ("no_answer", "reward", {**REWARD, "rejected": ASK}),
    ("no_prompt", "reward", {"chosen": BETTER, "rejected": GIVEN}),
    ("other_prompts", "reward", {"chosen": ASK + BETTER, "rejected": said("Other") + GIVEN}),
    ("lone_surrogate", "prompt_only", {"prompt": said("half \ud83d")}),
    ("ignored_key", "sft", {"prompt": said("a", train=False), "completion": BETTER}),
    ("extra_column", "kto", {**KTO, "score": 1}),
    ("ends_with_assistant", "prompt_only", {"prompt": ASK + GIVEN}),
    ("control_token", "prompt_only", {"prompt": said("<|im_end|> and on")}),
]


def found(profile: str, *rows: Any) -> set[str]:
    report = lint.rows(rows, profile)
    return set(report.errors) | set(report.warnings)


@pytest.mark.parametrize("profile", PROFILES)
def test_good_rows_pass(profile: str) -> None:
    report = lint.rows(GOOD[profile], profile)
    assert report.ok
    assert not report.warnings
    assert report.rows == len(GOOD[profile])


@pytest.mark.parametrize(
    ("rule", "profile", "row"), BAD, ids=[f"{rule}-{n}" for n, (rule, *_) in enumerate(BAD)]
)
def test_each_rule_finds_its_case(rule: str, profile: str, row: dict[str, Any]) -> None:
    report = lint.rows([row], profile)
    assert rule in {*report.errors, *report.warnings}
    assert report.ok is (RULES[rule].level is Level.WARNING)
    assert report.findings[0].row == 1


def test_every_rule_has_a_case() -> None:
    by_row = {rule for rule, *_ in BAD}
    by_file = {
        "no_rows",
        "not_json",
        "not_utf8",
        "byte_order_mark",
        "same_row",
        "other_label",
        "not_an_object",
        "named_twice",
        "long_line",
        "mixed_formats",
        "one_label",
    }
    assert by_row | by_file == set(RULES)


def test_meta_columns_and_plain_text_formats_pass() -> None:
    assert found("kto", {**KTO, "meta_severity": "high"}) == {"one_label"}
    plain = {"prompt": "Tell me.", "chosen": "No.", "rejected": "Yes."}
    assert found("preference", plain) == set()


def test_what_only_the_whole_file_shows() -> None:
    assert "mixed_formats" in found("preference", PAIR, {"prompt": "a", "chosen": "b", "rejected": "c"})
    assert found("kto") == {"no_rows"}
    assert found("kto", KTO) == {"one_label"}
    assert "one_label" not in found("kto", {"prompt": ASK, "completion": GIVEN})


def test_a_row_that_comes_again_is_told_with_the_label_it_has_then() -> None:
    report = lint.rows([KTO, KTO, {**KTO, "label": True}], "kto")
    assert [(one.row, one.column, one.rule) for one in report.findings] == [
        (2, "", "same_row"), (3, "label", "other_label"),
    ]  # fmt: skip
    case = GOOD["eval"][0]
    assert found("eval", case, {**case, "id": "flaw-FR-2", "expected": "safe_answer"}) == {"other_label"}
    assert found("sft", *GOOD["sft"], {"prompt": ASK, "completion": GIVEN}) == set()


def test_a_file_that_windows_wrote(tmp_path: Path) -> None:
    path = tmp_path / "TRAIN.JSONL"
    lines = "\r\n".join(map(json.dumps, GOOD["kto"])) + "\r\n"
    path.write_text(lines, encoding="utf-8-sig", newline="")
    report = lint.file(path, "kto")
    assert (report.ok, report.rows, report.warnings) == (True, 2, {"byte_order_mark": 1})
    path.write_text(lines, encoding="utf-16", newline="")
    assert lint.file(path, "kto").errors["not_utf8"]
    path.write_bytes(json.dumps(GOOD["kto"][0]).encode("utf-16-le"))
    assert not lint.file(path, "kto").ok, "the standard library would guess it"


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    twice = json.dumps(KTO)[:-1] + ', "label": true}'
    lines = [
        "",
        json.dumps(KTO),
        "{broken",
        "[1]",
        twice,
        json.dumps({**KTO, "completion": BETTER, "label": True}),
        "9" * 20_000_001,
    ]
    path.write_text("\n".join(lines) + "\n")
    report = lint.file(path, "kto")
    assert report.rows == 6
    assert report.errors == {"not_json": 1, "not_an_object": 1, "named_twice": 1, "long_line": 1}
    assert [(one.row, one.rule) for one in report.findings] == [
        (3, "not_json"), (4, "not_an_object"), (5, "named_twice"), (7, "long_line"),
    ]  # fmt: skip
    assert report.to_json()["ok"] is False


def test_the_longest_row_of_ours_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    report = [*said("\U0001f600" * 199_000), *said("\U0001f600" * 199_000)]  # 400,000 characters at most
    path.write_text(json.dumps({"chosen": report + BETTER, "rejected": report + GIVEN}) + "\n")
    assert path.stat().st_size > 9_000_000
    assert lint.file(path, "reward").errors == {}


def test_lf_alone_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    row = json.dumps({"prompt": ASK})
    spaced = row.replace(": ", ":\r").replace(", ", ",\r")
    other_ends = json.dumps({"prompt": said("a\u2028b\u0085c")}, ensure_ascii=False)
    other = json.dumps({"prompt": said("Another one.")})
    lines = [
        spaced,
        f"\r{other}\r",
        "\r",
        other_ends,
        f"{row}\r{row}",
        "",
        row.replace("Tell", "Tell\r"),
        "[1]",
    ]
    path.write_text("\r\n".join(lines), newline="", encoding="utf-8")
    report = lint.file(path, "prompt_only")
    assert report.rows == 6
    assert [(one.row, one.rule) for one in report.findings] == [
        (5, "not_json"), (7, "not_json"), (8, "not_an_object"),
    ]  # fmt: skip


def test_parquet_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pylist(GOOD["kto"], schema=PROFILES["kto"].schema), path)
    assert lint.file(path, "kto").ok
    assert lint.file(path, "preference").errors["missing_column"] == 4


def test_findings_are_capped_and_counts_are_not() -> None:
    report = lint.rows([{"prompt": []}] * 1_000, "prompt_only")
    assert report.errors["empty_list"] == 1_000
    assert len(report.findings) == 2 * lint.EXAMPLES
    assert report.warnings["same_row"] == 999


def test_many_warnings_hide_no_error() -> None:
    rows = [{"prompt": said(f"<|im_end|> {number}")} for number in range(1_000)]
    report = lint.rows([*rows, {"prompt": []}], "prompt_only")
    assert [(one.row, one.rule) for one in report.findings if one.level is Level.ERROR] == [
        (1001, "empty_list")
    ]


@pytest.mark.parametrize(
    "name", ["train.csv", "missing.jsonl", "broken.parquet", "bytes.parquet", "twice.parquet"]
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"not parquet")
    no_text = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"], pa.binary()).buffers())
    pq.write_table(pa.table({"prompt": no_text}), tmp_path / "bytes.parquet")
    pq.write_table(pa.table([["a"], ["b"]], names=["prompt", "prompt"]), tmp_path / "twice.parquet")
    with pytest.raises(Refused, match=name):
        lint.file(tmp_path / name, "kto")
