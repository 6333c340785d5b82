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
from numpy.typing import NDArray

from triage_core.likeness.lexical import chain

SHARE = 0.05
"""A reporter has at most this share of the rows of a side; beyond it, the later reports are left out."""
LEAST = 10
"""So many rows of one reporter are always taken, or a small desk would have no dataset at all."""

ANONYMOUS = ""
_GRAM = 5  # words in a row
_REPEATED = 5  # rows that share a run before it is told
_BUCKETS = 1 << 22
_NOBODY, _SEVERAL = -1, -2
_TOLD = 5


@dataclass(slots=True)
class Concentration:
    """Rows by reporter, and the runs of words that belong to one of them; holds 40 MB whatever the size."""

    _rows: Counter[str] = field(default_factory=Counter)
    _names: dict[str, int] = field(default_factory=dict)
    # One owner a bucket: two runs in one bucket look like one that several people use, and are not told.
    _owner: NDArray[np.int32] = field(default_factory=lambda: np.full(_BUCKETS, _NOBODY, np.int32))
    _count: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(_BUCKETS, np.uint16))

    def add(self, reporter: str, tokens: Sequence[NDArray[np.uint64]]) -> None:
        """Count one report, given the hashes of the words of each text; "" is somebody who left no name."""
        self._rows[reporter] += 1
        # People without a name are not one person.
        number = _SEVERAL if reporter == ANONYMOUS else self._names.setdefault(reporter, len(self._names))
        found = [chain(hashes, _GRAM) for hashes in tokens]
        if not found:
            return
        buckets = np.unique(np.concatenate(found) % np.uint64(_BUCKETS)).astype(np.int64)
        owners = self._owner[buckets]
        self._owner[buckets] = np.where(
            (owners == _NOBODY) | (owners == number), np.int32(number), np.int32(_SEVERAL)
        )
        self._count[buckets] = np.minimum(self._count[buckets].astype(np.int64) + 1, 65_535)

    def to_json(self) -> dict[str, Any]:
        """For the manifest: the reporters with most rows, and those who alone bring some wording again and again."""
        total = max(1, self._rows.total())
        known = [(name, rows) for name, rows in self._rows.items() if name != ANONYMOUS]
        largest = sorted(known, key=lambda item: (-item[1], item[0]))[:_TOLD]
        return {
            "known": len(known),
            "anonymous_reports": self._rows[ANONYMOUS],
            "largest": [
                {"reporter": name, "reports": rows, "share": round(rows / total, 4)} for name, rows in largest
            ],
            "repeated_wording": self._repeated(),
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


def caps(passing: Counter[Any], share: float) -> dict[Any, int]:
    """How many reports of one reporter each side takes, from how many could be rows of it."""
    return {side: max(LEAST, int(share * count)) for side, count in passing.items()}
