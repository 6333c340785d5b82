"""The way in which a question is learned: likeness where topics tell, contrast where each topic has both answers."""

from __future__ import annotations

import numpy as np

from triage_core.likeness import ways
from triage_core.likeness.suggest import evidence, fit

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
    together = ways.CONTRAST.set_aside(found) / ways.CONTRAST.aside
    same = truth[:, None] == truth
    assert together[same].mean() > 0.5
    assert together[~same].mean() < 0.05


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
    model = fit([str(at) for at in range(len(seen))], seen, ["clause=IN-1"], truth[:, None])
    said = model.probabilities(of.take(np.flatnonzero(new)), seen)[:, 0]
    assert said[yes[new] == 1].mean() > said[yes[new] == 0].mean()


def trial(loss: float, tells: float) -> ways.Trial:
    return ways.Trial(loss, 0.3, 1.0, 0.0, tells)


def test_contrast_is_taken_where_it_tells_most_of_what_likeness_tells() -> None:
    near, both, plain = ways.LIKENESS
    usual = {near: trial(0.3, 0.5), both: trial(0.2, 0.6), plain: trial(0.25, 0.9)}
    assert ways.chosen(usual) == both
    assert ways.chosen(usual | {ways.CONTRAST: trial(0.4, 0.41)}) == ways.CONTRAST
    assert ways.chosen(usual | {ways.CONTRAST: trial(0.1, 0.39)}) == both


def test_where_topics_are_all_that_tells_they_are_not_set_aside() -> None:
    topics = np.repeat(np.arange(12), 12)
    vectors = reports(topics, np.zeros(len(topics)), 2, 0)
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    truth = (topics < 3).astype(float)
    model = fit([str(at) for at in range(len(of))], of, ["clause=IN-1"], truth[:, None])
    said = model.probabilities(of, of)[:, 0]
    assert said[truth == 1].min() > 0.8 > 0.2 > said[truth == 0].max()


def test_contrast_is_offered_where_topics_hold_different_answers() -> None:
    topics = np.tile(np.arange(6), (2, 20))
    within = np.repeat([0.0, 1.0], 60)[:, None]
    assert ways.CONTRAST in ways.offered(within, topics)
    assert ways.CONTRAST in ways.offered(np.hstack([within, np.full((120, 1), np.nan)]), topics)
    assert ways.offered((topics[0] < 2).astype(float)[:, None], topics) == ways.LIKENESS
    assert ways.offered(np.ones((120, 1)), topics) == ways.LIKENESS


def test_how_much_is_learned_without_contrast_and_few_answers_from_likeness() -> None:
    topics, within = np.zeros((1, 60), dtype=np.int64), np.repeat([0.0, 1.0], 30)[:, None]
    assert ways.CONTRAST in ways.offered(within, topics)
    assert ways.offered(within, topics, graded=True) == ways.LIKENESS
    assert ways.offered(np.full((60, 2), np.nan), topics) == ways.LIKENESS[:1]
