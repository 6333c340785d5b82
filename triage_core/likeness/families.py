"""Groups of reports from the probabilities of every pair: average linkage while the mean is at least one half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

LEAST_MEAN = 0.5

# No two reports are closer than this unless people said so: what they put together is merged first.
_NEAREST = 1e-6
# Outweighs every mean over the pairs of two groups: one pair kept apart keeps its groups apart.
_FARTHEST = 1e9

Pairs = Sequence[tuple[int, int]]


def group(likeness: NDArray[np.float32], together: Pairs = (), apart: Pairs = ()) -> NDArray[np.int64]:
    """(n,) the row of each report's representative: the member most like the others.

    Pairs of rows in `together` share a group and pairs in `apart` never do.
    """
    count = len(likeness)
    if count < 2:
        return np.arange(count)
    distance = np.clip(1 - likeness.astype(np.float64), _NEAREST, None)
    for one, other in apart:
        distance[[one, other], [other, one]] = _FARTHEST
    for rows in _decided_groups(count, together):
        distance[np.ix_(rows, rows)] = 0
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    labels = fcluster(tree, 1 - LEAST_MEAN, "distance")
    roots = np.arange(count)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        inside = likeness[np.ix_(members, members)].sum(axis=1)
        roots[members] = members[int(np.argmax(np.round(inside, 4)))]
    return roots


def _decided_groups(count: int, together: Pairs) -> list[NDArray[np.int64]]:
    """The rows that people put together, directly or through others."""
    if not together:
        return []
    one, other = np.array(together).T
    graph = csr_matrix((np.ones(len(together)), (one, other)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return [np.flatnonzero(labels == label) for label in np.unique(labels[one])]
