"""How near the test side of a dataset comes to its training side: the highest cosine of the vectors of likeness.

A vector is of a whole conversation as it came in. Up to `PAIRS` pairs every test report is compared with every
training report; beyond that some test reports are drawn, of the same reports always the same, and each is compared
with every training report. On the integer grid of likeness a cosine is the same in whatever order it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import db
from triage_core.exporters import source
from triage_core.exporters.source import NEAR_DUPLICATE
from triage_core.exporters.split import Seqs
from triage_core.likeness import grid

PAIRS = 1 << 27
"""So many are compared at most: with 384 numbers a vector a second of two cores."""
TEST_REPORTS = 1 << 13
"""So many are compared at most, since their vectors are held in memory."""
_BLOCK = 1 << 14
_AT_ONCE = 1 << 23  # cosines that are held
_MIX = np.uint64(0x9E3779B97F4A7C15)

_VECTORS = (
    "SELECT seq, vector FROM asked_for JOIN reports USING (seq) JOIN embeddings USING (content_sha256)"
    " JOIN likeness_space USING (model_id)"
)


def to_json(cursor: db.Cursor, train: Seqs, test: Seqs, step: Callable[[], object]) -> dict[str, Any]:
    """For the manifest: the two of these reports, by number, with the highest cosine across, and whether that is all.

    `exact`: it is of every pair. Without a vector in the space that answers now a report is not compared, but counted.
    `test_reports_near` have a training report from `near_from` on. `highest`, `train` and `test` are None where nothing
    is compared. `step` is called again and again, and may raise.
    """
    drawn = _drawn(test, min(TEST_REPORTS, PAIRS // max(1, len(train))))
    held = list(_read(cursor, drawn, _BLOCK)) or [(drawn[:0], np.zeros((0, 1), np.float32))]
    ours, as_read = (np.concatenate(parts) for parts in zip(*held, strict=True))
    order, dim = np.argsort(ours), as_read.shape[1]
    ours, as_read = ours[order], as_read[order]
    gridded, unit = _gridded(as_read), np.float32(grid.scale(dim) ** 2)
    moved = np.float32(2 * grid.margin(dim))
    best, mate = np.full(len(ours), -np.inf, np.float32), np.zeros(len(ours), np.int64)

    def compare(others: Seqs, vectors: NDArray[np.float32]) -> None:
        # Putting a vector on the grid takes longer than comparing it: only what may be nearest is put there.
        cosines = as_read @ vectors.T
        least = np.maximum(cosines.max(axis=1), best / unit) - moved
        some = np.flatnonzero((cosines >= least[:, None]).any(axis=0))
        if len(some):
            some = some[np.argsort(others[some])]
            dots = gridded @ _gridded(vectors[some]).T
            one, found = others[some][dots.argmax(axis=1)], dots.max(axis=1)
            nearer = (found > best) | ((found == best) & (one < mate))
            best[nearer], mate[nearer] = found[nearer], one[nearer]

    read = 0
    for others, vectors in _read(cursor, train, min(_BLOCK, _AT_ONCE // max(1, len(ours)))):
        step()
        read += len(others)
        if len(ours):
            compare(others, vectors)
    told: dict[str, Any] = {"highest": None, "train": None, "test": None}
    if len(ours) and read:
        top = np.lexsort((ours, mate, -best))[0]
        pair = np.array([mate[top], ours[top]])
        ids = dict(zip(np.sort(pair), source.ids(cursor, np.sort(pair)).to_pylist(), strict=True))
        told["highest"] = round(grid.to_cosine(float(best[top]), dim), 3)
        told |= {"train": ids[mate[top]], "test": ids[ours[top]]}
    return told | {
        "exact": len(ours) == len(test) and read == len(train),
        "test_reports": len(test),
        "test_reports_compared": len(ours),
        "test_reports_near": int(np.count_nonzero(best >= grid.least_dot(NEAR_DUPLICATE, dim))),
        "near_from": NEAR_DUPLICATE,
        "training_reports_compared": read,
        "without_vector": len(drawn) - len(ours) + len(train) - read,
    }


def _drawn(seqs: Seqs, most: int) -> Seqs:
    """So many of the reports, by a hash of their numbers: most of them are drawn again when others have come in."""
    if len(seqs) <= most:
        return seqs
    return seqs[np.argsort(seqs.astype(np.uint64) * _MIX, kind="stable")[:most]]


def _read(cursor: db.Cursor, seqs: Seqs, size: int) -> Iterator[tuple[Seqs, NDArray[np.float32]]]:
    """The numbers of those of these reports that have a vector, and the vectors."""
    with db.registered(cursor, "asked_for", pa.table({"seq": seqs})):
        for batch in db.batches(cursor, _VECTORS, size=size):
            yield batch.column(0).to_numpy(), batch.column(1).flatten().to_numpy().reshape(len(batch), -1)


def _gridded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return grid.to_grid(vectors).astype(np.float32)
