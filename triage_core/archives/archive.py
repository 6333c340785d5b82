"""A Parquet archive of reports, embedded and joined on one machine or many; its vectors brought into a store.

    build(folder, loader(settings))      # folder/*.parquet -> folder/vectors/, folder/pairs/
    import_result(store, actor, folder)  # vectors of contents that the store holds and lacks vectors of

The archive is the operator's own: columns `external_id` and `text` (or `turns`, as JSON). Row order is order of
arrival. An interrupted run goes on where it was; a part is embedded again only when its rows have changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_core import access
from triage_core.archives.archive_files import GROUP_ROWS, UNFINISHED, Part, matrix, note
from triage_core.archives.archive_tasks import (
    LEAST_COSINE,
    MOST_PAIRS,
    Assign,
    Bucket,
    Collect,
    Embed,
    Join,
    Numbered,
    Result,
)
from triage_core.errors import Refused
from triage_core.index import vectors
from triage_core.likeness import cells
from triage_core.likeness.embed import Embedder
from triage_core.likeness.grid import checked_unit, to_grid
from triage_core.model import Actor
from triage_core.store import Store

PART_ROWS = 20_000
EXACT_ROWS = 50_000
"""Up to so many rows every pair is compared; beyond, the pairs that share a cell."""
SAMPLE_ROWS = 2_000_000
BUCKET_ROWS = 1_000_000

Task = Callable[[Any], Result]
Engine = Callable[[Callable[[], Task], Sequence[Any]], Iterator[tuple[int, Result]]]
"""Runs a task on every item and gives (position of the item, result) as they finish.

`make` makes the task, once in each process that runs it; it and the items can be pickled.
"""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Built:
    """Rows with a text, how many of them were embedded now, and the pairs of cosine .70 or more."""

    rows: int
    embedded: int
    pairs: int


def here(make: Callable[[], Task], items: Sequence[Any]) -> Iterator[tuple[int, Result]]:
    """The engine of one process."""
    task = make()
    for number, item in enumerate(items):
        yield number, task(item)


def build(
    folder: Path,
    load: Callable[[], Embedder],
    engine: Engine = here,
    progress: Progress = lambda done, total, what: None,
) -> Built:
    """Bring folder/vectors and folder/pairs up to date with the Parquet files in `folder`.

    `folder` is an absolute path that every process of the engine can read and write. Whatever the
    engine, the result is the same. Raises Refused naming the file and the rule.
    """

    def run(what: str, make: Callable[[], Task], items: Sequence[Any]) -> list[Result]:
        results: dict[int, Result] = {}
        for number, result in engine(make, items):
            results[number] = result
            progress(len(results), len(items), what)
        return [results[number] for number in range(len(items))]

    parts = _parts(folder)
    _forget_others(folder, {part.name for part in parts})
    embedded = run("parts embedded", partial(Embed, folder, load), parts)
    made_of = hashlib.sha256(
        json.dumps(
            [LEAST_COSINE, MOST_PAIRS, EXACT_ROWS, [result["made_of"] for result in embedded]]
        ).encode()
    ).hexdigest()
    firsts = np.cumsum([0, *(result["rows"] for result in embedded)]).tolist()
    numbered = [
        Numbered(part.name, first, result["rows"])
        for part, first, result in zip(parts, firsts, embedded, strict=False)
    ]
    outputs = [folder / "pairs" / part.name for part in parts]
    if any(note(path, "made_of") != made_of for path in outputs):
        dim = pq.read_schema(folder / "vectors" / parts[0].name).field("vector").type.list_size
        work = folder / ".work" / made_of
        count = _lay_centres(folder, work, numbered, dim)
        run("parts sorted by cell", partial(Assign, folder, work), numbered)
        run("buckets joined", partial(Join, work), _buckets(count, firsts[-1]))
        run("parts with pairs", partial(Collect, folder, work, made_of, dim), numbered)
    shutil.rmtree(folder / ".work", ignore_errors=True)
    pairs = sum(pq.read_metadata(path).num_rows for path in outputs)
    return Built(firsts[-1], sum(result["rows"] for result in embedded if result["fresh"]), pairs)


def import_result(store: Store, actor: Actor, folder: Path) -> int:
    """Store the vectors of contents that reports have and that lack one in the archive's space.

    Gives how many. Committed file by file, so an interruption keeps what is done. No refresh may run
    at the same time. Raises Refused for vectors that are not of length one.
    """
    access.require(actor, "index")
    missing: dict[str, set[str]] = {}
    brought = 0
    for path in sorted((folder / "vectors").glob("*.parquet")):
        model_id = note(path, "model_id")
        if model_id is None:
            raise Refused(path.name, "vectors must come from `index --archive`")
        if model_id not in missing:
            with store.read() as cursor:
                missing[model_id] = set(vectors.missing(cursor, model_id))
        names, found = _wanted(path, missing[model_id])
        if names:
            with store.write(actor, "index") as work:
                vectors.save(work, model_id, names, found)
            brought += len(names)
    return brought


def _wanted(path: Path, missing: set[str]) -> tuple[list[str], vectors.Vectors]:
    """Names and vectors in a file of those that are missing, which are then no longer `missing`."""
    names: list[str] = []
    found = []
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            contents = file.read_row_group(group, ["content_sha256"])["content_sha256"].to_pylist()
            rows = {name: row for row, name in enumerate(contents) if name in missing}
            if rows:
                names += rows
                missing.difference_update(rows)
                found.append(matrix(file.read_row_group(group, ["vector"])["vector"])[list(rows.values())])
    if not names:
        return [], np.empty((0, 0), np.float32)
    made = np.concatenate(found)
    try:
        checked_unit(made)
    except ValueError as error:
        raise Refused(path.name, str(error)) from error
    return names, made


def _parts(folder: Path) -> list[Part]:
    """The archive cut into parts of at most PART_ROWS rows, in order."""
    parts = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise Refused(path.name, f"must be a Parquet file: {error}") from error
        names = set(metadata.schema.to_arrow_schema().names)
        if "external_id" not in names or not names & {"text", "turns"}:
            raise Refused(path.name, "must have the columns external_id and text (or turns, as JSON)")
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            for start in range(0, rows, PART_ROWS):
                parts.append(Part(path.name, group, start, min(start + PART_ROWS, rows)))
    if not parts:
        raise Refused("archive", f"{folder.name} must hold Parquet files with reports")
    return parts


def _forget_others(folder: Path, names: set[str]) -> None:
    """Delete results of rows that the archive no longer has, and of interrupted writes."""
    for results in (folder / "vectors", folder / "pairs"):
        for path in results.glob("*.parquet"):
            if path.name not in names and note(path, "made_of"):
                path.unlink()
        for path in results.glob(f"{UNFINISHED}*"):
            shutil.rmtree(path)


def _lay_centres(folder: Path, work: Path, parts: Sequence[Numbered], dim: int) -> int:
    """Write the centres of the cells, trained on evenly spaced rows; gives how many there are."""
    path = work / "centres.npz"
    if not path.exists():
        centres = np.zeros((1, dim), np.float32), np.zeros((1, dim), np.float32)
        if parts[-1].first + parts[-1].rows > EXACT_ROWS:
            groups = [(part.name, number) for part in parts for number in range(-(-part.rows // GROUP_ROWS))]
            step = max(1, len(groups) * GROUP_ROWS // SAMPLE_ROWS)
            sample = np.concatenate(
                [_grid_of_group(folder / "vectors" / name, number) for name, number in groups[::step]]
            )
            with ThreadPoolExecutor() as pool, threadpool_limits(1, user_api="blas"):
                trained = cells.trained(sample, pool)
            centres = trained.coarse, trained.fine
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as scratch:
            np.savez(Path(scratch) / path.name, coarse=centres[0], fine=centres[1])
            (Path(scratch) / path.name).replace(path)
    with np.load(path) as held:
        return len(held["fine"])


def _grid_of_group(path: Path, number: int) -> NDArray[np.int16]:
    with pq.ParquetFile(path) as file:
        return to_grid(matrix(file.read_row_group(number, ["vector"])["vector"]))


def _buckets(cells_count: int, rows: int) -> list[Bucket]:
    """Neighbouring cells put together, about BUCKET_ROWS rows each."""
    wanted = -(-rows * min(cells.NEAREST_CELLS, cells_count) // BUCKET_ROWS)
    ends = np.linspace(0, cells_count, max(1, min(wanted, cells_count)) + 1).astype(np.int64).tolist()
    return [Bucket(number, *ends[number : number + 2]) for number in range(len(ends) - 1)]
