"""Close reading: every pair of reports is compared on all three axes.

Where each report stands, and why, is a pure function of the reports and of what reviewers decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core.index import placements
from triage_core.index.memory import Decided, Memory
from triage_core.index.placements import Cluster, Layout, Part, Placement, Suggestion
from triage_core.likeness.axes import Axis
from triage_core.likeness.constraints import Constraints
from triage_core.likeness.families import LEAST_MEAN
from triage_core.likeness.learn import PairModel
from triage_core.likeness.splits import SplitSuggestion, suggest_splits_of_pairs

CANDIDATE = 0.2
"""The least score of the whole axis from which a pair is weighed."""
SUGGEST = 0.8
"""The least probability at which a pair is suggested: a wrong suggestion costs more than a missing one."""

_AT_ONCE = 64

GAP = 0.25
"""So much less alike than their own members, two groups of one cluster are told to reviewers."""


def lay(memory: Memory, decided: Decided, model: PairModel) -> tuple[Layout, list[Suggestion]]:
    """Every report on every axis, from the likeness of every pair; `model` weighs the suggestions."""
    assert memory.axes is not None
    layout: Layout = {}
    for axis in Axis:
        scores = _scores(memory, axis)
        roots = memory.axes.clusters(axis, *decided.on(axis))
        root_rows = np.array([memory.row[roots[name]] for name in memory.ids])
        families = memory.axes.families(roots) if axis is Axis.TECHNIQUE else {}
        labels = memory.axes.labels(axis, roots)
        layout[axis] = [_describe(memory.ids, axis, scores, root_rows, labels, families)]
        if axis is Axis.WHOLE:
            nearest = [_greatest(own[:row]) for row, own in enumerate(scores)]
    return layout, _suggestions(memory, nearest, model)


def splits(memory: Memory, axis: Axis, labels: NDArray[np.int64], decided: Decided) -> list[SplitSuggestion]:
    """Which clusters of an axis hold two groups; `labels` is the row of each report's cluster, as stored."""
    # A cluster never holds a pair kept apart; what people put together is not to be torn.
    together = decided.on(axis)[0]
    must = Constraints((memory.row[a], memory.row[b]) for a, b in together)
    scores = _scores(memory, axis)[: len(labels), : len(labels)]
    return suggest_splits_of_pairs(scores, labels, LEAST_MEAN, GAP, must)


def _scores(memory: Memory, axis: Axis) -> NDArray[np.float32]:
    """The scores of every pair, (n, n) in order of arrival."""
    assert memory.axes is not None
    ids, scores = memory.axes.table(axis)
    place = {name: at for at, name in enumerate(ids)}
    order = np.array([place[name] for name in memory.ids])
    if np.array_equal(order, np.arange(len(ids))):
        return scores
    ordered: NDArray[np.float32] = scores[np.ix_(order, order)]
    return ordered


def _describe(
    ids: Sequence[str],
    axis: Axis,
    scores: NDArray[np.float32],
    roots: NDArray[np.int64],
    labels: Mapping[str, str],
    families: Mapping[str, str],
) -> Part:
    """Placements and clusters from scores (0 to 1), (n, n), and the row of each report's representative, (n,)."""
    _, first, cluster = np.unique(roots, return_index=True, return_inverse=True)
    names = [placements.cluster_id(axis, ids[founder]) for founder in first.tolist()]
    clusters = {
        names[at]: Cluster(names[at], ids[root], labels.get(ids[root], ""), family=families.get(ids[root]))
        for at, root in enumerate(roots[first].tolist())
    }
    nearest = _likest(scores)
    other, means = nearest.copy(), np.full(len(ids), np.nan)
    order = np.argsort(cluster, kind="stable")
    for members in np.split(order, np.cumsum(np.bincount(cluster))[:-1]):
        if len(members) > 1:
            rows = scores[members]
            inside = rows[:, members].astype(np.float64)
            means[members] = (inside.sum(axis=1) - inside.diagonal()) / (len(members) - 1)
            rows[:, members] = -1
            other[members] = rows.argmax(axis=1)
    placed = []
    everyone = range(len(ids))
    score, best = scores[everyone, nearest].tolist(), scores[everyone, other].tolist()
    for row, (near, mean, far) in enumerate(
        zip(nearest.tolist(), means.tolist(), other.tolist(), strict=True)
    ):
        alone, only = near == row, cluster[far] == cluster[row]
        placed.append(
            Placement(
                ids[row],
                names[cluster[row]],
                None if alone else ids[near],
                None if alone else round(score[row], 6),
                None if math.isnan(mean) else round(mean, 6),
                None if only else names[cluster[far]],
                None if only else round(best[row], 6),
            )
        )
    return Part(placed, clusters)


def _likest(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The row most like each row, the first of equals; itself where there is no other."""
    found = np.zeros(len(scores), np.int64)
    for start in range(0, len(scores), _AT_ONCE):
        rows = scores[start : start + _AT_ONCE].copy()
        own = np.arange(len(rows))
        rows[own, start + own] = -1
        found[start : start + _AT_ONCE] = rows.argmax(axis=1)
    return found


def _greatest(scores: NDArray[np.float32]) -> tuple[int, float]:
    """The place of the greatest score and the score; (0, -1) of none."""
    at = int(scores.argmax()) if len(scores) else 0
    return at, float(scores[at]) if len(scores) else -1.0


def _suggestions(memory: Memory, nearest: Sequence[tuple[int, float]], model: PairModel) -> list[Suggestion]:
    """A pair for each report whose best earlier one, (row, score), is probably the same flaw, or equals it."""
    assert memory.axes is not None
    found = []
    for row, (best, score) in enumerate(nearest):
        first = memory.first_with[memory.contents[row]]
        if first < row:
            found.append(Suggestion(memory.ids[row], memory.ids[first], 1.0, "exact"))
        elif best >= 0 and score >= CANDIDATE:
            probability = model.probability(memory.axes.pair(memory.ids[row], memory.ids[best]))
            if probability >= SUGGEST:
                found.append(Suggestion(memory.ids[row], memory.ids[best], round(probability, 6), "likeness"))
    return found
