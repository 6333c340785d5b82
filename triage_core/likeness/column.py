"""Arrays that grow at their end, a row at little cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Column:
    """Rows in order of arrival; what `rows` gave stays as it was, whatever is added afterwards."""

    def __init__(self, dtype: DTypeLike, *width: int) -> None:
        self._kept: NDArray[Any] = np.empty((0, *width), dtype)
        self._length = 0

    @property
    def rows(self) -> NDArray[Any]:
        """All rows so far, (n, *width): no copy, and not to be written to."""
        return self._kept[: self._length]

    def append(self, new: NDArray[Any]) -> None:
        """Take in rows, (m, *width)."""
        length = self._length + len(new)
        if length > len(self._kept):
            # By half more than is needed, so that one more row seldom copies all; pages cost nothing until used.
            room = np.empty((max(1_024, length + length // 2), *self._kept.shape[1:]), self._kept.dtype)
            room[: self._length] = self.rows
            self._kept = room
        self._kept[self._length : length] = new
        self._length = length
