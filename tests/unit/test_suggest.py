"""The suggestion model: it learns from decisions, knows when it is unsure, and is always the same."""

from __future__ import annotations

import numpy as np
import pytest

from triage_core.likeness.suggest import STRENGTHS, Evidence, evidence, family, fit, level, loss


def decided(count: int, seed: int = 0) -> tuple[Evidence, np.ndarray]:
    """Reports about two topics, of which the second is severe when the answer is no refusal."""
    draw = np.random.default_rng(seed)
    topic, refused = draw.integers(2, size=count), draw.integers(2, size=count)
    request = np.eye(8, dtype=np.float32)[topic] + draw.normal(0, 0.1, (count, 8)).astype(np.float32)
    request /= np.linalg.norm(request, axis=1, keepdims=True)
    texts = [("What?", "I'm sorry, I can't." if said else "Here are the steps.") for said in refused]
    severe = ((topic == 1) & (refused == 0)).astype(float)
    return evidence(request, request, texts), np.stack([severe, topic.astype(float)], axis=1)


QUESTIONS = ("severity>none", "clause=IN-1")


def test_what_was_decided_is_found_again_on_other_reports() -> None:
    seen, answers = decided(80)
    model = fit([str(at) for at in range(80)], seen, QUESTIONS, answers)
    new, truth = decided(40, seed=1)
    said = model.probabilities(new, seen)
    assert ((said > 0.5) == (truth > 0.5)).mean() > 0.95
    assert loss(said, truth) < 0.3 < loss(np.full(truth.shape, answers.mean(0)), truth)


def test_the_same_decisions_give_the_same_model() -> None:
    seen, answers = decided(30)
    one, other = (fit([str(at) for at in range(30)], seen, QUESTIONS, answers) for _ in range(2))
    for name in ("weights", "bias", "scale", "shift"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_what_nobody_said_teaches_nothing() -> None:
    seen, answers = decided(30)
    answers[10:, 0] = np.nan
    model = fit([str(at) for at in range(30)], seen, QUESTIONS, answers)
    assert not model.weights[10:, 0].any()
    assert model.weights[10:, 1].any()
    assert np.isnan(loss(np.full((1, 1), 0.5), np.array([[np.nan]])))


@pytest.mark.parametrize("answers", [np.zeros((3, 2)), np.ones((1, 2)), np.full((2, 2), np.nan)])
def test_few_answers_and_answers_that_are_all_alike_stay_finite(answers: np.ndarray) -> None:
    seen, _ = decided(len(answers))
    model = fit([str(at) for at in range(len(answers))], seen, QUESTIONS, answers)
    said = model.probabilities(seen, seen)
    assert np.isfinite(said).all()
    assert ((said > 0) & (said < 1)).all()


def test_noise_is_answered_with_doubt() -> None:
    """Answers that have nothing to do with the reports: the odds are scaled down to the share of yes."""
    seen, _ = decided(120)
    draw = np.random.default_rng(3)
    answers = (draw.random((120, 1)) < 0.3).astype(float)
    said = fit([str(at) for at in range(120)], seen, ["severity>none"], answers).probabilities(seen, seen)
    assert said.max() < 0.6
    assert min(STRENGTHS) > 0


def test_what_was_asked_in_the_same_words_is_held_back_together() -> None:
    """Five answers to each request, all with the request's own chance decision: it says nothing of another request."""
    draw = np.random.default_rng(5)
    asked = draw.normal(0, 1, (60, 8)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    request = np.repeat(asked, 5, axis=0)[draw.permutation(300)]
    by_request = {row.tobytes(): float(draw.random() < 0.5) for row in asked}
    truth = np.array([[by_request[row.tobytes()]] for row in request])
    of = evidence(request, request, [("What?", "This.")] * 300)
    new = evidence(asked[::-1] * -1, asked[::-1] * -1, [("What?", "This.")] * 60)
    said = fit([str(at) for at in range(300)], of, ["severity>none"], truth).probabilities(new, of)
    assert np.ptp(said) < 0.3


def test_a_rare_answer_among_reports_that_are_all_alike_is_learned() -> None:
    """Where nearly every answer is no, a whole step of Newton's method runs away."""
    draw = np.random.default_rng(124)
    request = (draw.normal(0, 1, (60, 64)) + 1).astype(np.float32)
    request /= np.linalg.norm(request, axis=1, keepdims=True)
    truth = request[:, 0] >= np.sort(request[:, 0])[-2]
    of = evidence(request, request, [("What?", "This.")] * 60)
    model = fit([str(at) for at in range(60)], of, ["harm>H3"], truth[:, None].astype(float))
    odds = model.probabilities(of, of)[:, 0]
    assert model.scale[0] > 0
    assert odds[truth].min() > odds[~truth].max()


@pytest.mark.parametrize(
    ("above", "middle", "probability"),
    [([0.9, 0.8, 0.1, 0.0], 2, 0.7), ([0.2, 0.1, 0.1, 0.0], 0, 0.8), ([0.6, 0.9, 0.1, 0.1], 2, 0.5)],
)
def test_the_middle_level_and_its_own_share(above: list[float], middle: int, probability: float) -> None:
    assert level(np.array(above)) == (middle, pytest.approx(probability))


def test_questions_about_one_thing_are_a_family() -> None:
    assert [family(name) for name in ("severity>low", "clause=IN-1")] == ["severity", "clause"]
