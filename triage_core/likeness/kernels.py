"""The few inner loops that decide the speed of search and clustering, compiled where numba is installed.

Each has a counterpart in numpy with the same result; `COMPILED` says which ones run. Compiled loops hold
no interpreter lock, so threads may run them side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

COMPILED = find_spec("numba") is not None
GROUP = 64
RECENT = 8
MIRRORED = 32

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function as machine code, kept on disk where that is possible; unchanged without numba."""
    if not COMPILED:
        return function
    from numba import njit

    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder for the cache may be written
        return cast(Function, njit(nogil=True)(function))


def scan(
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    errors: NDArray[np.float32],
    query: NDArray[np.int16],
    query_scale: float,
    query_error: float,
    near: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> None:
    """Approximate cosines of one query with coded rows, and bounds on the true ones.

    Row i is codes[i] * scales[i] up to a vector of length errors[i]; the query likewise. `near` (n,) gets
    the approximate cosines; `low` and `high`, one for each GROUP rows, get the largest sure lower and the
    largest possible upper bound of the group.
    """
    # Stored as 32 bits, so that the sum need not be wider: the compiler then uses 16-bit products.
    totals = np.empty(codes.shape[0], dtype=np.int32)
    for row in range(codes.shape[0]):
        total = np.int32(0)
        for k in range(codes.shape[1]):
            total += np.int32(codes[row, k]) * np.int32(query[k])
        totals[row] = total
    for group in range(len(low)):
        lowest = highest = np.float32(-np.inf)
        for row in range(group * GROUP, min((group + 1) * GROUP, codes.shape[0])):
            near[row] = np.float32(totals[row]) * scales[row] * np.float32(query_scale)
            slack = errors[row] + np.float32(query_error)
            lowest = max(lowest, near[row] - slack)
            highest = max(highest, near[row] + slack)
        low[group], high[group] = lowest, highest


def _scan_numpy(
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    errors: NDArray[np.float32],
    query: NDArray[np.int16],
    query_scale: float,
    query_error: float,
    near: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> None:
    step = 8_192
    for start in range(0, len(codes), step):
        part = slice(start, start + step)
        near[part] = codes[part].astype(np.float32) @ query.astype(np.float32)
    near *= scales * np.float32(query_scale)
    slack = errors + np.float32(query_error)
    groups = np.arange(0, len(codes), GROUP)
    low[:] = np.maximum.reduceat(near - slack, groups)
    high[:] = np.maximum.reduceat(near + slack, groups)


def hits(
    dots: NDArray[np.float32],
    least: float,
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    first: int,
    roots: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """What each row links to: dots (r, c) of rows with others, linked from `least` on.

    `rows` (r,) and `others` (c,) are ascending row numbers; only others lower than the row count. One
    that is lower than `first` stands for roots[other], itself or its cluster, and what was just seen is not
    repeated. Gives links as two arrays (position in `rows`, other), and for every row its nearest link
    (lowest of equals, -1 for none) with its dot.
    """
    height, width = dots.shape
    nearest = np.full(height, -1, dtype=np.int64)
    largest = np.zeros(height, dtype=np.float32)
    counts = np.zeros(height, dtype=np.int64)
    for i in range(height):
        found = 0
        for j in range(width):
            found += dots[i, j] >= least
        counts[i] = found
    size = counts.sum()
    at = np.empty(size, dtype=np.int32)
    links = np.empty(size, dtype=np.int32)
    used = 0
    for i in range(height):
        if counts[i] == 0:
            continue
        begin = used
        for j in range(width):
            if others[j] >= rows[i]:
                break
            if dots[i, j] >= least:
                if dots[i, j] > largest[i]:
                    largest[i] = dots[i, j]
                    nearest[i] = others[j]
                other = others[j]
                known = False
                if other < first:
                    other = roots[other]
                    for back in range(max(begin, used - RECENT), used):
                        known = known or links[back] == other
                if not known:
                    at[used] = i
                    links[used] = other
                    used += 1
    return at[:used], links[:used], nearest, largest


def _hits_numpy(
    dots: NDArray[np.float32],
    least: float,
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    first: int,
    roots: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    linked = (dots >= least) & (others < rows[:, None])
    at, column = np.nonzero(linked)
    links = others[column]
    early = links < first
    links[early] = roots[links[early]]
    at, links = np.unique(np.stack([at, links]).astype(np.int32), axis=1)
    dots = np.where(linked, dots, np.float32(0))
    best = np.argmax(dots, axis=1)
    largest = dots[np.arange(len(rows)), best]
    return at, links, np.where(linked.any(axis=1), others[best], -1), largest


def spread(grid: NDArray[np.int16], rows: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Copy these rows of the grid to `out`, (len(rows), dim), as float32."""
    for i in range(len(rows)):
        for k in range(grid.shape[1]):
            out[i, k] = grid[rows[i], k]


def _spread_numpy(grid: NDArray[np.int16], rows: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    out[:] = grid[rows]


def rounded(vectors: NDArray[np.float32], scale: np.float32, out: NDArray[np.int16]) -> None:
    """The vectors, (n, dim), times `scale` in whole numbers."""
    for i in range(vectors.shape[0]):
        for k in range(vectors.shape[1]):
            out[i, k] = np.int16(np.rint(vectors[i, k] * scale))


def _rounded_numpy(vectors: NDArray[np.float32], scale: np.float32, out: NDArray[np.int16]) -> None:
    out[:] = np.rint(vectors * scale)


def keep_best(
    dots: NDArray[np.float32],
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    best: NDArray[np.float32],
    ids: NDArray[np.int64],
) -> None:
    """Keep the largest dots (r, c) seen so far in best[rows], descending, and their columns in ids[rows].

    Of equals, the one seen first stays ahead.
    """
    kept = best.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        for j in range(len(columns)):
            dot = dots[i, j]
            if dot > best[row, kept - 1]:
                place = kept - 1
                while place > 0 and dot > best[row, place - 1]:
                    best[row, place] = best[row, place - 1]
                    ids[row, place] = ids[row, place - 1]
                    place -= 1
                best[row, place] = dot
                ids[row, place] = columns[j]


def _keep_best_numpy(
    dots: NDArray[np.float32],
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    best: NDArray[np.float32],
    ids: NDArray[np.int64],
) -> None:
    seen = np.hstack([best[rows], dots])
    names = np.hstack([ids[rows], np.broadcast_to(columns, dots.shape)])
    order = np.argsort(-seen, axis=1, kind="stable")[:, : best.shape[1]]
    best[rows] = np.take_along_axis(seen, order, axis=1)
    ids[rows] = np.take_along_axis(names, order, axis=1)


def mark_known(values: NDArray[np.uint64], known: NDArray[np.uint64], out: NDArray[np.bool_]) -> None:
    """Which values stand in `known`; both are sorted."""
    at = 0
    for i in range(len(values)):
        while at < len(known) and known[at] < values[i]:
            at += 1
        out[i] = at < len(known) and known[at] == values[i]


def _mark_known_numpy(values: NDArray[np.uint64], known: NDArray[np.uint64], out: NDArray[np.bool_]) -> None:
    out[:] = np.isin(values, known, assume_unique=True)


def speak_for(
    speakers: NDArray[np.float32],
    places: NDArray[np.int32],
    nearest: NDArray[np.int32],
    say: NDArray[np.float32],
    rows: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """The sum over the `nearest` of two reports, (n, k), of their likeness times what both have to `say`.

    `speakers` (s, n) is the likeness, symmetric, of the nearest of `rows` (r,), which are ascending; `places` (r, k)
    says where in it they stand. `out` (r, n) gets the sums of these rows with all: to the last bit the same for a pair
    whichever rows are asked for, since of two the later is always summed over first.
    """
    count, kept = nearest.shape
    place = np.full(count, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    mean = np.empty(count, dtype=np.float32)
    for at in range(len(rows)):
        i = rows[at]
        mean[:] = 0
        for k in range(kept):
            row = speakers[places[at, k]]
            for j in range(count):
                mean[j] += say[i, k] * row[j]
        for j in range(i + 1):
            total = np.float32(0)
            for k in range(kept):
                total += say[j, k] * mean[nearest[j, k]]
            out[at, j] = total
        for j in range(i + 1, count):
            if place[j] < 0:
                total = np.float32(0)
                for k in range(kept):
                    row = speakers[places[at, k]]
                    between = np.float32(0)
                    for m in range(kept):
                        between += say[j, m] * row[nearest[j, m]]
                    total += say[i, k] * between
                out[at, j] = total
    for first in range(0, len(rows), MIRRORED):
        for other in range(0, first + 1, MIRRORED):
            for at in range(other, min(other + MIRRORED, len(rows))):
                for later in range(max(first, at + 1), min(first + MIRRORED, len(rows))):
                    out[at, rows[later]] = out[later, rows[at]]


def _speak_for_numpy(
    speakers: NDArray[np.float32],
    places: NDArray[np.int32],
    nearest: NDArray[np.int32],
    say: NDArray[np.float32],
    rows: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    for at, i in enumerate(rows.tolist()):
        near = speakers[places[at]]
        mean = _said(say[i], near)
        out[at, : i + 1] = _said(say[: i + 1].T, mean[nearest[: i + 1].T])
        later, says = nearest[i + 1 :].T, say[i + 1 :].T
        out[at, i + 1 :] = _said(say[i], np.stack([_said(says, row[later]) for row in near]))


def _said(say: NDArray[np.float32], likeness: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sum over k of say (k,) or (k, n) times likeness (k, n), in this order: products of matrices keep none."""
    total = np.zeros(likeness.shape[1], np.float32)
    for weight, row in zip(say, likeness, strict=True):
        total += weight * row
    return total


if COMPILED:
    mark_known, speak_for = compiled(mark_known), compiled(speak_for)
    scan, hits, spread, keep_best = compiled(scan), compiled(hits), compiled(spread), compiled(keep_best)
    rounded = compiled(rounded)
else:
    mark_known, speak_for = _mark_known_numpy, _speak_for_numpy
    scan, hits, spread, keep_best = _scan_numpy, _hits_numpy, _spread_numpy, _keep_best_numpy
    rounded = _rounded_numpy
