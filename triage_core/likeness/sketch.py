"""Texts as short unit vectors whose products stand for lexical likeness, so that words can be searched like meaning.

Each hashed gram adds its weight, with a sign of its own, to one of a few hundred places; unrelated grams
cancel out on average, and the product of two sketches is their cosine give or take 1 / sqrt(places). A
sketch depends on its text alone. Vectors are kept as a byte a place: what a store or an index holds is exactly
what was computed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.labels import stop_words
from triage_core.likeness.lexical import Tokens, token_grams, tokenize, trigrams, word_grams

PASSAGES, WRAPPER, WORDS = 256, 512, 128
LEXICAL_SHARE = 0.44
"""How much of a wording's likeness is its words; the rest is its meaning."""

_COMMON_WEIGHT = 0.1
_MIX = np.uint64(0x9E3779B97F4A7C15)

Vectors = NDArray[np.float32]
Codes = NDArray[np.int8]


def passages(tokens: Tokens) -> Vectors:
    """(PASSAGES,) which runs of three tokens a text has: alike for copies with a few words changed."""
    return _sketch(trigrams(tokens), PASSAGES)


def wrapper(text: str) -> Vectors:
    """(WRAPPER,) which tokens and pairs of tokens a wrapper has."""
    return _sketch(token_grams(tokenize(text)), WRAPPER)


def words(tokens: Tokens) -> Vectors:
    """(WORDS,) the words of a text, damped counts, common English ones for little."""
    grams = word_grams(tokens)
    rare, counts = np.unique(grams, return_counts=True)
    weights = (1 + np.log(counts)) * np.where(np.isin(rare, _common()), _COMMON_WEIGHT, 1.0)
    return _sketch(rare, WORDS, weights)


def wording(word_sketches: Vectors, meaning: Vectors) -> Vectors:
    """(n, WORDS + dim) words and meaning as one: products are the weighted mean of both likenesses."""
    return np.hstack([np.sqrt(LEXICAL_SHARE) * word_sketches, np.sqrt(1 - LEXICAL_SHARE) * meaning])


def coded(vectors: Vectors) -> Codes:
    """The vectors with a byte a place; their length is lost, which `decoded` makes one again."""
    largest = np.maximum(np.abs(vectors).max(axis=-1, keepdims=True), np.float32(1e-9))
    codes: Codes = np.rint(vectors / largest * 127).astype(np.int8)
    return codes


def decoded(codes: Codes) -> Vectors:
    """Unit vectors, float32; rows of zeros stay zero."""
    vectors = codes.astype(np.float32)
    lengths = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))
    unit: Vectors = vectors / np.maximum(lengths, 1)[..., None]
    return unit


def _sketch(grams: NDArray[np.uint64], places: int, weights: NDArray[np.float64] | None = None) -> Vectors:
    if weights is None:
        grams = np.unique(grams)
        weights = np.ones(len(grams))
    mixed = grams * _MIX
    place = (mixed >> np.uint64(33)) % np.uint64(places)
    sign = np.where(mixed >> np.uint64(32) & np.uint64(1), 1.0, -1.0)
    sums = np.bincount(place.astype(np.int64), weights * sign, places)
    return (sums / max(float(np.linalg.norm(sums)), 1e-9)).astype(np.float32)


@lru_cache(maxsize=1)
def _common() -> NDArray[np.uint64]:
    return word_grams(tokenize(" ".join(sorted(stop_words()))))
