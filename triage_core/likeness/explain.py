"""Why two reports are alike, or are not: scores, what they share, where they differ, reasons in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.learn import Pair, PairModel, Reason
from triage_core.likeness.lexical import Tokens, trigrams
from triage_core.likeness.spans import Ranges

_LEAST_SHARED = 4
_MOST_WORDS = 40

# What a feature says when it speaks for a duplicate, and when it speaks against one.
_WORDS = {
    "whole": ("the texts are alike as a whole", "the texts differ as a whole"),
    "technique": ("the same wrapper", "another wrapper"),
    "request": ("the same request", "another request"),
    "words": ("they share rare words", "they share few words"),
    "meaning": ("they mean much the same", "they mean different things"),
    "length": ("of the same length", "of different length"),
    "same_system": ("seen on the same system", "seen on other systems"),
    "days_apart": ("sent within days of each other", "sent long after each other"),
    "same_reporter": ("sent by the same reporter", "sent by different reporters"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Two reports side by side: `a` is the first that was asked about.

    `probability` is that of a duplicate; `reasons` say in words what moved it, the strongest first, each with
    the log-odds it added or took. `shared_a` and `shared_b` are character ranges of passages that both texts
    have; `only_a` and `only_b` are words, in order, that the other text lacks (at most 40).
    """

    whole: float
    technique: float
    request: float
    probability: float
    reasons: tuple[tuple[str, float], ...]
    shared_a: Ranges
    shared_b: Ranges
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def explain(pair: Pair, model: PairModel, text_a: str, a: Tokens, text_b: str, b: Tokens) -> Explanation:
    """The explanation for two tokenised texts and their evidence."""
    return Explanation(
        pair.whole,
        pair.technique,
        pair.request,
        model.probability(pair),
        tuple((in_words(reason), round(reason.log_odds, 3)) for reason in model.reasons(pair)),
        shared_passages(a, b),
        shared_passages(b, a),
        own_words(text_a, a, b),
        own_words(text_b, b, a),
    )


def in_words(reason: Reason) -> str:
    """A reason as a reviewer reads it."""
    pro, contra = _WORDS[reason.feature]
    return pro if reason.log_odds > 0 else contra


def shared_passages(own: Tokens, other: Tokens) -> Ranges:
    """Character ranges of `own` whose tokens, four or more in a row, stand in the other text too."""
    same = np.isin(trigrams(own), trigrams(other))
    hit = same.copy()
    hit[1:] |= same[:-1]
    hit[:-1] |= same[1:]
    edges = np.diff(np.concatenate([[0], hit.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return tuple(
        (int(own.starts[begin]), int(own.ends[end - 1]))
        for begin, end in zip(begins, ends, strict=True)
        if end - begin >= _LEAST_SHARED
    )


def own_words(text: str, own: Tokens, other: Tokens) -> tuple[str, ...]:
    """The words of `own` that the other text does not have, once each, in order, at most 40."""
    lacking: NDArray[np.bool_] = own.words & ~np.isin(own.hashes, other.hashes)
    found = (text[own.starts[at] : own.ends[at]] for at in np.flatnonzero(lacking))
    return tuple(dict.fromkeys(found))[:_MOST_WORDS]
