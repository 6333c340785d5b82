"""The text of a message, which tools write as a text, a list of parts or an object, and the turns of a conversation."""

from __future__ import annotations

from typing import Any

from triage_core.errors import InvalidReport
from triage_core.model import TurnRole

Turns = list[dict[str, Any]]

_DEEPEST = 4
_ROLES = {"developer": TurnRole.SYSTEM, "simulated_assistant": TurnRole.ASSISTANT}
"""The roles that some tools have and a report has not."""


def text(content: object, depth: int = 1) -> str:
    """What of a content is text, parts on lines of their own; "" for none. Files and pictures are left out."""
    if isinstance(content, str):
        return content
    if depth > _DEEPEST:
        return ""
    if isinstance(content, list):
        return "\n".join(part for part in (text(one, depth + 1) for one in content) if part)
    if isinstance(content, dict):
        return text(content.get("text", content.get("content")), depth + 1)
    return ""


def turn(role: object, content: object) -> dict[str, Any]:
    """One turn of a `flaw-report/1`, whose role and text are still to be checked."""
    return {"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": text(content)}


def turns(conversation: object, field: str) -> Turns:
    """The turns of a prompt or conversation: a text, a list of messages, or an object with `turns`.

    Turns without text stay, so that a place among them means what the tool meant by it. Raises
    InvalidReport of `field`.
    """
    if isinstance(conversation, dict) and "turns" in conversation:
        conversation = conversation["turns"]
    if not isinstance(conversation, list):
        return [turn(TurnRole.USER, conversation)]
    if not all(isinstance(message, dict) for message in conversation):
        raise InvalidReport(field, "must be a text or a list of messages with role and content")
    return [turn(message.get("role"), message.get("content")) for message in conversation]


def answer(content: object) -> dict[str, Any]:
    return turn(TurnRole.ASSISTANT, content)
