"""Operations that bring reports in: the import of files, and the presets of their columns."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from triage_core import importers
from triage_core.channel import intake
from triage_core.errors import Refused
from triage_core.importers import Line, mapping, presets
from triage_core.importers.columns import shown
from triage_core.importers.mapping import ColumnMapping
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime

BATCH = 500


def import_files(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, int]:
    """Import files line by line; gives counts, and each refused line as an item as soon as it is refused.

    Committed in batches: an interrupted import keeps what it has acknowledged, and importing the
    same file again goes on from there.
    """
    actor, columns = command_line_actor(), _columns(runtime, params)
    total = Counter(dict.fromkeys(("received", "stored", "exact_duplicates", "already_known", "refused"), 0))
    keep, kept = params.get("save_preset"), False
    for name in params["files"]:
        path, before = Path(name), total.copy()
        others: list[Sequence[str]] = []  # once, when the columns are known to be there
        lines = importers.read(path, importers.Format(params.get("format", "auto")), columns, others.append)
        while batch := list(itertools.islice(lines, BATCH)):
            if others and columns and keep is not None:
                presets.save(runtime.store, actor, keep, columns)
                kept = True
            if others and (unread := others.pop()):
                emit.note(f"{path.name}: columns that are not read: {shown(unread)}")
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
    if keep is not None and not kept:
        emit.note("the preset was not kept: no file that was read has its columns")
    runtime.worker.wake()
    return dict(total)


def _columns(runtime: Runtime, params: Mapping[str, Any]) -> ColumnMapping | None:
    """The mapping that was given or kept, if any. Raises Refused, NotFound."""
    pairs = params.get("map")
    if (name := params.get("preset")) is not None:
        with runtime.store.read() as cursor:
            pairs = presets.named(cursor, name).mapping.pairs()
    return mapping.parse(pairs) if pairs else None


def _stored(runtime: Runtime, batch: Sequence[Line]) -> Iterator[tuple[Line, intake.Receipt | Refused]]:
    """Store the lines in one transaction; each with its receipt or with what refused it, in their order."""
    incoming = [intake.Incoming(line.report, line.key) for line in batch if line.report is not None]
    receipts = iter(intake.import_batch(runtime.store, runtime.policy, command_line_actor(), incoming))
    for line in batch:
        yield line, next(receipts) if line.error is None else line.error


def list_presets(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every preset by name, with its mapping as `map` takes it."""
    with runtime.store.read() as cursor:
        return [
            plain(
                {
                    "name": one.name,
                    "map": one.mapping.pairs(),
                    "saved_at": one.saved_at,
                    "saved_by": one.saved_by,
                }
            )
            for one in presets.listing(cursor)
        ]


def delete_preset(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Forget a preset; what was imported by it stays."""
    presets.delete(runtime.store, command_line_actor(), params["name"])
    return {"name": params["name"], "deleted": True}
