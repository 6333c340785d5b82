"""Clusters of near-duplicate reports that do not chain, by a rule that can be explained.

In order of arrival a report links to every earlier one at cosine `join` or more. When all that it links to is one
cluster and the mean similarity to it is at least `join - slack`, it joins. Otherwise the members of all clusters
that it links to are grouped anew with it: those with the best mean first, while that is at least
`join - slack` and two of them link; so the order in which they came matters little. Where that would be more
than rule.MOST_REGROUPED, or a reviewer decided about one of them, nobody is moved out of a cluster: the report joins
the one with the best mean, and linked clusters with such a mutual mean, without the new report, are merged.
The older id survives. What reviewers decided wins over every threshold.

A cluster's id is the row of its earliest member. All decisions are made on the integer grid (grid.py), so
the same reports in the same order give the same clusters, in bulk or one at a time, on any machine. (Bulk
runs beyond join.EXACT_ROWS rows may miss a link in a thousand.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness import rule
from triage_core.likeness.constraints import Constraints
from triage_core.likeness.grid import least_dot, margin, scale, to_cosine, to_grid
from triage_core.likeness.join import Links, links
from triage_core.likeness.splits import SplitSuggestion, suggest_splits

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Pairs = Iterable[tuple[int, int]]

APPENDED_AT_ONCE = 65_536


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

    def __post_init__(self) -> None:
        if not 0 < self.suggest <= self.join <= 1 or not 0 <= self.slack < self.join:
            raise ValueError("params: 0 < suggest <= join <= 1 and 0 <= slack < join")

    def search_floor(self, dim: int) -> float:
        """The cosine from which a search finds every row that may link, for `Clusters.place`."""
        return self.join - margin(dim)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a report went, and why. Cosines; None where nothing was linked.

    `cluster` holds the report now. `mean` is to the cluster that it joined, before it came in; None when it
    opened one. `runner_up_*` is the best linked cluster that it did not join. `decided` is true when a
    reviewer's must-link chose the cluster. `moved` lists the clusters, (from, to), between which earlier rows
    moved because of it; one that stands no more has gone into the other.
    """

    cluster: int
    nearest_row: int | None
    maximum: float | None
    mean: float | None
    runner_up_cluster: int | None
    runner_up_mean: float | None
    decided: bool
    moved: tuple[tuple[int, int], ...] = ()


class Source(Protocol):
    """Vectors, (n, dim), of which a few rows at a time are asked for: an array, or what makes them when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Vectors: ...


class Reasons(NamedTuple):
    """Why rows were placed as they were, (n,) each, as in Placement: -1 or not a number where there is nothing."""

    nearest: Rows
    maximum: Vectors
    mean: Vectors
    runner_up: Rows
    runner_up_mean: Vectors


class Clusters:
    """The clusters of rows 0 .. len - 1; one writer at a time."""

    def __init__(self, dim: int, params: Params | None = None, must: Pairs = (), cannot: Pairs = ()) -> None:
        self.params = params or Params()
        self._dim = dim
        self._constraints = Constraints(must, cannot)
        self._link = least_dot(self.params.join, dim)
        self._unit = float(scale(dim) ** 2)
        self._gate = self.params.gate * self._unit
        self._length = 0
        self._state = rule.empty(dim)

    @classmethod
    def restore(
        cls,
        labels: Rows,
        vectors: Source,
        aliases: Iterable[int] = (),
        params: Params | None = None,
        must: Pairs = (),
        cannot: Pairs = (),
    ) -> Clusters:
        """Clusters as they were stored: `labels()`, the rows' vectors, the retired ids and the decisions.

        Explanations of placements are not restored: they are the store's. Raises ValueError for labels that
        are not the rows of earliest members.
        """
        clusters = cls(vectors.shape[1], params, must, cannot)
        length = len(labels)
        clusters._append(vectors)
        state = clusters._state
        order = np.argsort(labels, kind="stable")
        ids, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
        if not np.array_equal(ids, order[starts]):
            raise ValueError("labels: every cluster is named after its earliest row")
        state.parent[:length] = labels
        state.after[order] = np.roll(order, -1)
        state.after[order[starts + sizes - 1]] = order[starts]
        state.founded[ids] = True
        state.founded[list(aliases)] = True
        state.sizes[ids] = sizes
        state.mean[:length] = state.runner_up_mean[:length] = np.nan
        grouped = np.flatnonzero(sizes > 1)
        clusters._state = state = rule.reserve(state, length, len(grouped))
        state.slots[ids[grouped]] = np.arange(len(grouped))
        state.used[0] = len(grouped)
        for slot, number in enumerate(grouped.tolist()):
            members = order[starts[number] : starts[number] + sizes[number]]
            state.sums[slot] = state.grid[members].sum(axis=0, dtype=np.int64)
        clusters._watch(clusters._constraints.rows())
        return clusters

    def __len__(self) -> int:
        return self._length

    def place(self, row: int, vector: Vectors, candidates: Iterable[int] = ()) -> Placement:
        """Give the next row its cluster.

        `row` is len(self). `candidates` are earlier rows among which all links are: every row that
        `VectorIndex.above(vector, params.search_floor(dim))` finds; others do no harm, since the cosines
        are computed again on the grid and the row itself is left out. Raises ValueError for a row out of turn.
        """
        if row != self._length:
            raise ValueError(f"row: the next row is {self._length}, not {row}")
        self._append(vector[None])
        rows = np.unique(np.fromiter(candidates, dtype=np.int64))
        return self._lay(row, rows[rows < row])

    def placement(self, row: int) -> Placement:
        """Where the row is and why it was placed as it was; for rows placed since the start or restore."""
        state = self._state
        nearest, runner_up = int(state.nearest[row]), int(state.runner_up[row])
        return Placement(
            cluster=self.cluster_of(row),
            nearest_row=None if nearest < 0 else nearest,
            maximum=None if nearest < 0 else float(state.maximum[row]),
            mean=None if np.isnan(state.mean[row]) else float(state.mean[row]),
            runner_up_cluster=None if runner_up < 0 else runner_up,
            runner_up_mean=None if runner_up < 0 else float(state.runner_up_mean[row]),
            decided=bool(state.decided[row]),
        )

    def reasons(self, rows: Rows) -> Reasons:
        """`placement` of many rows at once."""
        state = self._state
        return Reasons(
            state.nearest[rows],
            np.where(state.nearest[rows] < 0, np.float32(np.nan), state.maximum[rows]),
            state.mean[rows],
            state.runner_up[rows],
            state.runner_up_mean[rows],
        )

    def size(self, cluster: int) -> int:
        """How many rows a cluster holds."""
        return int(self._state.sizes[cluster])

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
        if not 0 <= row < self._length:
            raise ValueError(f"row: {row} is not one of the {self._length} rows")
        return int(rule.find(self._state.parent, row))

    def labels(self) -> Rows:
        """The cluster id of every row, (n,)."""
        return self._roots(np.arange(self._length))

    def aliases(self) -> dict[int, int]:
        """Every id that was given once and stands no more, with the cluster that now holds it."""
        labels = self.labels()
        retired = np.flatnonzero(self._state.founded[: self._length] & (labels != np.arange(self._length)))
        return dict(zip(retired.tolist(), labels[retired].tolist(), strict=True))

    def members(self, cluster: int) -> Rows:
        """The rows of a cluster, ascending; none of one that stands no more."""
        return rule.members(self._state, cluster)

    def together(self, rows: Rows) -> list[tuple[int, int]]:
        """The places in `rows`, ascending, of pairs that reviewers put together."""
        place = {row: at for at, row in enumerate(rows.tolist()) if row in self._constraints}
        first = {row: min(self._constraints.together(row) & place.keys()) for row in place}
        return [(place[one], place[row]) for row, one in first.items() if one != row]

    def suggest_splits(self, labels: Rows | None = None) -> list[SplitSuggestion]:
        """Clusters, or what `labels` parts them into, that fall into two groups which the rule would not merge."""
        found = self.labels() if labels is None else labels
        return suggest_splits(self._state.grid, found, self.params.gate, self._constraints)

    def _append(self, vectors: Source) -> None:
        start, stop = self._length, self._length + len(vectors)
        self._state = rule.reserve(self._state, stop, 0)
        for first in range(0, len(vectors), APPENDED_AT_ONCE):
            part = to_grid(vectors[first : first + APPENDED_AT_ONCE])
            self._state.grid[start + first : start + first + len(part)] = part
        self._length = stop
        self._watch(self._constraints.rows().intersection(range(start, stop)))

    def _lay(self, row: int, candidates: Rows) -> Placement:
        """Place a stored row by those of the candidates, all placed, that it links to."""
        dots = self._state.grid[candidates] @ self._state.grid[row].astype(np.int64)
        linked = dots >= self._link
        if linked.any():
            best = int(np.argmax(dots))
            self._state.nearest[row] = candidates[best]
            self._state.maximum[row] = to_cosine(int(dots[best]), self._dim)
        return self._lay_linked(row, candidates[linked])

    def _lay_linked(self, row: int, rows: Rows) -> Placement:
        linked: Rows = np.unique(self._roots(rows))
        partners = [partner for partner in self._constraints.together(row) if self._placed(partner)]
        forced = self.cluster_of(partners[0]) if partners else -1
        if partners:
            linked = np.union1d(linked, [forced])
        self._state = rule.reserve(self._state, self._length, len(linked) + rule.MOST_REGROUPED)
        apart = self._apart(linked, row)
        moved = rule.lay(self._state, row, linked, forced, apart, float(self._link), self._gate, self._unit)
        self._watch({row} & self._constraints.rows())
        pairs = dict.fromkeys((int(left), int(entered)) for left, entered in moved)
        return replace(self.placement(row), moved=tuple(pairs))

    def _lay_block(self, block: Links) -> None:
        self._state = rule.reserve(self._state, self._length, block.stop - block.start + rule.MOST_REGROUPED)
        self._state.nearest[block.start : block.stop] = block.nearest
        cosines = np.minimum(block.largest / self._unit, 1)
        self._state.maximum[block.start : block.stop] = cosines
        row = block.start
        while row < block.stop:
            offsets = block.offsets[row - block.start :]
            row = rule.lay_rows(
                self._state, row, block.stop, offsets, block.others, float(self._link), self._gate, self._unit
            )
            if row < block.stop:
                self._lay_linked(row, block.linked(row - block.start))
                row += 1

    def _apart(self, linked: Rows, row: int) -> NDArray[np.bool_]:
        """Which of the linked clusters, and last the row itself, may not share a cluster; empty for none."""
        if not (self._state.watched[linked].any() or row in self._constraints):
            return np.zeros((0, 0), dtype=np.bool_)
        placed = [other for other in self._constraints.rows() if self._placed(other)]
        decided = np.array(placed, dtype=np.int64)
        roots = self._roots(decided)
        groups = [decided[roots == cluster].tolist() for cluster in linked.tolist()] + [[row]]
        apart = np.zeros((len(groups), len(groups)), dtype=np.bool_)
        for i, group in enumerate(groups):
            for j in range(i):
                apart[i, j] = apart[j, i] = not self._constraints.may_meet(group + groups[j])
        return apart

    def _settle(self, rows: frozenset[int]) -> tuple[int, ...]:
        """Make the clusters of these rows obey the decisions; the rows whose cluster changed."""
        placed = [row for row in rows if self._placed(row)]
        self._watch(placed)
        before = self.labels()
        for row in placed:
            partners = self._constraints.together(row).intersection(placed)
            present = sorted({self.cluster_of(partner) for partner in partners})
            members = np.flatnonzero(np.isin(self.labels(), present))
            if not self._constraints.may_meet(members.tolist()):
                self._lay_again(members)
            else:
                self._state = rule.reserve(self._state, self._length, 1)
                for younger in present[1:]:
                    rule.merge(self._state, younger, present[0])
        return tuple(np.flatnonzero(self.labels() != before).tolist())

    def _lay_again(self, members: Rows) -> None:
        state = self._state
        for row in members.tolist():
            rule.drop_sum(state, row)
        state.sizes[members] = 0
        state.watched[members] = False
        state.parent[members] = state.nearest[members] = -1
        state.after[members] = members
        for block in links(
            state.grid[members], self._link, lambda: np.searchsorted(members, self._kept(members))
        ):
            for position in range(block.start, block.stop):
                number = position - block.start
                if block.nearest[number] >= 0:
                    state.nearest[members[position]] = members[block.nearest[number]]
                    state.maximum[members[position]] = to_cosine(float(block.largest[number]), self._dim)
                self._lay_linked(int(members[position]), members[block.linked(number)])

    def _roots(self, rows: Rows) -> Rows:
        """The clusters of these rows; -1 for one that is not placed yet."""
        parent = self._state.parent
        roots = parent[rows]
        placed = roots >= 0
        while not np.array_equal(upper := np.where(placed, parent[roots], -1), roots):
            roots = upper
        return roots

    def _kept(self, rows: Rows) -> Rows:
        """What links to these placed rows lead to, whoever else is placed: their cluster once nobody leaves it."""
        large = self._state.sizes[roots := self._roots(rows)] >= rule.MOST_REGROUPED
        return np.where(large, roots, rows)

    def _placed(self, row: int) -> bool:
        return row < self._length and bool(self._state.parent[row] >= 0)

    def _watch(self, rows: Iterable[int]) -> None:
        """Note that these rows, of which a reviewer said something, and their clusters need a closer look."""
        for row in rows:
            if row < self._length:
                self._state.watched[row] = True
                if self._placed(row):
                    self._state.watched[self.cluster_of(row)] = True


def cluster_all(
    vectors: Source, params: Params | None = None, must: Pairs = (), cannot: Pairs = ()
) -> Clusters:
    """The clusters of all rows, (n, dim): the same as placing them one by one in order."""
    clusters = Clusters(vectors.shape[1], params, must, cannot)
    clusters._append(vectors)
    every = np.arange(len(vectors))
    for block in links(clusters._state.grid[: len(vectors)], clusters._link, lambda: clusters._kept(every)):
        clusters._lay_block(block)
    return clusters
