"""JSON as other tools write it: an object a line, or one document of a whole file under a cap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from triage_core.channel.jsontext import decode
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.lines import each

# Decoded, a document takes a few times its size in memory.
MAX_DOCUMENT_BYTES = 50_000_000


def objects(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Refused]]:
    """Each line that is not blank with its number, as an object or what refused it."""
    return each(stream, as_object)


def as_object(line: bytes) -> dict[str, Any] | Refused:
    try:
        found = decoded(line, "line")
    except InvalidReport as error:
        return error
    return found if isinstance(found, dict) else InvalidReport("line", "must be one JSON object")


def document(stream: BinaryIO, begun: bytes = b"", instead: str = "") -> object:
    """The one value that the rest of the stream holds after `begun`, which was read from it.

    `instead` says what to do with one that is too large. Raises InvalidReport, of `file` or of a key given twice.
    """
    return decoded(whole(stream, begun, instead))


def whole(stream: BinaryIO, begun: bytes = b"", instead: str = "") -> bytes:
    """The bytes of such a document, under the cap."""
    body = begun + stream.read(max(0, MAX_DOCUMENT_BYTES + 1 - len(begun)))
    if len(body) > MAX_DOCUMENT_BYTES:
        rule = f"must be at most {MAX_DOCUMENT_BYTES:,} bytes long, as it is one JSON document"
        raise InvalidReport("file", f"{rule}: {instead}" if instead else rule)
    return body


def rows(stream: BinaryIO, within: str = "") -> Iterable[object]:
    """The entries of a JSON file: a list, one object, an object with a list of them `within`, or JSON Lines.

    A line that is no JSON object is an entry as well, the `Refused` that says so. Raises InvalidReport as `document`.
    """
    body = whole(stream)
    try:
        found = decoded(body)
    except InvalidReport:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) > 1 and any(isinstance(as_object(line), dict) for line in lines[:2]):
            return map(as_object, lines)  # one by one: what refuses a line is far larger than the line
        raise
    if isinstance(found, dict):
        found = found.get(within, [found])
    if not isinstance(found, list):
        raise InvalidReport("file", "must be a list of objects, one object, or JSON Lines")
    return found


def decoded(body: bytes, field: str = "file") -> object:
    """The value of a JSON text. NaN and Infinity count as null: tools write them for a score that is missing.

    Raises InvalidReport, of `field` where it is no sound JSON.
    """
    try:
        return decode(body, nan_as_null=True)
    except InvalidReport as error:
        raise InvalidReport(field if error.field == "body" else error.field, error.rule) from None


def inner(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The object at the end of these names; an empty one where there is none."""
    found: Any = row
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def listed(row: Mapping[str, Any], name: str) -> Sequence[Any]:
    """The list of this name; an empty one where there is none."""
    found = row.get(name)
    return found if isinstance(found, list) else ()


def named(row: Mapping[str, Any], name: str) -> str:
    """What the tool calls a thing, as text: part of the key. Raises InvalidReport where it has no name."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InvalidReport(name, "must be text or a whole number, for it is part of the key")
    return str(value)
