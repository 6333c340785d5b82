"""How much of a dataset comes from one reporter, and wording that only one reporter keeps bringing.

Little is needed to poison a training set, so it matters whose words it holds. A trigger that somebody
plants is a rare run of words in several of their reports and in nobody else's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.exporters.arrays import Places, numbered
from triage_core.exporters.wording import Hashes, Runs
from triage_core.likeness.kernels import compiled

SHARE = 0.05
"""A reporter has at most this share of the rows of a side; beyond it, the later reports are left out."""
LEAST = 10
"""So many rows of one reporter are always taken, or a small desk would have no dataset at all."""

ANONYMOUS = ""
_REPEATED = 5  # rows that share a run before it is told
_BUCKETS = 1 << 22
_NOBODY, _SEVERAL = -1, -2
_TOLD = 5


@dataclass(slots=True)
class Concentration:
    """Rows by reporter, and the runs of words that belong to one of them; holds 40 MB whatever the size."""

    _rows: Counter[int] = field(default_factory=Counter)
    _names: dict[str, int] = field(default_factory=lambda: {ANONYMOUS: 0})
    # One owner a bucket: two runs in one bucket look like one that several people use, and are not told.
    _owner: NDArray[np.int32] = field(default_factory=lambda: np.full(_BUCKETS, _NOBODY, np.int32))
    _count: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(_BUCKETS, np.uint16))
    _last: NDArray[np.int32] = field(default_factory=lambda: np.full(_BUCKETS, -1, np.int32))

    def add(self, reporters: Sequence[str] | pa.Array, runs: Runs) -> None:
        """Count reports, given who sent each ("" for somebody who left no name) and their runs of words."""
        numbers = numbered(pa.array(reporters, pa.string()), self._names)
        counted = self._rows.total()
        self._rows.update(
            dict(zip(*(found.tolist() for found in np.unique(numbers, return_counts=True)), strict=True))
        )
        # People without a name are not one person.
        owners = np.where(numbers == self._names[ANONYMOUS], _SEVERAL, numbers).astype(np.int32)
        _count(runs.five, runs.five_from, owners, np.int32(counted), self._owner, self._count, self._last)

    def to_json(self) -> dict[str, Any]:
        """For the manifest: the reporters with most rows, and those who alone bring some wording again and again.

        To be asked for once: the runs are given up then.
        """
        repeated = self._repeated()
        self._owner, self._count, self._last = (
            self._owner[:0].copy(),
            self._count[:0].copy(),
            self._last[:0].copy(),
        )
        total = max(1, self._rows.total())
        known = [(name, self._rows[number]) for name, number in self._names.items() if name != ANONYMOUS]
        largest = sorted(known, key=lambda item: (-item[1], item[0]))[:_TOLD]
        return {
            "known": len(known),
            "anonymous_reports": self._rows[self._names[ANONYMOUS]],
            "largest": [
                {"reporter": name, "reports": rows, "share": round(rows / total, 4)} for name, rows in largest
            ],
            "repeated_wording": repeated,
        }

    def _repeated(self) -> list[dict[str, Any]]:
        told = (self._owner >= 0) & (self._count >= _REPEATED)
        runs = np.bincount(self._owner[told], minlength=len(self._names))
        most = np.zeros(len(self._names), np.int64)
        np.maximum.at(most, self._owner[told], self._count[told])
        found = sorted((-int(most[at]), -int(runs[at]), name) for name, at in self._names.items() if runs[at])
        return [
            {"reporter": name, "runs_of_words": -count, "reports": -reports}
            for reports, count, name in found[:_TOLD]
        ]


@compiled
def _count(
    runs: Hashes,
    bounds: Places,
    reporters: NDArray[np.int32],
    first: np.int32,
    owners: NDArray[np.int32],
    counts: NDArray[np.uint16],
    last: NDArray[np.int32],
) -> None:
    """Note each run of each report once: how many reports have it, and whether they are of one reporter."""
    for report in range(len(reporters)):
        for at in range(bounds[report], bounds[report + 1]):
            if runs[at] >> np.uint64(63):
                continue  # a whole text, and no run
            bucket = np.int64(runs[at] & np.uint64(_BUCKETS - 1))
            if owners[bucket] == _SEVERAL or last[bucket] == first + report:
                continue  # what several people use is told of nobody, however often
            last[bucket] = first + report
            if owners[bucket] == _NOBODY:
                owners[bucket] = reporters[report]
            elif owners[bucket] != reporters[report]:
                owners[bucket] = _SEVERAL
            if counts[bucket] < 65_535:
                counts[bucket] += 1


def caps(passing: Counter[Any], share: float) -> dict[Any, int]:
    """How many reports of one reporter each side takes, from how many could be rows of it."""
    return {side: max(LEAST, int(share * count)) for side, count in passing.items()}
