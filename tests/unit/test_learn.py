"""The pair model: probabilities with reasons, and what reviewers' decisions teach it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_core.errors import Refused
from triage_core.likeness.learn import FEATURES, Pair, PairModel, Trial, refit, shipped

share = st.floats(0, 1)
known = st.none() | st.booleans()
pairs = st.builds(
    Pair, share, share, share, share, share, share, known, st.none() | st.floats(0, 5_000), known
)
ALIKE = Pair(0.97, 0.96, 0.95, 0.8, 0.9, 0.95)
UNLIKE = Pair(0.02, 0.05, 0.03, 0.05, 0.1, 0.5)


def decisions(count: int, seed: int) -> tuple[list[Pair], list[bool]]:
    """Suggested pairs whose reviewers go by the request and the system, not by the wrapper."""
    draw = np.random.default_rng(seed)
    found, accepted = [], []
    for _ in range(count):
        same_request, same_system = bool(draw.integers(2)), bool(draw.integers(2))
        request = float(np.clip(draw.normal(0.8 if same_request else 0.3, 0.12), 0, 1))
        found.append(
            Pair(
                float(draw.uniform(0.05, 0.95)),
                float(draw.uniform(0.1, 0.9)),
                request,
                0.6,
                0.7,
                0.9,
                same_system,
            )
        )
        accepted.append(same_request and same_system)
    return found, accepted


def quality(model: PairModel, judged: tuple[list[Pair], list[bool]]) -> tuple[float, float]:
    """Precision and recall at one half."""
    said = np.array([model.probability(pair) >= 0.5 for pair in judged[0]])
    right = np.array(judged[1])
    return float((said & right).sum() / max(1, said.sum())), float((said & right).sum() / right.sum())


@given(pairs)
def test_reasons_add_up_to_the_probability(pair: Pair) -> None:
    model = shipped()
    odds = sum(reason.log_odds for reason in model.reasons(pair)) + model.bias
    assert model.probability(pair) == pytest.approx(1 / (1 + np.exp(-odds)))


@given(pairs, st.sampled_from(FEATURES[:6]), share)
def test_more_likeness_is_never_less_probable(pair: Pair, feature: str, value: float) -> None:
    low, high = sorted((getattr(pair, feature), value))
    model = shipped()
    assert model.probability(replace(pair, **{feature: low})) <= model.probability(
        replace(pair, **{feature: high})
    )


def test_the_shipped_model_knows_the_clear_cases() -> None:
    assert shipped().probability(ALIKE) > 0.8
    assert shipped().probability(UNLIKE) < 0.05


def test_what_is_not_known_counts_neither_way() -> None:
    told = {reason.feature for reason in shipped().reasons(ALIKE)}
    assert not told & {"same_system", "days_apart", "same_reporter"}


def test_two_hundred_decisions_raise_precision_and_recall_on_later_ones() -> None:
    old = shipped()
    trial = refit(old, *decisions(200, seed=1))
    later = decisions(400, seed=2)
    before, after = quality(old, later), quality(trial.model, later)
    assert trial.better
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert min(after) > 0.85
    assert trial.model.version == old.version + 1
    assert trial.model.pairs == 200


def test_a_refit_that_foretells_worse_does_not_replace_the_model() -> None:
    good = refit(shipped(), *decisions(200, seed=3)).model
    found, _ = decisions(200, seed=4)
    draw = random.Random(4)
    trial = refit(good, found, [draw.random() < 0.5 for _ in found])
    assert trial.new_loss < trial.old_loss  # even so: what nothing foretells is foretold best by saying so
    assert refit(trial.model, found, [draw.random() < 0.5 for _ in found]).better is False


def test_a_refit_that_is_better_by_chance_does_not_replace_the_model() -> None:
    model = shipped()
    assert Trial(model, old_loss=0.50, new_loss=0.41, chance=0.04).better
    assert not Trial(model, old_loss=0.50, new_loss=0.47, chance=0.04).better


def test_a_refit_says_the_same_every_time() -> None:
    assert refit(shipped(), *decisions(60, seed=6)) == refit(shipped(), *decisions(60, seed=6))


@pytest.mark.parametrize(("count", "label"), [(10, None), (40, True)])
def test_too_few_or_one_sided_decisions_are_refused(count: int, label: bool | None) -> None:
    found, accepted = decisions(count, seed=7)
    with pytest.raises(Refused):
        refit(shipped(), found, accepted if label is None else [label] * count)


def test_a_model_has_a_weight_for_every_feature() -> None:
    with pytest.raises(Refused):
        PairModel(1, (1.0,), 0.0)
