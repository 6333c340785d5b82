"""Likeness from what is known of reports: who speaks for whom in small sets."""

from __future__ import annotations

import numpy as np

from triage_core.likeness import evidence, lexical
from triage_core.likeness.overlap import of_bags

GROUPS, EACH = 5, 3


def test_a_small_family_is_not_outvoted_in_a_small_set() -> None:
    group = np.repeat(np.arange(GROUPS), EACH)
    # Requests of one group are the same; others have half of their words and of their meaning in common.
    grams = (np.array([1, 100 + number], dtype=np.uint64) for number in group)
    words = of_bags([lexical.gram_set(row) for row in grams], np.arange(len(group)))
    vectors = np.zeros((len(group), GROUPS + 1), np.float32)
    vectors[:, 0] = np.sqrt(0.6)
    vectors[np.arange(len(group)), 1 + group] = np.sqrt(0.4)
    asked, none = evidence.wording(words, vectors @ vectors.T), np.zeros(len(group), np.float32)
    wrappers = np.eye(len(group), dtype=np.float32)
    parts = evidence.Parts(wrappers, asked, asked, none, none)
    found = evidence.weigh(parts, evidence.heard_in(len(group)))
    same = group[:, None] == group[None, :]
    assert found.request[same].min() > 0.9
    assert found.request[~same].max() < 0.5


def test_what_changed_alone_is_weighed_to_the_same_numbers() -> None:
    draw = np.random.default_rng(11)
    count, new, read = 90, np.arange(84, 90), np.array([3, 40])
    tables = [symmetric(draw, count) for _ in range(3)]
    spans = draw.random((2, count)).astype(np.float32)
    before = evidence.weigh(evidence.Parts(*(table[:84, :84] for table in tables), *spans[:, :84]))
    changed = np.append(read, new)
    for table in tables[:2]:  # two of the reports are read otherwise now; a wording stays
        other = symmetric(draw, count)
        table[read], table[:, read] = other[read], other[:, read]
    spans[0, 7] = 0.9
    rows = evidence.Before(before, changed, changed, new, np.append(7, changed))
    some = evidence.weigh(evidence.Parts(*tables, *spans), before=rows)
    every = evidence.weigh(evidence.Parts(*tables, *spans))
    for name in ("whole", "technique", "request"):
        assert np.array_equal(getattr(some, name), getattr(every, name))
        assert np.array_equal(getattr(some, name), getattr(some, name).T)
    for one, other in zip(some.heard, every.heard, strict=True):
        assert np.array_equal(one.nearest, other.nearest)
        assert np.array_equal(one.say, other.say)


def symmetric(draw: np.random.Generator, count: int) -> np.ndarray:
    """Likeness of a few levels, so that many are equally near."""
    upper = np.triu(draw.integers(0, 12, (count, count)) / 12, 1).astype(np.float32)
    return upper + upper.T + np.eye(count, dtype=np.float32)
