"""Operations of better answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage_core.desk import answers, preferred, triage
from triage_core.errors import Refused
from triage_core.importers import answers as answer_lines
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime


def import_answers(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Write the answers of a file, line by line; a refused line is named and the rest goes on.

    They are drafts until somebody approves them, unless `approve` is set. Importing twice adds nothing.
    """
    path, alone = Path(params["file"]), bool(params.get("approve", False))
    done = {"received": 0, "written": 0, "unchanged": 0}
    refused: list[dict[str, Any]] = []
    for number, line in answer_lines.read(path):
        done["received"] += 1
        try:
            if isinstance(line, Refused):
                raise line
            written = _write(runtime, line, alone)
        except Refused as error:
            refused.append({"file": path.name, "line": number, "reason": str(error)})
        else:
            done["written" if written else "unchanged"] += 1
        emit.progress(done["received"], 0, f"lines of {path.name}")
    return {**done, "refused": refused}


def _write(runtime: Runtime, line: answer_lines.Line, alone: bool) -> bool:
    with runtime.store.read() as cursor:
        find = triage.find if line.report else triage.find_external
        report_id = find(cursor, line.report or line.external_id)
        before = preferred.in_force(cursor, report_id)
    actor = command_line_actor()
    after = answers.write(runtime.store, actor, report_id, line.answer, turn=line.turn, alone=alone)
    return not after.same(before)
