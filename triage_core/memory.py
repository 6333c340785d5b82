"""What is held in memory of the indexed reports, and what reviewers decided about pairs of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage_core import db
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Clusters
from triage_core.likeness.search import VectorIndex
from triage_core.likeness.spaces import Spaces

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """Pairs that reviewers put together, and pairs that they keep apart."""

    together: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()


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
    decided: Decided = Decided()
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
    together = db.rows(cursor, "SELECT canonical_id, child_id FROM active_links")
    apart = db.rows(cursor, "SELECT a_id, b_id FROM active_cannot_links")
    return Decided(
        frozenset((row["canonical_id"], row["child_id"]) for row in together),
        frozenset((row["a_id"], row["b_id"]) for row in apart),
    )
