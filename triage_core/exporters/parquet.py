"""Parquet with zstd and an explicit schema: what a loader reads is the type that was meant."""

from __future__ import annotations

import os
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# A row group ends at whichever comes first. Both count what is written and nothing else, so that the
# same rows always give the same bytes.
GROUP_ROWS = 10_000
GROUP_CHARACTERS = 32_000_000


class ParquetWriter:
    """A new file of rows in the order in which they are written; holds at most one row group in memory."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = [itemgetter(name) for name in schema.names]
        self._texts = [
            name for name, kind in zip(schema.names, schema.types, strict=True) if kind == pa.string()
        ]
        self._lists = [
            name for name, kind in zip(schema.names, schema.types, strict=True) if pa.types.is_list(kind)
        ]
        self._file = path.open("xb")
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._characters = 0

    def write(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self._characters += self._size(row)
        if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._write_group()

    def _size(self, row: dict[str, Any]) -> int:
        """The characters of a row's texts and messages."""
        texts = sum([len(row[name] or "") for name in self._texts])
        return texts + sum([len(message["content"]) for name in self._lists for message in row[name]])

    def _write_group(self) -> None:
        columns = [
            pa.array(list(map(column, self._rows)), kind)
            for column, kind in zip(self._columns, self._schema.types, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows, self._characters = [], 0

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rows and error is None:
            self._write_group()
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
