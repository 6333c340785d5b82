"""A few words that tell a cluster from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_WORD = re.compile(r"[^\W\d_]{3,24}")
_SAMPLE = 50


def distinctive(groups: Mapping[str, Sequence[str]], size: int = 4) -> dict[str, str]:
    """For each group of texts up to `size` words that most of its members and few other groups have.

    Words are letters only, lower case, without stop words; the empty label where a group has none.
    """
    words = {name: Counter(_distinct(texts[:_SAMPLE])) for name, texts in groups.items()}
    spread = Counter(word for counts in words.values() for word in counts)
    labels = {}
    for name, counts in words.items():
        members = min(len(groups[name]), _SAMPLE)
        weight = {
            word: count / members * float(np.log((1 + len(groups)) / spread[word]))
            for word, count in counts.items()
            if 2 * count >= members
        }
        best = sorted(weight, key=lambda word: (-round(weight[word], 6), word))[:size]
        labels[name] = " ".join(best)
    return labels


def _distinct(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from {word for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS}
