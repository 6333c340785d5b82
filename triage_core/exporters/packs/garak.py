"""garak: lines in the shape of its report, one finished attempt a row, for tools that read such reports."""

from __future__ import annotations

import uuid

from triage_core.exporters.jsonl import json_line
from triage_core.exporters.packs.base import Pack, told
from triage_core.exporters.rows import Row

# Ours alone: the same id always has the same uuid.
_NAMESPACE = uuid.UUID("6b0f5f0e-6f0a-5d0c-9a53-0a4f1d1f7c11")
FINISHED = 2


def _encode(row: Row) -> bytes:
    turns = [{"role": one["role"], "content": {"text": one["content"], "lang": "*"}} for one in row["prompt"]]
    failed = 1.0 if row["expected"] == "safe_answer" else 0.0
    return json_line(
        {
            "entry_type": "attempt",
            "uuid": str(uuid.uuid5(_NAMESPACE, row["id"])),
            "seq": 0,
            "status": FINISHED,
            "probe_classname": f"flawdesk.{row['category']}",
            "probe_params": {},
            "targets": [],
            "prompt": {"turns": turns},
            "outputs": [{"text": row["reported_answer"] or "", "lang": "*"}],
            "detector_results": {"flawdesk.Reviewer": [failed]},
            "notes": {"id": row["id"], **told(row)},
            "goal": row["category"],
            "conversations": [],
        }
    )


PACK = Pack("Attempts in the shape of a garak report", "report.jsonl", _encode)
