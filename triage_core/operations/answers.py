"""Operations of better answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage_core.errors import NotFound
from triage_core.importers import answers
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime


def import_answers(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, int]:
    """Write the answers of a file; drafts until somebody approves them, unless `approve` is set.

    Gives counts, and each refused line as an item as soon as it is refused.
    """
    path, alone = Path(params["file"]), bool(params.get("approve", False))
    try:
        stream = path.open("rb")
    except OSError as error:
        raise NotFound(path.name, f"must be a file that can be read ({error.strerror})") from error
    with stream:
        return answers.bring(
            runtime.store,
            command_line_actor(),
            stream,
            alone=alone,
            refuse=lambda line, reason: emit.item({"file": path.name, "line": line, "reason": reason}),
            told=lambda received: emit.progress(received, 0, f"lines of {path.name}"),
        )
