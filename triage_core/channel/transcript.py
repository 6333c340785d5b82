"""A pasted conversation, split into turns by who speaks; the reporter corrects what it got wrong.

It reads the marks that chat products put into what people copy: `User:` at the beginning of a line,
headings, ChatML, and a JSON list of roles and contents. Where nothing marks a speaker, all of it is
one user turn.
"""

from __future__ import annotations

import json
import re

from triage_core.model import Turn, TurnRole

MOST = 200  # turns; what comes beyond stays in the last one

_SPEAKERS = {
    TurnRole.USER: ("user", "human", "you", "me", "i", "prompt", "customer", "question", "q"),
    TurnRole.ASSISTANT: (
        "assistant", "ai", "bot", "chatbot", "model", "agent", "response", "answer", "a", "chatgpt", "gpt",
        "claude", "gemini", "copilot", "bard", "llama", "mistral", "grok",
    ),
    TurnRole.SYSTEM: ("system", "system prompt", "developer"),
    TurnRole.TOOL: ("tool", "tool result", "tool output", "function", "function result"),
}  # fmt: skip
_ROLE = {name: role for role, names in _SPEAKERS.items() for name in names}
_NAMES = "|".join(sorted(map(re.escape, _ROLE), key=len, reverse=True))
# Where two runs of blanks may meet, the first keeps all it has: to share them out anew at each failure takes hours.
_TIME = r"(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?[\])]?\s*+(?:[-–]\s*+)?)?"
_MARK = re.compile(
    rf"^[ \t]*(?:[>#*_\-]+[ \t]*)?{_TIME}(?:\*\*|__)?(?P<name>{_NAMES})(?:[ \t]+said)?"
    r"(?:(?:\*\*|__)?[ \t]*:(?:\*\*|__)?|(?:\*\*|__)[ \t]*$)[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(rf"^#{{1,6}}[ \t]+(?P<name>{_NAMES})[ \t]*+:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_CHATML = re.compile(r"<\|im_start\|>[ \t]*(?P<name>\w+)[ \t]*\n?", re.IGNORECASE)
_CHATML_END = re.compile(r"<\|im_end\|>\s*$")
_NAMED = re.compile(r"^(?P<name>[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2}):[ \t]+", re.MULTILINE)


def split(text: str) -> tuple[Turn, ...]:
    """The turns of a pasted conversation, in order and none of them blank; () for blank text."""
    text = text.replace("\r\n", "\n")
    if not text.strip():
        return ()
    if (listed := _listed(text)) is not None:
        return listed
    for marks, end in ((_CHATML, _CHATML_END), (_HEADING, None), (_MARK, None)):
        found = [match for match in marks.finditer(text) if match["name"].casefold() in _ROLE]
        if found:
            roles = [_ROLE[match["name"].casefold()] for match in found]
            return _cut(text, found, roles, end)
    return _two_names(text) or (Turn(TurnRole.USER, text.strip("\n")),)


def _cut(
    text: str, marks: list[re.Match[str]], roles: list[TurnRole], end: re.Pattern[str] | None = None
) -> tuple[Turn, ...]:
    """The text between the marks; what stands before the first is taken for the user's."""
    marks, roles = marks[:MOST], roles[:MOST]
    edges = [match.start() for match in marks[1:]] + [len(text)]
    pieces = [(TurnRole.USER, text[: marks[0].start()])]
    pieces += [(role, text[mark.end() : edge]) for mark, edge, role in zip(marks, edges, roles, strict=True)]
    if end:
        pieces = [(role, end.sub("", content)) for role, content in pieces]
    return tuple(Turn(role, content.strip("\n").rstrip()) for role, content in pieces if content.strip())[
        :MOST
    ]


def _two_names(text: str) -> tuple[Turn, ...]:
    """Two people by name, who take turns: whoever speaks first is the user."""
    found = list(_NAMED.finditer(text))
    names = list(dict.fromkeys(match["name"] for match in found))
    if len(names) != 2 or text[: found[0].start()].strip():
        return ()
    roles = [TurnRole.USER if match["name"] == names[0] else TurnRole.ASSISTANT for match in found]
    return _cut(text, found, roles)


def _listed(text: str) -> tuple[Turn, ...] | None:
    """The turns of a JSON list of {role, content}; None when it is none."""
    if text.lstrip()[:1] not in "[{":
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(data, dict):
        data = data.get("messages", data.get("turns"))
    if not isinstance(data, list) or not data or len(data) > MOST:
        return None
    turns = []
    for item in data:
        if not isinstance(item, dict) or not isinstance(item.get("content"), str):
            return None
        role = _ROLE.get(str(item.get("role", item.get("from", ""))).casefold(), TurnRole.USER)
        if item["content"].strip():
            turns.append(Turn(role, item["content"]))
    return tuple(turns)
