"""CSV: a header of known columns, then one report a record; UTF-8, commas, quotes doubled.

Read by the standard library under caps. An empty cell counts as not given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from triage_core.channel.fields import field_path
from triage_core.channel.jsontext import decode
from triage_core.channel.reportformat import parse
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.lines import BOM, MAX_LINE_BYTES, capped, too_long
from triage_core.model import FlawReport, TurnRole

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
# What UTF-8 decoding with surrogateescape leaves of a byte that is not UTF-8.
_UNDECODED = re.compile("[\udc80-\udcff]")


def _text(cell: str) -> object:
    return cell


def _json(cell: str) -> object:
    return decode(cell.encode())


def _words(cell: str) -> object:
    return [word for part in cell.split(";") if (word := part.strip())]


def _number(cell: str) -> object:
    return int(cell) if re.fullmatch(r"[0-9]{1,9}", cell) else cell


def _flag(cell: str) -> object:
    return _FLAGS.get(cell.lower(), cell)


# A cell that a conversion does not understand is passed on as it is, for the format to refuse by name.
_SYSTEM: Mapping[str, Callable[[str], object]] = dict.fromkeys(
    ("platform", "model", "version", "access_method"), _text
)
_CONVERSATION: Mapping[str, Callable[[str], object]] = {"turns": _json, "prompt": _text, "response": _text}
_FIELDS: Mapping[str, Callable[[str], object]] = {
    "external_id": _text,
    "submitted_at": _text,
    "what_is_wrong": _text,
    "harm_types": _words,
    "disclosure_intent": _text,
    "illegal_minor_content": _flag,
    "contact": _text,
    "credit_name": _text,
    "credit_wish": _text,
    "expected": _text,
    "actual": _text,
    "tries": _number,
    "successes": _number,
    "other_systems_tried": _json,
    "real_world_harm": _text,
    "malicious_use": _text,
    "session_id": _text,
    "policy_clause_claimed": _text,
    "planned_date": _text,
    "embargo_wish": _text,
    "consent_training": _text,
    "consent_share_peers": _text,
    "wants_reward": _flag,
}
COLUMNS: Mapping[str, Callable[[str], object]] = {**_CONVERSATION, **_SYSTEM, **_FIELDS}


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each record after the header, as the number of its first line and the report or what refused it.

    A header with the wrong columns is refused and ends the reading.
    """
    source = _Source(stream)
    columns: list[str] | None = None
    for number, row in _rows(source):
        if isinstance(row, Refused):
            yield number, row
        elif columns is None:
            try:
                columns = _columns(row)
            except InvalidReport as error:
                yield number, error
                return
        else:
            yield number, _report(columns, row)


class _Source:
    """The decoded lines for csv.reader; raises at a record over the cap, after which reading may go on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = capped(stream)
        self._taken = 0
        self.number = 0

    def __iter__(self) -> _Source:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        self._taken += MAX_LINE_BYTES if line is None else len(line)
        if line is None or self._taken > MAX_LINE_BYTES:
            raise too_long()
        if self.number == 1:
            line = line.removeprefix(BOM)
        return line.decode("utf-8", "surrogateescape")

    def begin_record(self) -> int:
        """The number of the line on which the next record begins."""
        self._taken = 0
        return self.number + 1


def _rows(source: _Source) -> Iterator[tuple[int, list[str] | Refused]]:
    csv.field_size_limit(MAX_LINE_BYTES)  # the library's own default is below one long conversation
    reader = csv.reader(source, strict=True)
    while True:
        number = source.begin_record()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, InvalidReport("line", f"must be sound CSV: {error}")
        except Refused as error:
            yield number, error
        else:
            if any(cell.strip() for cell in row):
                yield number, row


def _columns(header: Sequence[str]) -> list[str]:
    if len(header) == 1 and re.search("[;\t]", header[0]):
        raise InvalidReport("columns", "must have commas between them, not semicolons or tabs")
    columns = [name.strip().lower() for name in header]
    wrong = sorted({field_path("", name) for name in columns if name not in COLUMNS})
    if wrong:
        named = ", ".join(wrong[:10])
        rule = f"must not have {named}; known columns are {', '.join(COLUMNS)}"
        raise InvalidReport("columns", rule)
    if len(set(columns)) < len(columns):
        raise InvalidReport("columns", "must each have a name of its own")
    if ("turns" in columns) == ("prompt" in columns) or {"turns", "response"} <= set(columns):
        raise InvalidReport("columns", "must hold either turns (JSON), or prompt with or without response")
    return columns


def _report(columns: Sequence[str], row: Sequence[str]) -> FlawReport | Refused:
    try:
        if len(row) != len(columns):
            raise InvalidReport("line", f"must have {len(columns)} cells like the header, not {len(row)}")
        cells = {name: cell for name, cell in zip(columns, row, strict=True) if cell}
        return parse(_document(cells), imported=True)
    except InvalidReport as error:
        return error


def _document(cells: Mapping[str, str]) -> dict[str, Any]:
    values = {name: _value(name, cell) for name, cell in cells.items()}
    document = {name: value for name, value in values.items() if name in _FIELDS}
    if "turns" in values:
        document["turns"] = values["turns"]
    else:
        said = {TurnRole.USER: values.get("prompt"), TurnRole.ASSISTANT: values.get("response")}
        document["turns"] = [{"role": role, "content": text} for role, text in said.items() if text]
    system = {name: value for name, value in values.items() if name in _SYSTEM}
    return document | ({"system": [system]} if system else {})


def _value(name: str, cell: str) -> object:
    if _UNDECODED.search(cell):
        raise InvalidReport(name, "must be UTF-8")
    try:
        return COLUMNS[name](cell)
    except InvalidReport as error:
        raise InvalidReport(name, error.rule) from None
