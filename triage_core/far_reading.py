"""Far reading, for more reports than can be compared pair by pair: clusters from vectors, on every axis.

The gated rule places each report by its cosine to earlier ones (likeness/cluster.py), in the space of its axis
(likeness/spaces.py). Only what changed since the last time is described, so that one more report among a million
is little work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core import placements
from triage_core.close_reading import CANDIDATE, SUGGEST
from triage_core.likeness.axes import Axis
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.evidence import REQUEST_AT, REQUEST_SLOPE, TECHNIQUE_AT, TECHNIQUE_SLOPE
from triage_core.likeness.learn import PairModel
from triage_core.memory import Decided, Memory
from triage_core.placements import Cluster, Layout, Part, Placement, Suggestion

PART = 50_000
MOST_WEIGHED = 4 * 10**8
"""Up to so many new reports times reports each new one is weighed against its neighbourhood for a suggestion."""
SUGGESTED_FROM = 12
"""So many of the nearest on each axis are weighed for it, of reports that came one by one those like enough."""

PARAMS = {
    Axis.WHOLE: Params(join=0.40, slack=0.125, suggest=0.32),
    Axis.TECHNIQUE: Params(join=0.40, slack=0.10, suggest=0.40),
    Axis.REQUEST: Params(join=0.39, slack=0.075, suggest=0.39),
}


def lay(memory: Memory, decided: Decided, limit: int) -> dict[Axis, NDArray[np.int64]]:
    """Bring the clusters in memory up to date; gives by axis the row of every report's cluster, (n,).

    `limit` is that of close reading: what the store has for no more reports was not laid by this rule.
    """
    labels, before = {}, dict(memory.clusters)
    for axis in Axis:
        labels[axis] = _lay_axis(memory, axis, decided, limit)
    if memory.clusters != before:
        memory.nearby.clear()  # an axis was laid at once: not all that is near was found on the way
    return labels


def layout(memory: Memory, labels: dict[Axis, NDArray[np.int64]]) -> Layout:
    """What differs from the store, by axis."""
    return {axis: _changed(memory, axis, found) for axis, found in labels.items()}


def suggestions(memory: Memory, model: PairModel) -> list[Suggestion]:
    """A pair for each report that the store does not know yet and that is probably an earlier one again."""
    count = len(memory.ids)
    new = range(memory.known(Axis.WHOLE), count)
    weighed = len(new) * count <= MOST_WEIGHED
    found = []
    for row in new:
        first = memory.first_with[memory.contents[row]]
        if first < row:
            found.append(Suggestion(memory.ids[row], memory.ids[first], 1.0, "exact"))
            continue
        best, score = _likeliest(memory, row, model) if weighed else _linked(memory, row)
        if best is not None and score >= SUGGEST:
            basis = "likeness" if weighed else "embedding"
            found.append(Suggestion(memory.ids[row], memory.ids[best], round(score, 6), basis))
    memory.nearby.clear()
    return found


def _lay_axis(memory: Memory, axis: Axis, decided: Decided, limit: int) -> NDArray[np.int64]:
    assert memory.spaces is not None
    spaces, params = memory.spaces, PARAMS[axis]
    together, apart = decided.on(axis)
    must = [(memory.row[a], memory.row[b]) for a, b in sorted(together)]
    cannot = [(memory.row[a], memory.row[b]) for a, b in sorted(apart)]
    known, count = memory.known(axis), len(memory.ids)
    bound_before, apart_before = memory.decided.on(axis)
    taken_back = bool((bound_before - together) | (apart_before - apart))
    clusters = memory.clusters.get(axis)
    if clusters is None and not taken_back and known > limit and 2 * known > count:
        laid = spaces.laid(axis, np.arange(known))
        clusters = Clusters.restore(memory.stored[axis], laid, (), params, must, cannot)
    elif clusters is None or taken_back or 2 * len(clusters) < count:
        clusters = cluster_all(spaces.laid(axis, np.arange(count)), params, must, cannot)
    memory.clusters[axis] = clusters
    floor = min(params.suggest, params.search_floor(spaces.index[axis].dim))
    for row in range(len(clusters), count):
        earlier = spaces.linkable(axis, row, floor).tolist()
        memory.found_near(row, earlier[:SUGGESTED_FROM])
        clusters.place(row, spaces.laid(axis, np.array([row]))[0], earlier)
    for link in must:
        clusters.must_link(*link)
    for link in cannot:
        clusters.cannot_link(*link)
    return clusters.labels()


def _changed(memory: Memory, axis: Axis, labels: NDArray[np.int64]) -> Iterator[Part]:
    """What differs from the store, in parts: reports that moved, then those that arrived.

    Where it is not known what the store has, every report is compared with it when it is written.
    """
    stored = memory.stored.get(axis, np.empty(0, dtype=np.int64))
    known = len(stored)
    moved, arrived = np.flatnonzero(labels[:known] != stored), np.arange(known, len(labels))
    sizes = np.bincount(labels, minlength=len(labels))
    for rows in (moved, arrived):
        for start in range(0, len(rows), PART):
            part = rows[start : start + PART].tolist()
            touched = {int(labels[row]) for row in part} | {int(stored[row]) for row in part if row < known}
            clusters = {}
            for label in touched:
                if rows is arrived and axis in memory.stored and known <= label < part[0]:
                    continue  # an earlier part has told of it
                # The earliest member speaks for the cluster: finding the most typical one would read them all.
                name = placements.cluster_id(axis, memory.ids[label])
                clusters[name] = Cluster(name, memory.ids[label], size=int(sizes[label]))
            placed = [_placement(memory, axis, row, int(labels[row])) for row in part]
            yield Part(placed, clusters, arrived=rows is arrived and axis in memory.stored)


def _likeliest(memory: Memory, row: int, model: PairModel) -> tuple[int | None, float]:
    """The earlier row most like this one as a whole, and the probability that the two are one."""
    assert memory.spaces is not None
    if row in memory.nearby:
        near = memory.spaces.compared(np.array(sorted({row, *memory.nearby[row]})))
    else:
        near = memory.spaces.near(row, SUGGESTED_FROM, before=row)
    scores = near.scores(Axis.WHOLE, row)[near.rows < row]
    if not len(scores) or scores.max() < CANDIDATE:
        return None, 0.0
    best = int(near.rows[int(np.argmax(scores))])
    return best, model.probability(memory.spaces.pair(row, best, near))


def _linked(memory: Memory, row: int) -> tuple[int | None, float]:
    why = memory.clusters[Axis.WHOLE].placement(row)
    return why.nearest_row, _score(memory, Axis.WHOLE, row, why.nearest_row, why.maximum) or 0.0


def _placement(memory: Memory, axis: Axis, row: int, label: int) -> Placement:
    why = memory.clusters[axis].placement(row)
    return Placement(
        memory.ids[row],
        placements.cluster_id(axis, memory.ids[label]),
        None if why.nearest_row is None else memory.ids[why.nearest_row],
        _score(memory, axis, row, why.nearest_row, why.maximum),
        _score(memory, axis, row, why.nearest_row, why.mean),
        _cluster_name(memory.ids, axis, why.runner_up_cluster),
        _score(memory, axis, row, why.runner_up_cluster, why.runner_up_mean),
    )


def _score(memory: Memory, axis: Axis, row: int, other: int | None, product: float | None) -> float | None:
    """A product of a row with another, or with a cluster that this one speaks for, as the axis tells likeness.

    That is a probability, but for the whole, whose cosines say enough.
    """
    if product is None or other is None:
        return None
    assert memory.spaces is not None
    cosine = min(1.0, product / float(np.prod(memory.spaces.lengths(axis, np.array([row, other])))))
    if axis is Axis.WHOLE:
        return cosine
    at, slope = (TECHNIQUE_AT, TECHNIQUE_SLOPE) if axis is Axis.TECHNIQUE else (REQUEST_AT, REQUEST_SLOPE)
    return round(float(1 / (1 + np.exp(-slope * (cosine - at)))), 6)


def _cluster_name(ids: Sequence[str], axis: Axis, label: int | None) -> str | None:
    return None if label is None else placements.cluster_id(axis, ids[label])
