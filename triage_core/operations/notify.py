"""Operations on the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from triage_core.operations.base import Emit, command_line_actor
from triage_core.outgoing import outbox
from triage_core.runtime import Runtime


def status(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """How many messages wait, were sent and were given up, and by which channels they go."""
    with runtime.store.read() as cursor:
        return {**outbox.counts(cursor), "channels": list(runtime.notifier.channels)}


def send(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """One round: look for news and send what is due; with `failed`, also what was given up."""
    actor = command_line_actor()
    if params.get("failed"):
        outbox.again(runtime.store, actor)
    return asdict(runtime.notifier.round(actor))
