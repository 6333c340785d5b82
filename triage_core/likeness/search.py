"""Exact nearest neighbours by cosine over an append-only set of unit vectors.

Rows are numbered from 0 in order of arrival. In memory each row is a byte per dimension with a bound on what
the rounding may hide. A query scans those, keeps the rows that may belong to the answer by the bound, and
computes their cosines from the full vectors, so the answer is exact, not likely. Scores are computed the
same way whatever else is asked, so a pair has one score; ties go to the lower row.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.grid import NORM_TOLERANCE, checked_unit
from triage_core.likeness.kernels import GROUP, scan

CHUNK = 65_536
# Far above the rounding of float32 sums over unit vectors, far below a difference that matters.
ROUNDING = 1e-5
MOST_THREADS = 4
# From so many queries on, one matrix product a block is quicker than a scan a query.
TOGETHER = 8
FOLD = 16
MOST_AT_ONCE = 2**25
"""So many approximate cosines of such a block are held at once."""

Vectors = NDArray[np.float32]
Codes = NDArray[np.int8]
Scores = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Room for CHUNK rows: codes * scales is the vector but for a rest no longer than `errors`.

    Without `full` the codes say all there is to say.
    """

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    errors: NDArray[np.float32]
    full: Vectors | None


@dataclass(frozen=True, slots=True)
class Scan:
    """Approximate cosines of a query with all rows, and for every GROUP rows the bounds on the best one.

    `error` is what the rounding of the query adds to the rows' own errors.
    """

    near: Scores
    error: np.float32
    low: Scores
    high: Scores


class VectorIndex:
    """Exact cosine search; any number of readers while one writer adds.

    `scratch` names a folder for a nameless file that holds the full vectors (4 * dim bytes a row) out of
    memory; without it they are held in memory too. `coded` is for vectors that a byte a dimension holds
    exactly (sketch.decoded): nothing but the bytes is kept of them.
    """

    def __init__(self, dim: int, scratch: Path | None = None, *, coded: bool = False) -> None:
        self._dim = dim
        self._coded = coded
        self._length = 0
        self._chunks: list[Chunk] = []
        self._writing = threading.Lock()
        self._file = None if scratch is None else tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
        if self._file:
            weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._length

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def nbytes(self) -> int:
        """Bytes held in memory; vectors in a scratch file are not."""
        held = sum(chunk.codes.nbytes + chunk.scales.nbytes + chunk.errors.nbytes for chunk in self._chunks)
        if self._file:
            return held
        return held + sum(chunk.full.nbytes for chunk in self._chunks if chunk.full is not None)

    def add(self, vectors: Vectors) -> None:
        """Append rows, (n, dim) float32 of length one (or zero: like nothing). Raises ValueError."""
        if vectors.ndim != 2 or vectors.shape[1] != self._dim:
            raise ValueError(f"vectors: an array of shape (n, {self._dim}), not {vectors.shape}")
        with self._writing:
            while len(vectors):
                chunk, within = self._room()
                part = vectors[: CHUNK - within]
                checked_unit(part)
                self._write(chunk, within, part)
                # Readers look at the length first, so rows become visible only once they are complete.
                self._length += len(part)
                vectors = vectors[len(part) :]

    def add_coded(self, codes: Codes) -> None:
        """Append the vectors that these bytes, (n, dim), stand for (sketch.decoded), to an index of such."""
        if codes.ndim != 2 or codes.shape[1] != self._dim or not self._coded:
            raise ValueError(f"codes: an array of shape (n, {self._dim}) for an index of bytes")
        with self._writing:
            while len(codes):
                chunk, within = self._room()
                part = codes[: CHUNK - within]
                place = slice(within, within + len(part))
                whole = part.astype(np.float32)
                lengths = np.sqrt(np.einsum("nd,nd->n", whole, whole))
                chunk.codes[place] = part
                chunk.scales[place] = 1 / np.maximum(lengths, 1)
                chunk.errors[place] = ROUNDING
                self._length += len(part)
                codes = codes[len(part) :]

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of these rows, (n, dim) float32."""
        found = np.empty((len(rows), self._dim), dtype=np.float32)
        if len(rows) > 1 and rows[-1] - rows[0] == len(rows) - 1 and np.all(np.diff(rows) == 1):
            self._fill(found, int(rows[0]))
            return found
        for number in np.unique(rows // CHUNK).tolist():
            here = rows // CHUNK == number
            chunk, within = self._chunks[number], rows[here] % CHUNK
            if chunk.full is None:
                found[here] = chunk.codes[within] * chunk.scales[within, None]
            else:
                found[here] = chunk.full[within]
        return found

    def top_k(self, queries: Vectors, k: int, before: Rows | None = None) -> tuple[Scores, Rows]:
        """The k nearest rows of each query, best first: scores (q, k) and rows (q, k).

        `before`, (q,), limits query i to rows lower than before[i]. Where there are fewer than k rows,
        the score is -inf and the row -1.
        """
        checked_unit(queries)
        length = self._length
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        limits = np.full(len(queries), length) if before is None else np.minimum(before, length)
        together = MOST_AT_ONCE // max(1, length)
        if min(len(queries), together) >= TOGETHER:
            for start in range(0, len(queries), together):
                here = slice(start, start + together)
                self._top_k_together(queries[here], limits[here], scores[here], rows[here])
            return scores, rows
        for number, query in enumerate(queries):
            limit = int(limits[number])
            wanted = min(k, limit)
            if wanted > 0:
                scanned = self._scan(query, limit)
                # The k-th best of some rows' lower bounds is a lower bound of the k-th best of all rows.
                lows = scanned.low
                if len(lows) < wanted:
                    lows = scanned.near - self._errors(np.arange(limit)) - scanned.error
                floor = float(np.partition(lows, len(lows) - wanted)[len(lows) - wanted])
                best, found = self._exact(query, self._possible(scanned, floor), wanted)
                scores[number, :wanted], rows[number, :wanted] = best[:wanted], found[:wanted]
        return scores, rows

    def above(self, query: Vectors, floor: float) -> tuple[Scores, Rows]:
        """Every row whose cosine with the query, (dim,), is at least `floor`, best first."""
        checked_unit(query)
        length = self._length
        if length == 0:
            return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)
        possible = self._possible(self._scan(query, length), floor)
        scores, rows = self._exact(query, possible, len(possible))
        enough = scores >= floor
        return scores[enough], rows[enough]

    def _top_k_together(self, queries: Vectors, limits: Rows, scores: Scores, rows: Rows) -> None:
        """Fills `scores` and `rows`, (q, k), as `top_k` does: from the coded rows, all queries at once."""
        length = int(limits.max(initial=0))
        near = np.empty((len(queries), length), dtype=np.float32)
        for number in range(-(-length // CHUNK)):
            chunk, count = self._chunks[number], min(CHUNK, length - number * CHUNK)
            coded = chunk.codes[:count] * chunk.scales[:count, None]
            near[:, number * CHUNK : number * CHUNK + count] = queries @ coded.T
        errors = self._errors(np.arange(length))
        for number, (query, limit) in enumerate(zip(queries, limits.tolist(), strict=True)):
            wanted = min(scores.shape[1], limit)
            if wanted > 0:
                mine, slack = near[number, :limit], errors[:limit]
                lows = mine - slack
                if limit > 4 * wanted * FOLD:
                    # As below: the best of some rows' lower bounds do, and there are fewer of them to sort.
                    lows = lows[: limit - limit % FOLD].reshape(FOLD, -1).max(axis=0)
                floor = float(np.partition(lows, len(lows) - wanted)[len(lows) - wanted])
                best, found = self._exact(query, np.flatnonzero(mine + slack >= floor), wanted)
                scores[number, :wanted], rows[number, :wanted] = best[:wanted], found[:wanted]

    def _fill(self, found: Vectors, first: int) -> None:
        """The vectors of consecutive rows from `first` on: much faster than rows here and there."""
        done = 0
        while done < len(found):
            number, within = divmod(first + done, CHUNK)
            chunk, part = self._chunks[number], found[done : done + CHUNK - within]
            place = slice(within, within + len(part))
            if chunk.full is None:
                part[:] = chunk.codes[place]
                part *= chunk.scales[place, None]
            else:
                part[:] = chunk.full[place]
            done += len(part)

    def _room(self) -> tuple[Chunk, int]:
        """The chunk that the next row goes to, and its place there."""
        within = self._length % CHUNK
        if within == 0:
            self._chunks.append(self._new_chunk())
        return self._chunks[-1], within

    def _new_chunk(self) -> Chunk:
        shape = (CHUNK, self._dim)
        full: Vectors | None = None
        if self._file is None:
            full = None if self._coded else np.empty(shape, dtype=np.float32)
        else:
            offset = len(self._chunks) * CHUNK * self._dim * 4
            full = np.memmap(self._file, np.float32, "r+", offset, shape)
        codes = np.empty(shape, dtype=np.int8)
        return Chunk(codes, np.empty(CHUNK, dtype=np.float32), np.empty(CHUNK, dtype=np.float32), full)

    def _write(self, chunk: Chunk, within: int, vectors: Vectors) -> None:
        place = slice(within, within + len(vectors))
        largest = np.abs(vectors).max(axis=1)
        scales = np.where(largest > 0, largest / np.float32(127), np.float32(1))
        codes = np.rint(vectors / scales[:, None])
        chunk.codes[place] = codes
        chunk.scales[place] = scales
        rest = np.linalg.norm(vectors - codes * scales[:, None], axis=1)
        chunk.errors[place] = rest * (1 + NORM_TOLERANCE) + ROUNDING
        if self._file:
            # Written as to any file: through the map, every page would stay in memory until it is needed elsewhere.
            self._file.seek(4 * self._dim * self._length)
            self._file.write(vectors.astype(np.float32).data)
            self._file.flush()
        elif chunk.full is not None:
            chunk.full[place] = vectors

    def _scan(self, query: Vectors, limit: int) -> Scan:
        most = min(32_767, 2**31 // (127 * self._dim) - 1)  # the sum of a row fits into 32 bits
        scale = max(float(np.abs(query).max()), 1e-9) / most
        coded = np.rint(query / scale).astype(np.int16)
        error = 2 * float(np.linalg.norm(query - coded * np.float32(scale))) + ROUNDING
        near = np.empty(limit, dtype=np.float32)
        low = np.empty(-(-limit // GROUP), dtype=np.float32)
        high = np.empty_like(low)

        def part(number: int) -> None:
            chunk, start = self._chunks[number], number * CHUNK
            count = min(CHUNK, limit - start)
            groups = slice(start // GROUP, -(-(start + count) // GROUP))
            scan(
                chunk.codes[:count], chunk.scales[:count], chunk.errors[:count], coded, scale, error,
                near[start : start + count], low[groups], high[groups],
            )  # fmt: skip

        numbers = range(-(-limit // CHUNK))
        if len(numbers) == 1:
            part(0)
        else:
            list(_threads().map(part, numbers))
        return Scan(near, np.float32(error), low, high)

    def _possible(self, scanned: Scan, floor: float) -> Rows:
        """The rows whose cosine may be at least `floor`."""
        groups = np.flatnonzero(scanned.high >= floor)
        rows = (groups[:, None] * GROUP + np.arange(GROUP)).ravel()
        rows = rows[rows < len(scanned.near)]
        possible: Rows = rows[scanned.near[rows] + self._errors(rows) + scanned.error >= floor]
        return possible

    def _errors(self, rows: Rows) -> Scores:
        errors = np.empty(len(rows), dtype=np.float32)
        for number in np.unique(rows // CHUNK).tolist():
            here = rows // CHUNK == number
            errors[here] = self._chunks[number].errors[rows[here] % CHUNK]
        return errors

    def _exact(self, query: Vectors, rows: Rows, wanted: int) -> tuple[Scores, Rows]:
        """Scores and rows, best first; at least the `wanted` best of those given."""
        vectors = self.vectors(rows)
        if wanted < len(rows):
            near = vectors @ query
            floor = np.partition(near, len(rows) - wanted)[len(rows) - wanted] - ROUNDING
            rows, vectors = rows[near >= floor], vectors[near >= floor]
        # Row by row in float64: numpy's sum along a row does not depend on how many rows there are.
        scores = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1).astype(np.float32)
        order = np.lexsort((rows, -scores))
        return scores[order], rows[order]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "scan")
