"""JSON Lines: one object a line, ASCII only, so that no character in a prompt can end a line early."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

import pyarrow as pa


class JsonlWriter:
    """A new file of rows in the order in which they are written, their columns in that of the schema."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("xb")

    def write(self, rows: pa.Table) -> None:
        for row in rows.to_pylist():
            self._file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")

    def __enter__(self) -> JsonlWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
