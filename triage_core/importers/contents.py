"""What other tools write of a conversation: a text in its shapes, and messages as turns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from triage_core.channel import transcript
from triage_core.channel.reportformat import MAX_CONVERSATION_CHARACTERS
from triage_core.errors import InvalidReport
from triage_core.model import TurnRole

Turns = list[dict[str, Any]]

_DEEPEST = 5
_ROLES = {
    "developer": TurnRole.SYSTEM,
    "function": TurnRole.TOOL,
    "simulated_assistant": TurnRole.ASSISTANT,
}
"""The roles that some tools have and a report has not."""
_UNSHOWN = frozenset({"reasoning", "thinking", "redacted_thinking"})


def text(content: object, kept: Mapping[str, object] = {}, depth: int = 1) -> str:
    """What of a content is text: a string, a list of parts, on lines of their own, or one part; "" for none.

    A part that is no text leaves its kind in brackets ("[image]"), what a model thought unseen leaves
    nothing. `kept` holds texts that a log keeps aside, by the name that stands in their place.
    """
    match content:
        case str():
            aside = kept.get(content)
            return aside if isinstance(aside, str) else content
        case bool() | None:
            return ""
        case int() | float():
            return str(content)
        case list() if depth < _DEEPEST:
            return _joined(text(one, kept, depth + 1) for one in content)
        case dict() if depth < _DEEPEST:
            kind = content.get("type")
            if kind in ("text", "input_text", "output_text", None):
                return text(content.get("text", content.get("content")), kept, depth + 1)
            if isinstance(kind, str) and kind not in _UNSHOWN:
                return f"[{re.sub('[^a-z0-9_ -]', '?', kind.lower())[:40]}]"
    return ""


def _joined(parts: Iterable[str]) -> str:
    """The parts on lines of their own, until they are more than a report takes: one kept aside may be named often."""
    found, size = [], 0
    for part in filter(None, parts):
        found.append(part)
        size += len(part) + 1
        if size > MAX_CONVERSATION_CHARACTERS:
            break
    return "\n".join(found)


def turn(role: object, content: object) -> dict[str, Any]:
    """One turn of a `flaw-report/1`, whose role and text are still to be checked."""
    return {"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": text(content)}


def turns(conversation: object, field: str, kept: Mapping[str, object] = {}) -> Turns:
    """The turns of a prompt or conversation: a text, a list of messages, or an object with `turns`.

    Calls of tools are written out. Turns without text stay, so that a place among them means what the tool
    meant by it. Raises InvalidReport that names the message within `field`.
    """
    if isinstance(conversation, dict) and "turns" in conversation:
        conversation = conversation["turns"]
    if not isinstance(conversation, list):
        return [turn(TurnRole.USER, text(conversation, kept))]
    for at, message in enumerate(conversation):
        if not isinstance(message, dict):
            raise InvalidReport(f"{field}[{at}]", "must be an object with role and content")
    found, size = [], 0
    for message in conversation:
        found.append(turn(message.get("role"), _said(message, kept)))
        size += len(found[-1]["content"])
        if size > MAX_CONVERSATION_CHARACTERS:
            rule = f"must be at most {MAX_CONVERSATION_CHARACTERS:,} characters long in all"
            raise InvalidReport(field, rule)
    return found


def answer(content: object) -> dict[str, Any]:
    return turn(TurnRole.ASSISTANT, content)


def pasted(text: str) -> Turns:
    """The turns of a transcript that shows both sides; what is none is one turn of the user's."""
    found = transcript.split(text) if len(text) <= MAX_CONVERSATION_CHARACTERS else ()
    if {TurnRole.USER, TurnRole.ASSISTANT} <= {turn.role for turn in found}:
        return [turn(one.role, one.content) for one in found]
    return [turn(TurnRole.USER, text)]


def value(found: object) -> str:
    """A value in one line: text as it is, anything else as JSON; "" for null."""
    if found is None or isinstance(found, str):
        return found or ""
    try:
        return json.dumps(found, ensure_ascii=False)
    except RecursionError:
        raise InvalidReport("value", "must not be nested so deeply") from None


def _said(message: Mapping[str, Any], kept: Mapping[str, object]) -> str:
    calls = message.get("tool_calls")
    told = [_call(call) for call in calls] if isinstance(calls, list) else []
    return "\n".join(filter(None, [text(message.get("content"), kept), *told]))


def _call(call: object) -> str:
    if not isinstance(call, dict):
        return ""
    function = call.get("function")
    told = function if isinstance(function, dict) else {"name": function, "arguments": call.get("arguments")}
    return f"[call of {text(told.get('name'))}: {value(told.get('arguments'))}]"
