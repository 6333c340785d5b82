"""A few words that tell a cluster from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_WORD = re.compile(r"[^\W\d_]{3,24}")
_SAMPLE = 50


@dataclass(frozen=True, slots=True)
class Spread:
    """In how many of `total` groups of texts each word stands."""

    groups: Counter[str]
    total: int


def spread(texts: Sequence[str]) -> Spread:
    """The spread of words over these texts, each a group of its own."""
    return Spread(Counter(_distinct(texts)), len(texts))


def distinctive(
    groups: Mapping[str, Sequence[str]], size: int = 4, spread: Spread | None = None
) -> dict[str, str]:
    """For each group of texts up to `size` words that most of its members and few other groups have.

    Those are the groups given, or those behind `spread`. Words are letters only, lower case, without stop words; the
    empty label where a group has none.
    """
    words = {name: Counter(_distinct(texts[:_SAMPLE])) for name, texts in groups.items()}
    known = spread or Spread(Counter(word for counts in words.values() for word in counts), len(groups))
    labels = {}
    for name, counts in words.items():
        members = min(len(groups[name]), _SAMPLE)
        weight = {
            word: count / members * float(np.log((1 + known.total) / max(1, known.groups[word])))
            for word, count in counts.items()
            if 2 * count >= members
        }
        best = sorted(weight, key=lambda word: (-round(weight[word], 6), word))[:size]
        labels[name] = " ".join(best)
    return labels


def _distinct(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from _words(text)


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    """The words of one text; kept, since clusters are labelled anew whenever a report comes in."""
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS)
