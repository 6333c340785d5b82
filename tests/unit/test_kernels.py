"""The compiled loops of close reading give what their counterparts in numpy give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_core.likeness import kernels

SETS = st.lists(st.integers(0, 30)).map(lambda found: np.unique(np.array(found, dtype=np.uint64)))


@given(SETS, SETS)
def test_known_values_are_marked(values: np.ndarray, known: np.ndarray) -> None:
    for mark_known in (kernels.mark_known, kernels._mark_known_numpy):
        found = np.zeros(len(values), dtype=np.bool_)
        mark_known(values, known, found)
        assert found.tolist() == [value in set(known.tolist()) for value in values.tolist()]


@pytest.mark.parametrize("count", [1, kernels.MIRRORED, 2 * kernels.MIRRORED + 5])
def test_neighbours_speak_for_reports(count: int) -> None:
    draw = np.random.default_rng(count)
    rows = draw.normal(size=(count, 8)).astype(np.float32)
    nearest = draw.integers(0, count, (count, 3)).astype(np.int32)
    say = draw.random((count, 3)).astype(np.float32)
    means, likeness = (say[:, :, None] * rows[nearest]).sum(axis=1), rows @ rows.T
    likeness = np.triu(likeness) + np.triu(likeness, 1).T
    for speak_for in (kernels.speak_for, kernels._speak_for_numpy):
        every, few = np.arange(count), np.sort(draw.choice(count, (count + 2) // 3, replace=False))
        found = np.full((count, count), np.nan, np.float32)
        speak_for(likeness, nearest, nearest, say, every, found)
        assert np.array_equal(found, found.T)
        assert np.allclose(found, means @ means.T, atol=1e-4)
        some = np.full((len(few), count), np.nan, np.float32)
        speak_for(likeness, nearest[few], nearest, say, few, some)
        assert np.array_equal(some, found[few]), (
            "a few rows alone are to the last bit what they are among all"
        )
