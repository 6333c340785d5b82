"""Groups of reports from the probabilities of every pair: average linkage while the mean is at least one half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from triage_core.likeness.linkage import join

LEAST_MEAN = 0.5

# Outweighs every sum over the pairs of two groups: one pair kept apart keeps its groups apart.
_APART = -1e9
# Edited copies that people pass on are one family: only what nearly consists of tools is parted by them.
_CARRIED = 0.75
# Repeated almost word for word from this likeness on; two such things are one from this mean on.
_REPEATED, _ONE_THING = 0.99, 0.9

_AT_ONCE = 64

Labels = NDArray[np.int64]
Pairs = Sequence[tuple[int, int]]


def group(
    likeness: NDArray[np.float32],
    together: Pairs = (),
    apart: Pairs = (),
    tools: Labels | None = None,
    verbatim: bool = False,
) -> Labels:
    """(n,) the row of each report's representative: the member most like the others.

    Pairs of rows in `together` share a group and pairs in `apart` never do. Two groups that people bind
    become one, as they stand; only where that would bind a pair kept apart are their members laid anew.
    `tools` (see evidence.Likeness) tells near-copies apart: a group that is made of several is parted. With
    `verbatim` a group is parted into what is repeated in it almost word for word, where that is several things.
    """
    count = len(likeness)
    labels = _average(likeness, (), apart)
    if tools is not None:
        labels = _by_tool(labels, tools, likeness)
    if verbatim:
        labels = _by_repeats(labels, likeness)
    labels = bound(labels, together)
    for one, other in apart:
        if labels[one] == labels[other]:
            rows = np.flatnonzero(labels == labels[one])
            laid = _average(likeness[np.ix_(rows, rows)], _within(rows, together), _within(rows, apart))
            labels[rows] = labels.max() + 1 + laid
    roots = np.arange(count)
    for members in several(labels):
        inside = likeness[np.ix_(members, members)].sum(axis=1)
        roots[members] = members[int(np.argmax(np.round(inside, 4)))]
    return roots


def _average(
    likeness: NDArray[np.float32], together: Pairs, apart: Pairs, least: float = LEAST_MEAN
) -> Labels:
    """(n,) groups by average linkage while the mean is at least `least`, those of `together` begun first."""
    labels = np.arange(len(likeness))
    begun = bound(labels, together)
    alike = np.zeros(len(likeness), np.bool_)
    for start in range(0, len(likeness), _AT_ONCE):
        near = likeness[start : start + _AT_ONCE] >= least
        np.fill_diagonal(near[:, start:], val=False)
        alike[start : start + _AT_ONCE] = near.any(axis=1)
    if together:
        alike |= np.isin(labels, np.array(together))
    rows = np.flatnonzero(alike)  # nobody else is in a group
    if not len(rows):
        return labels
    sums, sizes = _among(likeness, rows), np.ones(len(rows), np.float32)
    for one, other in _within(rows, apart):
        sums[[one, other], [other, one]] = _APART
    for group in several(begun[rows]):
        sums[group[0]] = sums[group].sum(axis=0)
        sums[:, group[0]] = sums[:, group].sum(axis=1)
        sizes[group[0]], sizes[group[1:]] = len(group), 0
    first = join(sums, sizes, least)
    for group in several(begun[rows]):
        first[group] = first[group[0]]
    labels[rows] = rows[first]
    return labels


def _among(likeness: NDArray[np.float32], rows: Labels) -> NDArray[np.float32]:
    """(r, r) the likeness of these rows: of many, in a fraction of the time of np.ix_."""
    found = np.empty((len(rows), len(rows)), np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        np.take(likeness[rows[here]], rows, axis=1, out=found[here], mode="clip")
    return found


def several(labels: Labels) -> list[Labels]:
    """The rows, ascending, of every label that several rows have, in the order of the labels."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]


def _by_tool(labels: Labels, tools: Labels, likeness: NDArray[np.float32]) -> Labels:
    """Groups parted into tools."""
    parted = labels.copy()
    for label in np.unique(labels[tools >= 0]):
        rows = np.flatnonzero(labels == label)
        parted[rows] = parted.max() + 1 + into_tools(tools[rows], likeness[np.ix_(rows, rows)])
    return parted


def into_tools(tools: Labels, likeness: NDArray[np.float32]) -> Labels:
    """(n,) the parts of a group whose members carry these tools (-1: none); members of none go with the likest.

    All in part 0 unless nearly all of them carry one.
    """
    if (tools >= 0).mean() < _CARRIED:
        return np.zeros(len(tools), dtype=np.int64)
    return _parted(tools, likeness)


def _by_repeats(labels: Labels, likeness: NDArray[np.float32]) -> Labels:
    """Groups of what is mostly repeated parted into what their members say almost word for word.

    Who says something anew says it in other words each time: two things that are both repeated are two. Where most is
    said but once, as by people who ask plain questions, a few that chanced upon the same words part nothing.
    """
    parted = labels.copy()
    for rows in several(labels):
        inside = likeness[np.ix_(rows, rows)]
        twins = inside >= _REPEATED
        np.fill_diagonal(twins, False)
        repeated = np.flatnonzero(twins.any(axis=1))
        if 2 * len(repeated) < len(rows):
            continue
        kinds = np.full(len(rows), -1)
        kinds[repeated] = _average(inside[np.ix_(repeated, repeated)], (), (), _ONE_THING)
        parted[rows] = parted.max() + 1 + _parted(kinds, inside)
    return parted


def _parted(kinds: Labels, likeness: NDArray[np.float32]) -> Labels:
    """(n,) the number of each member's kind; one of none (-1) gets the kind whose members are most like it."""
    known = np.unique(kinds[kinds >= 0])
    if len(known) < 2:
        return np.zeros(len(kinds), dtype=np.int64)
    nearest = np.stack([likeness[:, kinds == kind].mean(axis=1) for kind in known])
    return np.where(kinds >= 0, np.searchsorted(known, kinds), nearest.argmax(axis=0))


def bound(labels: Labels, together: Pairs) -> Labels:
    """The groups in which the two of each pair share one, directly or through others."""
    if not together:
        return labels
    one, other = labels[np.array(together).T]
    size = int(labels.max()) + 1
    graph = csr_matrix((np.ones(len(together)), (one, other)), shape=(size, size))
    _, components = connected_components(graph, directed=False)
    return np.asarray(components[labels], dtype=np.int64)


def _within(rows: Labels, pairs: Pairs) -> Pairs:
    """The pairs whose rows are both among `rows`, as positions in it."""
    place = {row: at for at, row in enumerate(rows.tolist())}
    return [(place[one], place[other]) for one, other in pairs if one in place and other in place]
