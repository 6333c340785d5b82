"""The neighbours of many reports at once, beyond close reading: what asking for each report gives, in less time.

The nearest of a few hundred reports are found by a matrix product; each neighbourhood is then compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triage_core.likeness import spaces as reading
from triage_core.likeness.axes import Axis
from triage_core.likeness.evidence import top
from triage_core.likeness.spaces import Rows, Spaces

AT_ONCE = 256


def all_neighbours(spaces: Spaces, axis: Axis, k: int) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    """(row, what `spaces.neighbours` gives for it) of every row held now, ascending."""
    most, count = max(k, reading.NEIGHBOURHOOD), len(spaces)
    for start in range(0, count, AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, count))
        for row, near in neighbourhoods(spaces, rows, most, np.full(len(rows), count)):
            compared = spaces.compared(near)
            others = compared.rows != row
            scores = compared.scores(axis, row)[others].clip(0, 1)
            best = top(scores[None], k)[0]
            yield row, list(zip(compared.rows[others][best].tolist(), scores[best].tolist(), strict=True))


def neighbourhoods(spaces: Spaces, rows: Rows, most: int, before: Rows) -> Iterator[tuple[int, Rows]]:
    """(row, itself and the rows lower than its `before` that are among its `most` nearest by anything, ascending)."""
    searched = (spaces.passages, spaces.meanings, spaces.index[Axis.TECHNIQUE], spaces.index[Axis.REQUEST])
    for start in range(0, len(rows), AT_ONCE):
        block, limits = rows[start : start + AT_ONCE], before[start : start + AT_ONCE]
        found = np.hstack([index.top_k(index.vectors(block), most, limits)[1] for index in searched])
        for row, near in zip(block.tolist(), found, strict=True):
            yield row, np.union1d(near[near >= 0], [row])
