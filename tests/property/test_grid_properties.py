"""The integer grid: products are exact however they are summed, and close to the true cosines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage_core.likeness.grid import least_dot, margin, scale, to_cosine, to_grid


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 900), alike=st.floats(0, 1))
def test_float32_products_are_exact_and_near_the_cosine(seed: int, dim: int, alike: float) -> None:
    rng = np.random.default_rng(seed)
    first, other = rng.normal(size=(2, 12, dim)) * rng.random(dim) ** 4
    second = alike * first + (1 - alike) * other
    first, second = (
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in (first, second)
    )
    left, right = to_grid(first), to_grid(second)
    exact = left.astype(np.int64) @ right.astype(np.int64).T
    shuffled = rng.permutation(dim)
    for order in (slice(None), slice(None, None, -1), shuffled):
        product = left[:, order].astype(np.float32) @ right[:, order].astype(np.float32).T
        assert np.array_equal(product.astype(np.int64), exact)
    cosines = first.astype(np.float64) @ second.astype(np.float64).T
    assert np.abs(exact / scale(dim) ** 2 - cosines).max() <= margin(dim)


@given(cosine=st.floats(0.01, 1), dim=st.integers(1, 1_024))
def test_least_dot_is_the_first_that_reaches_the_cosine(cosine: float, dim: int) -> None:
    least = least_dot(cosine, dim)
    assert least / scale(dim) ** 2 >= cosine * (1 - 1e-12)
    assert (least - 1) / scale(dim) ** 2 < cosine
    assert to_cosine(2 * scale(dim) ** 2, dim) == 1


def test_what_is_longer_than_one_is_refused_and_what_is_shorter_keeps_its_length() -> None:
    for wrong in ([0.8, 0.8], [np.inf, 0], [np.nan, 0]):
        with pytest.raises(ValueError, match="longer than one"):
            to_grid(np.array([wrong], dtype=np.float32))
    assert to_grid(np.zeros((1, 3), dtype=np.float32)).tolist() == [[0, 0, 0]]
    assert to_grid(np.array([0.5, 0.5], dtype=np.float32)).tolist() == [round(scale(2) / 2)] * 2
    with pytest.raises(ValueError, match="dim"):
        scale(2**30)
