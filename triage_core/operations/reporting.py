"""Operations that tell others how the desk does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage_core import access, monthly
from triage_core.errors import Refused
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime


def report(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Write the report of a month as one HTML file; gives its figures and where it is."""
    access.require(command_line_actor(), access.Command.VIEW_TRENDS)
    with runtime.store.read() as cursor:
        found = monthly.figures(cursor, runtime.store.clock(), params.get("month") or "")
    try:
        Path(params["out"]).write_text(monthly.document(found), encoding="utf-8")
    except OSError as error:
        raise Refused("out", f"cannot be written: {error.strerror}") from error
    return {"out": params["out"], **monthly.to_json(found)}
