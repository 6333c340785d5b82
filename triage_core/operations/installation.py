"""Operations of the installation."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triage_core import backup, importers, queries, verification
from triage_core.channel import intake
from triage_core.errors import Refused
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime

BATCH = 500


def import_files(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Import files line by line; a refused line is named and the rest goes on.

    Committed in batches: an interrupted import keeps what it has acknowledged, and importing the
    same file again goes on from there.
    """
    actor = command_line_actor()
    total: Counter[str] = Counter({"received": 0, "stored": 0, "exact_duplicates": 0, "already_known": 0})
    refused: list[dict[str, Any]] = []
    for name in params["files"]:
        path, before = Path(name), {**total, "refused": len(refused)}
        lines = importers.read(path, importers.Format(params.get("format", "auto")))
        while batch := list(itertools.islice(lines, BATCH)):
            total["received"] += len(batch)
            incoming = [intake.Incoming(line.report, line.key) for line in batch if line.report is not None]
            outcomes = iter(intake.import_batch(runtime.store, runtime.policy, actor, incoming))
            for line in batch:
                outcome = next(outcomes) if line.report is not None else line.error
                if isinstance(outcome, Refused):
                    refused.append({"file": path.name, "line": line.number, "reason": str(outcome)})
                elif outcome is not None:
                    total["already_known"] += outcome.already_known
                    total["stored"] += not outcome.already_known
                    total["exact_duplicates"] += bool(outcome.exact_duplicate)
            emit.progress(total["received"], 0, f"lines of {path.name}")
        found = {what: number - before[what] for what, number in {**total, "refused": len(refused)}.items()}
        intake.note_import(runtime.store, actor, path.name, found)
    runtime.worker.wake()
    return {**total, "refused": refused}


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
