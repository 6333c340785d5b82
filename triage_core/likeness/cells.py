"""Overlapping cells of near rows: two rows that are much alike nearly always share one.

Two levels, so that a million rows find their cells among thousands without meeting them all: a row looks at
its nearest coarse centres, and among the fine centres of those it takes the nearest few. Small cells of
which a row has several find more, for less, than large ones of which it has one or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_core.likeness.grid import scale
from triage_core.likeness.kernels import keep_best

ROWS_PER_CELL = 125
NEAREST_CELLS = 4
COARSE_NEAREST = 10
SAMPLE_PER_CELL = 8
ROUNDS = 2
BLOCK = 16_384

Grid = NDArray[np.int16]
Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Centres:
    """Fine centres (k, dim) on the grid; groups[g] are those that are nearest to coarse centre g."""

    coarse: Floats
    fine: Floats
    groups: list[Rows]


def cells_of(grid: Grid, pool: Executor) -> list[Rows]:
    """The rows of each cell, ascending; the same for the same grid."""
    with threadpool_limits(1, user_api="blas"):
        centres = trained(grid, pool)
        nearest = _assigned(grid, centres, NEAREST_CELLS, pool)
    order = np.argsort(nearest.ravel(), kind="stable")
    rows = order // NEAREST_CELLS
    ends = np.cumsum(np.bincount(nearest.ravel(), minlength=len(centres.fine)))
    return np.split(rows, ends[:-1])


def trained(grid: Grid, pool: Executor) -> Centres:
    """Spherical k-means from evenly spaced rows."""
    count = max(1, len(grid) // ROWS_PER_CELL)
    sample = grid[np.linspace(0, len(grid) - 1, SAMPLE_PER_CELL * count).astype(np.int64)]
    coarse = sample[:: len(sample) // max(1, round(count**0.5))].astype(np.float32)
    for _ in range(ROUNDS):
        coarse = _moved(coarse, sample, _assigned(sample, _flat(coarse), 1, pool)[:, 0])
    fine = sample[::SAMPLE_PER_CELL].astype(np.float32)
    for _ in range(ROUNDS):
        fine = _moved(fine, sample, _assigned(sample, grouped(coarse, fine), 1, pool)[:, 0])
    return grouped(coarse, fine)


def _flat(centres: Floats) -> Centres:
    return Centres(centres[:1], centres, [np.arange(len(centres))])


def grouped(coarse: Floats, fine: Floats) -> Centres:
    nearest = np.argmax(fine @ coarse.T, axis=1)
    return Centres(coarse, fine, [np.flatnonzero(nearest == group) for group in range(len(coarse))])


def _moved(centres: Floats, sample: Grid, nearest: Rows) -> Floats:
    """Each centre moved to the mean direction of its rows; one without rows stays."""
    order = np.argsort(nearest, kind="stable")
    present, starts = np.unique(nearest[order], return_index=True)
    sums = np.add.reduceat(sample[order].astype(np.int32), starts, axis=0).astype(np.float64)
    moved = centres.copy()
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1)
    moved[present] = np.rint(sums / lengths * scale(centres.shape[1]))
    return moved


def _assigned(grid: Grid, centres: Centres, count: int, pool: Executor) -> Rows:
    """The `count` nearest fine centres of every row, (n, count)."""

    def part(start: int) -> Rows:
        return nearest(grid[start : start + BLOCK].astype(np.float32), centres, count)

    return np.concatenate(list(pool.map(part, range(0, len(grid), BLOCK))))


def nearest(vectors: Floats, centres: Centres, count: int) -> Rows:
    best = np.full((len(vectors), count), -np.inf, dtype=np.float32)
    ids = np.zeros((len(vectors), count), dtype=np.int64)
    for group, rows in _visits(vectors, centres):
        dots = vectors[rows] @ centres.fine[group].T
        keep_best(dots, group, rows, best, ids)
    return ids


def _visits(vectors: Floats, centres: Centres) -> Iterator[tuple[Rows, Rows]]:
    """Which rows look at which groups of fine centres."""
    everything = np.arange(len(vectors))
    if len(centres.groups) == 1:
        yield centres.groups[0], everything
        return
    shape = (len(vectors), min(COARSE_NEAREST, len(centres.groups)))
    best = np.full(shape, -np.inf, dtype=np.float32)
    ids = np.zeros(shape, dtype=np.int64)
    keep_best(vectors @ centres.coarse.T, np.arange(len(centres.coarse)), everything, best, ids)
    for number, group in enumerate(centres.groups):
        yield group, np.flatnonzero((ids == number).any(axis=1))
