"""The neighbours of every report at once, beyond close reading: what asking for each report gives, in less time.

The nearest of a few hundred reports are found by a matrix product; each neighbourhood is then compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triage_core.likeness import spaces as reading
from triage_core.likeness.axes import Axis
from triage_core.likeness.evidence import top
from triage_core.likeness.spaces import Spaces

AT_ONCE = 256


def all_neighbours(spaces: Spaces, axis: Axis, k: int) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    """(row, what `spaces.neighbours` gives for it) of every row held now, ascending."""
    most, count = max(k, reading.NEIGHBOURHOOD), len(spaces)
    searched = (spaces.passages, spaces.meanings, spaces.index[Axis.TECHNIQUE], spaces.index[Axis.REQUEST])
    for start in range(0, count, AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, count))
        limits = np.full(len(rows), count)
        found = [index.top_k(index.vectors(rows), most, limits)[1] for index in searched]
        for row, near in zip(rows.tolist(), np.hstack(found), strict=True):
            compared = spaces.compared(np.union1d(near[near >= 0], [row]))
            others = compared.rows != row
            scores = compared.scores(axis, row)[others].clip(0, 1)
            best = top(scores[None], k)[0]
            yield row, list(zip(compared.rows[others][best].tolist(), scores[best].tolist(), strict=True))
