"""JSON Lines: one object a line, ASCII only, so that no character in a prompt can end a line early."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa


def json_line(value: Mapping[str, Any]) -> bytes:
    """An object on one line, its end included."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


class LinesWriter:
    """A new file of rows in the order in which they are written, each as `encode` has it, after `head`."""

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        encode: Callable[[dict[str, Any]], bytes] = json_line,
        head: bytes = b"",
    ) -> None:
        self._file = path.open("xb")
        self._file.write(head)
        self._encode = encode

    def write(self, rows: pa.Table) -> None:
        self._file.writelines(map(self._encode, rows.to_pylist()))

    def __enter__(self) -> LinesWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
