"""The audit of clusters, from the likeness of every pair: which cluster holds two groups."""

from __future__ import annotations

import numpy as np
import pytest

from triage_core.likeness.constraints import Constraints
from triage_core.likeness.splits import suggest_splits_of_pairs

GATE, GAP = 0.5, 0.25


def likeness(groups: list[int], inside: float, between: float) -> np.ndarray:
    """Pairs of one group are `inside` alike, of two groups `between`."""
    names = np.array(groups)
    return np.where(names[:, None] == names[None, :], inside, between).astype(np.float32)


def together(count: int) -> np.ndarray:
    return np.zeros(count, dtype=np.int64)


def test_two_groups_that_are_unlike_are_told_apart() -> None:
    scores = likeness([0, 1, 0, 1, 1], 0.9, 0.3)
    (found,) = suggest_splits_of_pairs(scores, together(5), GATE, GAP, Constraints())
    assert (found.staying, found.leaving) == ((0, 2), (1, 3, 4))
    assert found.mutual_mean == pytest.approx(0.3)
    assert found.inside_mean == pytest.approx(0.9)
    assert found.typical[0] in found.staying
    assert found.typical[1] in found.leaving


def test_near_copies_are_told_by_the_gap_between_inside_and_outside() -> None:
    near = likeness([0, 0, 0, 1, 1], 0.99, 0.7)
    assert len(suggest_splits_of_pairs(near, together(5), GATE, GAP, Constraints())) == 1
    assert suggest_splits_of_pairs(near, together(5), GATE, 0.3, Constraints()) == []
    alone = likeness([0, 0, 0, 1], 0.99, 0.7)
    assert suggest_splits_of_pairs(alone, together(4), GATE, GAP, Constraints()) == []


def test_what_people_put_together_is_not_torn() -> None:
    scores = likeness([0, 1, 0, 1, 1], 0.9, 0.1)
    (found,) = suggest_splits_of_pairs(scores, together(5), GATE, GAP, Constraints(must=[(0, 1)]))
    assert {0, 1} <= set(found.staying)
    everything = Constraints(must=[(0, 1), (1, 2), (2, 3), (3, 4)])
    assert suggest_splits_of_pairs(scores, together(5), GATE, GAP, everything) == []


def test_each_cluster_is_looked_at_by_itself() -> None:
    scores = likeness([0, 0, 0, 1, 1, 1], 0.9, 0.1)
    labels = np.array([0, 0, 0, 3, 3, 3])
    assert suggest_splits_of_pairs(scores, labels, GATE, GAP, Constraints()) == []
    labels = np.array([0, 0, 0, 0, 4, 4])
    (found,) = suggest_splits_of_pairs(scores, labels, GATE, GAP, Constraints())
    assert (found.cluster, found.leaving) == (0, (3,))
