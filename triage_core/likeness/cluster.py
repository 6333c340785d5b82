"""Clusters of near-duplicate reports that do not chain, by a rule that can be explained.

In order of arrival a report links to every earlier one at cosine `join` or more. Among the clusters
that it links to, it joins the one with the best mean similarity, if that mean is at least
`join - slack`; otherwise it opens a cluster of its own. Linked clusters whose mutual mean is at least
`join - slack` are merged and the older id survives. What reviewers decided wins over every threshold.

A cluster's id is the row of its earliest member. All decisions are made on the integer grid (grid.py), so
the same reports in the same order give the same clusters, in bulk or one at a time, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.constraints import Constraints
from triage_core.likeness.grid import least_dot, margin, scale, to_cosine, to_grid

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Pairs = Iterable[tuple[int, int]]

BLOCK = 2_048


@dataclass(frozen=True, slots=True)
class Params:
    """Cosines: link and join at `join`, tolerate a mean `slack` lower, suggest from `suggest` on."""

    join: float = 0.85
    slack: float = 0.05
    suggest: float = 0.70

    @property
    def gate(self) -> float:
        """The least mean similarity to a cluster that one joins."""
        return self.join - self.slack

    def search_floor(self, dim: int) -> float:
        """The cosine from which a search finds every row that may link, for `Clusters.place`."""
        return self.join - margin(dim)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a report went, and why. Cosines; None where nothing was linked.

    `mean` is to the joined cluster before the report came in. `runner_up_*` is the best linked cluster
    that it did not join. `decided` is true when a reviewer's must-link chose the cluster. `merged` lists
    (retired id, surviving id).
    """

    cluster: int
    nearest_row: int | None
    maximum: float | None
    mean: float | None
    runner_up_cluster: int | None
    runner_up_mean: float | None
    decided: bool
    merged: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SplitSuggestion:
    """A cluster that today would not be merged from these two groups of rows; for a reviewer to judge."""

    cluster: int
    staying: tuple[int, ...]
    leaving: tuple[int, ...]
    mutual_mean: float


class Clusters:
    """The clusters of rows 0 .. len - 1; one writer at a time."""

    def __init__(
        self, dim: int, params: Params | None = None, must: Pairs = (), cannot: Pairs = ()
    ) -> None:
        self.params = params or Params()
        self._dim = dim
        self._constraints = Constraints(must, cannot)
        self._link = least_dot(self.params.join, dim)
        self._gate = self.params.gate * scale(dim) ** 2
        self._length = 0
        self._grid = np.empty((0, dim), dtype=np.int16)
        self._parent = np.empty(0, dtype=np.int64)
        self._sizes = np.empty(0, dtype=np.int64)
        self._founded = np.empty(0, dtype=np.bool_)
        self._sums: dict[int, NDArray[np.int64]] = {}
        self._decided: dict[int, set[int]] = {}

    @classmethod
    def restore(
        cls,
        labels: Rows,
        vectors: Vectors,
        aliases: Iterable[int] = (),
        params: Params | None = None,
        must: Pairs = (),
        cannot: Pairs = (),
    ) -> Clusters:
        """Clusters as they were stored: `labels()`, the rows' vectors, the retired ids and the decisions."""
        clusters = cls(vectors.shape[1], params, must, cannot)
        clusters._reserve(len(labels))
        clusters._length = length = len(labels)
        clusters._grid[:length] = to_grid(vectors)
        clusters._parent[:length] = labels
        clusters._sizes[:length] = np.bincount(labels, minlength=length)
        clusters._founded[:length] = labels == np.arange(length)
        clusters._founded[list(aliases)] = True
        order = np.argsort(labels, kind="stable")
        ids, starts = np.unique(labels[order], return_index=True)
        for cluster, members in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
            if cluster != members[0]:
                raise ValueError(f"labels: cluster {cluster} is not named after its earliest row")
            if len(members) > 1:
                clusters._sums[cluster] = clusters._grid[members].sum(axis=0, dtype=np.int64)
        for row in clusters._constraints.rows():
            clusters._note_decided(row)
        return clusters

    def __len__(self) -> int:
        return self._length

    def place(self, row: int, vector: Vectors, candidates: Iterable[int] = ()) -> Placement:
        """Give the next row its cluster.

        `row` is len(self). `candidates` are earlier rows among which all links are: every row that
        `VectorIndex.above(vector, params.search_floor(dim))` finds; others do no harm, since the cosines
        are computed again on the grid. Raises ValueError for a row out of turn.
        """
        if row != self._length:
            raise ValueError(f"row: the next row is {self._length}, not {row}")
        self._reserve(row + 1)
        self._grid[row] = to_grid(vector)
        self._parent[row] = -1
        self._sizes[row] = 0
        self._founded[row] = False
        self._length = row + 1
        return self._lay(row, np.unique(np.fromiter(candidates, dtype=np.int64)))

    def must_link(self, a: int, b: int) -> tuple[int, ...]:
        """The two rows share a cluster for ever; gives the rows whose cluster changed.

        Rows may still be to come. Raises Conflict when reviewers decided that they differ.
        """
        self._constraints.must(a, b)
        return self._settle(self._constraints.together(a))

    def cannot_link(self, a: int, b: int) -> tuple[int, ...]:
        """The two rows never share a cluster; gives the rows whose cluster changed.

        A cluster that held both is laid again from its own members, in order of arrival, under all
        decisions. Raises Conflict when reviewers decided that the rows are the same.
        """
        self._constraints.cannot(a, b)
        return self._settle(self._constraints.together(a) | self._constraints.together(b))

    def cluster_of(self, row: int) -> int:
        """The id of the cluster that holds this row; a retired id gives the cluster that took it in."""
        parent = int(self._parent[row])
        while parent != self._parent[parent]:
            parent = int(self._parent[parent])
        return parent

    def labels(self) -> Rows:
        """The cluster id of every row, (n,)."""
        labels = self._parent[: self._length].copy()
        while not np.array_equal(upper := labels[labels], labels):
            labels = upper
        return labels

    def aliases(self) -> dict[int, int]:
        """Every id that was given once and stands no more, with the cluster that now holds it."""
        labels = self.labels()
        retired = np.flatnonzero(self._founded[: self._length] & (labels != np.arange(self._length)))
        return dict(zip(retired.tolist(), labels[retired].tolist(), strict=True))

    def members(self, cluster: int) -> Rows:
        """The rows of a cluster, ascending."""
        return np.flatnonzero(self.labels() == cluster)

    def representative(self, cluster: int) -> int:
        """The member to read: the one most like all others (medoid), the earlier of equals.

        The earliest member is the cluster's id already; the most typical one says more about it.
        """
        members = self.members(cluster)
        return int(members[np.argmax(self._grid[members] @ self._sum(cluster))])

    def suggest_splits(self) -> list[SplitSuggestion]:
        """Clusters that fall into two groups which the rule would not merge; changes nothing."""
        labels = self.labels()
        suggestions = []
        for cluster in np.flatnonzero(np.bincount(labels, minlength=1) > 2).tolist():
            members = np.flatnonzero(labels == cluster)
            leaving = self._halve(members)
            if 0 < leaving.sum() < len(members):
                first = self._grid[members[~leaving]].sum(axis=0, dtype=np.int64)
                second = self._grid[members[leaving]].sum(axis=0, dtype=np.int64)
                mutual = self._mean(first, second, int((~leaving).sum() * leaving.sum()))
                if mutual < self.params.gate:
                    stay, go = members[~leaving].tolist(), members[leaving].tolist()
                    suggestions.append(SplitSuggestion(cluster, tuple(stay), tuple(go), mutual))
        return suggestions

    def _lay(self, row: int, candidates: Rows) -> Placement:
        """Place a row whose vector is stored, by the candidates that are placed."""
        vector = self._grid[row].astype(np.int64)
        dots = self._grid[candidates] @ vector
        linked = dots >= self._link
        links, dots = candidates[linked], dots[linked]
        nearest = int(np.argmax(dots)) if len(links) else None
        means = {c: self._mean(vector, self._sum(c), int(self._sizes[c])) for c in self._clusters_of(links)}
        ranked = sorted(means, key=lambda c: (-means[c], c))
        fitting = [c for c in ranked if self._may_share([c], row)]
        partner = self._placed_partner(row)
        if partner is not None:
            home = self.cluster_of(partner)
        elif fitting and means[fitting[0]] >= self.params.gate:
            home = fitting[0]
        else:
            home = row
        self._enter(row, home)
        refused = next((c for c in ranked if c != home), None)
        merged = self._merge_among(sorted({*means, home}))
        return Placement(
            cluster=self.cluster_of(row),
            nearest_row=None if nearest is None else int(links[nearest]),
            maximum=None if nearest is None else to_cosine(int(dots[nearest]), self._dim),
            mean=means.get(home),
            runner_up_cluster=refused,
            runner_up_mean=None if refused is None else means[refused],
            decided=partner is not None,
            merged=merged,
        )

    def _merge_among(self, clusters: list[int]) -> tuple[tuple[int, int], ...]:
        merged: list[tuple[int, int]] = []
        retired: set[int] = set()
        for position, older in enumerate(clusters):
            for younger in clusters[position + 1 :]:
                if older in retired or younger in retired:
                    continue
                pairs = int(self._sizes[older] * self._sizes[younger])
                mutual = self._mean(self._sum(older), self._sum(younger), pairs)
                if mutual >= self.params.gate and self._may_share([older, younger]):
                    self._merge(younger, older)
                    retired.add(younger)
                    merged.append((younger, older))
        return tuple(merged)

    def _enter(self, row: int, cluster: int) -> None:
        if cluster == row:
            self._founded[row] = True
        else:
            self._sums[cluster] = self._sum(cluster) + self._grid[row]
        self._parent[row] = cluster
        self._sizes[cluster] += 1
        self._note_decided(row)

    def _merge(self, younger: int, older: int) -> None:
        self._sums[older] = self._sum(older) + self._sum(younger)
        self._sums.pop(younger, None)
        self._parent[younger] = older
        self._sizes[older] += self._sizes[younger]
        self._sizes[younger] = 0
        if younger in self._decided:
            self._decided.setdefault(older, set()).update(self._decided.pop(younger))

    def _settle(self, rows: frozenset[int]) -> tuple[int, ...]:
        """Make the clusters of these rows obey the decisions; the rows whose cluster changed."""
        placed = [row for row in rows if self._placed(row)]
        for row in placed:
            self._note_decided(row)
        before = self.labels()
        groups: dict[int, set[int]] = {}
        for row in placed:
            groups.setdefault(min(self._constraints.together(row)), set()).add(self.cluster_of(row))
        for clusters in groups.values():
            present = sorted({self.cluster_of(cluster) for cluster in clusters})
            if not self._may_share(present):
                self._lay_again(np.flatnonzero(np.isin(self.labels(), present)))
            else:
                for younger in present[1:]:
                    self._merge(younger, present[0])
        return tuple(np.flatnonzero(self.labels() != before).tolist())

    def _lay_again(self, members: Rows) -> None:
        for cluster in members:
            self._sums.pop(int(cluster), None)
            self._decided.pop(int(cluster), None)
        self._parent[members] = -1
        self._sizes[members] = 0
        for position, row in enumerate(members.tolist()):
            self._lay(row, members[:position])

    def _halve(self, members: Rows) -> NDArray[np.bool_]:
        """Which members lie nearer to the one least like the rest than to the one least like that."""
        grid = self._grid[members].astype(np.int64)
        farthest = grid[np.argmin(grid @ grid.sum(axis=0))]
        opposite = grid[np.argmin(grid @ farthest)]
        leaving: NDArray[np.bool_] = grid @ farthest > grid @ opposite
        leaving ^= leaving[0]  # the earliest member stays, and with it the id
        for position, row in enumerate(members.tolist()):
            partners = np.isin(members, list(self._constraints.together(row)))
            leaving[position] = leaving[np.argmax(partners)]
        return leaving

    def _clusters_of(self, rows: Rows) -> set[int]:
        return {self.cluster_of(row) for row in np.unique(self._parent[rows]).tolist()}

    def _sum(self, cluster: int) -> NDArray[np.int64]:
        stored = self._sums.get(cluster)
        return self._grid[cluster].astype(np.int64) if stored is None else stored

    def _mean(self, first: NDArray[np.int64], second: NDArray[np.int64], pairs: int) -> float:
        return to_cosine(int(first @ second) / pairs, self._dim)

    def _placed(self, row: int) -> bool:
        return row < self._length and bool(self._parent[row] >= 0)

    def _placed_partner(self, row: int) -> int | None:
        return next((p for p in sorted(self._constraints.together(row)) if self._placed(p)), None)

    def _may_share(self, clusters: list[int], *rows: int) -> bool:
        decided = set(rows).union(*(self._decided.get(cluster, ()) for cluster in clusters))
        return self._constraints.may_meet(decided)

    def _note_decided(self, row: int) -> None:
        if row in self._constraints and self._placed(row):
            self._decided.setdefault(self.cluster_of(row), set()).add(row)

    def _reserve(self, length: int) -> None:
        if length > len(self._parent):
            size = max(1_024, length, 2 * len(self._parent))
            for name in ("_grid", "_parent", "_sizes", "_founded"):
                old = getattr(self, name)
                new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)


def cluster_all(
    vectors: Vectors, params: Params | None = None, must: Pairs = (), cannot: Pairs = ()
) -> Clusters:
    """The clusters of all rows, (n, dim): the same as placing them one by one in order."""
    clusters = Clusters(vectors.shape[1], params, must, cannot)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        stop = start + len(block)
        grid = to_grid(vectors[:stop]).astype(np.float32)
        dots = grid[start:] @ grid.T
        for row in range(start, stop):
            clusters.place(row, vectors[row], np.flatnonzero(dots[row - start, :row] >= clusters._link))
    return clusters
