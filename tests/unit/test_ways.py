"""The way in which a question is learned: likeness where topics tell, contrast where each topic has both answers."""

from __future__ import annotations

import numpy as np

from triage_core.likeness import ways
from triage_core.likeness.suggest import evidence, fit, kernels

TEXT = ("What?", "This.")


def reports(topics: np.ndarray, yes: np.ndarray, seed: int, own: float) -> np.ndarray:
    """Unit vectors: a topic each, and `own` of a direction that all topics share for a yes."""
    draw = np.random.default_rng(seed)
    vectors = np.eye(16)[topics] + draw.normal(0, 0.1, (len(topics), 16))
    vectors[:, 15] += own * (2 * yes - 1)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_topics_are_found_and_the_same_again() -> None:
    truth = np.repeat(np.arange(6), 20)
    vectors = reports(truth, np.zeros(120), 0, 0).astype(np.float64)
    found = ways.topics(vectors)
    assert np.array_equal(found, ways.topics(vectors))
    assert all(len(set(truth[found == topic])) == 1 for topic in set(found.tolist()))


def test_an_unseen_side_of_a_known_topic_is_told_by_contrast() -> None:
    """Each topic has mostly one answer, two of them nothing else; their other answer is what comes in next."""
    topics, yes = np.repeat(np.arange(8), 40), np.tile(np.repeat([0, 1], 20), 8)
    usual = (topics % 2 == 0) == (yes == 0)
    kept = usual | (np.arange(320) % 5 == 0) | (topics < 2)
    topics, yes = topics[kept], yes[kept]
    vectors = reports(topics, yes, 1, 0.15)
    new = ((topics == 0) & (yes == 1)) | ((topics == 1) & (yes == 0))
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    seen, truth = of.take(np.flatnonzero(~new)), yes[~new].astype(float)
    near, plain = kernels(seen, seen)
    way = ways.chosen(near, plain, ways.topics(seen.request), truth[:, None])
    assert way.aside
    assert not ways.chosen(near, plain, ways.topics(seen.request), truth[:, None], graded=True).aside
    model = fit([str(at) for at in range(len(seen))], seen, ["clause=IN-1"], truth[:, None])
    said = model.probabilities(of.take(np.flatnonzero(new)), seen)[:, 0]
    assert said[yes[new] == 1].mean() > said[yes[new] == 0].mean()


def test_where_topics_are_all_that_tells_they_are_not_set_aside() -> None:
    topics = np.repeat(np.arange(12), 12)
    vectors = reports(topics, np.zeros(len(topics)), 2, 0)
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    truth = (topics < 3).astype(float)
    near, plain = kernels(of, of)
    # Two topics to a cluster: what is held out is then known from its own cluster's other half.
    halves = topics * 2 + np.arange(len(topics)) % 2
    assert not ways.chosen(near, plain, halves, truth[:, None]).aside


def test_few_answers_are_learned_from_likeness() -> None:
    nothing = np.full((5, 2), np.nan)
    assert ways.chosen(np.eye(5), np.eye(5), np.zeros(5, dtype=np.int64), nothing) == ways.WAYS[0]
