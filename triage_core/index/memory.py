"""What is held in memory of the indexed reports, and what reviewers decided about pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage_core import db
from triage_core.clusters import groups
from triage_core.clusters.groups import Pair
from triage_core.errors import NotFound
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Clusters
from triage_core.likeness.column import Column
from triage_core.likeness.search import VectorIndex
from triage_core.likeness.spaces import Spaces
from triage_core.likeness.spans import Spans
from triage_core.likeness.tools import Tools

Link = tuple[int, int]
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

    `index` holds the whole texts. Up to the limit of close reading `axes` compares them, and the store has their
    `told_spans`; beyond it there are `spaces`, the `clusters` of each axis with the pairs that were `told` to them,
    and the row of each report's cluster: in `labels` as it is now, in `stored` as the store has it. `parts` are the
    parts of clusters of techniques (Tools.parts), as the store has them.
    `unnamed` are the clusters, (axis, row), that wait for a name, the first first.
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
    told_spans: dict[str, Spans] = field(default_factory=dict)
    clusters: dict[Axis, Clusters | Tools] = field(default_factory=dict)
    unnamed: dict[tuple[Axis, int], None] = field(default_factory=dict)
    nearby: dict[int, set[int]] = field(default_factory=dict)
    decided: Decided = field(default_factory=Decided)
    told: dict[Axis, tuple[frozenset[Link], frozenset[Link]]] = field(default_factory=dict)
    labels: dict[Axis, Column] = field(default_factory=dict)
    stored: dict[Axis, NDArray[np.int64]] = field(default_factory=dict)
    parts: dict[int, int] = field(default_factory=dict)

    def place(self, report_id: str) -> int:
        """The row of a report. Raises NotFound before it is indexed."""
        row = self.row.get(report_id, len(self.index))
        if row >= len(self.index):
            raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
        return row

    def first_seq(self, row: int) -> int:
        """The number of the first report that says the same as this one."""
        return self.seqs[self.first_with[self.contents[row]]]

    def named(self, found: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
        """The same with the reports' ids in place of their rows."""
        return [(self.ids[row], score) for row, score in found]

    def vectors(self, report_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those of these reports that are indexed, (dim,) each."""
        size = len(self.index)
        known = [name for name in report_ids if self.row.get(name, size) < size]
        if not known:
            return {}
        found = self.index.vectors(np.array([self.row[name] for name in known], dtype=np.intp))
        return dict(zip(known, found, strict=True))

    def nearest_to(self, made: NDArray[np.float32], k: int) -> list[dict[str, float]]:
        """For each of these vectors, (n, dim), the `k` reports nearest to it and their cosine, the nearest first."""
        if not self.ids:
            return [{} for _ in made]
        scores, rows = self.index.top_k(made, k)
        return [
            {self.ids[row]: score for row, score in zip(*found, strict=True) if row >= 0}
            for found in zip(rows.tolist(), scores.tolist(), strict=True)
        ]

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

    def links(self, axis: Axis, decided: Decided) -> tuple[frozenset[Link], frozenset[Link]]:
        """What was decided on an axis as pairs of rows: (together, apart); of reports that are held."""
        together, apart = (
            frozenset((self.row[a], self.row[b]) for a, b in pairs if a in self.row and b in self.row)
            for pairs in decided.on(axis)
        )
        return together, apart

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
