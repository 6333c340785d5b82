"""The way in which a question is learned: likeness where topics tell, contrast where each topic has both answers."""

from __future__ import annotations

import numpy as np
import pytest

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
    together = ways.set_aside(found) / ways.ASIDE
    same = truth[:, None] == truth
    assert together[same].mean() > 0.5
    assert together[~same].mean() < 0.05


@pytest.mark.parametrize("seed", [1, 2])
def test_an_unseen_side_of_a_known_topic_is_told_better_by_contrast(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each topic has mostly one answer, two of them nothing else; their other answer is what comes in next."""
    topics, yes = np.repeat(np.arange(8), 40), np.tile(np.repeat([0, 1], 20), 8)
    usual = (topics % 2 == 0) == (yes == 0)
    kept = usual | (np.arange(320) % 5 == 0) | (topics < 2)
    topics, yes = topics[kept], yes[kept]
    vectors = reports(topics, yes, seed, 0.15)
    new = ((topics == 0) & (yes == 1)) | ((topics == 1) & (yes == 0))
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    seen, truth = of.take(np.flatnonzero(~new)), yes[~new].astype(float)

    def apart() -> float:
        """How much more probable a yes is where it is one."""
        model = fit([str(at) for at in range(len(seen))], seen, ["clause=IN-1"], truth[:, None])
        said = model.probabilities(of.take(np.flatnonzero(new)), seen)[:, 0]
        return float(said[yes[new] == 1].mean() - said[yes[new] == 0].mean())

    contrast = apart()
    monkeypatch.setattr(ways, "may_contrast", lambda answers, topics: False)
    assert contrast > apart() + 0.4


def test_contrast_is_taken_where_it_tells_most_of_what_likeness_tells() -> None:
    likeness, much, little = (ways.Trial(0.3, 0.3, 1.0, 0.0, tells) for tells in (0.8, 0.41, 0.39))
    assert ways.contrasts(likeness, much)
    assert not ways.contrasts(likeness, little)


def test_where_topics_are_all_that_tells_they_are_not_set_aside() -> None:
    topics = np.repeat(np.arange(12), 12)
    vectors = reports(topics, np.zeros(len(topics)), 2, 0)
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    truth = (topics < 3).astype(float)
    model = fit([str(at) for at in range(len(of))], of, ["clause=IN-1"], truth[:, None])
    said = model.probabilities(of, of)[:, 0]
    assert said[truth == 1].min() > 0.8 > 0.2 > said[truth == 0].max()


def test_contrast_is_tried_where_topics_hold_different_answers() -> None:
    topics = np.tile(np.arange(6), (2, 20))
    within = np.repeat([0.0, 1.0], 60)[:, None]
    assert ways.may_contrast(within, topics)
    assert ways.may_contrast(np.hstack([within, np.full((120, 1), np.nan)]), topics)
    assert not ways.may_contrast((topics[0] < 2).astype(float)[:, None], topics)
    assert not ways.may_contrast(np.ones((120, 1)), topics)
    assert not ways.may_contrast(within[40:80], topics[:, 40:80])  # too few to tell


def test_how_much_is_learned_with_the_topics() -> None:
    """The same answers, asked as what and as how much: only the first is told by contrast on an unseen side."""
    topics, yes = np.repeat(np.arange(8), 40), np.tile(np.repeat([0, 1], 20), 8)
    vectors = reports(topics, yes, 3, 0.15)
    of = evidence(vectors, vectors, [TEXT] * len(vectors))
    names = [str(at) for at in range(len(of))]
    what, much = (fit(names, of, [name], yes[:, None].astype(float)) for name in ("clause=IN-1", "harm>H1"))
    assert not np.array_equal(what.weights, much.weights)
