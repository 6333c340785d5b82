"""OpenAI's format for preference tuning, which Together and Fireworks read as well: one JSON object a line."""

from __future__ import annotations

from triage_core.exporters.jsonl import json_line
from triage_core.exporters.packs.base import Pack
from triage_core.exporters.rows import Row


def _encode(row: Row) -> bytes:
    return json_line(
        {
            "input": {"messages": row["prompt"]},
            "preferred_output": row["chosen"],
            "non_preferred_output": row["rejected"],
        }
    )


PACK = Pack("OpenAI, Together and Fireworks: preference tuning", "jsonl", _encode, profile="preference")
