"""What is told about a row beside the trainer's columns: flat text columns, all named meta_*."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from triage_core import db, tokens
from triage_core.exporters.gate import Verdict
from triage_core.exporters.rows import Row

NAMES = (
    "example_id",
    "row_sha256",
    "report_id",
    "external_id",
    "received_at",
    "content_sha256",
    "group",
    "group_size",
    "technique",
    "verdict",
    "resolution",
    "clauses",
    "severity",
    "policy_version",
    "harm_types",
    "platform",
    "model",
    "model_version",
    "consent_training",
    "control_tokens",
)
FIELDS = [pa.field(f"meta_{name}", pa.string()) for name in NAMES]
SCHEMA = pa.schema(FIELDS)
EXAMPLE_ID = "meta_example_id"
ROW_SHA256 = "meta_row_sha256"


def row_sha256(row: Row) -> str:
    """The hex SHA-256 of a row's canonical JSON: sorted keys, no spaces, ASCII; the trainer's columns only."""
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def describe(
    example_id: str, row: Row, facts: db.Row, verdict: Verdict, group_id: str, group_size: int
) -> dict[str, str]:
    """The meta_* columns of one row, in the order of SCHEMA; "" where nothing is known."""
    values = {
        **{name: _text(facts.get(name)) for name in NAMES},
        "example_id": example_id,
        "row_sha256": row_sha256(row),
        # Written so that a loader which guesses types takes it for the text that it is.
        "received_at": facts["received_at"].strftime("%Y-%m-%d %H:%M:%S UTC"),
        "group": group_id,
        "group_size": str(group_size),
        "verdict": str(verdict),
        "control_tokens": " ".join(control_tokens(row)),
    }
    return {f"meta_{name}": values[name] for name in NAMES}


def control_tokens(row: Row) -> Sequence[str]:
    """The distinct control tokens in the texts of a row."""
    return tuple(dict.fromkeys(token for text in _texts(row) for token in tokens.find(text)))


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value or "")


def _texts(item: Any) -> Iterator[str]:
    match item:
        case str():
            yield item
        case dict():
            for inner in item.values():
                yield from _texts(inner)
        case list():
            for inner in item:
                yield from _texts(inner)
