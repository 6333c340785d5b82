"""The operation that brings reports in."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from triage_core import importers
from triage_core.channel import intake
from triage_core.errors import Refused
from triage_core.importers import Line
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime

BATCH = 500


def import_files(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, int]:
    """Import files line by line; gives counts, and each refused line as an item as soon as it is refused.

    Committed in batches: an interrupted import keeps what it has acknowledged, and importing the
    same file again goes on from there.
    """
    actor = command_line_actor()
    total = Counter(dict.fromkeys(("received", "stored", "exact_duplicates", "already_known", "refused"), 0))
    for name in params["files"]:
        path, before = Path(name), total.copy()
        lines = importers.read(path, importers.Format(params.get("format", "auto")))
        while batch := list(itertools.islice(lines, BATCH)):
            total["received"] += len(batch)
            for line, outcome in _stored(runtime, batch):
                if isinstance(outcome, Refused):
                    total["refused"] += 1
                    emit.item({"file": path.name, "line": line.number, "reason": str(outcome)})
                else:
                    total["already_known"] += outcome.already_known
                    total["stored"] += not outcome.already_known
                    total["exact_duplicates"] += bool(outcome.exact_duplicate)
            emit.progress(total["received"], 0, f"lines of {path.name}")
        counts = {what: number - before[what] for what, number in total.items()}
        intake.note_import(runtime.store, actor, path.name, counts)
    runtime.worker.wake()
    return dict(total)


def _stored(runtime: Runtime, batch: Sequence[Line]) -> Iterator[tuple[Line, intake.Receipt | Refused]]:
    """Store the lines in one transaction; each with its receipt or with what refused it, in their order."""
    incoming = [intake.Incoming(line.report, line.key) for line in batch if line.report is not None]
    receipts = iter(intake.import_batch(runtime.store, runtime.policy, command_line_actor(), incoming))
    for line in batch:
        yield line, next(receipts) if line.error is None else line.error
