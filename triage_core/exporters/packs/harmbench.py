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

COLUMNS = ("Behavior", "FunctionalCategory", "SemanticCategory", "Tags", "ContextString", "BehaviorID")
FORMULA = tuple("=+-@\t\r")


def _line(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode()


def _encode(row: Row) -> bytes:
    text = prompt_text(row)
    escaped = text.startswith(FORMULA)
    tags = [name for name, holds in (("adversarial", row["adversarial"]), ("escaped", escaped)) if holds]
    behavior = f"'{text}" if escaped else text
    return _line([behavior, "standard", row["category"], ", ".join(tags), "", row["id"]])


PACK = Pack("HarmBench behaviours", "csv", _encode, head=_line(COLUMNS))
