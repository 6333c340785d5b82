"""A report of what another tool found: its conversation, its system, and its findings as words of ours.

It is unverified like any other report: no severity, no verdict, and the consent of no one. What names a person,
a path, an address or a key stays behind, for only the values that are asked for here are taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from triage_core.channel.reportformat import MAX_TEXT_CHARACTERS, parse
from triage_core.importers.contents import Turns
from triage_core.model import FlawReport

# Names as of models: neither an address, an absolute path nor a command, any of which may hold a secret.
_PLAIN = re.compile(r"\w[\w.+@:-]*(/\w[\w.+@:-]*)*")
_CUT = " [cut]"


def report(
    key: str,
    turns: Turns,
    words: str,
    system: Mapping[str, str],
    *,
    session_id: str = "",
    tries: int | None = None,
    successes: int | None = None,
) -> FlawReport:
    """The report; turns without text are left out. `key` is "" where the tool gave the thing no name.

    Raises InvalidReport.
    """
    document: dict[str, Any] = {
        "external_id": key or None,
        "turns": [turn for turn in turns if turn["content"]],
        "what_is_wrong": words,
        "system": [dict(system)] if any(system.values()) else [],
        "session_id": session_id,
        "tries": tries,
        "successes": successes,
    }
    return parse(document, imported=True)


def words(tool: str, said: Mapping[str, object]) -> str:
    """What a tool said, one thing a line; what is no text, number or truth is left out, what is too long is cut."""
    lines = [f"Found by {tool}, verified by nobody yet."]
    lines += [f"{name}: {value}" for name, value in said.items() if _is_word(value)]
    told = "\n".join(lines)
    if len(told) <= MAX_TEXT_CHARACTERS:
        return told
    return told[: MAX_TEXT_CHARACTERS - len(_CUT)] + _CUT


def system(platform: object, model: object = None) -> dict[str, str]:
    """The system by name, each "" where the file says something else than a plain name."""
    return {"platform": _plain(platform), "model": _plain(model)}


def _is_word(value: object) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _plain(name: object) -> str:
    return name if isinstance(name, str) and _PLAIN.fullmatch(name) else ""
