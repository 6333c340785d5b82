"""The nightly audit of clusters: which of them hold two groups. It suggests; people decide.

Reports that came in one by one, and decisions that bound groups together, can leave a cluster that the rule
would not make today. The audit looks for the two groups directly: what lies nearer to the member least like
the rest, and what lies nearer to the member least like that one, each member then moved to the group that it
is more like. What a reviewer put together is never torn apart; the earliest member stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.constraints import Constraints
from triage_core.likeness.grid import scale

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
# For each member of a cluster the sum of its likeness to the members chosen by a mask, itself included.
Sums = Callable[[Mask], NDArray[np.float64]]

_LEAST_MEMBERS = 3
_MOVES = 4


@dataclass(frozen=True, slots=True)
class SplitSuggestion:
    """A cluster in two groups of rows; for a reviewer to judge.

    `typical` are the most typical rows of the group that stays and of the one that leaves. `mutual_mean` is the
    mean likeness between the groups, `inside_mean` that of pairs within the looser one (1.0 for one row).
    """

    cluster: int
    staying: tuple[int, ...]
    leaving: tuple[int, ...]
    typical: tuple[int, int]
    mutual_mean: float
    inside_mean: float


def suggest_splits(
    grid: NDArray[np.int16], labels: Rows, gate: float, constraints: Constraints
) -> list[SplitSuggestion]:
    """Clusters whose two groups have a mean cosine below `gate`, by cluster; from vectors on the grid."""
    unit = float(scale(grid.shape[1]) ** 2)
    found = []
    for cluster, members in _clusters(labels):
        vectors = grid[members].astype(np.float64)  # grid dot products, and sums of them, are exact
        lacking = unit - np.square(vectors).sum(axis=1)  # every report is wholly like itself

        def sums(
            mask: Mask, vectors: NDArray[np.float64] = vectors, lacking: NDArray[np.float64] = lacking
        ) -> NDArray[np.float64]:
            return np.asarray(vectors @ vectors[mask].sum(axis=0) + lacking * mask) / unit

        suggestion = _halve(cluster, members, sums, constraints)
        if suggestion and suggestion.mutual_mean < gate:
            found.append(suggestion)
    return found


def suggest_splits_of_pairs(
    likeness: NDArray[np.float32], labels: Rows, gate: float, gap: float, constraints: Constraints
) -> list[SplitSuggestion]:
    """The same from the likeness of every pair, (n, n).

    A cluster is also suggested when both groups hold several members that are more alike among themselves, by
    `gap`, than the groups are: near-copies of one wrapper.
    """
    found = []
    for cluster, members in _clusters(labels):
        inside = likeness[np.ix_(members, members)].astype(np.float64)
        np.fill_diagonal(inside, 1)

        def sums(mask: Mask, inside: NDArray[np.float64] = inside) -> NDArray[np.float64]:
            return np.asarray(inside[:, mask].sum(axis=1))

        suggestion = _halve(cluster, members, sums, constraints)
        if suggestion is None:
            continue
        several = min(len(suggestion.staying), len(suggestion.leaving)) > 1
        apart = several and suggestion.mutual_mean < suggestion.inside_mean - gap
        if suggestion.mutual_mean < gate or apart:
            found.append(suggestion)
    return found


def _clusters(labels: Rows) -> Iterator[tuple[int, Rows]]:
    """(cluster, its rows) of every cluster large enough to hold two groups."""
    order = np.argsort(labels, kind="stable")
    ids, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    for number in np.flatnonzero(sizes >= _LEAST_MEMBERS).tolist():
        yield int(ids[number]), order[starts[number] : starts[number] + sizes[number]]


def _halve(cluster: int, members: Rows, sums: Sums, constraints: Constraints) -> SplitSuggestion | None:
    """The cluster in its two groups, whatever they are worth; None when all that it holds must stay together."""
    count = len(members)
    everyone = np.ones(count, dtype=np.bool_)
    far = int(np.argmin(sums(everyone)))
    to_far = sums(_one(count, far))
    opposite = int(np.argmin(to_far))
    leaving = _bound(to_far > sums(_one(count, opposite)), members, constraints)
    for _ in range(_MOVES):
        if not leaving.any() or leaving.all():
            return None
        moved = _bound(_mean(sums, leaving) > _mean(sums, ~leaving), members, constraints)
        if np.array_equal(moved, leaving):
            break
        leaving = moved
    if not leaving.any() or leaving.all():
        return None
    to_leaving, to_staying = sums(leaving), sums(~leaving)
    return SplitSuggestion(
        cluster,
        tuple(members[~leaving].tolist()),
        tuple(members[leaving].tolist()),
        (_most(to_staying, ~leaving, members), _most(to_leaving, leaving, members)),
        float(to_leaving[~leaving].mean() / leaving.sum()),
        min(_inside(to_staying, ~leaving), _inside(to_leaving, leaving)),
    )


def _one(count: int, at: int) -> Mask:
    mask = np.zeros(count, dtype=np.bool_)
    mask[at] = True
    return mask


def _mean(sums: Sums, mask: Mask) -> NDArray[np.float64]:
    """Each member's mean likeness to the others in the mask; 1 where it is alone there, so that it stays."""
    others = mask.sum() - mask
    return np.where(others, (sums(mask) - mask) / np.maximum(others, 1), 1.0)


def _bound(leaving: Mask, members: Rows, constraints: Constraints) -> Mask:
    """The same groups with the earliest member among those who stay and nobody torn from a partner."""
    leaving = leaving ^ leaving[0]
    for position, row in enumerate(members.tolist()):
        if row in constraints:
            first = min(constraints.together(row).intersection(members.tolist()))
            leaving[position] = leaving[np.searchsorted(members, first)]
    return leaving


def _most(sums: NDArray[np.float64], mask: Mask, members: Rows) -> int:
    return int(members[np.argmax(np.where(mask, np.round(sums, 6), -np.inf))])


def _inside(sums: NDArray[np.float64], mask: Mask) -> float:
    size = int(mask.sum())
    return 1.0 if size == 1 else float((sums[mask].sum() - size) / (size * (size - 1)))
