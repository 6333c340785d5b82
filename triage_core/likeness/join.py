"""All links of many rows to earlier ones, found block by block in order of arrival.

Up to `EXACT_ROWS` rows every pair is compared. Beyond that, rows are compared only inside cells (cells.py),
which misses about one link in a thousand.

Memory stays bounded whatever the data: a link to an earlier block is kept as the cluster that it leads to
where that is so large that nobody leaves it any more, so a flood of copies leaves one entry a row; all others
are kept one by one, and a block with too many is halved and done again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from triage_core.likeness.cells import cells_of
from triage_core.likeness.kernels import hits, spread

EXACT_ROWS = 20_000
MOST_THREADS = 4
BLOCK = 131_072
TILE_ROWS = 1_024
TILE_OTHERS = 8_192
MOST_LINKS = 2**25
_BLAS = ThreadpoolController().select(user_api="blas")  # looking for it takes longer than many a comparison

Grid = NDArray[np.int16]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Links:
    """What rows start .. stop - 1 link to: row start + i to others[offsets[i] : offsets[i + 1]].

    An other is a row, or below `start` the id of a large cluster, which is a row of it. `nearest` (-1 for none) is the
    earlier row with the largest dot product, `largest`.
    """

    start: int
    stop: int
    offsets: Rows
    others: NDArray[np.int32]
    nearest: Rows
    largest: NDArray[np.float32]

    def linked(self, position: int) -> Rows:
        """The others of row start + position."""
        return self.others[self.offsets[position] : self.offsets[position + 1]].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows to be compared with others, both ascending."""

    rows: Rows
    others: Rows


def links(grid: Grid, least: int, kept: Callable[[], Rows]) -> Iterator[Links]:
    """The links of all rows, block after block; a link is a dot product of at least `least`.

    `kept()` gives what links to each row of the blocks before lead to, (n,); it is asked before each block, so
    the caller lays a block before it takes the next.
    """
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    todo = [(start, min(start + BLOCK, len(grid))) for start in range(0, len(grid), BLOCK)][::-1]
    with ThreadPoolExecutor(threads) as pool:
        cells = cells_of(grid, pool) if len(grid) > EXACT_ROWS else [np.arange(len(grid))]
        while todo:
            start, stop = todo.pop()
            roots = kept()
            tiles = _tiles(cells, start, stop)
            shares = [tiles[number::threads] for number in range(threads)]
            most = MOST_LINKS if stop - start > 1 else math.inf
            compare = partial(_compare, grid, least=least, first=start, roots=roots, most=most)
            with _BLAS.limit(limits=1):
                found = list(pool.map(compare, shares))
            if any(part is None for part in found):
                middle = (start + stop) // 2
                todo += [(middle, stop), (start, middle)]
            else:
                yield _collect(start, stop, [tile for part in found if part for tile in part])


Found = tuple[Rows, NDArray[np.int32], NDArray[np.int32], Rows, NDArray[np.float32]]


def _compare(
    grid: Grid, tiles: list[Tile], least: int, first: int, roots: Rows, most: float
) -> list[Found] | None:
    """What the rows of each tile link to; None when those are more than `most` links."""
    dim = grid.shape[1]
    left = np.empty((TILE_ROWS, dim), dtype=np.float32)
    right = np.empty((TILE_OTHERS, dim), dtype=np.float32)
    product = np.empty(TILE_ROWS * TILE_OTHERS, dtype=np.float32)
    found = []
    kept = 0
    for tile in tiles:
        height, width = len(tile.rows), len(tile.others)
        spread(grid, tile.rows, left[:height])
        spread(grid, tile.others, right[:width])
        dots = product[: height * width].reshape(height, width)
        np.dot(left[:height], right[:width].T, out=dots)
        at, others, nearest, largest = hits(dots, least, tile.rows, tile.others, first, roots)
        kept += len(others)
        if kept > most:
            return None
        found.append((tile.rows, (tile.rows[at] - first).astype(np.int32), others, nearest, largest))
    return found


def _collect(start: int, stop: int, found: list[Found]) -> Links:
    nearest = np.full(stop - start, -1, dtype=np.int64)
    largest = np.zeros(stop - start, dtype=np.float32)
    for rows, _, _, near, dots in found:
        here = rows - start
        better = (dots > largest[here]) | ((dots == largest[here]) & (near >= 0) & (near < nearest[here]))
        nearest[here[better]], largest[here[better]] = near[better], dots[better]
    at = np.concatenate([part[1] for part in found])
    others = np.concatenate([part[2] for part in found])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=stop - start))])
    return Links(start, stop, offsets, others[np.argsort(at, kind="stable")], nearest, largest)


def _tiles(cells: list[Rows], start: int, stop: int) -> list[Tile]:
    tiles = []
    for cell in cells:
        first, last = np.searchsorted(cell, (start, stop)).tolist()
        for top in range(first, last, TILE_ROWS):
            rows = cell[top : min(top + TILE_ROWS, last)]
            until = top + len(rows)
            for left in range(0, until, TILE_OTHERS):
                tiles.append(Tile(rows, cell[left : min(left + TILE_OTHERS, until)]))
    return tiles
