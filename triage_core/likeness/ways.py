"""In which way a question is learned from decisions: from likeness, from a plain direction, or from contrast.

Decided reports fall into topics, and a model that has seen many of them may only learn which topics were bad: right for
the next report of the same kind, wrong for a kind whose neighbours were decided the other way. So each way is tried
on both: on reports held out one by one, and on whole cells, all reports of a topic with the same answer, held out
at once. The way that does best on the two together is taken. Contrast gives every topic an effect of its own that is
learned with the rest and then set aside (a within-group estimator): what is left tells reports of one topic apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

Floats = NDArray[np.float64]
Topics = NDArray[np.int64]

_HELD_BACK = 0.3  # the strength at which ways are compared
_ASIDE = 10.0
_LEAST = 50
"""Below so many reports there is nothing to compare ways by."""


@dataclass(frozen=True, slots=True)
class Way:
    """The part of the plain kernel beside the near one, 0 to 1, and the strength of the topics' own effects."""

    blend: float
    aside: float

    def kernel(self, near: Floats, plain: Floats) -> Floats:
        """What is learned and used."""
        return (1 - self.blend) * near + self.blend * plain

    def set_aside(self, topics: Topics) -> Floats:
        """(n, n): what is learned and not used."""
        return np.asarray(self.aside * (topics[:, None] == topics), dtype=np.float64)


WAYS = tuple(Way(blend, aside) for aside in (0.0, _ASIDE) for blend in (0.0, 0.5, 1.0))


def topics(requests: Floats) -> Topics:
    """A topic for each report, (n,), from the vectors of what was asked; the same for the same vectors."""
    if len(requests) < _LEAST:
        return np.zeros(len(requests), dtype=np.int64)
    found = KMeans(round((len(requests) / 2) ** 0.5), n_init=3, random_state=0).fit(requests)
    return np.asarray(found.labels_, dtype=np.int64)


def chosen(near: Floats, plain: Floats, topics: Topics, answers: Floats, graded: bool = False) -> Way:
    """The way that does best on single reports and whole cells held out; `answers` are (n, questions), NaN where nobody
    has said. `graded` are questions of how much: how bad a kind is belongs to the kind, and is not set aside."""
    if np.isfinite(answers).any(1).sum() < _LEAST:
        return WAYS[0]
    tried = [way for way in WAYS if not (graded and way.aside)]
    return max(tried, key=lambda way: _likeness_to_truth(way, near, plain, topics, answers))


def _likeness_to_truth(way: Way, near: Floats, plain: Floats, topics: Topics, answers: Floats) -> float:
    """How truth correlates with what least squares say of what is held out, in the mean of the two trials."""
    again: list[Floats] = []
    new: list[Floats] = []
    truth: list[Floats] = []
    known = np.isfinite(answers)
    for pattern in np.unique(known, axis=1).T:
        rows = np.flatnonzero(pattern)
        used = way.kernel(near, plain)[np.ix_(rows, rows)]
        held = _HELD_BACK * np.eye(len(rows))
        inverse = np.asarray(np.linalg.inv(used + way.set_aside(topics[rows]) + held), dtype=np.float64)
        for at in np.flatnonzero((known == pattern[:, None]).all(0)):
            centred = answers[rows, at] - answers[rows, at].mean()
            cells = 2 * topics[rows] + (answers[rows, at] > 0.5)
            again.append(_held_out(used, inverse, centred, np.arange(len(rows))))
            new.append(_held_out(used, inverse, centred, cells))
            truth.append(centred)
    other = np.concatenate(truth)
    return sum(_cosine(np.concatenate(said), other) for said in (again, new)) / 2


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-12))


def _held_out(used: Floats, inverse: Floats, truth: Floats, cells: Topics) -> Floats:
    """What is said of each row by all rows of other cells: the solution without a cell follows from that with it."""
    weights, said = inverse @ truth, np.zeros(len(truth))
    for cell in np.unique(cells):
        rows = np.flatnonzero(cells == cell)
        without = weights - inverse[:, rows] @ np.linalg.solve(inverse[np.ix_(rows, rows)], weights[rows])
        said[rows] = used[rows] @ without
    return said
