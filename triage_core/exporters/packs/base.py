"""What every pack is: a file of encoded rows, and perhaps files that tell the tool how to read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from triage_core.exporters.rows import Row
from triage_core.model import TurnRole


@dataclass(frozen=True, slots=True)
class Pack:
    """One tool's format. `encode` gives the bytes of a row of `profile`, line ends included.

    `head` is what the file starts with, and `companions` are further files by name, beside the data.
    """

    about: str
    extension: str
    encode: Callable[[Row], bytes]
    head: bytes = b""
    companions: Mapping[str, str] = field(default_factory=dict)
    profile: str = "eval"

    def open(self, path: Path, schema: pa.Schema) -> PackWriter:
        """A writer of a new file."""
        return PackWriter(path, self)


class PackWriter:
    """A new file of rows in the order in which they are written."""

    def __init__(self, path: Path, pack: Pack) -> None:
        self._file = path.open("xb")
        self._file.write(pack.head)
        self._encode = pack.encode

    def write(self, rows: pa.Table) -> None:
        for row in rows.to_pylist():
            self._file.write(self._encode(row))

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def json_line(value: Mapping[str, Any]) -> bytes:
    """A JSON object on one line, ASCII only: no character of a prompt ends it early."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def prompt_text(row: Row) -> str:
    """The prompt for tools that take one text: a single message word for word, else with the roles before it."""
    messages = row["prompt"]
    if len(messages) == 1 and messages[0]["role"] == TurnRole.USER:
        return str(messages[0]["content"])
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)


def told(row: Row) -> dict[str, str]:
    """What is known of a row, as flat text."""
    return {
        "category": row["category"],
        "expected": row["expected"],
        "adversarial": str(row["adversarial"]).lower(),
    }
