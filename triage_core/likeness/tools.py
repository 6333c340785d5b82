"""Tools among many reports: clusters of techniques by the gated rule, parted where they hold near-copies of templates.

A wrapper that was used word for word around different requests is a tool (evidence.tools). The rule puts near-copies of
one template together; a cluster that nearly consists of several tools is parted into them, as close reading does
(families.into_tools). The rule goes on with its own clusters beneath, so that what it decides does not depend on
their parts.

The first `MOST_TOLD` members of a cluster tell which tools it holds; whoever comes later goes with the likest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness import families, grid
from triage_core.likeness.cluster import Clusters, Placement, Reasons
from triage_core.likeness.evidence import request_probability, tools
from triage_core.likeness.splits import SplitSuggestion

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
Side = Callable[[Rows], Vectors]
"""The unit vectors, (n, places), of some rows' wrappers or requests."""

MOST_TOLD = 500
# Two tools that were each used twice.
_LEAST_MEMBERS = 4
_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What the first members of a cluster tell of its parts: (k,) the earliest row of each, how many of the first
    members it has, and (k, places) the sums of their wrappers on the grid. `bound`: people put two tools together."""

    labels: Rows
    counts: Numbers
    sums: Numbers
    bound: bool = False


@dataclass(frozen=True, slots=True)
class _Parts:
    """A cluster of the rule in parts. (m,) each, by member: `rows` ascending, and where they belong.

    `labels` are the earliest rows of their parts, `means` how like a member is to the others of its own part, and
    `runner_up` the part that it is likest to beside its own.
    """

    kinds: _Kinds
    rows: Rows
    labels: Rows
    means: Numbers
    runner_up: Rows
    runner_up_means: Numbers

    def followed_by(self, other: _Parts) -> _Parts:
        """The same with more members, which came later."""
        joined = [np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__[1:]]
        return _Parts(self.kinds, *joined)


class Tools:
    """`Clusters` of techniques, with the same questions and answers, parted into tools."""

    def __init__(self, clusters: Clusters, wrappers: Side, requests: Side) -> None:
        self._clusters, self._wrappers, self._requests = clusters, wrappers, requests
        self._parts: dict[int, _Parts] = {}
        for rows in families.several(clusters.labels()):
            self._tell(int(rows[0]), rows)

    def __len__(self) -> int:
        return len(self._clusters)

    def place(self, row: int, vector: Vectors, candidates: Iterable[int] = ()) -> Placement:
        """As Clusters.place; `moved` also tells of earlier rows that went from one part to another."""
        found = self._clusters.place(row, vector, candidates)
        at = found.cluster
        before = self._parts.get(at)
        # Where people bound tools, a row goes with the likest tool first, and then with what that is bound to.
        bound = before is not None and before.kinds.bound
        if found.moved or found.decided or bound or self._clusters.size(at) <= MOST_TOLD:
            self._tell_again({at, *(cluster for pair in found.moved for cluster in pair)})
        elif before:
            own = self._likest(np.array([row]), before.kinds)
            self._parts[at] = before.followed_by(self._members(np.array([row]), before.kinds, own))
        after = self._parts.get(at)
        if not found.moved and before is not after:
            earlier = self._clusters.size(at) - 1
            old = before.labels if before else np.full(earlier, at)
            new = after.labels[:earlier] if after else np.full(earlier, at)  # the new row is the last member
            pairs = zip(old[old != new].tolist(), new[old != new].tolist(), strict=True)
            found = replace(found, moved=tuple(dict.fromkeys(pairs)))
        return replace(found, cluster=self.cluster_of(row))

    def must_link(self, a: int, b: int) -> tuple[int, ...]:
        """As Clusters.must_link."""
        return self._decided(self._clusters.must_link, a, b)

    def cannot_link(self, a: int, b: int) -> tuple[int, ...]:
        """As Clusters.cannot_link."""
        return self._decided(self._clusters.cannot_link, a, b)

    def cluster_of(self, row: int) -> int:
        """The earliest row of the part, or of the undivided cluster, that holds this row."""
        cluster = self._clusters.cluster_of(row)
        parts = self._parts.get(cluster)
        return int(parts.labels[np.searchsorted(parts.rows, row)]) if parts else cluster

    def labels(self) -> Rows:
        """`cluster_of` every row, (n,)."""
        labels = self._clusters.labels()
        for parts in self._parts.values():
            labels[parts.rows] = parts.labels
        return labels

    def parts(self) -> dict[int, int]:
        """The cluster of the rule that each part belongs to, but for the parts that are named like it."""
        named = ((part, cluster) for cluster, of in self._parts.items() for part in of.kinds.labels.tolist())
        return {part: cluster for part, cluster in named if part != cluster}

    def size(self, cluster: int) -> int:
        """How many rows a part or an undivided cluster holds."""
        parts = self._parts.get(self._clusters.cluster_of(cluster))
        return int((parts.labels == cluster).sum()) if parts else self._clusters.size(cluster)

    def reasons(self, rows: Rows) -> Reasons:
        """As Clusters.reasons; for members of parts the means are those to parts."""
        found = self._clusters.reasons(rows)
        if not self._parts:
            return found
        found = found._replace(
            mean=found.mean.copy(),
            runner_up=found.runner_up.copy(),
            runner_up_mean=found.runner_up_mean.copy(),
        )
        for at, row in enumerate(rows.tolist()):
            runner_up, mean = int(found.runner_up[at]), float(found.runner_up_mean[at])
            own = self._parts.get(self._clusters.cluster_of(row))
            beside = self._parts.get(self._clusters.cluster_of(runner_up)) if runner_up >= 0 else None
            if beside and beside is not own:
                runner_up, mean = self._likest_of(row, beside.kinds)
            if own:
                place = int(np.searchsorted(own.rows, row))
                found.mean[at] = own.means[place]
                if beside is own or not own.runner_up_means[place] < mean:  # it may be no number
                    runner_up, mean = int(own.runner_up[place]), float(own.runner_up_means[place])
            found.runner_up[at], found.runner_up_mean[at] = runner_up, mean
        return found

    def suggest_splits(self) -> list[SplitSuggestion]:
        """As Clusters.suggest_splits, of parts."""
        return self._clusters.suggest_splits(self.labels())

    def _decided(self, decide: Callable[[int, int], tuple[int, ...]], a: int, b: int) -> tuple[int, ...]:
        before, were = self.labels(), self._clusters.labels()
        changed = list(decide(a, b))
        if not changed and not self._parts_bind(a, b):
            return ()
        changed += [row for row in (a, b) if row < len(self)]
        self._tell_again({*were[changed].tolist(), *self._clusters.labels()[changed].tolist()})
        return tuple(np.flatnonzero(self.labels() != before).tolist())

    def _parts_bind(self, a: int, b: int) -> bool:
        """Whether two rows share a cluster of the rule but no part."""
        if max(a, b) >= len(self) or self._clusters.cluster_of(a) != self._clusters.cluster_of(b):
            return False
        return self.cluster_of(a) != self.cluster_of(b)

    def _tell_again(self, clusters: Iterable[int]) -> None:
        for cluster in clusters:
            self._tell(cluster, self._clusters.members(cluster))

    def _tell(self, cluster: int, rows: Rows) -> None:
        """Keep which parts the rule's cluster of these members, ascending, has now."""
        parts = self._parted(rows) if len(rows) >= _LEAST_MEMBERS else None
        if parts:
            self._parts[cluster] = parts
        else:
            self._parts.pop(cluster, None)

    def _parted(self, rows: Rows) -> _Parts | None:
        first, later = rows[:MOST_TOLD], _some(rows[MOST_TOLD:])
        vectors = self._grid(self._wrappers, first)
        likeness = _cosines(vectors)
        told = families.into_tools(tools(likeness, lambda some: self._alike(first[some])), likeness)
        if not told.any():
            return None
        kinds = _kinds(rows, vectors, told)
        own = np.concatenate([told, *(self._likest(some, kinds) for some in later)])
        together = self._clusters.together(rows)
        own = families.bound(own, together)
        _, earliest, own = np.unique(own, return_index=True, return_inverse=True)
        if len(earliest) < 2:
            return None
        kinds = _kinds(rows[earliest], vectors, own[: len(first)], bool(together))
        found = self._members(first, kinds, own[: len(first)], told=True)
        for some in later:
            start = len(found.rows)
            found = found.followed_by(self._members(some, kinds, own[start : start + len(some)]))
        return found

    def _likest(self, rows: Rows, kinds: _Kinds) -> Rows:
        """(r,) the numbers of the parts that these rows are most like on average."""
        means = self._grid(self._wrappers, rows) @ kinds.sums.T / kinds.counts
        return np.asarray(means.argmax(axis=1), dtype=np.int64)

    def _likest_of(self, row: int, kinds: _Kinds) -> tuple[int, float]:
        """The part that a row of another cluster is most like, and its mean cosine to it."""
        vector = self._grid(self._wrappers, np.array([row]))[0]
        means = kinds.sums @ vector / kinds.counts / grid.scale(len(vector)) ** 2
        return int(kinds.labels[means.argmax()]), float(means.max())

    def _members(self, rows: Rows, kinds: _Kinds, own: Rows, told: bool = False) -> _Parts:
        """Rows that belong to the parts with the numbers `own`; `told`: they are among those who told of these."""
        vectors = self._grid(self._wrappers, rows)
        dots, counts = vectors @ kinds.sums.T, np.repeat(kinds.counts[None], len(rows), axis=0)
        mine = np.arange(len(rows)), own
        if told:
            dots[mine] -= np.square(vectors, dtype=np.float64).sum(axis=1)
            counts[mine] -= 1
        unit = grid.scale(vectors.shape[1]) ** 2
        means = np.where(counts > 0, dots / np.maximum(counts, 1) / unit, np.nan)
        own_means = means[mine]
        means[mine] = -np.inf
        second = means.argmax(axis=1)
        return _Parts(
            kinds,
            rows,
            kinds.labels[own],
            own_means,
            kinds.labels[second],
            means[np.arange(len(rows)), second],
        )

    def _alike(self, rows: Rows) -> Vectors:
        """(r, r) how probably these rows ask for the same thing."""
        return request_probability(_cosines(self._grid(self._requests, rows)))

    def _grid(self, side: Side, rows: Rows) -> Vectors:
        """(r, places) on the grid: their products are exact, so that it does not matter when one asks."""
        return grid.to_grid(side(rows)).astype(np.float32)


def whole(labels: Rows, parts: Mapping[int, int]) -> Rows:
    """The rule's clusters, (n,), of rows with these `Tools.labels` and `Tools.parts`."""
    found = labels.copy()
    for part, cluster in parts.items():
        found[labels == part] = cluster
    return found


def _some(rows: Rows) -> list[Rows]:
    return [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]


def _cosines(vectors: Vectors) -> Vectors:
    found: Vectors = vectors @ vectors.T / np.float32(grid.scale(vectors.shape[1]) ** 2)
    np.fill_diagonal(found, 1)
    return found


def _kinds(labels: Rows, vectors: Vectors, own: Rows, bound: bool = False) -> _Kinds:
    """Parts by the first members' vectors and numbers, (m,)."""
    counts = np.bincount(own)
    sums = np.eye(len(counts))[own].T @ vectors  # exact in float64, like all sums of grid vectors
    return _Kinds(labels[: len(counts)], counts.astype(np.float64), sums, bound)
