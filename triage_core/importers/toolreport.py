"""A report of what another tool found: its conversation, its system, and its findings as words of ours.

It is unverified like any other report: no severity, no verdict, and the consent of no one. What names a person,
a path, an address or a key stays behind, for only the values that are asked for are taken.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from triage_core.channel.reportformat import MAX_SHORT_CHARACTERS, MAX_TEXT_CHARACTERS, parse
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.contents import Turns
from triage_core.model import FlawReport

Entry = Mapping[str, Any]
Document = dict[str, Any]
Record = tuple[int, FlawReport | Refused]

# Names as of models: neither an address, an absolute path nor a command, any of which may hold a secret.
_PLAIN = re.compile(r"\w[\w.+@:-]*(/\w[\w.+@:-]*)*")
_ADDRESS = re.compile(r":[^/]*@|:\d{2,5}(/|$)")  # with a password, or with a port


def report(
    key: str | None,
    turns: Turns,
    words: str,
    system: Mapping[str, str],
    *,
    session_id: str = "",
    tries: int | None = None,
    successes: int | None = None,
) -> FlawReport:
    """The report; `key` is None where the tool gave the thing no name. Raises InvalidReport."""
    return _parsed(
        {
            "external_id": key,
            "turns": turns,
            "what_is_wrong": words,
            "system": [dict(system)] if any(system.values()) else [],
            "session_id": session_id,
            "tries": tries,
            "successes": successes,
        }
    )


def reports(entries: Iterable[object], made: Callable[[Entry], Iterable[Document]]) -> Iterator[Record]:
    """Each report that `made` finds in an entry, with the number of the entry, or what refused it."""
    for number, entry in enumerate(entries, 1):
        for outcome in entry_reports(entry, made):
            yield number, outcome


def entry_reports(
    entry: object, made: Callable[[Entry], Iterable[Document]]
) -> Iterator[FlawReport | Refused]:
    """The reports of one entry, each for itself; a `Refused` in place of what is not one."""
    if isinstance(entry, Refused):
        yield entry
        return
    try:
        if not isinstance(entry, dict):
            raise InvalidReport("entry", "must be an object")
        documents = list(made(entry))
    except Refused as error:
        yield error
        return
    except RecursionError:
        yield InvalidReport("entry", "must not be nested so deeply")
        return
    for document in documents:
        try:
            yield _parsed(document)
        except InvalidReport as error:
            yield error


def found_by(tool: str, said: Mapping[str, object]) -> str:
    """What a tool that looks for flaws said of one."""
    return words(said.items(), f"Found by {tool}, verified by nobody yet.")


def words(said: Iterable[tuple[str, object]], *before: str) -> str:
    """What a tool said, one thing a line; what is no text, number or truth is left out, what is too long is cut."""
    lines, size = list(before), sum(len(line) + 1 for line in before)
    for name, value in said:
        if text := _word(value):
            if size <= MAX_TEXT_CHARACTERS:  # what follows is counted alone: one text may be named very often
                lines.append(f"{name}: {text[:MAX_TEXT_CHARACTERS]}")
            size += len(name) + len(text) + 3
    return _cut("\n".join(lines), size - 1)


def cut(text: str) -> str:
    """The text, cut to what a report takes."""
    return _cut(text, len(text))


def _cut(told: str, size: int) -> str:
    if size <= MAX_TEXT_CHARACTERS:
        return told
    end = f"\n[cut: it has {size:,} characters]"
    return told[: MAX_TEXT_CHARACTERS - len(end)] + end


def name_of(tool: str, *uid: object) -> str | None:
    """The external id of what a tool calls `uid`, as "tool:a:b"; None where a piece of it is missing.

    One that is too long, or holds what cannot be stored, goes by its hash.
    """
    pieces = [
        str(one) for one in uid if isinstance(one, str | int) and not isinstance(one, bool) and one != ""
    ]
    if len(pieces) < len(uid):
        return None
    name = ":".join([tool, *pieces])
    if len(name) <= MAX_SHORT_CHARACTERS and name.isprintable():
        return name
    return f"{tool}:sha256:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def system(platform: object, model: object = None) -> dict[str, str]:
    """The system by name, each "" where the file says something else than a plain name."""
    return {"platform": plain(platform), "model": plain(model)}


def plain(name: object) -> str:
    """The name of a model or platform; "" for what is no plain one: an address or a path may hold a secret."""
    is_plain = isinstance(name, str) and _PLAIN.fullmatch(name) and not _ADDRESS.search(name)
    return str(name) if is_plain else ""


def _parsed(document: Document) -> FlawReport:
    """Turns without text are left out."""
    turns = document.get("turns")
    if isinstance(turns, list):
        document = document | {"turns": [turn for turn in turns if turn["content"]]}
    return parse(document, imported=True)


def _word(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""
