"""The rules of the linter, one function a kind of column: what a row may not hold, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from triage_core import tokens
from triage_core.exporters.profiles import MESSAGES, Profile
from triage_core.text import canonical


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """How bad it is when the rule is broken, and what happens then."""

    level: Level
    says: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A column of a row that breaks a rule; "" where it is the row itself."""

    column: str
    rule: str


def _errors(**says: str) -> dict[str, Rule]:
    return {name: Rule(Level.ERROR, words) for name, words in says.items()}


def _warnings(**says: str) -> dict[str, Rule]:
    return {name: Rule(Level.WARNING, words) for name, words in says.items()}


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **_errors(
            no_rows="the file has no rows",
            not_json="the line is not JSON",
            not_utf8="the line is not UTF-8",
            long_line="the line is longer than any report of ours",
            not_an_object="the line is not a JSON object",
            named_twice="two values of one name: the loader refuses the whole file",
            mixed_formats="rows have different columns or kinds of columns: a loader takes one shape a file",
            taken_column="the trainer takes a column of this name for something else",
            two_prompts="prompt and messages in one row: the trainer picks one without saying which",
            null_value="null where the trainer expects a value",
            empty_tools="tools must be left out where there are none",
            missing_column="the profile needs this column",
            not_messages="must be a list of messages, or text in every such column",
            mixed_columns="text in one column and messages in another: the trainer applies no chat template",
            not_text="must be text",
            not_bool="must be true or false: as text, every label counts as true",
            not_a_label="is none of the labels that the profile knows",
            empty_list="an empty list of messages",
            empty_text="text without a character",
            not_a_message="a message is an object with the texts role and content",
            null_content="the content of a message is null",
            unknown_role="the role of a message is none of system, user, assistant, tool",
            same_answers="chosen and rejected say the same",
            not_one_answer="must be exactly one message of the assistant",
            no_answer="must end with a message of the assistant",
            no_prompt="holds an answer alone: the prompt must stand in it",
            other_prompts="chosen and rejected start with different prompts",
            lone_surrogate="holds half of a surrogate pair, which no tokenizer can encode",
        ),
        **_warnings(
            ignored_key="the trainer ignores this key of a message: the loss falls where it always falls",
            extra_column="the trainer drops this column or stumbles over it",
            ends_with_assistant="the prompt ends with the assistant: its answer is continued, not answered",
            control_token="holds a control token of a chat template, which ends or opens a message",
            byte_order_mark="the file begins with a byte order mark, at which some loaders stop",
            same_row="an earlier row says the same, so that it counts twice",
            other_label="an earlier row says the same under another label",
            one_label="all rows have one label: nothing is contrasted",
        ),
    }
)

TAKEN = frozenset({"labels", "input_ids", "attention_mask", "images", "conversations"})
NOT_NULL = frozenset({"chat_template_kwargs", "margin"})
KNOWN_EXTRAS = NOT_NULL | {"tools", "messages"}
IGNORED_KEYS = frozenset({"train", "weight"})
ROLES = frozenset({"system", "user", "assistant", "tool"})
LABELS: Mapping[str, frozenset[str | None]] = MappingProxyType(
    {
        "prompt_harm_label": frozenset({"harmful", "unharmful", None}),
        "response_harm_label": frozenset({"harmful", "unharmful", None}),
        "response_refusal_label": frozenset({"refusal", "compliance", None}),
        "expected": frozenset({"safe_answer", "answer"}),
    }
)
ANSWERS = ("completion", "chosen", "rejected")
NULLABLE = frozenset({"response", "reported_answer", "better_answer"})


def problems(row: Mapping[str, Any], profile: Profile) -> Iterator[Problem]:
    """Everything in one row that breaks a rule, column by column."""
    yield from _columns(row, profile)
    for column in profile.schema:
        if column.name in row:
            yield from _value(column, row[column.name])
    spoken = [row[column.name] for column in profile.schema if column.type == MESSAGES and column.name in row]
    if len({isinstance(value, str) for value in spoken}) > 1:
        yield Problem("", "mixed_columns")
    for name in ANSWERS:
        yield from _answer(name, row.get(name), "prompt" in profile.schema.names)
    yield from _pair(row)
    if _is_list(row.get("prompt")) and _role(row["prompt"][-1:]) == "assistant":
        yield Problem("prompt", "ends_with_assistant")
    for name, value in row.items():
        yield from _texts(name, value)


def _columns(row: Mapping[str, Any], profile: Profile) -> Iterator[Problem]:
    wanted = profile.schema.names
    for name in wanted:
        if name not in row:
            yield Problem(name, "missing_column")
    for name, value in row.items():
        if name in TAKEN:
            yield Problem(name, "taken_column")
        elif name in NOT_NULL and value is None:
            yield Problem(name, "null_value")
        elif name == "tools" and not value:
            yield Problem(name, "empty_tools")
        elif name not in wanted and name not in KNOWN_EXTRAS and not name.startswith("meta_"):
            yield Problem(name, "extra_column")
    if "prompt" in row and "messages" in row:
        yield Problem("messages", "two_prompts")


def _value(column: pa.Field, value: Any) -> Iterator[Problem]:
    name = column.name
    if name in LABELS:
        if not (value is None or isinstance(value, str)) or value not in LABELS[name]:
            yield Problem(name, "not_a_label")
    elif value is None:
        if name not in NULLABLE:
            yield Problem(name, "null_value")
    elif column.type == MESSAGES:
        yield from _messages(name, value)
    elif pa.types.is_boolean(column.type):
        if not isinstance(value, bool):
            yield Problem(name, "not_bool")
    elif not isinstance(value, str):
        yield Problem(name, "not_text")
    elif not value.strip():
        yield Problem(name, "empty_text")


def _messages(name: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and not value.strip():
        yield Problem(name, "empty_text")
    if not isinstance(value, list):
        if not isinstance(value, str):
            yield Problem(name, "not_messages")
        return
    if not value:
        yield Problem(name, "empty_list")
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            yield Problem(name, "not_a_message")
            continue
        if message.get("content") is None:
            yield Problem(name, "null_content")
        elif not isinstance(message["content"], str):
            yield Problem(name, "not_a_message")
        if message["role"] not in ROLES:
            yield Problem(name, "unknown_role")
        if IGNORED_KEYS & message.keys():
            yield Problem(name, "ignored_key")


def _answer(name: str, messages: Any, alone: bool) -> Iterator[Problem]:
    """What is learnt: one message of the assistant, which stands `alone` or at the end of the prompt."""
    if not _is_list(messages):
        return
    if alone and (len(messages) != 1 or _role(messages) != "assistant"):
        yield Problem(name, "not_one_answer")
    elif _role(messages) != "assistant":
        yield Problem(name, "no_answer")
    elif not alone and len(messages) == 1:
        yield Problem(name, "no_prompt")
    elif messages[-1].get("content") is not None and not "".join(_all_texts(messages[-1:])).strip():
        yield Problem(name, "empty_text")


def _pair(row: Mapping[str, Any]) -> Iterator[Problem]:
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if chosen is None or rejected is None:
        return
    if _plain(chosen) == _plain(rejected):
        yield Problem("chosen", "same_answers")
    elif "prompt" not in row and _is_list(chosen) and _is_list(rejected) and chosen[:-1] != rejected[:-1]:
        yield Problem("rejected", "other_prompts")


def _texts(name: str, value: Any) -> Iterator[Problem]:
    for text in _all_texts(value):
        if any("\ud800" <= character <= "\udfff" for character in text):
            yield Problem(name, "lone_surrogate")
        elif not name.startswith("meta_") and tokens.find(text):
            yield Problem(name, "control_token")


def _all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _all_texts(item.get("content") if isinstance(item, dict) else item)


def _plain(value: Any) -> str:
    """The words of an answer, so that two which differ in case or spaces alone are the same."""
    return canonical("\n".join(_all_texts(value)))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _role(messages: Any) -> str | None:
    last = messages[-1] if messages else None
    role = last.get("role") if isinstance(last, dict) else None
    return role if isinstance(role, str) else None
