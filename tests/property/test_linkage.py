"""Average linkage among rows of which two must link: by the rule's words, joined anew at every step."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage_core.likeness.linkage import join_linked


def by_its_words(dots: NDArray[np.float32], link: float, gate: float) -> list[int]:
    groups = {row: [row] for row in range(len(dots))}
    while True:
        best, pair = gate, None
        for one, other in itertools.combinations(groups, 2):
            pairs = dots[np.ix_(groups[one], groups[other])].astype(np.float64)
            mean = pairs.sum() / pairs.size
            if pairs.max() >= link and (mean > best or (mean == best and pair is None)):
                best, pair = mean, (one, other)
        if pair is None:
            return [next(name for name, rows in groups.items() if row in rows) for row in range(len(dots))]
        groups[pair[0]] += groups.pop(pair[1])


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 24),
    places=st.integers(1, 5),
    link=st.integers(0, 8),
    slack=st.integers(0, 6),
)
def test_the_best_mean_comes_first_and_the_first_of_equals(
    seed: int, rows: int, places: int, link: int, slack: int
) -> None:
    # Small whole numbers: many are equal, and no sum is rounded.
    vectors = np.random.default_rng(seed).integers(-3, 4, (rows, places)).astype(np.float32)
    dots = vectors @ vectors.T
    gate = link - slack
    # As the product asks: for whole numbers the loops would be compiled once more.
    assert join_linked(dots, float(link), float(gate)).tolist() == by_its_words(dots, link, gate)
