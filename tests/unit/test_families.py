"""Groups from the likeness of every pair, and what people decided about pairs."""

from __future__ import annotations

import numpy as np
import pytest

from triage_core.likeness.families import group

TWO_GROUPS = np.full((6, 6), 0.1, np.float32)
TWO_GROUPS[:3, :3] = TWO_GROUPS[3:, 3:] = 0.9


def sets(roots: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(roots == root).tolist()) for root in roots}


def test_alike_reports_share_a_group() -> None:
    assert sets(group(TWO_GROUPS)) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    assert group(np.zeros((0, 0), np.float32)).tolist() == []
    assert group(np.ones((1, 1), np.float32)).tolist() == [0]


def test_a_link_brings_both_groups_whole() -> None:
    """Nobody loses its family because one member of it was found to equal a stranger."""
    assert sets(group(TWO_GROUPS, together=[(0, 3)])) == {frozenset(range(6))}


def test_a_pair_kept_apart_parts_what_a_link_would_bind() -> None:
    found = sets(group(TWO_GROUPS, together=[(0, 3)], apart=[(1, 4)]))
    assert any({0, 3} <= members for members in found)
    assert not any({1, 4} <= members for members in found)


def test_near_copies_are_parted_when_nearly_all_carry_a_tool() -> None:
    near = np.full((7, 7), 0.8, np.float32)
    near[:3, :3] = near[3:6, 3:6] = 0.99
    near[6, 3:6] = near[3:6, 6] = 0.85
    tools = np.array([4, 4, 4, 9, 9, 9, -1])
    assert sets(group(near)) == {frozenset(range(7))}
    assert sets(group(near, tools=tools)) == {frozenset({0, 1, 2}), frozenset({3, 4, 5, 6})}
    assert sets(group(near, [(0, 3)], tools=tools)) == {frozenset(range(7))}
    few = np.array([4, 4, -1, 9, 9, -1, -1])
    assert sets(group(near, tools=few)) == {frozenset(range(7))}, "edited copies are one family"
    assert sets(group(near, tools=np.full(7, -1))) == {frozenset(range(7))}


def test_what_is_repeated_word_for_word_is_told_apart_from_another_thing_that_is() -> None:
    near = np.full((7, 7), 0.7, np.float32)
    near[:3, :3] = near[3:5, 3:5] = 0.995
    near[5, 3:5] = near[3:5, 5] = 0.85
    assert sets(group(near)) == {frozenset(range(7))}
    repeats = {frozenset({0, 1, 2, 6}), frozenset({3, 4, 5})}
    near[6, :3] = near[:3, 6] = 0.75
    assert sets(group(near, verbatim=True)) == repeats, "what is said once goes with the likest"
    assert sets(group(near, [(0, 3)], verbatim=True)) == {frozenset(range(7))}
    near[:3, 3:5] = near[3:5, :3] = 0.95
    assert sets(group(near, verbatim=True)) == {frozenset(range(7))}, "one thing in two wordings"
    once = np.full((5, 5), 0.7, np.float32)
    once[:3, :3] = 0.995
    assert sets(group(once, verbatim=True)) == {frozenset(range(5))}, "one repeat parts nothing"
    chance = np.full((9, 9), 0.7, np.float32)
    chance[:2, :2] = chance[2:4, 2:4] = 0.995
    assert sets(group(chance, verbatim=True)) == {frozenset(range(9))}, "most is said once"


@pytest.mark.parametrize("seed", range(20))
def test_decisions_hold_whatever_the_likeness(seed: int) -> None:
    rng = np.random.default_rng(seed)
    likeness = rng.random((12, 12), dtype=np.float32)
    likeness = np.maximum(likeness, likeness.T)
    side = rng.integers(0, 3, 12)
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, 12, (10, 2)) if a != b]
    together = [(a, b) for a, b in pairs if side[a] == side[b]]
    apart = [(a, b) for a, b in pairs if side[a] != side[b]]
    roots = group(likeness, together, apart)
    assert all(roots[a] == roots[b] for a, b in together)
    assert all(roots[a] != roots[b] for a, b in apart)
