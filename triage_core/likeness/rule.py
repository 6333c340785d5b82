"""The gated rule on arrays: how one report joins, opens or merges clusters (cluster.py says it in words).

The same functions run compiled over a million rows and one row at a time. All arithmetic is on integers,
so that the order of arrivals is the only order that matters. Where it would matter much, because a report
links to several clusters or fits into none that it links to, their members are grouped anew as if all had come
at once.

Whatever gives an array to Python, `lay` and `members`, is called by no other compiled function: of a function that is
also part of another one's code, kept on disk by another process, numba may not find how to make the array.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.kernels import COMPILED, compiled
from triage_core.likeness.linkage import join_linked

# A product of two sums stays below 2**63 up to this many pairs of members.
SAFE_PAIRS = 2**38
# Fewer members in all are grouped anew for one row: larger clusters differ little with the order, and cost more.
MOST_REGROUPED = 1_000
NONE_IS_MINUS_ONE = ("parent", "slots", "nearest", "runner_up")


class State(NamedTuple):
    """One entry a row, except `sums` and `free`.

    `parent` leads to the id of the cluster, `after` to the next of its members, all round; `sizes`, `slots` and
    `watched` are those of the cluster with that id. `sums[slots[id]]` is the sum of the members' grid vectors; a
    cluster of one has slot -1.
    `used` holds the number of slots ever taken and of those in `free`. `watched` clusters hold a row that
    a reviewer decided about. The rest is the explanation of a row's placement: `nearest` and `runner_up`
    are -1 where there is none, the cosines then not a number.
    """

    grid: NDArray[np.int16]
    parent: NDArray[np.int64]
    after: NDArray[np.int64]
    sizes: NDArray[np.int64]
    founded: NDArray[np.bool_]
    watched: NDArray[np.bool_]
    slots: NDArray[np.int32]
    sums: NDArray[np.int64]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    nearest: NDArray[np.int64]
    maximum: NDArray[np.float32]
    mean: NDArray[np.float32]
    runner_up: NDArray[np.int64]
    runner_up_mean: NDArray[np.float32]
    decided: NDArray[np.bool_]


def empty(dim: int) -> State:
    """The state before the first row."""
    per_row = {
        "parent": np.int64, "after": np.int64, "sizes": np.int64, "founded": np.bool_, "watched": np.bool_,
        "slots": np.int32, "nearest": np.int64, "maximum": np.float32, "mean": np.float32, "runner_up": np.int64,
        "runner_up_mean": np.float32, "decided": np.bool_,
    }  # fmt: skip
    return State(
        grid=np.empty((0, dim), dtype=np.int16),
        sums=np.empty((0, dim), dtype=np.int64),
        free=np.empty(0, dtype=np.int32),
        used=np.zeros(2, dtype=np.int64),
        **{name: np.empty(0, dtype=kind) for name, kind in per_row.items()},
    )


def reserve(state: State, rows: int, slots: int) -> State:
    """The state with room for this many rows in all and this many slots more; new rows are in no cluster."""
    grown = {}
    needed = int(state.used[0]) + slots
    for name, old in state._asdict().items():
        least = {"used": 0, "sums": needed, "free": needed}.get(name, rows)
        if least > len(old):
            # By half more than is needed, so that one more row seldom copies all; pages cost nothing until used.
            size = max(1_024, least + least // 2)
            new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
            new[: len(old)] = old
            if name in NONE_IS_MINUS_ONE:
                new[len(old) :] = -1
            grown[name] = new
    return state._replace(**grown) if grown else state


def _inner(first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    total = 0
    for k in range(len(first)):
        total += first[k] * second[k]
    return total


def _inner_numpy(first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    return int(first @ second)


inner = compiled(_inner) if COMPILED else _inner_numpy


@compiled
def find(parent: NDArray[np.int64], row: int) -> int:
    """The id of the cluster that holds the row."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@compiled
def total(state: State, cluster: int) -> NDArray[np.int64]:
    """The sum of the members' grid vectors."""
    own: NDArray[np.int64] = state.grid[cluster].astype(np.int64)
    if state.slots[cluster] >= 0:
        own = state.sums[state.slots[cluster]]
    return own


@compiled
def mutual(state: State, first: int, second: int) -> float:
    """The mean grid dot product over all pairs of members of two clusters."""
    pairs = state.sizes[first] * state.sizes[second]
    shift = 0
    while (pairs >> shift) > SAFE_PAIRS:
        shift += 1
    mean: float = inner(total(state, first) >> shift, total(state, second)) / (pairs / 2.0**shift)
    return mean


@compiled
def add_to(state: State, cluster: int, vector: NDArray[np.int64], count: int) -> None:
    """Count the vector, a sum over `count` rows, into the cluster."""
    slot = state.slots[cluster]
    if slot < 0:
        if state.used[1] > 0:
            state.used[1] -= 1
            slot = state.free[state.used[1]]
        else:
            slot = state.used[0]
            state.used[0] += 1
        state.sums[slot] = state.grid[cluster]
        state.slots[cluster] = slot
    state.sums[slot] += vector
    state.sizes[cluster] += count


@compiled
def drop_sum(state: State, cluster: int) -> None:
    """Give the cluster's slot back."""
    if state.slots[cluster] >= 0:
        state.free[state.used[1]] = state.slots[cluster]
        state.used[1] += 1
        state.slots[cluster] = -1


@compiled
def begin(state: State, row: int) -> None:
    """Open a cluster that holds this row alone."""
    state.parent[row] = state.after[row] = row
    state.sizes[row] = 1


@compiled
def merge(state: State, younger: int, older: int) -> None:
    """Move all members of the younger cluster to the older one."""
    add_to(state, older, total(state, younger), state.sizes[younger])
    drop_sum(state, younger)
    state.parent[younger] = older
    state.after[younger], state.after[older] = state.after[older], state.after[younger]
    state.sizes[younger] = 0
    state.watched[older] |= state.watched[younger]
    state.watched[younger] = False


@compiled
def members(state: State, cluster: int) -> NDArray[np.int64]:
    """The rows of a cluster, ascending."""
    return np.sort(_members(state, cluster))


@compiled
def _members(state: State, cluster: int) -> NDArray[np.int64]:
    """The rows of a cluster, in no order."""
    rows = np.empty(state.sizes[cluster], dtype=np.int64)
    row = cluster
    for i in range(len(rows)):
        rows[i] = row
        row = state.after[row]
    return rows


@compiled
def regroup(
    state: State, row: int, linked: NDArray[np.int64], link: float, gate: float, unit: float
) -> NDArray[np.int64]:
    """Group a row and the members of all clusters that it links to anew; gives what moved as `_lay` does."""
    rows = np.array([row])
    for i in range(len(linked)):
        rows = np.concatenate((rows, _members(state, linked[i])))
    rows = np.sort(rows)
    grid = state.grid[rows].astype(np.float32)
    dots = np.dot(grid, grid.T)
    labels = join_linked(dots, link, gate)
    before = np.array([find(state.parent, other) if other != row else row for other in rows])
    for i in range(len(linked)):
        drop_sum(state, linked[i])
        state.sizes[linked[i]] = 0
    count = len(rows)
    moved = np.empty((count, 2), dtype=np.int64)
    found = 0
    for i in range(count):
        home = rows[labels[i]]
        begin(state, rows[i])
        if home == rows[i]:
            state.founded[home] = True
        else:
            merge(state, rows[i], home)
        if home == before[i] and rows[i] != row:
            continue
        if rows[i] != row:
            moved[found] = before[i], home
            found += 1
        sums, sizes = np.zeros(count), np.zeros(count)
        for j in range(count):
            if j != i:
                sums[labels[j]] += dots[i, j]
                sizes[labels[j]] += 1
        means = np.where(sizes > 0, sums / np.maximum(sizes, 1) / unit, -np.inf)
        own = means[labels[i]]
        means[labels[i]] = -np.inf
        second = np.argmax(means)
        none = means[second] == -np.inf
        state.mean[rows[i]] = np.nan if own == -np.inf else min(own, 1.0)
        state.runner_up[rows[i]] = -1 if none else rows[second]
        state.runner_up_mean[rows[i]] = np.nan if none else min(means[second], 1.0)
    state.decided[row] = False
    return moved[:found]


@compiled
def lay(*arguments: Any) -> NDArray[np.int64]:
    """`_lay`, for Python."""
    return _lay(*arguments)


@compiled
def _lay(
    state: State,
    row: int,
    linked: NDArray[np.int64],
    forced: int | np.int64,
    apart: NDArray[np.bool_],
    link: float,
    gate: float,
    unit: float,
) -> NDArray[np.int64]:
    """Place a row by the clusters that it links to, ascending ids.

    Gives between which clusters earlier rows moved, (m, 2): a merged one and the older one that took it in, or,
    once for each row, the one it left and the one it is in now. `forced`, one of `linked` or -1, is the cluster
    that a reviewer chose. apart[i, j] forbids linked clusters i and j to share a cluster; the last row and column
    stand for the row itself; all empty when nothing is forbidden. `link` and `gate` are grid dot products, `unit`
    that of the cosine 1.
    """
    count = len(linked)
    guarded = len(apart) > 0
    vector = state.grid[row].astype(np.int64)
    means = np.empty(count, dtype=np.float64)
    at = -1
    for i in range(count):
        means[i] = inner(total(state, linked[i]), vector) / state.sizes[linked[i]]
        if forced < 0:
            fits = means[i] >= gate and not (guarded and apart[i, count])
            if fits and (at < 0 or means[i] > means[at]):
                at = i
        elif linked[i] == forced:
            at = i
    unclear = count > 1 or (count == 1 and at < 0)
    if unclear and forced < 0 and not guarded and state.sizes[linked].sum() < MOST_REGROUPED:
        return regroup(state, row, linked, link, gate, unit)
    second = -1
    for i in range(count):
        if i != at and (second < 0 or means[i] > means[second]):
            second = i
    state.mean[row] = np.nan if at < 0 else min(means[at] / unit, 1.0)
    state.runner_up[row] = -1 if second < 0 else linked[second]
    state.runner_up_mean[row] = np.nan if second < 0 else min(means[second] / unit, 1.0)
    state.decided[row] = forced >= 0
    if guarded and at >= 0:
        apart[at] |= apart[count]
        apart[:, at] |= apart[:, count]
    # Clusters are weighed against each other without the new row: a bridge is no evidence of its own.
    merged = np.empty((max(count - 1, 0), 2), dtype=np.int64)
    found = 0
    alive = np.ones(count, dtype=np.bool_)
    for i in range(count):
        for j in range(i + 1, count):
            if not alive[i] or not alive[j] or (guarded and apart[i, j]):
                continue
            if mutual(state, linked[i], linked[j]) >= gate:
                merge(state, linked[j], linked[i])
                alive[j] = False
                merged[found, 0] = linked[j]
                merged[found, 1] = linked[i]
                found += 1
                if guarded:
                    apart[i] |= apart[j]
                    apart[:, i] |= apart[:, j]
    begin(state, row)
    if at < 0:
        state.founded[row] = True
    else:
        merge(state, row, find(state.parent, linked[at]))
    return merged[:found]


@compiled
def clusters_of(parent: NDArray[np.int64], rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """The distinct clusters of these rows, ascending."""
    distinct = np.empty(len(rows), dtype=np.int64)
    count = 0
    for i in range(len(rows)):
        cluster = find(parent, rows[i])
        known = False
        for j in range(count):
            if distinct[j] == cluster:
                known = True
                break
        if not known:
            distinct[count] = cluster
            count += 1
    return np.sort(distinct[:count])


@compiled
def lay_rows(
    state: State,
    start: int,
    stop: int,
    offsets: NDArray[np.int64],
    links: NDArray[np.int32],
    link: float,
    gate: float,
    unit: float,
) -> int:
    """Lay rows start .. stop - 1 until one needs a reviewer's decision; gives that row, else `stop`.

    Row start + i links to the rows links[offsets[i] : offsets[i + 1]]. A row that is itself watched or
    links to a watched cluster is left for the caller, and so is one for which slots may run out.
    """
    free = np.empty((0, 0), dtype=np.bool_)
    # As a literal it would be of a type of its own, and `_lay` be compiled for that as well.
    by_nobody = np.int64(-1)
    for row in range(start, stop):
        linked = clusters_of(state.parent, links[offsets[row - start] : offsets[row - start + 1]])
        slots = state.used[0] - state.used[1] + len(linked) + MOST_REGROUPED // 2
        halt = state.watched[row] or slots >= len(state.sums)
        for i in range(len(linked)):
            halt = halt or state.watched[linked[i]]
        if halt:
            return row
        _lay(state, row, linked, by_nobody, free, link, gate, unit)
    return stop
