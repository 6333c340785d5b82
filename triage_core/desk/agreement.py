"""How far people agree who decide on the same report apart: coefficients that are 0 for chance and 1 for agreement.

Weighted kappa of two raters (Cohen, Psychological Bulletin 70, 1968), from the table p of shares in which
rater one said i and rater two said j; quadratic weights are w_ij = (i - j)² / (k - 1)²:

    kappa = 1 - sum w_ij p_ij / sum w_ij p_i. p_.j

Alpha of any number of raters with gaps (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011), from
the coincidences o_ck (every pair of values of one unit, divided by the unit's number of values less one), their
sums n_c and n, and a squared distance d² (`nominal`, `ordinal`):

    alpha = 1 - (n - 1) * sum o_ck d²_ck / sum n_c n_k d²_ck

Both are None where everybody gave one and the same value: nothing could be told apart by chance either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from triage_core.model import Severity

LEAST = 10
"""Below so many pairs of decisions a coefficient says more about chance than about people."""

Floats = NDArray[np.float64]
Distance = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What two decisions are compared by: the clauses cited, the level, and the resolution (None: stays open)."""

    reviewer: str
    clauses: frozenset[str]
    severity: Severity
    resolution: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """`count` reports on which two people decided apart in just these ways."""

    first: Judgement
    second: Judgement
    count: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """Agreement over `n` pairs of decisions; `same` of them agree in full.

    `kappa` (quadratic weights) and `severity` (ordinal alpha) are about the level, `clauses` (nominal
    alpha) about what was cited. Each is None below `LEAST` pairs and where all values are one.
    """

    n: int
    same: int
    kappa: float | None
    severity: float | None
    clauses: float | None

    @property
    def too_few(self) -> bool:
        """True where there are no coefficients because so few pairs say nothing."""
        return self.n < LEAST


def alike(one: Judgement, other: Judgement) -> float:
    """How far two decisions agree, from 0 to 1; 1 exactly when they agree in full.

    The mean of three: the share of the cited clauses that both cite, the nearness of the two levels, and
    whether both close the report with the same resolution or leave it open.
    """
    cited = one.clauses | other.clauses
    shared = len(one.clauses & other.clauses) / len(cited) if cited else 1.0
    near = 1 - abs(one.severity.rank - other.severity.rank) / (len(Severity) - 1)
    return (shared + near + (one.resolution == other.resolution)) / 3


def kappa(table: Floats, weights: Floats | None = None) -> float | None:
    """Weighted kappa of a (k, k) table of counts; `weights` are disagreements, quadratic unless given."""
    places = np.arange(len(table), dtype=np.float64)
    if weights is None:
        weights = (places[:, None] - places) ** 2
    chance = np.outer(table.sum(1), table.sum(0)) / max(table.sum(), 1)
    expected = float((weights * chance).sum())
    return 1 - float((weights * table).sum()) / expected if expected else None


def alpha(found: Floats, distance: Distance) -> float | None:
    """Krippendorff's alpha of a coincidence matrix; `distance` is `nominal` or `ordinal`."""
    sums = found.sum(1)
    apart = distance(sums)
    expected = float((np.outer(sums, sums) * apart).sum())
    return 1 - (float(sums.sum()) - 1) * float((found * apart).sum()) / expected if expected else None


def nominal(sums: Floats) -> Floats:
    """Squared distances of values that are the same or not."""
    return 1 - np.eye(len(sums))


def ordinal(sums: Floats) -> Floats:
    """Squared distances of ranks: how many values lie between the two, each end counted half."""
    middles = np.cumsum(sums) - sums / 2
    apart: Floats = (middles[:, None] - middles) ** 2
    return apart


def overall(pairs: Iterable[Pair]) -> Measured:
    """Agreement over all pairs; the first decision of each stands for one rater, the second for the other."""
    pairs = list(pairs)
    labels = sorted({tuple(sorted(side.clauses)) for pair in pairs for side in (pair.first, pair.second)})
    place = {label: number for number, label in enumerate(labels)}
    levels, cited = np.zeros((len(Severity), len(Severity))), np.zeros((len(labels), len(labels)))
    for pair in pairs:
        levels[pair.first.severity.rank, pair.second.severity.rank] += pair.count
        one, other = (place[tuple(sorted(side.clauses))] for side in (pair.first, pair.second))
        cited[one, other] += pair.count
    return _measured(pairs, levels, cited)


def by_clause(pairs: Iterable[Pair]) -> dict[str, Measured]:
    """Agreement on each clause: whether to cite it, over all pairs, and the level, where either cited it.

    `n` counts the pairs in which at least one of the two cited the clause.
    """
    pairs = list(pairs)
    names = sorted(set(chain.from_iterable(pair.first.clauses | pair.second.clauses for pair in pairs)))
    return {name: _of_clause(pairs, name) for name in names}


def by_reviewers(pairs: Iterable[Pair]) -> dict[tuple[str, str], Measured]:
    """Agreement of each two people, by their names in order, whoever of them decided first."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        one, other = sorted((pair.first, pair.second), key=lambda side: side.reviewer)
        found.setdefault((one.reviewer, other.reviewer), []).append(Pair(one, other, pair.count))
    return {names: overall(found[names]) for names in sorted(found)}


def _of_clause(pairs: list[Pair], name: str) -> Measured:
    cited = np.zeros((2, 2))
    for pair in pairs:
        cited[int(name in pair.first.clauses), int(name in pair.second.clauses)] += pair.count
    about = [pair for pair in pairs if name in pair.first.clauses | pair.second.clauses]
    levels = np.zeros((len(Severity), len(Severity)))
    for pair in about:
        levels[pair.first.severity.rank, pair.second.severity.rank] += pair.count
    return _measured(about, levels, cited)


def _measured(pairs: list[Pair], levels: Floats, cited: Floats) -> Measured:
    n = sum(pair.count for pair in pairs)
    same = sum(pair.count for pair in pairs if alike(pair.first, pair.second) == 1)
    if n < LEAST:
        return Measured(n, same, None, None, None)
    # Two values a unit: each pair of decisions is one coincidence in either order.
    return Measured(
        n, same, kappa(levels), alpha(levels + levels.T, ordinal), alpha(cited + cited.T, nominal)
    )
