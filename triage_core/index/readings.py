"""How reports were read, in the store: sketches with what their spans say, and the spans themselves.

Readings stand in order of arrival without a gap, like the reports that they are of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import db
from triage_core.likeness.sketch import Codes
from triage_core.likeness.spaces import Readings
from triage_core.likeness.spans import Ranges, Spans
from triage_core.store import Work

CODES = ("passages", "words", "wrapper", "request")
NUMBERS = ("sure", "wrapped", "size")


def save(work: Work, seqs: Sequence[int], read: Readings) -> None:
    """Store the readings of the reports with these numbers."""
    columns = {name: _column(getattr(read, name)) for name in CODES}
    table = pa.table({"seq": list(seqs), **columns, **{name: getattr(read, name) for name in NUMBERS}})
    db.insert_arrow(work.cursor, "readings", table)


def stored(cursor: db.Cursor, first: int, last: int) -> Readings | None:
    """The readings of the reports with the numbers `first` to `last`, as many as there are, in order."""
    table = db.arrow(
        cursor,
        "SELECT passages, words, wrapper, request, sure, wrapped, size FROM readings"
        " WHERE seq BETWEEN ? AND ? ORDER BY seq",
        [first, last],
    )
    if not len(table):
        return None
    passages, words, wrapper, request = (_codes(table[name]) for name in CODES)
    sure, wrapped, size = (table[name].to_numpy() for name in NUMBERS)
    return Readings(passages, words, wrapper, request, sure, wrapped, size)


def clear(work: Work, *, keep_spans: bool = False) -> None:
    """Forget all readings, and unless `keep_spans` all spans: all reports are read anew."""
    work.cursor.execute("DELETE FROM readings")
    if not keep_spans:
        work.cursor.execute("DELETE FROM spans")


def save_spans(work: Work, found: Mapping[str, Spans]) -> None:
    """Make these the spans of these reports, writing the differences alone."""
    if not found:
        return
    before = spans(work.cursor, list(found))
    changed = {name: item for name, item in found.items() if not same(before.get(name), item)}
    stale = [name for name in changed if name in before]
    if stale:
        work.cursor.execute("DELETE FROM spans WHERE report_id IN (SELECT unnest(?))", [stale])
    add_spans(work, changed)


def add_spans(work: Work, found: Mapping[str, Spans]) -> None:
    """Store the spans of reports that have none yet."""
    rows = [
        {"report_id": name, "kind": kind, "start_at": start, "end_at": end}
        for name, item in found.items()
        for kind, ranges in _ranges(item).items()
        for start, end in ranges
    ]
    db.insert(work.cursor, "spans", rows)


def spans(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, dict[str, Ranges]]:
    """The character ranges of `wrapper` and `request` in what likeness read of these reports.

    A report is left out whose wrapper and request were not told apart.
    """
    found = db.rows(
        cursor,
        "SELECT report_id, kind, start_at, end_at FROM spans WHERE report_id IN (SELECT unnest(?))"
        " ORDER BY report_id, kind, start_at",
        [list(report_ids)],
    )
    by_report: dict[str, dict[str, Ranges]] = {}
    for row in found:
        kinds = by_report.setdefault(row["report_id"], {"wrapper": (), "request": ()})
        kinds[row["kind"]] = (*kinds[row["kind"]], (row["start_at"], row["end_at"]))
    return by_report


def same(known: dict[str, Ranges] | None, item: Spans) -> bool:
    """Whether these spans are those that the store has of a report, None where it has none."""
    return (known or _ranges(Spans((), (), 0.0, 0.0))) == _ranges(item)


def _ranges(item: Spans) -> dict[str, Ranges]:
    return {"wrapper": item.wrapper, "request": item.request}


def _column(codes: Codes) -> pa.Array:
    offsets = np.arange(len(codes) + 1, dtype=np.int32) * codes.shape[1]
    return pa.Array.from_buffers(
        pa.binary(), len(codes), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(codes))]
    )


def _codes(column: pa.ChunkedArray) -> Codes:
    whole = column.combine_chunks()
    joined = b"".join(whole.to_pylist())
    codes: NDArray[np.int8] = np.frombuffer(joined, dtype=np.int8).reshape(len(whole), -1)
    return codes
