"""The plane on which reports are drawn."""

from __future__ import annotations

import numpy as np

from triage_core.index.maps import flatten


def test_near_vectors_stay_near_and_far_ones_far():
    rng = np.random.default_rng(1)
    centres = np.eye(8, dtype=np.float32)[[0, 0, 0, 5, 5, 5]]
    plane = flatten(centres + rng.normal(0, 0.01, centres.shape).astype(np.float32))
    within = np.linalg.norm(plane[0] - plane[1])
    between = np.linalg.norm(plane[0] - plane[4])
    assert plane.shape == (6, 2)
    assert within < between / 10


def test_the_first_axis_holds_the_most():
    rng = np.random.default_rng(2)
    plane = flatten((rng.normal(size=(50, 5)) * [1, 5, 2, 0.1, 0.1]).astype(np.float32))
    assert plane[:, 0].var() > plane[:, 1].var() > 1
    assert np.allclose(plane.mean(axis=0), 0)


def test_the_same_vectors_give_the_same_map_in_any_order():
    vectors = np.random.default_rng(3).normal(size=(20, 6)).astype(np.float32)
    order = np.random.default_rng(4).permutation(20)
    assert np.allclose(flatten(vectors)[order], flatten(vectors[order]), atol=1e-6)


def test_one_vector_is_in_the_middle():
    assert np.allclose(flatten(np.ones((1, 4), dtype=np.float32)), 0)
