"""What is held in memory of the indexed reports, and what reviewers decided about pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage_core import db, groups
from triage_core.groups import Pair
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Clusters
from triage_core.likeness.search import VectorIndex

NOTHING: tuple[frozenset[Pair], frozenset[Pair]] = (frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Decided:
    """By axis, the pairs that reviewers put together and those that they keep apart."""

    axes: Mapping[str, tuple[frozenset[Pair], frozenset[Pair]]] = field(default_factory=dict)

    def on(self, axis: Axis) -> tuple[frozenset[Pair], frozenset[Pair]]:
        """What was said on an axis: (together, apart)."""
        return self.axes.get(axis, NOTHING)

    @property
    def together(self) -> frozenset[Pair]:
        """What belongs together as duplicates do: on the axis of the whole."""
        return self.on(Axis.WHOLE)[0]

    @property
    def apart(self) -> frozenset[Pair]:
        """What is kept apart on the axis of the whole."""
        return self.on(Axis.WHOLE)[1]


@dataclass(slots=True)
class Memory:
    """What is known of the indexed reports, in order of arrival; rows are only ever appended.

    `stored` holds, beyond close reading, the row of each report's cluster as the store has it.
    """

    index: VectorIndex
    ids: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    row: dict[str, int] = field(default_factory=dict)
    first_with: dict[str, int] = field(default_factory=dict)
    last_seq: int = 0
    axes: AxisIndex | None = None
    clusters: Clusters | None = None
    decided: Decided = field(default_factory=Decided)
    stored: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def append(self, ids: Sequence[str], contents: Sequence[str], last_seq: int) -> None:
        """Take in the reports that arrived next."""
        for row, (report_id, content) in enumerate(zip(ids, contents, strict=True), start=len(self.ids)):
            self.row[report_id] = row
            self.first_with.setdefault(content, row)
        self.ids.extend(ids)
        self.contents.extend(contents)
        self.last_seq = last_seq


def decided(cursor: db.Cursor) -> Decided:
    """What reviewers have decided, as it stands now."""
    return Decided(groups.pairs(cursor))
