"""Parquet with zstd and an explicit schema: what a loader reads is the type that was meant."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triage_core.exporters import metadata

# A row group ends at whichever comes first. Both count what is written and nothing else, so that the
# same rows always give the same bytes.
GROUP_ROWS = 10_000
GROUP_CHARACTERS = 32_000_000


class ParquetWriter:
    """A new file of rows in the order in which they are written; holds about one row group in memory."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("xb")
        # A dictionary takes time, and room, where values hardly ever return, as what is said in messages.
        returning = [name for name in schema.names if name not in metadata.HARDLY_TWICE]
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd", use_dictionary=returning)
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0

    def write(self, rows: pa.Table) -> None:
        while len(rows):
            end, is_full = self._fitting(rows)
            self._waiting.append(rows.slice(0, end))
            self._rows += end
            self._bytes += self._waiting[-1].nbytes
            if is_full:
                self._write_group()
            rows = rows.slice(end)

    def _fitting(self, rows: pa.Table) -> tuple[int, bool]:
        """How many of these rows go into the group, and whether that ends it."""
        left = GROUP_ROWS - self._rows
        # Characters are counted only where there may be too many: none takes less than a byte.
        if self._bytes + rows.nbytes >= GROUP_CHARACTERS:
            before = sum(int(_characters(one).sum()) for one in self._waiting)
            left = min(
                left, 1 + int(np.searchsorted(np.cumsum(_characters(rows)), GROUP_CHARACTERS - before))
            )
        return min(left, len(rows)), left <= len(rows)

    def _write_group(self) -> None:
        # As one piece: the pages of a file depend on the pieces.
        self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
        self._waiting, self._rows, self._bytes = [], 0, 0

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiting and error is None:
            self._write_group()
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _characters(rows: pa.Table) -> NDArray[np.int64]:
    """(n,) the characters of each row's texts and messages."""
    total = np.zeros(len(rows), np.int64)
    for column in rows.combine_chunks().columns:
        texts = column.combine_chunks()
        if pa.types.is_list(texts.type):
            ends = np.concatenate([[0], np.cumsum(_lengths(texts.flatten().field("content")))])
            total += np.diff(ends[texts.offsets.to_numpy() - texts.offsets[0].as_py()])
        elif pa.types.is_string(texts.type):
            total += _lengths(texts)
    return total


def _lengths(texts: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False), np.int64)
