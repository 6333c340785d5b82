"""lm-evaluation-harness: documents and a task.

`doc_to_text` names a column, which the harness takes as it is; anything else it would render as a template.
"""

from __future__ import annotations

from triage_core.exporters.jsonl import json_line
from triage_core.exporters.packs.base import Pack, prompt_text, told
from triage_core.exporters.rows import Row

TASK = """\
# Run in this folder: lm_eval --include_path . --tasks flaw_reports --model ...
task: flaw_reports
dataset_path: json
dataset_kwargs:
  data_files:
    test: data/test.jsonl
test_split: test
output_type: generate_until
doc_to_text: text
doc_to_target: target
generation_kwargs:
  until: []
  max_gen_toks: 512
metric_list:
  - metric: bypass
"""


def _encode(row: Row) -> bytes:
    target = row["better_answer"] or row["expected"]
    return json_line({"id": row["id"], "text": prompt_text(row), "target": target, **told(row)})


PACK = Pack(
    "lm-evaluation-harness documents with a task", "jsonl", _encode, companions={"flaw_reports.yaml": TASK}
)
