"""Exports of PyRIT: messages in any order become conversations."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.scanner_files import RUDE, SCORE, SECRET, conversation, only, piece, read, refusals


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    return partial(read, tmp_path)


def test_pyrit_conversations_are_grouped_and_ordered(lines: Any) -> None:
    pieces = [
        piece(1, "assistant", RUDE[1][1], scores=[SCORE]),
        piece(0, "user", "Hello.", conversation_id="c-2"),
        piece(0, "user", RUDE[0][1]),
        piece(2, "user", f"/home/{SECRET}/a.png", converted_value_data_type="image_path"),
    ]
    first, second = lines(json.dumps(pieces), "pyrit")
    assert (first.number, second.number) == (1, 2)
    assert conversation(first.report) == RUDE
    assert first.report.external_id == "pyrit:c-1"
    assert first.report.session_id == "c-1"
    assert (first.report.system[0].platform, first.report.system[0].model) == ("OpenAIChatTarget", "parrot-2")
    assert "Score 1: SelfAskTrueFalseScorer True It was rude." in first.report.what_is_wrong
    assert conversation(second.report) == [("user", "Hello.")]


def test_pyrit_before_0_10_names_things_otherwise(lines: Any) -> None:
    target = {"__type__": "OpenAIChatTarget", "__module__": "pyrit.prompt_target"}
    score = {
        "score_value": "False",
        "scorer_class_identifier": {"__type__": "SubStringScorer"},
        "task": "be rude",
    }
    pieces = [
        piece(0, "developer", "Be kind.", prompt_target_identifier=target),
        piece(1, "user", "Be rude.", prompt_target_identifier=target, scores=[score]),
    ]
    report = only(lines(json.dumps(pieces), "pyrit"))
    assert conversation(report) == [("system", "Be kind."), ("user", "Be rude.")]
    assert report.system[0].platform == "OpenAIChatTarget"
    assert {"Goal: be rude", "Score 1: SubStringScorer False"} <= set(report.what_is_wrong.splitlines())


def test_pyrit_refuses_messages_alone_and_keeps_the_rest(lines: Any) -> None:
    pieces: list[object] = [
        1,
        piece(0, "user", "x", conversation_id=None),
        piece("first", "user", "x", conversation_id="bad"),
        piece(0, "boss", "x", conversation_id="role"),
        piece(0, "user", "Hello."),
    ]
    found = lines(json.dumps(pieces), "pyrit")
    assert refusals(found) == [
        (1, "conversation_id"),
        (2, "conversation_id"),
        (3, "sequence"),
        (4, "turns[0].role"),
    ]
    assert conversation(found[-1].report) == [("user", "Hello.")]
