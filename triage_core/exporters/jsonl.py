"""JSON Lines: one object a line, ASCII only, so that no character in a prompt can end a line early."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa


class JsonlWriter:
    """A new file of rows in the order in which they are written; columns in the order of the schema."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("xb")
        self._columns = schema.names

    def write(self, row: dict[str, Any]) -> None:
        ordered = {name: row[name] for name in self._columns}
        self._file.write(json.dumps(ordered, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")

    def __enter__(self) -> JsonlWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
