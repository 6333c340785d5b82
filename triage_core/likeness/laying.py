"""The vectors by which clusters are laid beyond close reading: the products of two say what close reading says.

A product of such vectors is at most what it would be of unit vectors. What a vector lacks to the length of one
stands for what the report shares with nobody, so that one threshold serves texts that need different ones:

- requests: short ones agree by chance in their few words, so they are shortened most;
- wholes: a wrapped text is compared by its wrapper, and where its request is surely its own by both at once; a
  plain text by its meaning, which must be much alike.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness import sketch

# Requests with so few words (places of their sketch that are not empty) count least, with so many in full.
_SHORT, _LONG, _SHORT_LENGTH = 8, 30, 0.8
# From and up to this share of wrapper-like text a whole is a wrapper rather than a meaning.
_WRAPPED_FROM, _WRAPPED_FULL = 0.4, 0.6
# From and up to this sureness a request is the report's own.
_OWN_FROM, _OWN_FULL = 0.6, 0.9
# The square of the length that a meaning has beside a wrapper.
_MEANING = 0.50

Vectors = NDArray[np.float32]


def request_lengths(request: sketch.Codes) -> Vectors:
    """(n,) how much the requests with these codes, (n, WORDS + dim), count."""
    words = np.count_nonzero(request[:, : sketch.WORDS], axis=1)
    share = np.clip((words - _SHORT) / (_LONG - _SHORT), 0, 1)
    return np.asarray(_SHORT_LENGTH + (1 - _SHORT_LENGTH) * share, dtype=np.float32)


def whole_lengths(wrapped: Vectors) -> Vectors:
    """(n,) how much wholes count that are wrapped to this degree, 0 to 1."""
    share = _wrapper_share(wrapped)
    return np.asarray(np.sqrt(share + (1 - share) * _MEANING), dtype=np.float32)


def wholes(
    meaning: Vectors, wrapper: sketch.Codes, request: sketch.Codes, sure: Vectors, wrapped: Vectors
) -> sketch.Codes:
    """(n, width(dim)) the directions of wholes, a byte a place.

    Wrapper, both at once, and meaning lie over each other: their products with one another are noise.
    """
    share = _wrapper_share(wrapped)
    own = np.clip((sure - _OWN_FROM) / (_OWN_FULL - _OWN_FROM), 0, 1)
    directions = np.zeros((len(meaning), width(meaning.shape[1])), dtype=np.float32)
    directions[:, : meaning.shape[1]] = _root((1 - share) * _MEANING) * meaning
    alone, both = np.flatnonzero(share * (1 - own)), np.flatnonzero(share * own)
    directions[alone, : sketch.WRAPPER] += _root(share * (1 - own))[alone] * sketch.decoded(wrapper[alone])
    directions[both, : sketch.WRAPPER] += _root(share * own)[both] * _at_once(wrapper[both], request[both])
    return sketch.coded(directions)


def width(dim: int) -> int:
    """The number of places of a whole, of meanings with `dim` numbers."""
    return max(sketch.WRAPPER, dim)


def _wrapper_share(wrapped: Vectors) -> Vectors:
    share = (wrapped - _WRAPPED_FROM) / (_WRAPPED_FULL - _WRAPPED_FROM)
    return np.asarray(np.clip(share, 0, 1), dtype=np.float32)


def _root(shares: Vectors) -> Vectors:
    """(n, 1) the lengths whose squares are these shares."""
    return np.asarray(np.sqrt(shares)[:, None], dtype=np.float32)


def _at_once(wrapper: sketch.Codes, request: sketch.Codes) -> Vectors:
    """(n, WRAPPER) unit vectors whose products are those of the wrappers times those of the requests, about."""
    # Whole numbers, so that the sums do not depend on how many rows are added at once.
    one, other = (
        codes.astype(np.float32) @ _signs(codes.shape[1], seed)
        for seed, codes in enumerate((wrapper, request), start=1)
    )
    both = one * other
    unit: Vectors = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), np.float32(1e-9))
    return unit


@lru_cache(maxsize=8)
def _signs(places: int, seed: int) -> Vectors:
    signs = np.random.default_rng(seed).integers(0, 2, (places, sketch.WRAPPER))
    return np.where(signs, 1, -1).astype(np.float32)
