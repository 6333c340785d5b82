"""The nightly audit of clusters: which of them hold two groups that the rule would not merge today."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.constraints import Constraints
from triage_core.likeness.grid import to_cosine

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SplitSuggestion:
    """A cluster in two groups of rows with their mean similarity; for a reviewer to judge."""

    cluster: int
    staying: tuple[int, ...]
    leaving: tuple[int, ...]
    mutual_mean: float


def suggest_splits(
    grid: NDArray[np.int16], labels: Rows, gate: float, constraints: Constraints
) -> list[SplitSuggestion]:
    """Clusters whose two halves have a mean similarity below `gate` (a cosine), by cluster.

    The halves are what lies nearer to the member least like the rest, and what lies nearer to the member
    least like that one. What a reviewer put together is never torn apart; the earliest member stays.
    """
    order = np.argsort(labels, kind="stable")
    ids, starts = np.unique(labels[order], return_index=True)
    suggestions = []
    for cluster, members in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        if len(members) > 2:
            leaving = _far_half(grid[members], members, constraints)
            mutual = _mutual_mean(grid[members], leaving)
            if mutual < gate:
                stay, leave = tuple(members[~leaving].tolist()), tuple(members[leaving].tolist())
                suggestions.append(SplitSuggestion(cluster, stay, leave, mutual))
    return suggestions


def _far_half(grid: NDArray[np.int16], members: Rows, constraints: Constraints) -> NDArray[np.bool_]:
    vectors = grid.astype(np.float64)  # grid dot products, and sums of them, are exact
    far = vectors[np.argmin(vectors @ vectors.sum(axis=0))]
    opposite = vectors[np.argmin(vectors @ far)]
    leaving: NDArray[np.bool_] = vectors @ far > vectors @ opposite
    leaving ^= leaving[0]
    for position, row in enumerate(members.tolist()):
        if row in constraints:
            first = min(constraints.together(row).intersection(members.tolist()))
            leaving[position] = leaving[np.searchsorted(members, first)]
    return leaving


def _mutual_mean(grid: NDArray[np.int16], leaving: NDArray[np.bool_]) -> float:
    pairs = int(leaving.sum()) * int((~leaving).sum())
    if pairs == 0:
        return 1.0
    first = grid[leaving].sum(axis=0, dtype=np.int64)
    second = grid[~leaving].sum(axis=0, dtype=np.int64)
    return to_cosine(int(first @ second) / pairs, grid.shape[1])
