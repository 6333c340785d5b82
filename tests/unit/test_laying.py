"""The vectors of clusters: their products are what close reading compares, and none is longer than one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from triage_core.likeness import laying, sketch

Vectors = NDArray[np.float32]


def near(first: Vectors, cosine: float, seed: int) -> Vectors:
    """(2, n) a unit vector and one at this cosine from it."""
    other = np.random.default_rng(seed).standard_normal(len(first)).astype(np.float32)
    other -= (other @ first) * first
    return np.stack([first, cosine * first + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)])


def pair(places: int, cosine: float, seed: int) -> Vectors:
    first = np.random.default_rng(seed + 100).standard_normal(places).astype(np.float32)
    return near(first / np.linalg.norm(first), cosine, seed)


def product(meaning: float, wrapper: float, request: float, sure: float, wrapped: float) -> float:
    """The product of two wholes whose parts have these cosines."""
    both = np.full(2, wrapped, dtype=np.float32)
    codes = laying.wholes(
        pair(64, meaning, 1),
        sketch.coded(pair(sketch.WRAPPER, wrapper, 2)),
        sketch.coded(pair(sketch.WORDS + 64, request, 3)),
        np.full(2, sure, dtype=np.float32),
        both,
    )
    laid = sketch.decoded(codes) * laying.whole_lengths(both)[:, None]
    return float(laid[0] @ laid[1])


@pytest.mark.parametrize(("wrapper", "request_"), [(0.9, 0.1), (0.6, 0.9), (0.2, 0.2)])
def test_a_wrapped_text_is_its_wrapper(wrapper: float, request_: float) -> None:
    assert product(0.9, wrapper, request_, sure=0, wrapped=0.9) == pytest.approx(wrapper, abs=0.02)


@pytest.mark.parametrize(("wrapper", "request_"), [(0.95, 0.0), (0.0, 0.95), (0.9, 0.9)])
def test_with_a_request_of_its_own_it_takes_both(wrapper: float, request_: float) -> None:
    told = product(0.9, wrapper, request_, sure=1, wrapped=0.9)
    assert told == pytest.approx(wrapper * request_, abs=0.15)


def test_a_plain_text_is_its_meaning_and_must_be_much_alike() -> None:
    same, alike = (product(meaning, 0.9, 0.9, sure=1, wrapped=0.1) for meaning in (1.0, 0.7))
    assert same == pytest.approx(float(laying.whole_lengths(np.zeros(1, dtype=np.float32))[0] ** 2), abs=0.01)
    assert alike == pytest.approx(0.7 * same, abs=0.01)


def test_what_is_wrapped_and_what_is_plain_are_not_alike() -> None:
    places = (64, sketch.WRAPPER, sketch.WORDS + 64)
    meaning, wrapper, request = (pair(count, 1, seed) for seed, count in enumerate(places, start=4))
    codes = laying.wholes(
        meaning,
        sketch.coded(wrapper),
        sketch.coded(request),
        np.zeros(2, dtype=np.float32),
        np.array([0, 1], dtype=np.float32),
    )
    one, other = sketch.decoded(codes)
    assert abs(float(one @ other)) < 0.15


def test_a_request_of_few_words_counts_least_and_none_more_than_in_full() -> None:
    codes = np.zeros((4, sketch.WORDS + 64), dtype=np.int8)
    for row, words in enumerate((2, 8, 20, 90)):
        codes[row, :words] = 1
    lengths = laying.request_lengths(codes)
    assert lengths[0] == lengths[1] < lengths[2] < lengths[3] == 1


def test_a_meaning_of_more_numbers_than_a_sketch_has_room() -> None:
    dim = sketch.WRAPPER + 100
    codes = laying.wholes(
        pair(dim, 0.5, 5),
        np.zeros((2, sketch.WRAPPER), dtype=np.int8),
        np.zeros((2, sketch.WORDS + dim), dtype=np.int8),
        np.zeros(2, dtype=np.float32),
        np.zeros(2, dtype=np.float32),
    )
    assert codes.shape == (2, laying.width(dim))
    one, other = sketch.decoded(codes)
    assert float(one @ other) == pytest.approx(0.5, abs=0.02)
