"""PyRIT's JSON export (0.11 and before): a list of messages, of which each conversation becomes one report.

The number of a report is the place of its first message in the list, from 1. What was sent is the
converted value of a message, and only text is taken: the value of a picture is a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import document, inner, listed
from triage_core.model import FlawReport

BEGINS = re.compile(rb'\[\s*\{.*"conversation_id": ?', re.DOTALL)
Message = dict[str, Any]
_IN_PARTS = "export fewer conversations at a time"


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each conversation, and each message that belongs to none, with its place in the list."""
    try:
        found = document(stream, instead=_IN_PARTS)
    except InvalidReport as error:
        yield 1, error
        return
    if not isinstance(found, list):
        yield 1, InvalidReport("file", "must be a list of messages, as PyRIT exports them")
        return
    conversations: dict[str, tuple[int, list[Message]]] = {}
    for number, message in enumerate(found, start=1):
        name = message.get("conversation_id") if isinstance(message, dict) else None
        if isinstance(name, str) and name:
            conversations.setdefault(name, (number, []))[1].append(message)
        else:
            yield number, InvalidReport("conversation_id", "must be the text by which messages are grouped")
    for name, (number, messages) in conversations.items():
        yield number, conversation(name, messages)


def conversation(
    name: str, messages: list[Message], said: Mapping[str, object] | None = None
) -> FlawReport | Refused:
    """The report of these messages in order of their sequence; `said` is what is known of all of them."""
    if not all(isinstance(message.get("sequence"), int) for message in messages):
        return InvalidReport("sequence", "must be a whole number, for messages go by it")
    messages = sorted(messages, key=lambda message: int(message["sequence"]))
    scores = [score for message in messages for score in _scores(message)]
    objective = next(
        (goal for score in scores if (goal := score.get("objective") or score.get("task"))), None
    )
    told = {"Goal": objective, **(said or {})} | {
        f"Score {at}": _score(one) for at, one in enumerate(scores, start=1)
    }
    turns = [contents.turn(message.get("role"), _text(message)) for message in messages]
    try:
        return toolreport.report(
            toolreport.name_of("pyrit", name),
            turns,
            toolreport.found_by("PyRIT", told),
            _system(messages),
            session_id=name,
        )
    except InvalidReport as error:
        return error


def _text(message: Message) -> object:
    return (
        message.get("converted_value") if message.get("converted_value_data_type", "text") == "text" else ""
    )


def _scores(message: Message) -> list[dict[str, Any]]:
    return [score for score in listed(message, "scores") if isinstance(score, dict)]


def _score(score: Mapping[str, Any]) -> str:
    scorer = _class(inner(score, "scorer_class_identifier"))
    return " ".join(
        part
        for part in (
            scorer,
            contents.text(score.get("score_value")),
            contents.text(score.get("score_rationale")),
        )
        if part
    )


def _system(messages: list[Message]) -> dict[str, str]:
    """The target's class and model, of the first message that names one; its address stays behind."""
    for message in messages:
        if target := inner(message, "prompt_target_identifier"):
            return toolreport.system(_class(target), target.get("model_name"))
    return toolreport.system("")


def _class(identifier: Mapping[str, Any]) -> str:
    name = identifier.get("class_name") or identifier.get("__type__")  # `__type__` in older versions
    return name if isinstance(name, str) else ""
