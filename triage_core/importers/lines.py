"""The lines of a file of any length, none of them held in memory beyond a cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from triage_core.errors import InvalidReport, Refused

Record = TypeVar("Record")

# Room for the largest report that the format allows, even with most characters escaped.
BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 5_000_000


def capped(stream: BinaryIO, most: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number from 1 and its line end; None in place of a line of more than `most` bytes.

    Only LF ends a line: U+2028 and the like are part of a text.
    """
    number = 0
    while line := stream.readline(most + 1):
        number += 1
        if len(line) <= most:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(most)
        yield number, None


def each(
    stream: BinaryIO, parsed: Callable[[bytes], Record | Refused]
) -> Iterator[tuple[int, Record | Refused]]:
    """Each line that is not blank with its number, parsed or refused."""
    for number, line in capped(stream):
        if line is None:
            yield number, too_long()
        elif line.strip():
            yield number, parsed(line)


def too_long() -> InvalidReport:
    return InvalidReport("line", f"must be at most {MAX_LINE_BYTES:,} bytes long")
