"""In which way a question is learned from decisions: from likeness, or from contrast within topics.

Decided reports fall into topics, and a model that has seen many of them may only learn which topics were bad: right for
the next report of the same kind, wrong for a kind whose neighbours were decided the other way. Contrast gives every
topic an effect of its own that is learned with the rest and then set aside (a within-group estimator): what is left
tells reports of one topic apart. Where topics hold different answers, and what is left still tells most of what a
model with the topics tells, it is what holds on a kind that was never seen, and contrast is taken. Where the topic is
all there is to tell, it is not.

No division into topics is the true one: the reports are divided several times, into fewer and into more topics, and an
effect is shared by two reports as far as they share a topic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Topics = NDArray[np.int64]

KEEPS = 1 / 2
"""So much of what a model with the topics tells must be left without them."""
APART = 0.4
"""So much of the answers' variance must lie within topics."""
ASIDE = 30.0
"""The strength of the effects that topics have of their own."""
_LEAST = 50
"""Below so many answers there is nothing to compare ways by."""
# Divisions: the number of topics, as a multiple of the root of half the reports, and how often each is drawn.
_SIZES, _DRAWS = (0.7, 1.0, 1.4, 2.0), 3


@dataclass(frozen=True, slots=True)
class Trial:
    """How a way does on rows held back in turn: the least loss, with the strength, and the scale and shift of the odds,
    that give it; and how what it says correlates with the truth, `tells`."""

    loss: float
    strength: float
    scale: float
    shift: float
    tells: float


def set_aside(topics: Topics) -> Floats:
    """(n, n): what contrast learns and does not use."""
    return np.asarray(ASIDE * (topics[:, :, None] == topics[:, None, :]).mean(0), dtype=np.float64)


def may_contrast(answers: Floats, topics: Topics) -> bool:
    """Whether topics hold different answers to these questions, (n, questions), NaN where nobody has said."""
    return bool(np.isfinite(answers).any(1).sum() >= _LEAST and _apart(answers, topics) >= APART)


def contrasts(usual: Trial, contrast: Trial) -> bool:
    """Whether contrast tells most of what likeness tells."""
    return contrast.tells >= KEEPS * usual.tells


def _apart(answers: Floats, topics: Topics) -> float:
    """The share of the answers' variance that lies within topics, in the mean of the divisions."""
    known = np.isfinite(answers)
    about = np.where(known, answers - np.nanmean(np.where(known.any(0), answers, 0), axis=0), 0)
    whole = float((about**2).sum())
    if not whole:
        return 0.0
    explained = []
    for division in topics:
        member = np.equal.outer(np.unique(division), division).astype(np.float64)
        count = np.maximum(member @ known, 1)
        explained.append(float(((member @ about) ** 2 / count).sum()))
    return 1 - float(np.mean(explained)) / whole


def topics(requests: Floats) -> Topics:
    """Topics for each report, (divisions, n), from the vectors of what was asked; the same for the same vectors."""
    if len(requests) < _LEAST:
        return np.zeros((1, len(requests)), dtype=np.int64)
    from sklearn.cluster import KMeans  # half a second that no command line should wait for

    found = [
        KMeans(round(size * (len(requests) / 2) ** 0.5), n_init=1, random_state=draw).fit(requests).labels_
        for draw in range(_DRAWS)
        for size in _SIZES
    ]
    return np.array(found, dtype=np.int64)
