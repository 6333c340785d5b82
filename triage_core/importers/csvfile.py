"""CSV: a header of known columns, or of columns that a mapping names, then one report a record.

UTF-8, commas, quotes doubled; read by the standard library under caps. An empty cell counts as not given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

from triage_core.channel.fields import field_path
from triage_core.channel.reportformat import parse
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.columns import COLUMNS, ONE_CONVERSATION, document, has_one_conversation, shown
from triage_core.importers.lines import BOM, MAX_LINE_BYTES, capped, too_long
from triage_core.importers.mapping import ColumnMapping, Names
from triage_core.model import FlawReport

Places = Callable[[Sequence[str]], Mapping[str, int]]
"""Where in a record each field stands, by the header. Raises InvalidReport for a header with the wrong columns."""


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each record after the header, as the number of its first line and the report or what refused it.

    A header with the wrong columns is refused and ends the reading.
    """
    return _records(stream, _places)


def mapped(
    stream: BinaryIO, mapping: ColumnMapping, found: Names
) -> Iterator[tuple[int, FlawReport | Refused]]:
    """The same of a file with columns of its own; `found` hears which of them are not read."""

    def places(header: Sequence[str]) -> dict[str, int]:
        names = [name.strip() for name in header]
        others = mapping.others(names)
        found(others)
        return {field: names.index(column) for field, column in mapping.columns.items()}

    return _records(stream, places)


def _records(stream: BinaryIO, find: Places) -> Iterator[tuple[int, FlawReport | Refused]]:
    width, places = 0, None
    for number, row in _rows(_Source(stream)):
        if isinstance(row, Refused):
            yield number, row
            if places is None:  # what follows is no header
                return
        elif places is None:
            try:
                _check_commas(row)
                width, places = len(row), find(row)
            except InvalidReport as error:
                yield number, error
                return
        else:
            yield number, _report(row, width, places)


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


def _places(header: Sequence[str]) -> dict[str, int]:
    """The places of columns that are called as the fields are."""
    names = [name.strip().lower() for name in header]
    if wrong := sorted({field_path("", name) for name in names if name not in COLUMNS}):
        rule = f"must not have {shown(wrong)}; known columns are {', '.join(COLUMNS)}"
        raise InvalidReport("columns", rule)
    if len(set(names)) < len(names):
        raise InvalidReport("columns", "must each have a name of its own")
    if not has_one_conversation(names):
        raise InvalidReport("columns", ONE_CONVERSATION)
    return {name: place for place, name in enumerate(names)}


def _check_commas(header: Sequence[str]) -> None:
    if len(header) == 1 and re.search("[;\t]", header[0]):
        raise InvalidReport("columns", "must have commas between them, not semicolons or tabs")


def _report(row: Sequence[str], width: int, places: Mapping[str, int]) -> FlawReport | Refused:
    try:
        if len(row) != width:
            raise InvalidReport("line", f"must have {width} cells like the header, not {len(row)}")
        return parse(document({name: row[place] for name, place in places.items()}), imported=True)
    except InvalidReport as error:
        return error
