"""Better answers from JSON Lines: {"report" or "external_id", "answer", "turn"}, one a line; `turn` may be left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage_core.errors import NotFound, Refused
from triage_core.importers.lines import capped, too_long

_KEYS = frozenset({"report", "external_id", "answer", "turn"})


@dataclass(frozen=True, slots=True)
class Line:
    """One answer for one report, of which exactly one name is given; `turn` counts from 1, None for the last."""

    report: str
    external_id: str
    answer: str
    turn: int | None


def read(path: Path) -> Iterator[tuple[int, Line | Refused]]:
    """Each line that is not blank with its number, parsed or refused. Raises NotFound without such a file."""
    try:
        with path.open("rb") as stream:
            for number, line in capped(stream):
                if line is None:
                    yield number, too_long()
                elif line.strip():
                    yield number, _parsed(line)
    except OSError as error:
        raise NotFound(path.name, f"must be a file that can be read ({error.strerror})") from error


def _parsed(line: bytes) -> Line | Refused:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return Refused("line", "must be one JSON object in UTF-8")
    if not isinstance(found, dict):
        return Refused("line", "must be one JSON object in UTF-8")
    if unknown := sorted(found.keys() - _KEYS):
        return Refused("line", f"takes {', '.join(sorted(_KEYS))}; not {unknown[0]!r}")
    for name in ("report", "external_id", "answer"):
        if not isinstance(found.get(name, ""), str):
            return Refused(name, "must be text")
    report, external_id = found.get("report", ""), found.get("external_id", "")
    if bool(report) == bool(external_id):
        return Refused("report", "name the report by either report or external_id")
    turn = found.get("turn")
    if turn is not None and (isinstance(turn, bool) or not isinstance(turn, int)):
        return Refused("turn", "must be a whole number, counted from 1")
    return Line(report, external_id, found.get("answer", ""), turn)
