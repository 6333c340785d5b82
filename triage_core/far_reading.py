"""Far reading, for more reports than can be compared pair by pair: clusters of the whole, from vectors.

The gated rule places each report by its cosine to earlier ones (likeness/cluster.py). Only what
changed since the last time is described, so that one more report among a million is little work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core import placements
from triage_core.likeness.axes import Axis
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.memory import Decided, Memory
from triage_core.placements import Cluster, Placement, Suggestion

PART = 50_000
FEW = 1_000
"""Up to so many new reports are each looked up for a weaker likeness that is only suggested."""


def lay(memory: Memory, decided: Decided, params: Params) -> NDArray[np.int64]:
    """Bring the clusters in memory up to date; gives the cluster's row of every report, (n,)."""
    must = [(memory.row[a], memory.row[b]) for a, b in sorted(decided.together)]
    cannot = [(memory.row[a], memory.row[b]) for a, b in sorted(decided.apart)]
    known, count = len(memory.stored), len(memory.ids)
    taken_back = bool((memory.decided.together - decided.together) | (memory.decided.apart - decided.apart))
    if memory.clusters is None and 2 * known > count:
        vectors = memory.index.vectors(np.arange(known))
        memory.clusters = Clusters.restore(memory.stored, vectors, (), params, must, cannot)
    elif memory.clusters is None or taken_back or 2 * len(memory.clusters) < count:
        memory.clusters = cluster_all(memory.index.vectors(np.arange(count)), params, must, cannot)
    _place_new(memory, params)
    for pair in must:
        memory.clusters.must_link(*pair)
    for pair in cannot:
        memory.clusters.cannot_link(*pair)
    return memory.clusters.labels()


def changed(
    memory: Memory, labels: NDArray[np.int64]
) -> Iterator[tuple[list[Placement], dict[str, Cluster]]]:
    """What differs from the store, in parts: placements, and the clusters that they enter or leave."""
    known = len(memory.stored)
    rows = np.concatenate([np.flatnonzero(labels[:known] != memory.stored), np.arange(known, len(labels))])
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART].tolist()
        touched = {int(labels[row]) for row in part} | {
            int(memory.stored[row]) for row in part if row < known
        }
        clusters = {}
        for label in touched:
            # The earliest member speaks for the cluster: finding the most typical one would read them all.
            name = placements.cluster_id(Axis.WHOLE, memory.ids[label])
            clusters[name] = Cluster(name, memory.ids[label])
        yield [_placement(memory, row, int(labels[row])) for row in part], clusters


def suggestions(memory: Memory, params: Params) -> list[Suggestion]:
    """A pair for each report that the store does not know yet and that is like an earlier one."""
    new = range(len(memory.stored), len(memory.ids))
    found = []
    for row in new:
        first = memory.first_with[memory.contents[row]]
        if first < row:
            found.append(Suggestion(memory.ids[row], memory.ids[first], 1.0, "exact"))
            continue
        best, score = _nearest_earlier(memory, row, few=len(new) <= FEW)
        if best is not None and score >= params.suggest:
            found.append(Suggestion(memory.ids[row], memory.ids[best], round(score, 6), "embedding"))
    return found


def _nearest_earlier(memory: Memory, row: int, few: bool) -> tuple[int | None, float]:
    assert memory.clusters is not None
    why = memory.clusters.placement(row)
    if why.nearest_row is not None or not few:
        return why.nearest_row, why.maximum or 0.0
    scores, rows = memory.index.top_k(memory.index.vectors(np.array([row])), 1, np.array([row]))
    return (int(rows[0, 0]), float(scores[0, 0])) if rows[0, 0] >= 0 else (None, 0.0)


def _place_new(memory: Memory, params: Params) -> None:
    assert memory.clusters is not None
    floor = params.search_floor(memory.index.dim)
    for row in range(len(memory.clusters), len(memory.ids)):
        vector = memory.index.vectors(np.array([row]))[0]
        _, candidates = memory.index.above(vector, floor)
        memory.clusters.place(row, vector, candidates[candidates < row].tolist())


def _placement(memory: Memory, row: int, label: int) -> Placement:
    assert memory.clusters is not None
    why = memory.clusters.placement(row)
    return Placement(
        memory.ids[row],
        placements.cluster_id(Axis.WHOLE, memory.ids[label]),
        None if why.nearest_row is None else memory.ids[why.nearest_row],
        why.maximum,
        why.mean,
        _cluster_name(memory.ids, why.runner_up_cluster),
        why.runner_up_mean,
    )


def _cluster_name(ids: Sequence[str], label: int | None) -> str | None:
    return None if label is None else placements.cluster_id(Axis.WHOLE, ids[label])
