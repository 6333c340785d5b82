"""The steps of reading a Parquet archive of reports, as tasks that run in any process, on any machine.

A task takes one item, reads files, writes one file, and may be run again: the file appears whole or not at
all, and one that is there is not made again. Texts become vectors; vectors go to the cells of near rows
(likeness/cells.py); inside each cell every pair is compared; each row keeps its nearest earlier rows.
Comparisons are exact integers (likeness/grid.py), so pairs do not depend on who computed them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_core import text
from triage_core.archives.archive_files import Part, listed, matrix, note, read, write
from triage_core.likeness import cells
from triage_core.likeness.embed import Embedder
from triage_core.likeness.grid import least_dot, scale, to_grid
from triage_core.likeness.kernels import keep_best

LEAST_COSINE = 0.70
MOST_PAIRS = 20
TILE_ROWS = 1_024
TILE_OTHERS = 8_192

Rows = NDArray[np.int64]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Numbered:
    """An embedded part, whose vectors are rows first .. first + rows - 1 of the archive."""

    name: str
    first: int
    rows: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Cells start .. stop - 1, joined by one task."""

    number: int
    start: int
    stop: int


class Embed:
    """Part to vectors/NAME: external_id, content_sha256, vector. Rows without a text are left out."""

    def __init__(self, folder: Path, load: Callable[[], Embedder]) -> None:
        self._folder = folder
        self._embedder = load()

    def __call__(self, part: Part) -> Result:
        ids, conversations = read(self._folder, part)
        contents = [text.content_sha256(turns) for turns in conversations]
        held = [row for row, content in enumerate(contents) if content]
        ids, contents = [ids[row] for row in held], [contents[row] for row in held]
        model_id = self._embedder.model_id
        made_of = hashlib.sha256(json.dumps([model_id, ids, contents]).encode()).hexdigest()
        path = self._folder / "vectors" / part.name
        fresh = note(path, "made_of") != made_of
        if fresh:
            vectors = self._embedder.embed(
                [text.canonical(text.conversation_text(conversations[row])) for row in held]
            )
            table = pa.table(
                {
                    "external_id": pa.array(ids, pa.string()),
                    "content_sha256": pa.array(contents, pa.string()),
                    "vector": listed(vectors, self._embedder.dim),
                }
            )
            write(path, table, {"made_of": made_of, "model_id": model_id})
        return {"rows": len(ids), "fresh": fresh, "made_of": made_of}


class Assign:
    """Part to cells/NAME in the work folder: each row once for each of its cells, sorted by cell."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder, self._work = folder, work
        with np.load(work / "centres.npz") as held:
            self._centres = cells.grouped(held["coarse"], held["fine"])

    def __call__(self, part: Numbered) -> Result:
        path = self._work / "cells" / part.name
        if not path.exists():
            table = pq.read_table(self._folder / "vectors" / part.name, columns=["external_id", "vector"])
            grid = to_grid(matrix(table["vector"]))
            count = min(cells.NEAREST_CELLS, len(self._centres.fine))
            nearest = cells.nearest(grid.astype(np.float32), self._centres, count)
            order = np.argsort(nearest.ravel(), kind="stable")
            rows = order // count
            found = {
                "cell": nearest.ravel()[order],
                "row": part.first + rows,
                "external_id": table["external_id"].take(rows),
                "vector": listed(grid[rows], grid.shape[1]),
            }
            write(path, pa.table(found))
        return {}


class Join:
    """Bucket to near/NUMBER in the work folder: each row's nearest earlier ones among its cells there."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def __call__(self, bucket: Bucket) -> Result:
        path = self._work / "near" / f"{bucket.number:06d}.parquet"
        if not path.exists():
            inside = [("cell", ">=", bucket.start), ("cell", "<", bucket.stop)]
            table = pq.read_table(self._work / "cells", filters=inside)
            order = np.lexsort((table["row"].to_numpy(), table["cell"].to_numpy()))
            rows, grid = table["row"].to_numpy()[order], matrix(table["vector"])[order]
            ends = np.cumsum(np.unique(table["cell"].to_numpy(), return_counts=True)[1]).tolist()
            with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
                found = list(pool.map(lambda start, end: _near(grid, start, end), [0, *ends], ends))
            later, earlier, dots = (
                np.concatenate([np.empty(0, np.int64), *part]) for part in zip(*found, strict=True)
            )
            best = nearest_pairs(rows[later], rows[earlier], dots)
            later, earlier, dots = later[best], earlier[best], dots[best]
            ids = table["external_id"].take(order)
            pairs = {
                "later": rows[later],
                "earlier": rows[earlier],
                "dot": dots,
                "external_id": ids.take(later),
                "near_external_id": ids.take(earlier),
            }
            write(path, pa.table(pairs))
        return {}


class Collect:
    """Part to pairs/NAME: external_id, near_external_id, cosine; of each row the nearest earlier rows."""

    def __init__(self, folder: Path, work: Path, made_of: str, dim: int) -> None:
        self._folder, self._work, self._made_of, self._dim = folder, work, made_of, dim

    def __call__(self, part: Numbered) -> Result:
        inside = [("later", ">=", part.first), ("later", "<", part.first + part.rows)]
        table = pq.read_table(self._work / "near", filters=inside)
        table = table.take(nearest_pairs(*(table[name].to_numpy() for name in ("later", "earlier", "dot"))))
        cosines = np.minimum(table["dot"].to_numpy() / scale(self._dim) ** 2, 1).astype(np.float32)
        pairs = table.select(["external_id", "near_external_id"]).append_column("cosine", pa.array(cosines))
        write(self._folder / "pairs" / part.name, pairs, {"made_of": self._made_of})
        return {}


def nearest_pairs(later: Rows, earlier: Rows, dots: Rows) -> Rows:
    """Which pairs to keep, in order: of each later row its MOST_PAIRS nearest, each once, best first."""
    order = np.lexsort((earlier, -dots, later))
    later, earlier = later[order], earlier[order]
    new = np.ones(len(order), dtype=np.bool_)
    # The same pair out of two cells has the same dot product, so the two stand side by side.
    new[1:] = (later[1:] != later[:-1]) | (earlier[1:] != earlier[:-1])
    order, later = order[new], later[new]
    _, starts, counts = np.unique(later, return_index=True, return_counts=True)
    rank = np.arange(len(later)) - np.repeat(starts, counts)
    kept: Rows = order[rank < MOST_PAIRS]
    return kept


def _near(grid: NDArray[np.int16], start: int, stop: int) -> tuple[Rows, Rows, Rows]:
    """Rows start .. stop - 1 compared with each other: (later, earlier, dot product) of the nearest."""
    count, dim = stop - start, grid.shape[1]
    least = least_dot(LEAST_COSINE, dim)
    best = np.full((count, MOST_PAIRS), least - 1, dtype=np.float32)
    ids = np.full((count, MOST_PAIRS), -1, dtype=np.int64)
    for top in range(0, count, TILE_ROWS):
        rows = np.arange(top, min(top + TILE_ROWS, count))
        left = grid[start + rows].astype(np.float32)
        for first in range(0, top + len(rows), TILE_OTHERS):
            others = np.arange(first, min(first + TILE_OTHERS, top + len(rows)))
            dots = left @ grid[start + others].astype(np.float32).T
            dots[others >= rows[:, None]] = -np.inf
            keep_best(dots, others, rows, best, ids)
    later, place = np.nonzero(ids >= 0)
    return start + later, start + ids[later, place], best[later, place].astype(np.int64)
