"""Far reading, for more reports than can be compared pair by pair: clusters from vectors, on every axis.

The gated rule places each report by its cosine to earlier ones (likeness/cluster.py), in the space of its axis
(likeness/spaces.py). Only what changed since the last time is described, so that one more report among a million
is little work.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from triage_core.clusters import cluster_names
from triage_core.index import arrivals, placements
from triage_core.index.close_reading import CANDIDATE, SUGGEST
from triage_core.index.memory import Decided, Link, Memory
from triage_core.index.placements import Cluster, Layout, Part, Placement, Suggestion
from triage_core.likeness import tools
from triage_core.likeness.axes import Axis
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.column import Column
from triage_core.likeness.everyone import neighbourhoods
from triage_core.likeness.evidence import REQUEST_AT, REQUEST_SLOPE, TECHNIQUE_AT, TECHNIQUE_SLOPE
from triage_core.likeness.learn import PairModel
from triage_core.likeness.spaces import Laid
from triage_core.likeness.tools import Tools

PART = 50_000
MOST_WEIGHED = 4 * 10**8
"""Up to so many new reports times reports each new one is weighed against its neighbourhood for a suggestion."""
SUGGESTED_FROM = 12
"""So many of the nearest on each axis are weighed for it, of reports that came one by one those like enough."""

NOTHING_TOLD: tuple[frozenset[Link], frozenset[Link]] = (frozenset(), frozenset())

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
    try:
        for axis in Axis:
            labels[axis] = _lay_axis(memory, axis, decided, limit)
    except BaseException:
        memory.clusters.clear()  # a report may be in one axis and not in the next: the store's are taken up again
        raise
    if memory.clusters != before:
        memory.nearby.clear()  # an axis was laid at once: not all that is near was found on the way
    return labels


def parts(memory: Memory) -> dict[int, int]:
    """Of which clusters of techniques what are the parts, by rows (Tools.parts)."""
    clusters = memory.clusters.get(Axis.TECHNIQUE)
    return clusters.parts() if isinstance(clusters, Tools) else {}


def layout(memory: Memory, labels: dict[Axis, NDArray[np.int64]], limit: int) -> Layout:
    """What differs from the store, by axis; `limit` as for `lay`."""
    return {axis: _changed(memory, axis, found, limit) for axis, found in labels.items()}


def suggestions(memory: Memory, model: PairModel) -> list[Suggestion]:
    """A pair for each report that the store does not know yet and that is probably an earlier one again."""
    count = len(memory.ids)
    new = range(memory.known(Axis.WHOLE), count)
    first = {row: memory.first_with[memory.contents[row]] for row in new}
    found = [
        Suggestion(memory.ids[row], memory.ids[before], 1.0, "exact")
        for row, before in first.items()
        if before < row
    ]
    others = [row for row in new if first[row] == row]
    if len(new) * count <= MOST_WEIGHED:
        basis, best = "likeness", (_likeliest(memory, *item, model) for item in _beside(memory, others))
    else:
        basis, best = "embedding", (_linked(memory, row) for row in others)
    for row, (other, score) in zip(others, best, strict=True):
        if other is not None and score >= SUGGEST:
            found.append(Suggestion(memory.ids[row], memory.ids[other], round(score, 6), basis))
    memory.nearby.clear()
    return found


def _beside(memory: Memory, rows: list[int]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(row, itself and the earlier rows to weigh it against, ascending): found on the way, or looked for together."""
    assert memory.spaces is not None
    unknown = np.array([row for row in rows if row not in memory.nearby], dtype=np.int64)
    looked_for = neighbourhoods(memory.spaces, unknown, SUGGESTED_FROM, unknown)
    for row in rows:
        near = memory.nearby.get(row)
        yield next(looked_for) if near is None else (row, np.array(sorted({row, *near})))


def _lay_axis(memory: Memory, axis: Axis, decided: Decided, limit: int) -> NDArray[np.int64]:
    assert memory.spaces is not None
    spaces, params = memory.spaces, PARAMS[axis]
    must, cannot = memory.links(axis, decided)
    known, count = memory.known(axis), len(memory.ids)
    bound_before, apart_before = memory.links(axis, memory.decided)
    taken_back = bool((bound_before - must) | (apart_before - cannot))
    clusters, told = memory.clusters.get(axis), memory.told.get(axis, NOTHING_TOLD)
    if clusters is None or taken_back or 2 * len(clusters) < count:
        told = NOTHING_TOLD
        memory.labels.pop(axis, None)
        if clusters is None and not taken_back and _is_as_read(memory, axis, limit) and 2 * known > count:
            # Of the other axes there are no parts.
            stored = tools.whole(memory.stored[axis], memory.parts if axis is Axis.TECHNIQUE else {})
            laid = Laid(spaces, axis, known)
            ruled = Clusters.restore(stored, laid, (), params, sorted(must), sorted(cannot))
        else:
            ruled = cluster_all(Laid(spaces, axis, count), params, sorted(must), sorted(cannot))
            told = must, cannot
        clusters = ruled
        if axis is Axis.TECHNIQUE:
            clusters = Tools(ruled, partial(spaces.unit, axis), partial(spaces.unit, Axis.REQUEST))
    memory.clusters[axis] = clusters
    floor = min(params.suggest, params.search_floor(spaces.index[axis].dim))
    moved = False
    for row in range(len(clusters), count):
        earlier = spaces.linkable(axis, row, floor).tolist()
        memory.found_near(row, earlier[:SUGGESTED_FROM])
        moved |= bool(clusters.place(row, spaces.laid(axis, np.array([row]))[0], earlier).moved)
    for link in sorted(must - told[0]):
        moved |= bool(clusters.must_link(*link))
    for link in sorted(cannot - told[1]):
        moved |= bool(clusters.cannot_link(*link))
    memory.told[axis] = must, cannot
    if moved or axis not in memory.labels:
        memory.labels[axis] = Column(np.int64)
        memory.labels[axis].append(clusters.labels())
    else:
        new = range(len(memory.labels[axis].rows), count)
        memory.labels[axis].append(np.array([clusters.cluster_of(row) for row in new], dtype=np.int64))
    return memory.labels[axis].rows


def _is_as_read(memory: Memory, axis: Axis, limit: int) -> bool:
    """Whether the store's clusters were laid by this rule, and no report was read anew since."""
    known = memory.known(axis)
    return known > limit and known >= arrivals.together(len(memory.ids), limit)


def _changed(memory: Memory, axis: Axis, labels: NDArray[np.int64], limit: int) -> Iterator[Part]:
    """What differs from the store, in parts: reports that moved, then those that arrived.

    Where it is not known what the store has, every report is compared with it when it is written; and where
    reports were read anew, every one that it has: who stays in a cluster may be less or more like it.
    """
    stored = memory.stored.get(axis, np.empty(0, dtype=np.int64))
    known, clusters = len(stored), memory.clusters[axis]
    # Where no report moved, both are the same column, which is not to be read through for one report more.
    same = np.may_share_memory(stored, labels)
    moved = np.empty(0, np.int64) if same else np.flatnonzero(labels[:known] != stored)
    arrived = np.arange(known, len(labels))
    others = set(labels[moved].tolist()) | set(stored[moved].tolist())
    before = moved if _is_as_read(memory, axis, limit) else np.arange(known)
    for rows in (before, arrived):
        for start in range(0, len(rows), PART):
            part = rows[start : start + PART]
            touched = set(labels[part].tolist()) | set(stored[part[part < known]].tolist())
            described = {}
            for label in touched:
                if rows is arrived and axis in memory.stored and known <= label < part[0]:
                    continue  # an earlier part has told of it
                # The earliest member speaks for the cluster: finding the most typical one would read them all.
                name = placements.cluster_id(axis, memory.ids[label])
                size = clusters.size(label)
                described[name] = Cluster(name, memory.ids[label], size=size)
                if rows is arrived or label in others:
                    cluster_names.note(memory, axis, label, size, moved=rows is before or label >= known)
            placed = _placed(memory, axis, part, labels[part])
            yield Part(placed, described, arrived=rows is arrived and axis in memory.stored)


def _likeliest(
    memory: Memory, row: int, beside: NDArray[np.int64], model: PairModel
) -> tuple[int | None, float]:
    """The earlier row of those beside it most like this one as a whole, and the probability that the two are one."""
    assert memory.spaces is not None
    near = memory.spaces.compared(beside)
    scores = near.scores(Axis.WHOLE, row)[near.rows < row]
    if not len(scores) or scores.max() < CANDIDATE:
        return None, 0.0
    best = int(near.rows[int(np.argmax(scores))])
    return best, model.probability(memory.spaces.pair(row, best, near))


def _linked(memory: Memory, row: int) -> tuple[int | None, float]:
    why = memory.clusters[Axis.WHOLE].reasons(np.array([row]))
    if why.nearest[0] < 0:
        return None, 0.0
    scores = _scores(memory, Axis.WHOLE, np.array([row]), why.nearest, why.maximum)
    return int(why.nearest[0]), float(scores[0])


def _placed(
    memory: Memory, axis: Axis, rows: NDArray[np.int64], labels: NDArray[np.int64]
) -> list[Placement]:
    why, ids = memory.clusters[axis].reasons(rows), memory.ids
    columns = (
        _scores(memory, axis, rows, why.nearest, why.maximum),
        _scores(memory, axis, rows, why.nearest, why.mean),
        _scores(memory, axis, rows, why.runner_up, why.runner_up_mean),
    )
    nearest, mean, runner_up = ([None if x != x else x for x in scores.tolist()] for scores in columns)
    return [
        Placement(
            ids[row],
            placements.cluster_id(axis, ids[label]),
            None if beside < 0 else ids[beside],
            first,
            second,
            None if other < 0 else placements.cluster_id(axis, ids[other]),
            third,
        )
        for row, label, beside, first, second, other, third in zip(
            rows.tolist(),
            labels.tolist(),
            why.nearest.tolist(),
            nearest,
            mean,
            why.runner_up.tolist(),
            runner_up,
            strict=True,
        )
    ]


def _scores(
    memory: Memory,
    axis: Axis,
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    products: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Products of rows with others, or with clusters that these speak for, as the axis tells likeness.

    That is a probability, but for the whole, whose cosines say enough. Not a number where there is none.
    """
    assert memory.spaces is not None
    lengths = memory.spaces.lengths(axis, rows) * memory.spaces.lengths(axis, np.maximum(others, 0))
    cosines = np.where(others < 0, np.nan, np.minimum(products / lengths, 1)).astype(np.float64)
    if axis is Axis.WHOLE:
        return np.round(cosines, 6)
    at, slope = (TECHNIQUE_AT, TECHNIQUE_SLOPE) if axis is Axis.TECHNIQUE else (REQUEST_AT, REQUEST_SLOPE)
    return np.asarray(np.round(1 / (1 + np.exp(-slope * (cosines - at))), 6))
