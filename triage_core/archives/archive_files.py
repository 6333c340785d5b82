"""The Parquet files of an archive: parts of them, their conversations, and results that appear whole or not at all."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triage_core.errors import Refused
from triage_core.model import Turn, TurnRole
from triage_core.text import turns_of

GROUP_ROWS = 1_000
UNFINISHED = ".unfinished-"
"""How the name of a folder begins in which a result is being written; readers of a folder skip it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows start .. stop - 1 of one row group of a file; its results are files called `name`."""

    file: str
    group: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        return f"{Path(self.file).stem}-{self.group:05d}-{self.start:08d}.parquet"


def read(folder: Path, part: Part) -> tuple[list[str], list[list[Turn]]]:
    """External ids and conversations of a part's rows. Raises Refused naming file, row and rule."""
    ids: list[str] = []
    conversations = []
    with pq.ParquetFile(folder / part.file) as file:
        column = "text" if "text" in file.schema_arrow.names else "turns"
        seen = 0
        for batch in file.iter_batches(GROUP_ROWS, [part.group], ["external_id", column]):
            here = batch.slice(
                max(part.start - seen, 0), max(part.stop - seen, 0) - max(part.start - seen, 0)
            )
            names, words = (
                here.column(name).cast(pa.string()).to_pylist() for name in ("external_id", column)
            )
            for name, value in zip(names, words, strict=True):
                where = f"{part.file} row group {part.group} row {part.start + len(ids)}"
                if name is None:
                    raise Refused(where, "external_id must be given")
                ids.append(name)
                conversations.append(
                    [Turn(TurnRole.USER, value or "")] if column == "text" else _turns(value, where)
                )
            seen += len(batch)
            if seen >= part.stop:
                break
    return ids, conversations


def _turns(value: str | None, where: str) -> list[Turn]:
    try:
        turns = list(turns_of(json.loads(value or "[]")))
        if all(isinstance(turn.content, str) for turn in turns):
            return turns
    except (KeyError, TypeError, ValueError):
        pass
    raise Refused(where, 'turns must be a JSON list of {"role": ..., "content": ...}')


def note(path: Path, name: str) -> str | None:
    """What was noted under `name` when a file was written; None when it is not there."""
    if not path.exists():
        return None
    found = (pq.read_schema(path).metadata or {}).get(name.encode())
    return None if found is None else found.decode()


def write(path: Path, table: pa.Table, notes: dict[str, str] | None = None) -> None:
    """A Parquet file that appears complete or not at all, in groups of GROUP_ROWS rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = table.replace_schema_metadata(notes)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as scratch:
        fresh = Path(scratch) / path.name
        pq.write_table(table, fresh, row_group_size=GROUP_ROWS, compression="zstd", use_dictionary=False)
        fresh.replace(path)


def matrix(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of vectors as (rows, dim)."""
    dim = column.type.list_size
    found: NDArray[Any] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
    return found


def listed(vectors: NDArray[Any], dim: int) -> pa.Array:
    """(rows, dim) as a column of vectors; the inverse of `matrix`."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).ravel()), dim)
