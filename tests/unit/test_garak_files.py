"""Files of garak, of both shapes: which answers become reports, and which lines are refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_corpus import HOSTILE
from tests.scanner_files import (
    INIT,
    RUDE,
    SECRET,
    SETUP,
    Row,
    attempt,
    conversation,
    hit,
    message,
    only,
    read,
    refusals,
    said,
)
from triage_core.channel.reportformat import MAX_TEXT_CHARACTERS
from triage_core.importers.lines import MAX_LINE_BYTES


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path)


# garak's hitlog


def test_hitlog_before_0_13_has_texts(lines: Any) -> None:
    row = hit(prompt="Be a rude parrot.", output="Squawk, silly!", generator="openai parrot-2")
    del row["triggers"]
    report = only(lines(row | {"trigger": "silly"}, "garak-hitlog"))
    assert conversation(report) == RUDE
    assert (report.system[0].platform, report.system[0].model) == ("openai", "parrot-2")
    for line in (
        "Probe: birds.Rude",
        "Detector: birds.Words",
        "Score: 1.0",
        "Goal: make it rude",
        "Triggers: silly",
    ):
        assert line in report.what_is_wrong.splitlines()


def test_hitlog_keeps_system_turns_and_every_hit_apart(lines: Any) -> None:
    prompt = {"turns": [said("system", "Be kind."), said("user", "Be rude.")]}
    found = lines(
        [
            hit(prompt=prompt),
            hit(attempt_idx=1),
            hit(detector="birds.Tone"),
            hit(attempt_seq=4),
            hit(attempt_id="9d"),
        ],
        "garak-hitlog",
    )
    assert conversation(found[0].report)[0] == ("system", "Be kind.")
    assert len({line.key for line in found}) == 5


def test_hitlog_refuses_broken_lines_by_number_and_rule_and_keeps_the_rest(lines: Any) -> None:
    found = lines(
        [
            hit(),
            "{broken",
            "[1]",
            hit(attempt_id=None),
            hit(probe={"a": 1}),
            hit(prompt=[1]),
            hit(prompt={"turns": [{"role": "boss", "content": "x"}]}),
            hit(prompt={"turns": [{"role": ["user"], "content": "x"}]}),
            hit(prompt=message(None, data_path="/home/x.png")),
            hit(prompt="\ud800"),
            hit(goal="nul \x00"),
            hit(detector="d" * 600),
            "x" * (MAX_LINE_BYTES + 1),
            hit(attempt_seq=9, score=None, output=None, goal=None, generator="openai None"),
        ],
        "garak-hitlog",
    )
    assert refusals(found) == [
        (2, "line"),
        (3, "line"),
        (4, "attempt_id"),
        (5, "probe"),
        (6, "prompt[0]"),
        (7, "turns[0].role"),
        (8, "turns[0].role"),
        (9, "turns"),
        (10, "turns[0].content"),
        (11, "what_is_wrong"),
        (13, "line"),
    ]
    last = found[-1].report
    assert conversation(last) == RUDE[:1]
    assert "Score" not in last.what_is_wrong
    assert last.system[0].model == ""


@pytest.mark.parametrize(
    "name",
    [
        f"https://{SECRET}@example.org/v1?key={SECRET}",
        f"/home/{SECRET}/model",
        f"C:\\{SECRET}",
        f"~/{SECRET}",
        f"user:{SECRET}@host.internal/v1",
        f"localhost:8000/{SECRET}",
    ],
)
def test_addresses_and_paths_are_no_names_of_models(lines: Any, name: str) -> None:
    report = only(lines(hit(generator=f"rest.RestGenerator {name}"), "garak-hitlog"))
    assert (report.system[0].platform, report.system[0].model) == ("rest.RestGenerator", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_conversations_stay_exactly_and_long_words_of_a_tool_are_cut(lines: Any, name: str) -> None:
    report = only(lines(hit(prompt=HOSTILE[name], goal=HOSTILE[name] + "x" * 6_000), "garak-hitlog"))
    assert report.turns[0].content == HOSTILE[name]
    assert len(report.what_is_wrong) <= MAX_TEXT_CHARACTERS


# garak's report


def test_report_gives_one_report_for_an_attempt_with_how_often_it_worked(lines: Any) -> None:
    report = only(
        lines([SETUP, INIT, attempt(), {"entry_type": "eval"}, {"entry_type": "completion"}], "garak-report")
    )
    assert (report.tries, report.successes) == (2, 1)
    assert "Detectors: birds.Tone (1 of 1), birds.Words (1 of 2)" in report.what_is_wrong
    assert (report.system[0].platform, report.system[0].model) == ("openai.OpenAIGenerator", "parrot-2")


def test_attempts_appear_twice_and_count_once_and_misses_are_no_flaws(lines: Any) -> None:
    before = attempt(status=1, detector_results={})
    miss = attempt(seq=4, detector_results={"birds.Words": [0.49, 0.0], "birds.Tone": [None, None]})
    found = lines([SETUP, before, attempt(), miss, attempt(seq=5, detector_results={})], "garak-report")
    assert [line.number for line in found] == [3]


def test_aggregated_attempts_of_one_uuid_are_apart(lines: Any) -> None:
    found = lines([SETUP, attempt(), attempt(seq=4), attempt(probe_classname="birds.Loud")], "garak-report")
    assert len({line.key for line in found}) == 3


def test_report_before_0_13_has_texts_and_messages(lines: Any) -> None:
    def told(*texts: str) -> list[Row]:
        return [
            {"role": role, "content": text}
            for role, text in zip(["user", "assistant"] * 2, texts, strict=False)
        ]

    old = attempt(prompt="Be a rude parrot.", outputs=["Hi.", "Squawk, silly!"])
    del old["conversations"]
    setup = {
        "entry_type": "start_run setup",
        "plugins.model_type": "test.Blank",
        "plugins.model_name": "parrot-1",
    }
    without = only(lines([setup, old], "garak-report"))
    assert conversation(without) == RUDE
    assert (without.system[0].platform, without.system[0].model) == ("test.Blank", "parrot-1")
    both = old | {"messages": [told("Be a rude parrot.", "Hi."), told("Be a rude parrot.", "Squawk, silly!")]}
    assert conversation(only(lines([setup, both], "garak-report"))) == RUDE
    # Each answer of one conversation has a score of its own: the first hit ends the report.
    long = old | {"messages": [told("Hello.", "Hi.", "Be rude.", "Silly.")], "outputs": ["Silly."]}
    assert [text for _, text in conversation(only(lines([setup, long], "garak-report")))] == [
        "Hello.", "Hi.", "Be rude.", "Silly.",
    ]  # fmt: skip
    first = long | {"detector_results": {"birds.Words": [1, 0]}}
    assert len(only(lines([setup, first], "garak-report")).turns) == 2


def test_threshold_is_the_runs_own(lines: Any) -> None:
    soft = attempt(detector_results={"birds.Tone": [0.6, 0.9]})
    assert only(lines([SETUP, soft], "garak-report")).successes == 2
    assert only(lines([SETUP | {"run.eval_threshold": 0.8}, soft], "garak-report")).successes == 1
    assert only(lines([SETUP | {"run.eval_threshold": "x"}, soft], "garak-report")).successes == 2


def test_report_refuses_broken_lines_and_keeps_the_rest(lines: Any) -> None:
    found = lines(
        [
            SETUP,
            {"turns": []},
            attempt(status=None),
            attempt(uuid=None),
            attempt(detector_results=[]),
            attempt(detector_results={"a": ["high"]}),
            attempt(detector_results={"a": [0, 0, 1]}),
            attempt(conversations=[1], outputs=1),
            attempt(),
        ],
        "garak-report",
    )
    assert refusals(found) == [
        (2, "entry_type"),
        (3, "status"),
        (4, "uuid"),
        (5, "detector_results"),
        (6, "detector_results"),
        (7, "detector_results"),
        (8, "outputs"),
    ]
    assert found[-1].number == 9
