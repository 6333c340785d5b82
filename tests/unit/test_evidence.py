"""Likeness from what is known of reports: who speaks for whom in small sets."""

from __future__ import annotations

import numpy as np

from triage_core.likeness import evidence, lexical
from triage_core.likeness.spans import Spans

GROUPS, EACH = 5, 3


def test_a_small_family_is_not_outvoted_in_a_small_set() -> None:
    group = np.repeat(np.arange(GROUPS), EACH)
    # Requests of one group are the same; others have half of their words and of their meaning in common.
    grams = (np.array([1, 100 + number], dtype=np.uint64) for number in group)
    words = lexical.matrix([lexical.bag(row) for row in grams])
    vectors = np.zeros((len(group), GROUPS + 1), np.float32)
    vectors[:, 0] = np.sqrt(0.6)
    vectors[np.arange(len(group)), 1 + group] = np.sqrt(0.4)
    spans = [Spans((), (), 0.0, 0.0)] * len(group)
    wrappers = np.eye(len(group), dtype=np.float32)
    found = evidence.compare(evidence.Parts(wrappers, words, words, vectors, vectors, spans))
    same = group[:, None] == group[None, :]
    assert found.request[same].min() > 0.9
    assert found.request[~same].max() < 0.5
