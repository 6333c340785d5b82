"""Where every indexed report stands: clusters with their reasons, and duplicate suggestions.

Pure functions of what is in memory and of what reviewers decided. Close reading compares every
pair on all three axes; far reading lays clusters of the whole by the gated rule on vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage_core import placements
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.search import VectorIndex
from triage_core.placements import Cluster, Placement, Suggestion

SUGGEST = 0.5
"""The least score of the whole axis from which a pair is suggested as a duplicate."""

Pair = tuple[str, str]
Layout = dict[Axis, tuple[list[Placement], dict[str, Cluster]]]


@dataclass(frozen=True, slots=True)
class Decided:
    """Pairs that reviewers put together, and pairs that they keep apart."""

    together: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()


@dataclass(slots=True)
class Memory:
    """What is known of the indexed reports, in order of arrival; rows are only ever appended."""

    index: VectorIndex
    ids: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    row: dict[str, int] = field(default_factory=dict)
    first_with: dict[str, int] = field(default_factory=dict)
    last_seq: int = 0
    axes: AxisIndex | None = None
    clusters: Clusters | None = None
    nearest: list[tuple[int, float]] = field(default_factory=list)
    decided: Decided = Decided()

    def append(self, report_id: str, content: str, seq: int) -> None:
        self.row[report_id] = len(self.ids)
        self.first_with.setdefault(content, len(self.ids))
        self.ids.append(report_id)
        self.contents.append(content)
        self.last_seq = seq


def close_layout(memory: Memory, decided: Decided) -> tuple[Layout, list[Suggestion]]:
    """Every report on every axis, from the likeness of every pair."""
    assert memory.axes is not None
    layout: Layout = {}
    for axis in Axis:
        ids, scores = memory.axes.table(axis)
        place = {name: at for at, name in enumerate(ids)}
        order = np.array([place[name] for name in memory.ids])
        scores = scores[np.ix_(order, order)]
        # What reviewers decided is about duplicates; it says nothing on the other two axes.
        roots = memory.axes.clusters(axis, *((decided.together, decided.apart) if axis is Axis.WHOLE else ()))
        root_rows = np.array([memory.row[roots[name]] for name in memory.ids])
        layout[axis] = _describe(memory.ids, axis, scores, root_rows)
        if axis is Axis.WHOLE:
            earlier = np.where(np.tri(len(scores), k=-1, dtype=np.bool_), scores, -1)
            best = earlier.argmax(axis=1)
            nearest = list(zip(best.tolist(), earlier[np.arange(len(best)), best].tolist(), strict=True))
    return layout, _suggestions(memory, nearest, SUGGEST, "likeness")


def far_layout(memory: Memory, decided: Decided, params: Params) -> tuple[Layout, list[Suggestion]]:
    """Every report on the whole axis, by the gated rule on vectors."""
    rows = {name: memory.row[name] for pair in decided.together | decided.apart for name in pair}
    must = [(rows[a], rows[b]) for a, b in sorted(decided.together)]
    cannot = [(rows[a], rows[b]) for a, b in sorted(decided.apart)]
    taken_back = bool((memory.decided.together - decided.together) | (memory.decided.apart - decided.apart))
    if memory.clusters is None or taken_back:
        everything = memory.index.vectors(np.arange(len(memory.ids)))
        memory.clusters = cluster_all(everything, params, must, cannot)
    else:
        _place_new(memory, params, must, cannot)
    clusters = memory.clusters
    labels = clusters.labels()
    placed, described = [], {}
    for row, name in enumerate(memory.ids):
        why = clusters.placement(row)
        label = int(labels[row])
        number = placements.cluster_id(Axis.WHOLE, memory.ids[label])
        if number not in described:
            described[number] = Cluster(number, memory.ids[clusters.representative(label)])
        placed.append(
            Placement(
                name,
                number,
                None if why.nearest_row is None else memory.ids[why.nearest_row],
                why.maximum,
                why.mean,
                None if why.runner_up_cluster is None else memory.ids[why.runner_up_cluster],
                why.runner_up_mean,
            )
        )
    nearest = memory.nearest
    for row in range(len(nearest), len(memory.ids)):
        scores, rows_found = memory.index.top_k(memory.index.vectors(np.array([row])), 1, np.array([row]))
        nearest.append((int(rows_found[0, 0]), float(scores[0, 0])))
    return {Axis.WHOLE: (placed, described)}, _suggestions(memory, nearest, params.suggest, "embedding")


def _place_new(
    memory: Memory, params: Params, must: Sequence[tuple[int, int]], cannot: Sequence[tuple[int, int]]
) -> None:
    assert memory.clusters is not None
    floor = params.search_floor(memory.index.dim)
    for row in range(len(memory.clusters), len(memory.ids)):
        vector = memory.index.vectors(np.array([row]))[0]
        _, candidates = memory.index.above(vector, floor)
        memory.clusters.place(row, vector, candidates[candidates < row].tolist())
    for pair in must:
        memory.clusters.must_link(*pair)
    for pair in cannot:
        memory.clusters.cannot_link(*pair)


def _describe(
    ids: Sequence[str], axis: Axis, scores: NDArray[np.float32], roots: NDArray[np.int64]
) -> tuple[list[Placement], dict[str, Cluster]]:
    """Placements and clusters from scores, (n, n), and the row of each report's representative, (n,)."""
    founders = {int(root): int(np.flatnonzero(roots == root)[0]) for root in np.unique(roots)}
    names = {root: placements.cluster_id(axis, ids[founder]) for root, founder in founders.items()}
    clusters = {names[root]: Cluster(names[root], ids[root]) for root in founders}
    placed = []
    for row, name in enumerate(ids):
        own = scores[row].astype(np.float64).clip(0, 1)
        own[row] = -1
        inside = roots == roots[row]
        inside[row] = False
        outside = np.where(roots == roots[row], -1, own)
        nearest, other = int(np.argmax(own)), int(np.argmax(outside))
        placed.append(
            Placement(
                name,
                names[int(roots[row])],
                ids[nearest] if own[nearest] >= 0 else None,
                round(float(own[nearest]), 6) if own[nearest] >= 0 else None,
                round(float(own[inside].mean()), 6) if inside.any() else None,
                names[int(roots[other])] if outside[other] >= 0 else None,
                round(float(outside[other]), 6) if outside[other] >= 0 else None,
            )
        )
    return placed, clusters


def _suggestions(
    memory: Memory, nearest: Sequence[tuple[int, float]], least: float, basis: str
) -> list[Suggestion]:
    """A pair for each report whose best earlier one, (row, score), scores at least `least`, or equals it."""
    found = []
    for row, (best, score) in enumerate(nearest):
        first = memory.first_with[memory.contents[row]]
        if first < row:
            found.append(Suggestion(memory.ids[row], memory.ids[first], 1.0, "exact"))
        elif best >= 0 and score >= least:
            found.append(Suggestion(memory.ids[row], memory.ids[best], round(min(score, 1.0), 6), basis))
    return found
