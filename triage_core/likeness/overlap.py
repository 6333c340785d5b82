"""What share of their grams reports have in common: a matrix that grows with the reports.

What two reports share depends on these two alone. So it is counted once, and again only where one of them is read
otherwise; one more report costs a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness import lexical
from triage_core.likeness.lexical import Bag

Matrix = NDArray[np.float32]


class Overlap:
    """The cosines of the last bags, kept by the bags themselves: another object is another bag."""

    def __init__(self) -> None:
        self._bags: tuple[Bag, ...] = ()
        self._cosines: Matrix = np.zeros((0, 0), np.float32)

    def grown(self) -> Overlap:
        """Another that starts from what this one knows."""
        other = Overlap()
        other._bags, other._cosines = self._bags, self._cosines
        return other

    def cosines(self, bags: Sequence[Bag]) -> Matrix:
        """(n, n) the cosines of which grams occur, however often; not to be written to.

        Counts are whole numbers, so that what is kept equals what would be counted anew to the last bit.
        """
        known = {id(item): at for at, item in enumerate(self._bags)}
        before = np.array([known.get(id(item), -1) for item in bags], dtype=np.int64)
        new = np.flatnonzero(before < 0)
        if len(new) or len(bags) != len(self._bags) or (np.diff(before) != 1).any():
            self._cosines = _compared(self._moved(before), bags, new)
            self._bags = tuple(bags)
        return self._cosines

    def _moved(self, before: NDArray[np.int64]) -> Matrix:
        """What is known, in the new order: what stood at `before` (-1: nowhere) in rows and columns."""
        count, old = len(before), len(self._bags)
        found = np.empty((count, count), np.float32)
        here = np.flatnonzero(before >= 0)
        if np.array_equal(before[here], here):
            found[:old, :old] = self._cosines[:count, :count]  # as good as always: reports come in at the end
        else:
            found[np.ix_(here, here)] = self._cosines[np.ix_(before[here], before[here])]
        return found


def _compared(found: Matrix, bags: Sequence[Bag], new: NDArray[np.int64]) -> Matrix:
    """The matrix with the rows and columns of the new bags filled in."""
    sets = lexical.matrix(bags)
    sets.data[:] = 1
    length = np.sqrt(np.maximum(np.diff(sets.indptr), 1)).astype(np.float32)
    everything = len(new) == len(bags)
    shared = lexical.products(sets if everything else sets[new], sets)
    shared /= np.outer(length[new], length)
    if everything:
        return shared
    found[new] = shared
    found[:, new] = shared.T
    return found
