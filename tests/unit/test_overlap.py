"""What reports share, counted once for every pair: the same as counting anew, whatever came, went or changed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage_core.likeness.lexical import Bag, gram_set
from triage_core.likeness.overlap import Overlap, of_bags, of_vectors

grams = st.lists(st.integers(0, 12), max_size=10).map(lambda row: gram_set(np.array(row, dtype=np.uint64)))


def expected(bags: list[Bag]) -> np.ndarray:
    sets = [set(item.columns.tolist()) for item in bags]
    return np.array([[len(a & b) / max(1, len(a) * len(b)) ** 0.5 for a in sets] for b in sets])


@given(st.lists(st.lists(st.tuples(st.integers(0, 6), grams), max_size=4), min_size=1, max_size=5))
def test_what_is_kept_is_what_would_be_counted(rounds: list[list[tuple[int, Bag]]]) -> None:
    overlap, bags = Overlap(of_bags), list[Bag]()
    seen: list[Bag] = []
    for changes in rounds:
        for place, item in changes:
            if place < len(bags) and place % 2:
                bags[place] = item
            else:
                bags.insert(place, item)
        before, before_bags = overlap, seen
        overlap = before.grown()
        found = overlap.among(bags)
        assert np.array_equal(found, Overlap(of_bags).among(bags))
        assert np.array_equal(found, found.T)
        kept = before.among(before_bags)
        assert np.array_equal(kept, Overlap(of_bags).among(before_bags)), "who reads the earlier one reads on"
        if bags:
            assert np.allclose(found, np.maximum(expected(bags), np.eye(len(bags))), atol=1e-6)
        seen = list(bags)
    bags.reverse()
    assert np.array_equal(overlap.among(bags), Overlap(of_bags).among(bags))
    del bags[1:2]
    assert np.array_equal(overlap.among(bags), Overlap(of_bags).among(bags))


def test_meanings_are_compared_exactly_whatever_stands_beside_them() -> None:
    draw = np.random.default_rng(7)
    vectors = list(draw.normal(size=(70, 24)).astype(np.float32))
    vectors = [row / np.linalg.norm(row) for row in vectors]
    overlap = Overlap(of_vectors)
    overlap.among(vectors[:50])
    few, changed = overlap.grown(), overlap.grown()
    found = few.among(vectors)
    assert few.changed.tolist() == list(range(50, 70))
    assert np.array_equal(found, Overlap(of_vectors).among(vectors))
    assert np.allclose(found, np.stack(vectors) @ np.stack(vectors).T, atol=2e-3)
    others = [*vectors[:50], vectors[0] * -1]
    assert np.array_equal(changed.among(others), Overlap(of_vectors).among(others)), "two may grow from one"
    assert np.array_equal(few.among(vectors), found)
