"""garak's hitlog.jsonl: a line is what one detector flagged in one answer, and becomes one report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import named, objects
from triage_core.model import FlawReport

BEGINS = re.compile(rb'\{"goal": ?(null|").*"prompt": ?', re.DOTALL)


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each line that is not blank, as its number and the report or what refused it."""
    for number, row in objects(stream):
        try:
            yield number, row if isinstance(row, Refused) else _report(row)
        except InvalidReport as error:
            yield number, error


def _report(row: dict[str, Any]) -> FlawReport:
    # One run may be in many files and one id in many attempts of an aggregated one, so all that tells a hit counts.
    parts = [named(row, name) for name in ("attempt_id", "probe", "attempt_seq", "attempt_idx", "detector")]
    triggers = row.get("triggers", row.get("trigger"))  # `trigger` in 0.9
    said = {
        "Probe": row["probe"],
        "Detector": row["detector"],
        "Score": row.get("score"),
        "Goal": row.get("goal"),
        "Triggers": contents.text(triggers).replace("\n", ", "),
    }
    turns = [*contents.turns(row.get("prompt"), "prompt"), contents.answer(row.get("output"))]
    generator = row.get("generator")
    family, _, model = generator.partition(" ") if isinstance(generator, str) else ("", "", "")
    return toolreport.report(
        toolreport.name_of("garak", *parts),
        turns,
        toolreport.found_by("garak", said),
        toolreport.system(family, "" if model == "None" else model),
        session_id=parts[0],
    )
