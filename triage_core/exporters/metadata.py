"""What is told about a row beside the trainer's columns: flat text columns, all named meta_*."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

import pyarrow as pa

from triage_core.desk.preferred import Answer
from triage_core.exporters.gate import Verdict
from triage_core.exporters.hygiene import Clean
from triage_core.exporters.rows import Row
from triage_core.exporters.source import Facts

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
    "answer_by",
)
FIELDS = [pa.field(f"meta_{name}", pa.string()) for name in NAMES]
SCHEMA = pa.schema(FIELDS)
EXAMPLE_ID = "meta_example_id"
ROW_SHA256 = "meta_row_sha256"
REPORT_ID = "meta_report_id"


_KEYS = SCHEMA.names


def row_sha256(row: Row) -> str:
    """The hex SHA-256 of a row's canonical JSON: sorted keys, no spaces, ASCII; the trainer's columns only."""
    return hashlib.sha256(canonical(row).encode("ascii")).hexdigest()


def canonical(value: Any) -> str:
    """A row's value as `json.dumps` writes it with sorted keys, no spaces and ASCII only, in a fraction of the time."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, list):  # of messages
        return f"[{','.join([_MESSAGE % (encode_basestring_ascii(one['content']), one['role']) for one in value])}]"
    if isinstance(value, dict):
        return "{" + ",".join([f'"{key}":{canonical(value[key])}' for key in sorted(value)]) + "}"
    return _CONSTANTS[value] if value is None or isinstance(value, bool) else json.dumps(value)


_CONSTANTS = {True: "true", False: "false", None: "null"}
_MESSAGE = '{"content":%s,"role":"%s"}'


def digest(shown: Any) -> bytes:
    """Eight bytes that tell apart what rows show: a text, or messages, which are told apart by their lengths."""
    if not isinstance(shown, str):
        shown = "".join([f"{len(one['content'])}:{one['role']}:{one['content']}" for one in shown])
    return hashlib.blake2b(shown.encode(), digest_size=8).digest()


def of_report(
    facts: Facts, verdict: Verdict, group_id: str, group_size: int, cleaned: Clean, answer: Answer
) -> dict[str, str]:
    """The meta_* columns of a report, in the order of SCHEMA; "" where nothing is known and for what names a row."""
    values = (
        "",
        "",
        facts.report_id,
        facts.reporter_id or "",
        facts.external_id or "",
        facts.received_at,
        facts.content_sha256,
        group_id,
        str(group_size),
        facts.technique or "",
        str(verdict),
        facts.resolution or "",
        ",".join(facts.clauses),
        facts.severity or "",
        facts.policy_version,
        ",".join(facts.harm_types),
        facts.platform,
        facts.model,
        facts.model_version,
        facts.consent_training,
        " ".join(cleaned.control_tokens),
        _counts(cleaned.hidden) if cleaned.hidden else "",
        _counts(Counter(span.kind for span in cleaned.redactions)) if cleaned.redactions else "",
        "" if not answer.approved_by else "two" if answer.by_two else "one",
    )
    return dict(zip(_KEYS, values, strict=True))


def of_row(told: Mapping[str, str], example_id: str, row: Row) -> dict[str, str]:
    """The meta_* columns of one row of a report."""
    return {**told, EXAMPLE_ID: example_id, ROW_SHA256: row_sha256(row)}


def _counts(found: Mapping[str, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in sorted(found.items()))
