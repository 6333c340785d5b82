"""What reports share, counted once for every pair: the same as counting anew, whatever came, went or changed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage_core.likeness.lexical import Bag, bag
from triage_core.likeness.overlap import Overlap

grams = st.lists(st.integers(0, 12), max_size=10).map(lambda row: bag(np.array(row, dtype=np.uint64)))


def expected(bags: list[Bag]) -> np.ndarray:
    sets = [set(item.columns.tolist()) for item in bags]
    return np.array([[len(a & b) / max(1, len(a) * len(b)) ** 0.5 for a in sets] for b in sets])


@given(st.lists(st.lists(st.tuples(st.integers(0, 6), grams), max_size=4), min_size=1, max_size=5))
def test_what_is_kept_is_what_would_be_counted(rounds: list[list[tuple[int, Bag]]]) -> None:
    overlap, bags = Overlap(), list[Bag]()
    for changes in rounds:
        for place, item in changes:
            if place < len(bags) and place % 2:
                bags[place] = item
            else:
                bags.insert(place, item)
        before = overlap
        overlap = before.grown()
        found = overlap.cosines(bags)
        assert np.array_equal(found, Overlap().cosines(bags))
        assert np.array_equal(found, found.T)
        if bags:
            assert np.allclose(found, expected(bags), atol=1e-6)
    bags.reverse()
    assert np.array_equal(overlap.cosines(bags), Overlap().cosines(bags))
    del bags[1:2]
    assert np.array_equal(overlap.cosines(bags), Overlap().cosines(bags))
