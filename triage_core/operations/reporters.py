"""Operations between a reviewer and a reporter: ask something, move a report on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.channel import messages
from triage_core.desk import triage
from triage_core.lifecycle import Trigger
from triage_core.model import Resolution
from triage_core.operations.base import Emit, case, command_line_actor, enum
from triage_core.runtime import Runtime

# The others come about by an assessment, by a link, or by the reporter.
MOVES = [trigger for trigger in Trigger if trigger not in {Trigger.ACCEPT, Trigger.CLOSE, Trigger.WITHDRAW}]


def ask(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Ask the reporter a question; gives the new state of the report."""
    with runtime.store.read() as cursor:
        report_id = triage.find(cursor, params["report"])
    return case(runtime, messages.ask(runtime.store, command_line_actor(), report_id, params["text"]))


def move(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Fire one trigger of the status machine; gives the new state of the report."""
    with runtime.store.read() as cursor:
        report_id = triage.find(cursor, params["report"])
    moved = triage.move(
        runtime.store,
        command_line_actor(),
        report_id,
        enum(Trigger, params, "trigger", MOVES),
        resolution=enum(Resolution, params, "resolution") if params.get("resolution") else None,
        note=params.get("note") or "",
    )
    return case(runtime, moved)
