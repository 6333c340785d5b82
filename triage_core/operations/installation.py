"""Operations of the installation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triage_core import backup, queries, verification
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime


def stats(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """How much the store holds, and in which states."""
    with runtime.store.read() as cursor:
        return {
            **queries.counts(cursor),
            "by_state": queries.by_state(cursor),
            "clusters": queries.cluster_counts(cursor),
            "policy_version": runtime.policy.version,
        }


def verify(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Check the audit chain, its anchor, and that every count agrees. Raises ChainBroken."""
    return {"ok": True, "events": verification.verify(runtime.store)}


def back_up(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Copy the store into a new folder, and check the copy. Raises Refused naming the folder, StoreError."""
    made = backup.make(runtime.store, command_line_actor(), Path(params["folder"]), emit.progress)
    return plain(asdict(made))
