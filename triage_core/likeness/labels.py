"""A few words that tell a cluster from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from math import log

_WORD = re.compile(r"[^\W\d_]{3,24}")
_SAMPLE = 50
_CHOICE = 4
"""So many words for each place of a label are looked at, since some are forms of one another."""
_STEM, _ENDING = 4, 3
"""Words with so many letters in common at their start, and so few more at the end, are forms of one word."""
_EQUAL = 2e-6
"""Weights that are no farther apart may be equal when they are rounded."""


@cache
def stop_words() -> frozenset[str]:
    """English words that stand in any text, in lower case."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # a second to load, for a list of words

    return frozenset(ENGLISH_STOP_WORDS)


@dataclass(frozen=True, slots=True)
class Spread:
    """In how many of `total` groups of texts each word stands."""

    groups: Counter[str]
    total: int


class _Rarity(dict[str, float]):
    """How much a word tells that stands in few groups, computed once a word."""

    def __init__(self, known: Spread) -> None:
        self._known = known

    def __missing__(self, word: str) -> float:
        rarity = self[word] = log((1 + self._known.total) / max(1, self._known.groups[word]))
        return rarity


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
    words = {name: _counted(texts[:_SAMPLE]) for name, texts in groups.items()}
    known = spread or Spread(Counter(chain.from_iterable(words.values())), len(groups))
    rarity = _Rarity(known)
    labels = {}
    for name, counts in words.items():
        members = min(len(groups[name]), _SAMPLE)
        weight = {
            word: count / members * rarity[word] for word, count in counts.items() if 2 * count >= members
        }
        least = min(sorted(weight.values())[-_CHOICE * size :], default=0.0) - _EQUAL
        heavy = [word for word in weight if weight[word] >= least]
        # Equal words come as they are read, so that a label tells how the text goes on rather than how words begin.
        read = {word: place for place, word in enumerate(reversed(_WORD.findall(groups[name][0].lower())))}
        heavy.sort(key=lambda word: (-round(weight[word], 6), -read.get(word, -1), word))
        labels[name] = " ".join(sorted(_unlike(heavy, size), key=lambda word: (-read.get(word, -1), word)))
    return labels


def _unlike(words: Iterable[str], size: int) -> list[str]:
    """The first `size` of the words that are no forms of one another: archive, not archived beside it."""
    chosen: list[str] = []
    for word in words:
        if len(chosen) == size:
            break
        if not any(_same_stem(word, other) for other in chosen):
            chosen.append(word)
    return chosen


def _same_stem(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    kept = max(_STEM, len(short) - 1)
    return long.startswith(short[:kept]) and len(long) - len(short) <= _ENDING


def _counted(texts: Sequence[str]) -> Mapping[str, int]:
    """In how many of the texts each word stands."""
    return dict.fromkeys(_words(texts[0]), 1) if len(texts) == 1 else Counter(_distinct(texts))


def _distinct(texts: Iterable[str]) -> Iterable[str]:
    return chain.from_iterable(map(_words, texts))


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    """The words of one text; kept, since clusters are labelled anew whenever a report comes in."""
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in stop_words())
