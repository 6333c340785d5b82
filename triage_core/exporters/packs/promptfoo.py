"""promptfoo: a file of tests beside a small configuration.

promptfoo renders the variables that stand in a configuration, and reads `file://` in them as a file.
Tests of a JSON Lines file whose metadata names a red-team plugin are taken as they are.
"""

from __future__ import annotations

from triage_core.exporters.jsonl import json_line
from triage_core.exporters.packs.base import Pack, prompt_text, told
from triage_core.exporters.rows import Row

CONFIG = """\
# Add your providers, then run: promptfoo eval -c promptfooconfig.yaml
# The tests stay in their file: promptfoo renders as a template whatever stands in this one.
description: Flaw reports of the test side
prompts:
  - "{{prompt}}"
providers: []
tests: file://data/test.jsonl
"""


def _encode(row: Row) -> bytes:
    return json_line(
        {
            "vars": {"prompt": prompt_text(row)},
            "metadata": {
                "pluginId": f"bounty:{row['category']}",
                "pluginConfig": {},
                "id": row["id"],
                **told(row),
            },
        }
    )


PACK = Pack(
    "Tests of promptfoo with a configuration", "jsonl", _encode, companions={"promptfooconfig.yaml": CONFIG}
)
