"""What is told about a row beside the trainer's columns: flat text columns, all named meta_*."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from triage_core import db
from triage_core.exporters.gate import Verdict
from triage_core.exporters.hygiene import Clean
from triage_core.exporters.rows import Row

NAMES = (
    "example_id",
    "row_sha256",
    "report_id",
    "reporter_id",
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
    "hidden_characters",
    "redactions",
)
FIELDS = [pa.field(f"meta_{name}", pa.string()) for name in NAMES]
SCHEMA = pa.schema(FIELDS)
EXAMPLE_ID = "meta_example_id"
ROW_SHA256 = "meta_row_sha256"
REPORT_ID = "meta_report_id"


def row_sha256(row: Row) -> str:
    """The hex SHA-256 of a row's canonical JSON: sorted keys, no spaces, ASCII; the trainer's columns only."""
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def describe(
    example_id: str,
    row: Row,
    facts: db.Row,
    verdict: Verdict,
    group_id: str,
    group_size: int,
    cleaned: Clean,
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
        "control_tokens": " ".join(cleaned.control_tokens),
        "hidden_characters": _counts(cleaned.hidden),
        "redactions": _counts(Counter(span.kind for span in cleaned.redactions)),
    }
    return {f"meta_{name}": values[name] for name in NAMES}


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value or "")


def _counts(found: Mapping[str, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in sorted(found.items()))
