"""Exact nearest neighbours by cosine over an append-only set of unit vectors.

Rows are numbered from 0 in order of arrival. Scores are computed the same way whatever the batch, so a
pair has one score; ties go to the lower row.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.grid import checked_unit

CHUNK = 65_536
# Far above the rounding of a float32 dot product of unit vectors, far below a difference that matters.
ROUNDING = 1e-5

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]


class VectorIndex:
    """Exact cosine search; any number of readers while one writer adds."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._length = 0
        self._chunks: list[NDArray[np.float32]] = []
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return self._length

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return sum(chunk.nbytes for chunk in self._chunks)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append rows, (n, dim) float32 of length one (or zero: like nothing). Raises ValueError."""
        if vectors.ndim != 2 or vectors.shape[1] != self._dim:
            raise ValueError(f"vectors: an array of shape (n, {self._dim}), not {vectors.shape}")
        checked_unit(vectors)
        with self._writing:
            while len(vectors):
                within = self._length % CHUNK
                if within == 0:
                    self._chunks.append(np.empty((CHUNK, self._dim), dtype=np.float32))
                part = vectors[: CHUNK - within]
                self._chunks[-1][within : within + len(part)] = part
                # Readers look at the length first, so rows become visible only once they are complete.
                self._length += len(part)
                vectors = vectors[len(part) :]

    def vectors(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of these rows, (n, dim) float32."""
        found = np.empty((len(rows), self._dim), dtype=np.float32)
        for number in np.unique(rows // CHUNK):
            here = rows // CHUNK == number
            found[here] = self._chunks[number][rows[here] % CHUNK]
        return found

    def top_k(
        self, queries: NDArray[np.float32], k: int, before: NDArray[np.int64] | None = None
    ) -> tuple[Scores, Rows]:
        """The k nearest rows of each query, best first: scores (q, k) and rows (q, k).

        `before`, (q,), limits query i to rows lower than before[i]. Where there are fewer than k rows,
        the score is -inf and the row -1.
        """
        length = self._length
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        for number, query in enumerate(queries):
            limit = length if before is None else min(length, int(before[number]))
            near = self._approximate(query, limit)
            wanted = min(k, limit)
            if wanted:
                least = np.partition(near, limit - wanted)[limit - wanted] - ROUNDING
                best, found = self._exact(query, np.flatnonzero(near >= least))
                scores[number, :wanted], rows[number, :wanted] = best[:wanted], found[:wanted]
        return scores, rows

    def above(self, query: NDArray[np.float32], floor: float) -> tuple[Scores, Rows]:
        """Every row whose cosine with the query, (dim,), is at least `floor`, best first."""
        near = self._approximate(query, self._length)
        scores, rows = self._exact(query, np.flatnonzero(near >= floor - ROUNDING))
        enough = scores >= floor
        return scores[enough], rows[enough]

    def _approximate(self, query: NDArray[np.float32], limit: int) -> Scores:
        near = np.empty(limit, dtype=np.float32)
        for start in range(0, limit, CHUNK):
            stop = min(start + CHUNK, limit)
            np.dot(self._chunks[start // CHUNK][: stop - start], query, out=near[start:stop])
        return near

    def _exact(self, query: NDArray[np.float32], rows: Rows) -> tuple[Scores, Rows]:
        # Row by row in float64: numpy's sum along a row does not depend on how many rows there are.
        products = self.vectors(rows).astype(np.float64) * query.astype(np.float64)
        scores = products.sum(axis=1).astype(np.float32)
        order = np.lexsort((rows, -scores))
        return scores[order], rows[order]
