"""What some files of other tools share: entries and their reports, content in its three shapes, words, names of rows.

Everything that a tool wrote is untrusted: each report passes `reportformat.parse`, and whatever a
module does not name here is left out. A tool's judgement goes into words, never into a label.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from triage_core.channel import transcript
from triage_core.channel.reportformat import (
    MAX_CONVERSATION_CHARACTERS,
    MAX_SHORT_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    parse,
)
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.jsonfile import decoded, whole
from triage_core.model import FlawReport, TurnRole

Entry = Mapping[str, Any]
Document = dict[str, Any]
Record = tuple[int, FlawReport | Refused]

_ROLES = {"developer": TurnRole.SYSTEM, "function": TurnRole.TOOL}
_UNSHOWN = frozenset({"reasoning", "thinking", "redacted_thinking"})
_MAX_DEPTH = 5
_PLAIN = re.compile(r"[\w~][\w.+@:-]*(/[\w~][\w.+@:-]*)*")


def rows(stream: BinaryIO, within: str = "") -> list[object]:
    """The entries of a JSON file: a list, one object, an object with a list of them `within`, or JSON Lines.

    A line that is no JSON is an entry as well, the `Refused` that says so. Raises `InvalidReport` as `document` does.
    """
    body = whole(stream)
    lines = [line for line in body.split(b"\n") if line.strip()]
    parsed = [_line(line) for line in lines[:1]]
    if len(lines) > 1 and isinstance(parsed[0], dict):
        return parsed + [_line(line) for line in lines[1:]]
    found = decoded(body)
    if isinstance(found, dict):
        found = found.get(within, [found])
    if not isinstance(found, list):
        raise InvalidReport("file", "must be a list of objects, one object, or JSON Lines")
    return found


def _line(line: bytes) -> object:
    try:
        return decoded(line, "line")
    except InvalidReport as error:
        return error


def reports(entries: Iterable[object], made: Callable[[Entry], Iterable[Document]]) -> Iterator[Record]:
    """Each report that `made` finds in an entry, with the number of the entry, or what refused it."""
    for number, entry in enumerate(entries, 1):
        for outcome in entry_reports(entry, made):
            yield number, outcome


def entry_reports(
    entry: object, made: Callable[[Entry], Iterable[Document]]
) -> Iterator[FlawReport | Refused]:
    """The reports of one entry, each for itself; a `Refused` in place of what is not one."""
    try:
        documents = list(made(_object(entry, "entry")))
    except Refused as error:
        yield error
        return
    except RecursionError:
        yield InvalidReport("entry", "must not be nested so deeply")
        return
    for document in documents:
        try:
            yield parse(document, imported=True)
        except InvalidReport as error:
            yield error


def listed(entry: Entry, name: str) -> Sequence[Any]:
    """The list of this name, an empty one where there is none."""
    found = entry.get(name)
    return found if isinstance(found, list) else ()


def said(content: object, kept: Mapping[str, object] = {}, depth: int = 0) -> str:
    """The text of a content: a string, a list of parts or one part; "" where it says nothing.

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
        case list() if depth < _MAX_DEPTH:
            return "\n".join(text for item in content if (text := said(item, kept, depth + 1)))
        case dict() if depth < _MAX_DEPTH:
            kind = content.get("type")
            if kind in ("text", None):
                return said(content.get("text", content.get("content")), kept, depth + 1)
            if isinstance(kind, str) and kind not in _UNSHOWN:
                return f"[{re.sub('[^a-z0-9_ -]', '?', kind.lower())[:40]}]"
    return ""


def turns(messages: Iterable[object], kept: Mapping[str, object] = {}) -> list[Document]:
    """The messages as turns; calls of tools are written out, and messages that say nothing are left out."""
    found = []
    for index, message in enumerate(messages):
        entry = _object(message, f"messages[{index}]")
        role = entry.get("role")
        calls = [_call(call) for call in listed(entry, "tool_calls")]
        text = "\n".join(filter(None, [said(entry.get("content"), kept), *calls]))
        if text:
            found.append({"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": text})
    return found


def conversation(text: str) -> list[Document]:
    """The turns of a transcript that shows both sides; what is none is one turn of the user's."""
    found = transcript.split(text) if len(text) <= MAX_CONVERSATION_CHARACTERS else ()
    if {TurnRole.USER, TurnRole.ASSISTANT} <= {turn.role for turn in found}:
        return [{"role": turn.role, "content": turn.content} for turn in found]
    return [{"role": TurnRole.USER, "content": text}]


def _call(call: object) -> str:
    if not isinstance(call, dict):
        return ""
    function = call.get("function")
    told = function if isinstance(function, dict) else {"name": function, "arguments": call.get("arguments")}
    given = told.get("arguments")
    return f"[call of {said(told.get('name'))}: {given if isinstance(given, str) else value(given)}]"


def plain(name: object) -> str:
    """A model's name, "" for what is no plain one: an address or a path may hold a secret."""
    return name if isinstance(name, str) and _PLAIN.fullmatch(name) else ""


def value(found: object) -> str:
    """A value in one line: text as it is, anything else as JSON; "" for null."""
    if found is None or isinstance(found, str):
        return found or ""
    return json.dumps(found, ensure_ascii=False)


def words(told: Iterable[tuple[str, str]]) -> str:
    """One paragraph for each label that has a text, cut to what a report takes."""
    text = "\n".join(f"{label}: {text.strip()}" for label, text in told if text.strip())
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    end = f"\n[cut: it has {len(text):,} characters]"
    return text[: MAX_TEXT_CHARACTERS - len(end)] + end


def name_of(tool: str, *uid: object) -> str | None:
    """The external id of what a tool calls `uid`, as "tool:a:b"; None where a piece of it is missing.

    One that is too long, or holds what cannot be stored, goes by its hash.
    """
    pieces = [str(piece) for piece in uid if isinstance(piece, str | int) and piece != ""]
    if len(pieces) < len(uid):
        return None
    name = ":".join([tool, *pieces])
    if len(name) <= MAX_SHORT_CHARACTERS and name.isprintable():
        return name
    return f"{tool}:sha256:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _object(found: object, field: str) -> Entry:
    if isinstance(found, Refused):
        raise found
    if not isinstance(found, dict):
        raise InvalidReport(field, "must be an object")
    return found
