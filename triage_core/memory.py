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
from triage_core.likeness.spaces import Spaces

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

    `index` holds the whole texts. Up to the limit of close reading `axes` compares them; beyond it there are
    `spaces`, the `clusters` of each axis, and in `stored` the row of each report's cluster as the store has it.
    `nearby` holds, for reports that just arrived, the earlier rows that were found like them on the way.
    """

    index: VectorIndex
    spaces: Spaces | None = None
    ids: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    row: dict[str, int] = field(default_factory=dict)
    first_with: dict[str, int] = field(default_factory=dict)
    axes: AxisIndex | None = None
    clusters: dict[Axis, Clusters] = field(default_factory=dict)
    nearby: dict[int, set[int]] = field(default_factory=dict)
    decided: Decided = field(default_factory=Decided)
    stored: dict[Axis, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def last_seq(self) -> int:
        """The number of the latest report held."""
        return self.seqs[-1] if self.seqs else 0

    def found_near(self, row: int, others: Sequence[int]) -> None:
        """Note earlier rows that are near a new one, so that nobody has to look for them again."""
        self.nearby.setdefault(row, set()).update(others)

    def known(self, axis: Axis) -> int:
        """How many reports the store has a cluster for on this axis."""
        return len(self.stored.get(axis, ()))

    def append(self, ids: Sequence[str], contents: Sequence[str], seqs: Sequence[int]) -> None:
        """Take in the reports that arrived next."""
        for row, (report_id, content) in enumerate(zip(ids, contents, strict=True), start=len(self.ids)):
            self.row[report_id] = row
            self.first_with.setdefault(content, row)
        self.ids.extend(ids)
        self.contents.extend(contents)
        self.seqs.extend(seqs)


def decided(cursor: db.Cursor) -> Decided:
    """What reviewers have decided, as it stands now."""
    return Decided(groups.pairs(cursor))


def decided_when_laid(cursor: db.Cursor) -> Decided:
    """What stood when the clusters in the store were laid: of what was taken back since, they know nothing."""
    return Decided(groups.pairs_when_laid(cursor))
