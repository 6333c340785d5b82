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
import tempfile
from collections.abc import Callable, Sequence
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
from triage_core.errors import Refused
from triage_core.likeness import cells
from triage_core.likeness.embed import Embedder
from triage_core.likeness.grid import least_dot, scale, to_grid
from triage_core.likeness.kernels import keep_best
from triage_core.model import Turn, TurnRole

LEAST_COSINE = 0.70
MOST_PAIRS = 20
GROUP_ROWS = 1_000
TILE_ROWS = 1_024
TILE_OTHERS = 8_192

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]
Result = dict[str, Any]


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
        ids, conversations = _read(self._folder, part)
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
                    "vector": _listed(vectors, self._embedder.dim),
                }
            )
            write(path, table, {"made_of": made_of, "model_id": model_id})
        return {"rows": len(ids), "fresh": fresh, "made_of": made_of}


class Assign:
    """Part to cells/NAME in the work folder: each row once for each of its cells, sorted by cell."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder, self._work = folder, work
        with np.load(work / "centres.npz") as held:
            self._centres = cells._grouped(held["coarse"], held["fine"])

    def __call__(self, part: Numbered) -> Result:
        path = self._work / "cells" / part.name
        if not path.exists():
            table = pq.read_table(self._folder / "vectors" / part.name, columns=["external_id", "vector"])
            grid = to_grid(matrix(table["vector"]))
            count = min(cells.NEAREST_CELLS, len(self._centres.fine))
            nearest = cells._nearest(grid.astype(np.float32), self._centres, count)
            order = np.argsort(nearest.ravel(), kind="stable")
            rows = order // count
            found = {
                "cell": nearest.ravel()[order],
                "row": part.first + rows,
                "external_id": table["external_id"].take(rows),
                "vector": _listed(grid[rows], grid.shape[1]),
            }
            write(path, pa.table(found))
        return {}


class Join:
    """Bucket to near/NUMBER in the work folder: the nearest earlier rows of each row among its cells."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def __call__(self, bucket: Bucket) -> Result:
        path = self._work / "near" / f"{bucket.number:06d}.parquet"
        if not path.exists():
            inside = [("cell", ">=", bucket.start), ("cell", "<", bucket.stop)]
            table = pq.read_table(self._work / "cells", filters=inside).sort_by(
                [("cell", "ascending"), ("row", "ascending")]
            )
            rows, grid = table["row"].to_numpy(), matrix(table["vector"])
            starts = np.unique(table["cell"].to_numpy(), return_index=True)[1].tolist()
            ends = [*starts[1:], len(rows)]
            with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
                found = list(pool.map(lambda start, end: start + _near(grid[start:end]), starts, ends))
                ...
        return {}
