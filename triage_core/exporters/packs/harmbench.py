"""HarmBench: behaviours as CSV.

A spreadsheet runs a cell that begins like a formula, so such a cell gets an apostrophe in front, and
the tag `escaped` says so; every other cell is read back exactly as it was.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from triage_core.exporters.packs.base import Pack, prompt_text
from triage_core.exporters.rows import Row
from triage_core.text import spreadsheet_cell

COLUMNS = ("Behavior", "FunctionalCategory", "SemanticCategory", "Tags", "ContextString", "BehaviorID")


def _line(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode()


def _encode(row: Row) -> bytes:
    text = prompt_text(row)
    behavior = spreadsheet_cell(text)
    told = {"adversarial": row["adversarial"], "escaped": behavior != text}
    tags = ", ".join(name for name, holds in told.items() if holds)
    return _line([behavior, "standard", row["category"], tags, "", row["id"]])


PACK = Pack("HarmBench behaviours", "csv", _encode, head=_line(COLUMNS))
