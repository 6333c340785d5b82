"""What every pack is: a file of encoded rows, and perhaps files that tell the tool how to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from triage_core.exporters.jsonl import LinesWriter
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

    def open(self, path: Path, schema: pa.Schema) -> LinesWriter:
        """A writer of a new file."""
        return LinesWriter(path, schema, self.encode, self.head)


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
