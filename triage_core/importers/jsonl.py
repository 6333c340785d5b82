"""JSONL: one `flaw-report/1` document a line, of which only `turns` is required, or one row of other columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from triage_core.channel.reportformat import parse, parse_bytes
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.columns import document
from triage_core.importers.jsonfile import objects
from triage_core.importers.lines import MAX_LINE_BYTES, each
from triage_core.importers.mapping import ColumnMapping, Names
from triage_core.model import FlawReport

# There is no header: each column of a mapping must be in one of so many lines.
FIRST_LINES = 100


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each line that is not blank, as its number and the report or what refused it."""
    return each(stream, _report)


def _report(line: bytes) -> FlawReport | Refused:
    try:
        return parse_bytes(line, imported=True, longest=MAX_LINE_BYTES)
    except InvalidReport as error:
        return error


def mapped(
    stream: BinaryIO, mapping: ColumnMapping, found: Names
) -> Iterator[tuple[int, FlawReport | Refused]]:
    """The same of objects with columns of their own, of which a line may lack some; `found` hears which are not read.

    Where the first lines lack one that the mapping names, that is the one refused line.
    """
    lines, names = objects(stream), dict[str, None]()
    first: list[tuple[int, FlawReport | Refused]] = []
    for number, row in lines:
        if isinstance(row, Refused) and not first:
            yield number, row  # no object so far: nothing to wait for
            continue
        if isinstance(row, dict):
            names |= dict.fromkeys(map(str.strip, row))
        first.append((number, _of_row(row, mapping)))
        if len(first) == FIRST_LINES:
            break
    if names:
        try:
            others = mapping.others(list(names))
        except InvalidReport as error:
            yield first[0][0], error
            return
        found(others)
    yield from first
    for number, row in lines:
        yield number, _of_row(row, mapping)


def _of_row(row: dict[str, Any] | Refused, mapping: ColumnMapping) -> FlawReport | Refused:
    if isinstance(row, Refused):
        return row
    values = {name.strip(): value for name, value in row.items()}
    try:
        given = {field: values.get(column) for field, column in mapping.columns.items()}
        return parse(document(given), imported=True)
    except InvalidReport as error:
        return error
