"""How many reports become rows: one of each conversation, so many of a group, and of a reporter a share of a side.

Reports are told one after another whether there is room for them beside those before. Compiled where numba is
installed; else the same in Python, many times slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.exporters.arrays import numbered
from triage_core.exporters.gate import Reason
from triage_core.exporters.split import Seqs, Split, Splits
from triage_core.likeness.kernels import compiled

_NOBODY = 0  # the number of the reporter without a name, who is not one person
_WHY = (None, Reason.EXACT_DUPLICATE, Reason.GROUP_REPRESENTED, Reason.REPORTER_CAP)
_ROOM, _AGAIN, _GROUP, _REPORTER = range(len(_WHY))


@dataclass(slots=True)
class Limits:
    """Remembers the reports that there was room for.

    A group has `per_group` reports at most, 0 for any number, and a reporter `caps` of each side.
    """

    sides: Splits
    per_group: int
    caps: Mapping[Split, int]
    _seen: NDArray[np.bool_] = field(init=False)
    _of_group: NDArray[np.int32] = field(init=False)
    _of_reporter: NDArray[np.int32] = field(init=False)
    _reporters: dict[str, int] = field(default_factory=lambda: {"": _NOBODY})

    def __post_init__(self) -> None:
        reports = len(self.sides.groups.oldest)
        self._seen, self._of_group = np.zeros(reports, np.bool_), np.zeros(reports, np.int32)
        self._of_reporter = np.zeros((len(Split), 1), np.int32)

    def why_not(self, seqs: Seqs, reporters: pa.Array) -> dict[Reason, NDArray[np.bool_]]:
        """By reason which of these reports there is no room for (n,); the others are remembered."""
        numbers = numbered(reporters, self._reporters)
        room = self._of_reporter.shape[1]
        if len(self._reporters) > room:  # at least doubled, so that it is not copied for each batch
            more = max(len(self._reporters) - room, room)
            self._of_reporter = np.pad(self._of_reporter, ((0, 0), (0, more)))
        told = np.zeros(len(seqs), np.int8)
        _tell(
            self.sides.groups.earliest[seqs],
            self.sides.groups.oldest[seqs],
            numbers,
            self.sides.test(seqs),
            self.per_group,
            np.array([self.caps[Split.TRAIN], self.caps[Split.TEST]], np.int64),
            self._seen,
            self._of_group,
            self._of_reporter,
            told,
        )
        return {reason: told == number for number, reason in enumerate(_WHY) if reason}


@compiled
def _tell(
    earliest: Seqs,
    groups: Seqs,
    reporters: Seqs,
    test: NDArray[np.bool_],
    per_group: int,
    caps: Seqs,
    seen: NDArray[np.bool_],
    of_group: NDArray[np.int32],
    of_reporter: NDArray[np.int32],
    told: NDArray[np.int8],
) -> None:
    for at in range(len(earliest)):
        side = int(test[at])
        if seen[earliest[at]]:
            told[at] = _AGAIN
        elif 0 < per_group <= of_group[groups[at]]:
            told[at] = _GROUP
        elif reporters[at] != _NOBODY and of_reporter[side, reporters[at]] >= caps[side]:
            told[at] = _REPORTER
        else:
            seen[earliest[at]] = True
            of_group[groups[at]] += 1
            of_reporter[side, reporters[at]] += 1
