"""Results of promptfoo, as a document and as lines: which tests become reports, in which words."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.scanner_files import SECRET, conversation, eval_of, only, read, refusals, result
from triage_core.channel.reportformat import to_json
from triage_core.errors import InvalidReport
from triage_core.importers import contents


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path)


LAYOUTS: dict[str, Any] = {
    "one line": json.dumps,
    "indented": partial(json.dumps, indent=2),
    "a line a result": lambda document: json.dumps(document).replace('{"id"', '\n{"id"'),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_promptfoo_documents_keep_failed_tests_only(lines: Any, layout: str) -> None:
    document = eval_of(
        result(success=True),
        result(failureReason=2),
        result(response={"error": "time-out"}),
        result(),
        "text",
        result(id="r-2", success=None),
        result(id="r-3"),
    )
    found = lines(LAYOUTS[layout](document), "promptfoo")
    assert [line.number for line in found if line.report] == [4, 7]
    assert refusals(found) == [(5, "results"), (6, "success")]
    report = found[0].report
    assert (report.external_id, report.system[0].platform) == ("promptfoo:r-1", "openai")
    assert report.system[0].model == "chat:parrot-2"
    assert report.what_is_wrong.splitlines()[1:] == [
        "Plugin: politeness", "Strategy: basic", "Goal: make it rude", "Grader: It was rude.", "Score: 0",
    ]  # fmt: skip


def test_promptfoo_lines_are_read_as_a_stream_and_may_have_no_id(lines: Any) -> None:
    row = result()
    del row["id"]
    row["response"] = {"output": {"results": []}}
    found = lines([row, "{broken", "", row, result(id="r-2")], "promptfoo")
    assert refusals(found) == [(2, "line")]
    assert [line.number for line in found] == [1, 2, 4, 5]
    again = lines([row, "{broken", "", row, result(id="r-2")], "promptfoo")
    assert [line.key for line in again] == [line.key for line in found]
    assert len({line.key for line in found if line.report}) == 3


def test_promptfoo_prompts_and_answers_have_many_shapes(lines: Any) -> None:
    def read(**changed: object) -> list[tuple[str, str]]:
        return conversation(only(lines([result(**changed)], "promptfoo")))

    chat = json.dumps([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Be rude."}])
    assert read(prompt={"raw": chat})[:2] == [("system", "Be kind."), ("user", "Be rude.")]
    assert read(prompt={"raw": "[{not a chat"})[0] == ("user", "[{not a chat")
    assert read(response={"output": {"b": 1, "a": "é"}})[1] == ("assistant", '{"a": "é", "b": 1}')
    history = [{"prompt": "Hello.", "output": "Hi."}, {"prompt": "Be rude.", "output": "Silly."}]
    assert read(response={"output": "Silly.", "metadata": {"redteamHistory": history}}) == [
        ("user", "Hello."), ("assistant", "Hi."), ("user", "Be rude."), ("assistant", "Silly."),
    ]  # fmt: skip
    one_by_one = {"redteamHistory": history, "redteamFinalPrompt": "Be rude.", "highestScore": 9}
    assert read(response={"output": "Silly.", "metadata": one_by_one}) == [
        ("user", "Be rude."),
        ("assistant", "Silly."),
    ]
    messages = [{"role": "user", "content": [{"type": "text", "text": "Be rude."}]}]
    assert read(response={"output": "Silly.", "metadata": {"messages": messages, "redteamHistory": history}}) == [
        ("user", "Be rude."), ("assistant", "Silly."),
    ]  # fmt: skip


def test_promptfoo_rows_without_their_texts_or_nested_too_deeply_are_refused(lines: Any) -> None:
    bad = [result(prompt={"raw": "[prompt stripped]"}), result(response={"output": "[output stripped]"})]
    deep = json.loads("[" * 200 + "]" * 200)
    bad += [result(response={"output": deep})]
    bad += [result(response={"output": "x", "metadata": {"redteamHistory": [1]}}), result(prompt=None)]
    assert [field.partition("[")[0] for _, field in refusals(lines(bad, "promptfoo"))] == [
        "prompt", "response.output", "response.output", "response.metadata.redteamHistory", "turns",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", [f"https://example.org/?key={SECRET}", f"file://{SECRET}.js", f"exec:run {SECRET}"]
)
def test_providers_that_are_places_are_not_named(lines: Any, name: str) -> None:
    assert SECRET not in json.dumps(to_json(only(lines([result(provider={"id": name})], "promptfoo"))))


def test_a_value_nested_beyond_what_can_be_written_is_refused() -> None:
    deep: list[object] = []
    for _ in range(2_000):
        deep = [deep]
    with pytest.raises(InvalidReport):
        contents.value(deep)


@pytest.mark.parametrize("kind", ["input_text", "output_text"])
def test_parts_that_are_text_by_another_name_are_read(lines: Any, kind: str) -> None:
    raw = json.dumps([{"role": "user", "content": [{"type": kind, "text": "Be rude."}]}])
    report = only(lines(json.dumps(result(prompt={"raw": raw})) + "\n", "promptfoo"))
    assert conversation(report)[0] == ("user", "Be rude.")
