"""How much reports have in common: a matrix that grows with the reports.

What two reports share depends on these two alone. So it is counted once, and again only where one of them is read
otherwise; one more report costs a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness import grid, lexical
from triage_core.likeness.lexical import Bag

Matrix = NDArray[np.float32]
Rows = NDArray[np.int64]
Item = TypeVar("Item")
Compare = Callable[[Sequence[Item], Rows], Matrix]

_LEAST_SPACE, _SPACE = 8, 16


class _Room:
    """A table with space for more rows than are used. Who knows fewer of them may read on while others are added."""

    def __init__(self, count: int) -> None:
        most = count + max(_LEAST_SPACE, count // _SPACE)
        self.table: Matrix = np.empty((most, most), np.float32)
        self.used = count


class Overlap(Generic[Item]):
    """The likeness of the last items, kept by the items themselves: another object is another item.

    `compare` gives that of some rows, (r,) ascending, to all, (r, n). It must be exact: the same two items give the
    same number to the last bit, whatever stands beside them and on either side.
    """

    def __init__(self, compare: Compare[Item]) -> None:
        self._compare = compare
        self._items: tuple[Item, ...] = ()
        self._room = _Room(0)
        self.changed: Rows = np.zeros(0, np.int64)
        """The rows that were not there, or not the same, before the last question; all of them after a new order."""

    def grown(self) -> Overlap[Item]:
        """Another that starts from what this one knows."""
        other = Overlap(self._compare)
        other._items, other._room = self._items, self._room
        return other

    def among(self, items: Sequence[Item]) -> Matrix:
        """(n, n) the likeness of every pair, 1 of each to itself; not to be written to."""
        count, old = len(items), len(self._items)
        known = {id(item): at for at, item in enumerate(self._items)}
        before = np.array([known.get(id(item), -1) for item in items], dtype=np.int64)
        new, here = np.flatnonzero(before < 0), np.flatnonzero(before >= 0)
        moved = count < old or not np.array_equal(before[here], here)
        if len(new) or moved:
            self._make_room(before, here, moved)
            table = self._room.table[:count, :count]
            rows = self._compare(items, new)
            table[new] = rows
            if len(new) < count:
                table[:, new] = rows.T
            np.fill_diagonal(table, 1)
            self._items = tuple(items)
        self.changed = np.arange(count) if moved else new
        return self._room.table[:count, :count]

    def _make_room(self, before: Rows, here: Rows, moved: bool) -> None:
        """Put what is known, which stood at `before`, where it belongs now; others still read the old table."""
        count, old = len(before), len(self._items)
        known = self._room
        if not moved and len(here) == old == known.used and count <= len(known.table):
            known.used = count  # reports that came in, as nearly always: they stand behind the others
            return
        self._room = _Room(count)
        if moved:
            self._room.table[np.ix_(here, here)] = known.table[np.ix_(before[here], before[here])]
        else:
            self._room.table[:old, :old] = known.table[:old, :old]


def of_bags(bags: Sequence[Bag], rows: Rows) -> Matrix:
    """The cosines of bags of whole numbers no longer than 4,096, see `lexical`: exact whatever the order of sums."""
    counts = lexical.matrix(bags)
    squares = np.bincount(_owners(bags), counts.data.astype(np.float64) ** 2, minlength=len(bags))
    length = np.sqrt(np.maximum(squares, 1)).astype(np.float32)
    found = lexical.products(counts if len(rows) == len(bags) else counts[rows], counts)
    found /= np.outer(length[rows], length)
    return found


def of_vectors(vectors: Sequence[NDArray[np.float32]], rows: Rows) -> Matrix:
    """The cosines of vectors of length 1, on the grid (see `grid`): exact whatever the order of sums."""
    if not vectors:
        return np.zeros((0, 0), np.float32)
    steps = grid.to_grid(np.stack(vectors)).astype(np.float32)
    found = (steps if len(rows) == len(vectors) else steps[rows]) @ steps.T
    found /= np.float32(grid.scale(steps.shape[1]) ** 2)
    return np.asarray(found, dtype=np.float32)


def _owners(bags: Sequence[Bag]) -> Rows:
    return np.repeat(np.arange(len(bags)), [len(item.columns) for item in bags])
