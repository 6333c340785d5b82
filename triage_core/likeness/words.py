"""How rare words are, told by the first of the reports: fixed until there are an eighth more.

If each report that comes in made its words a little less rare, it would change the likeness of every pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.evidence import Matrix, wording
from triage_core.likeness.labels import spread
from triage_core.likeness.lexical import Bag, Rarity, cosine
from triage_core.likeness.overlap import of_bags, of_vectors

Vector = NDArray[np.float32]
Worded = tuple[Bag, Vector]

_LEAST, _GROWTH = 64, 8


def telling(count: int) -> int:
    """How many of the first reports, of so many, say how rare words are: all of few, and never less than 8 of 9."""
    told = min(count, _LEAST)
    while told >= _LEAST and told + told // _GROWTH <= count:
        told += told // _GROWTH
    return told


class Words:
    """What the first reports say of words; `spread` is in how many of them each stands."""

    def __init__(self, told: Mapping[str, tuple[str, Bag]]) -> None:
        """`told` are these reports by name: their texts and words."""
        self.told = list(told)
        self.spread = spread([text for text, _ in told.values()])
        self._rarity = Rarity([words for _, words in told.values()])
        self._worded: dict[tuple[int, int], tuple[Bag, Worded]] = {}
        self._cosines: dict[tuple[int, int], tuple[Bag, Bag, float]] = {}

    def worded(self, words: Bag, vector: Vector) -> Worded:
        """What is compared of a wording: its weighed words and its meaning, the same object for the same two."""
        key = id(words), id(vector)
        if key not in self._worded:
            self._worded[key] = words, (self._rarity.weighed(words), vector)
        return self._worded[key][1]

    def cosine(self, one: Bag, other: Bag) -> float:
        """The cosine of the weighed words of two texts."""
        key = id(one), id(other)
        if key not in self._cosines:
            found = cosine(self._rarity.weighed(one), self._rarity.weighed(other))
            self._cosines[key] = one, other, found
        return self._cosines[key][2]


def of_wordings(worded: Sequence[Worded], rows: NDArray[np.int64]) -> Matrix:
    """The likeness of wordings by words and meaning, of these rows to all; exact, see `overlap`."""
    return wording(of_bags([words for words, _ in worded], rows), of_vectors([v for _, v in worded], rows))
