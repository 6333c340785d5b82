"""Rows of many reports put together as columns: a rule's row for those that are built alike, and the texts of each.

Nothing is done for each row by itself but its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.exporters import metadata
from triage_core.exporters.arrays import TEXT, held
from triage_core.exporters.escaped import escaped
from triage_core.exporters.profiles import Profile
from triage_core.exporters.rows import Content, Joined, Row, Text
from triage_core.exporters.texts import Growing, Numbers, Texts, joined
from triage_core.model import TurnRole

_ROLES = pa.array([str(role) for role in TurnRole], pa.string())
_ROLE_NUMBER = {str(role): number for number, role in enumerate(TurnRole)}


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows: the profile's columns, the SHA-256 of each row (n, 32), and what gives a hash of what each shows (n,).

    Two rows show the same where these hashes are the same, within one process.
    """

    table: pa.Table
    sha256: NDArray[np.uint8]
    shown: Callable[[], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A row that several reports have: the places of their rows, and of each content the numbers of their texts."""

    row: Row
    places: Numbers
    numbers: Mapping[Content, Numbers]


def put_together(
    profile: Profile, texts: Texts, alike: Sequence[tuple[Sequence[Row], Numbers]], first: Numbers
) -> Rows:
    """The rows of reports, given the rows of a rule and the reports that have them; those of r start at first[r]."""
    words = Growing(texts.column())
    parts: list[_Part] = []
    for rows, reports in alike:
        contents = dict.fromkeys(content for row in rows for value in row.values() for content in _of(value))
        numbers = {content: words.numbers(content, reports, texts) for content in contents}
        parts += [_Part(row, first[reports] + part, numbers) for part, row in enumerate(rows)]
    size = sum(len(part.places) for part in parts)
    column = words.column()
    table = pa.table([_column(field, parts, column, size) for field in profile.schema], schema=profile.schema)
    written = escaped(column)
    sha256 = np.empty((size, 32), np.uint8)
    for part in parts:
        hashed = b"".join([hashlib.sha256(row).digest() for row in _json(part.row, part, written)])
        sha256[part.places] = np.frombuffer(hashed, np.uint8).reshape(-1, 32)
    return Rows(table, sha256, partial(_shown, profile, parts, column, size))


def _shown(profile: Profile, parts: Sequence[_Part], texts: pa.Array, size: int) -> NDArray[np.int64]:
    data, bounds = held(texts)
    raw = data.tobytes()
    shown = np.empty(size, np.int64)
    for part in parts:
        frame, contents = _framed(profile.watched(part.row))
        found = np.full(len(part.places), hash(frame))
        for content in contents:
            numbers = part.numbers[content]
            places = zip(bounds[numbers].tolist(), bounds[numbers + 1].tolist(), strict=True)
            # Sums of keyed hashes: nobody can write two texts that come to the same.
            found = found * _MIX + np.array([hash(raw[start:end]) for start, end in places], np.int64)
        shown[part.places] = found
    return shown


def _of(value: Any) -> Iterator[Content]:
    """The contents that stand in a value of a row."""
    if isinstance(value, str | Text | Joined):
        yield value
    elif isinstance(value, list):
        for message in value:
            yield message["content"]


def _column(field: pa.Field, parts: Sequence[_Part], texts: pa.Array, size: int) -> pa.Array:
    if pa.types.is_list(field.type):
        return _messages(field, parts, texts, size)
    if pa.types.is_boolean(field.type):
        values = np.zeros(size, np.bool_)
        for part in parts:
            values[part.places] = part.row[field.name]
        return pa.array(values)
    numbers = np.full(size, -1)
    for part in parts:
        content = part.row[field.name]
        if content is not None:
            numbers[part.places] = part.numbers[content]
    return texts.take(pa.array(numbers, mask=numbers < 0)).cast(field.type)


def _messages(field: pa.Field, parts: Sequence[_Part], texts: pa.Array, size: int) -> pa.Array:
    lengths = np.zeros(size, np.int64)
    for part in parts:
        lengths[part.places] = len(part.row[field.name])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    roles, numbers = np.empty(ends[-1], np.int8), np.empty(ends[-1], np.int64)
    for part in parts:
        for after, message in enumerate(part.row[field.name]):
            places = ends[part.places] + after
            roles[places] = _ROLE_NUMBER[message["role"]]
            numbers[places] = part.numbers[message["content"]]
    struct = field.type.value_type
    spoken = pa.StructArray.from_arrays(
        [_ROLES.take(pa.array(roles)), texts.take(pa.array(numbers)).cast(pa.string())], fields=list(struct)
    )
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), spoken, type=field.type)


def _json(value: Any, part: _Part, written: pa.Array) -> Iterator[bytes]:
    """The canonical JSON of a value for each row of the part."""
    frame, contents = _framed(value)
    words = frame.split(_MARK)
    pieces = [pa.scalar(words[0], TEXT)]
    for content, word in zip(contents, words[1:], strict=True):
        pieces += [written.take(pa.array(part.numbers[content])), pa.scalar(word, TEXT)]
    data, bounds = held(joined(pieces))
    raw = data.tobytes()
    return (raw[start:end] for start, end in pairwise(bounds.tolist()))


def _framed(value: Any) -> tuple[str, list[Content]]:
    """The canonical JSON of a value with marks for its contents, and these."""
    contents: list[Content] = []

    def mark(content: Content) -> str:
        contents.append(content)
        return _MARK

    return metadata.canonical(value, mark), contents


_MARK = "\0"
_MIX = 0x9E3779B97F4A7C1
