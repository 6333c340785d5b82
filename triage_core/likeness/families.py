"""Groups of reports from a likeness matrix: average linkage, cut where likeness falls below the axis's threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

THRESHOLDS = {"whole": 0.5, "technique": 0.5, "request": 0.6}


def group(likeness: NDArray[np.float32], axis: str) -> NDArray[np.int64]:
    """(n,) the row of each report's representative: the member most like the others."""
    count = len(likeness)
    if count < 2:
        return np.arange(count)
    distance = np.clip(1 - likeness.astype(np.float64), 0, None)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    labels = fcluster(tree, 1 - THRESHOLDS[axis], "distance")
    roots = np.arange(count)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        inside = likeness[np.ix_(members, members)].sum(axis=1)
        roots[members] = members[int(np.argmax(np.round(inside, 4)))]
    return roots
