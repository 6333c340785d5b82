"""Inspect AI: samples for `json_dataset`.

Records may name files, a setup script and a sandbox, which Inspect copies and runs: none is ever
written. Ids begin with a word, since Inspect takes "0012" for the number 12.
"""

from __future__ import annotations

from triage_core.exporters.jsonl import json_line
from triage_core.exporters.packs.base import Pack, told
from triage_core.exporters.rows import Row

TASK = '''\
"""Flaw reports as an Inspect task; name a scorer of your own where `expected` is to be judged."""

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.solver import generate


@task
def flaw_reports() -> Task:
    fields = FieldSpec(metadata=["category", "expected", "adversarial"])
    return Task(dataset=json_dataset("data/test.jsonl", fields), solver=generate())
'''


def _encode(row: Row) -> bytes:
    messages = [{"role": one["role"], "content": one["content"]} for one in row["prompt"]]
    return json_line(
        {"id": row["id"], "input": messages, "target": row["better_answer"] or row["expected"], **told(row)}
    )


PACK = Pack("Inspect AI samples with a task", "jsonl", _encode, companions={"flaw_reports.py": TASK})
