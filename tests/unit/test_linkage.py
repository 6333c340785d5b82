"""Average linkage down to a least mean: the groups that a whole tree, cut there, gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from triage_core.likeness import linkage as ours


def sets(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in labels}


@pytest.mark.parametrize("seed", range(6))
def test_groups_are_those_of_the_whole_tree(seed: int) -> None:
    draw = np.random.default_rng(seed)
    points = draw.normal(size=(60, 4)) + 3 * draw.integers(0, 2, (60, 4))
    likeness = np.exp(-np.linalg.norm(points[:, None] - points[None], axis=2) / 4).astype(np.float32)
    tree = linkage(squareform(1 - likeness.astype(np.float64), checks=False), "average")
    found = ours.join(likeness.copy(), np.ones(60, np.float32), 0.5)
    assert sets(found) == sets(fcluster(tree, 0.5, "distance"))
    assert all(label == min(np.flatnonzero(found == label)) for label in found)


def test_what_is_joined_beforehand_counts_as_many_and_a_size_of_zero_is_left_out() -> None:
    # One of three is like the fourth: their mean is not enough.
    sums = np.array([[0, 0, 0, 1.0], [0, 0, 0, 0], [0, 0, 0, 0], [1.0, 0, 0, 0]], np.float32)
    assert ours.join(sums.copy(), np.array([3, 0, 0, 1], np.float32), 0.5).tolist() == [0, 1, 2, 3]
    assert ours.join(sums.copy(), np.array([2, 0, 0, 1], np.float32), 0.5).tolist() == [0, 1, 2, 0]


def test_both_ways_to_find_the_likest_agree() -> None:
    draw = np.random.default_rng(1)
    sums = draw.integers(0, 4, (9, 9)).astype(np.float32)
    share = np.array([1, 0, 0.5, 1, 0.25, 1, 0, 1, 1], np.float32)
    for own in np.flatnonzero(share):
        assert ours.likest(sums, share, own) == ours._likest_numpy(sums, share, own)
