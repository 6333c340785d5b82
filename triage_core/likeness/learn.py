"""How probable it is that a pair is a duplicate, and why: a small model that reviewers' decisions refit.

model = shipped()
model.probability(pair), model.reasons(pair)
trial = refit(model, pairs, accepted)
model = trial.model if trial.better else model
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import Refused

FEATURES = (
    "whole",
    "technique",
    "request",
    "words",
    "meaning",
    "length",
    "same_system",
    "days_apart",
    "same_reporter",
)
# More of these never makes a duplicate less probable, whatever a few decisions say.
NEVER_AGAINST = frozenset(FEATURES[:6])
_LIMIT = 5.0
_WEEK = 7.0
# So many folds are held back in turn to judge a refit; fewer pairs than this teach nothing reliable.
_FOLDS, LEAST_PAIRS = 4, 20
# What it costs to leave the old weights: about this many decisions outweigh them.
_LOYALTY = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The evidence on two reports.

    `whole`, `technique` and `request` are probabilities, `words` and `meaning` cosines of the whole texts,
    `length` is the shorter text's share of the longer (0 to 1). None: not known.
    """

    whole: float
    technique: float
    request: float
    words: float
    meaning: float
    length: float
    same_system: bool | None = None
    days_apart: float | None = None
    same_reporter: bool | None = None

    def features(self) -> NDArray[np.float64]:
        """(9,) in the order of FEATURES; 0 is neutral, and stands for what is not known."""
        return np.array(
            [
                _logit(self.whole),
                _logit(self.technique),
                _logit(self.request),
                2 * self.words - 1,
                2 * self.meaning - 1,
                self.length - 1,
                _told(self.same_system),
                0.0 if self.days_apart is None else 1 - np.log1p(abs(self.days_apart) / _WEEK) / 2,
                _told(self.same_reporter),
            ]
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: the feature's name and the log-odds it adds (or takes, when negative)."""

    feature: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class PairModel:
    """Logistic regression on FEATURES. `version` grows with every refit, `pairs` is how many taught it."""

    version: int
    weights: tuple[float, ...]
    bias: float
    pairs: int = 0

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES):
            raise Refused("weights", f"one number for each of {', '.join(FEATURES)}")

    def probability(self, pair: Pair) -> float:
        """How probable it is (0 to 1) that a reviewer calls the pair a duplicate."""
        return _probability(self, pair)

    def reasons(self, pair: Pair) -> tuple[Reason, ...]:
        """What the evidence adds to the log-odds, largest first; with the bias it sums to the whole."""
        added = pair.features() * np.array(self.weights)
        found = [Reason(name, float(value)) for name, value in zip(FEATURES, added, strict=True) if value]
        return tuple(sorted(found, key=lambda reason: -abs(reason.log_odds)))


@dataclass(frozen=True, slots=True)
class Trial:
    """A model refitted on all pairs, beside the old one: mean log-loss of both on each pair when it was held back.

    `chance` is the standard error of the difference of the two: by twice as much they differ once in twenty times.
    """

    model: PairModel
    old_loss: float
    new_loss: float
    chance: float

    @property
    def better(self) -> bool:
        """Whether a refit foretells decisions that it has not seen better, by more than chance."""
        return self.new_loss < self.old_loss - 2 * self.chance


def refit(old: PairModel, pairs: Sequence[Pair], accepted: Sequence[bool]) -> Trial:
    """A model for these decisions (`accepted`: called a duplicate), in order of time.

    Judged by cross-validation, each fourth pair held back in turn. Few decisions change little: the old weights are
    the prior. Raises Refused for fewer than LEAST_PAIRS pairs, or when all were decided alike.
    """
    if len(pairs) < LEAST_PAIRS or len(set(accepted)) < 2:
        raise Refused("pairs", f"at least {LEAST_PAIRS} decided pairs, accepted and rejected")
    rows = np.stack([pair.features() for pair in pairs])
    labels = np.array(accepted, dtype=np.float64)
    prior = np.array([*old.weights, old.bias])
    before, after = _losses(prior, rows, labels), np.empty(len(rows))
    fold = np.arange(len(rows)) % _FOLDS
    for held in (fold == number for number in range(_FOLDS)):
        after[held] = _losses(fit(rows[~held], labels[~held], prior), rows[held], labels[held])
    *weights, bias = fit(rows, labels, prior).tolist()
    return Trial(
        PairModel(old.version + 1, tuple(weights), bias, len(rows)),
        float(before.mean()),
        float(after.mean()),
        float((before - after).std() / np.sqrt(len(rows))),
    )


def fit(
    rows: NDArray[np.float64], labels: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(features + 1,) weights and bias: the likeliest under a normal prior around `prior` of precision `_LOYALTY`."""
    from scipy.optimize import minimize  # takes a while to load, and most processes fit nothing

    def cost(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        away = weights - prior
        error = sigmoid(rows @ weights[:-1] + weights[-1]) - labels
        slope = np.append(rows.T @ error, error.sum()) + _LOYALTY * away
        return float(_losses(weights, rows, labels).sum() + _LOYALTY * (away @ away) / 2), slope

    bounds = [(0.0 if name in NEVER_AGAINST else None, None) for name in FEATURES] + [(None, None)]
    return np.asarray(minimize(cost, prior, jac=True, method="L-BFGS-B", bounds=bounds).x)


@lru_cache(maxsize=8_192)
def _probability(model: PairModel, pair: Pair) -> float:
    """What each refresh asks of the same pairs of all reports, as long as they are compared pair by pair."""
    return float(sigmoid(np.dot(pair.features(), model.weights) + model.bias))


@lru_cache(maxsize=1)
def shipped() -> PairModel:
    """The model that comes with the product."""
    text = resources.files("triage_core.likeness").joinpath("pairs.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    weights = tuple(float(stored["weights"][name]) for name in FEATURES)
    return PairModel(int(stored["version"]), weights, float(stored["bias"]), int(stored["pairs"]))


def _losses(
    weights: NDArray[np.float64], rows: NDArray[np.float64], labels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pairs,) the log-loss of each."""
    odds = rows @ weights[:-1] + weights[-1]
    return np.asarray(np.logaddexp(0, odds) - labels * odds)


def sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probabilities of these log odds, of the same shape."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def _logit(probability: float) -> float:
    safe = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.clip(np.log(safe / (1 - safe)), -_LIMIT, _LIMIT))


def _told(value: bool | None) -> float:
    return 0.0 if value is None else 1.0 if value else -1.0
