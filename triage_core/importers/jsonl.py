"""JSONL: one `flaw-report/1` document a line, of which only `turns` is required."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from triage_core.channel.reportformat import parse_bytes
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.lines import MAX_LINE_BYTES, each
from triage_core.model import FlawReport


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each line that is not blank, as its number and the report or what refused it."""
    return each(stream, _report)


def _report(line: bytes) -> FlawReport | Refused:
    try:
        return parse_bytes(line, imported=True, longest=MAX_LINE_BYTES)
    except InvalidReport as error:
        return error
