"""Which parts of one text read like a request rather than like the wrapper around it.

A linear model over hashed words and word pairs of each segment, then over a token's place in the text. Its
coefficients are numbers fitted by benchmarks/train_likeness.py; they hold no words. It is what splits a
report whose wrapper nobody else has used yet.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from triage_core.likeness.lexical import Tokens, chain, segments, tokenize

SLOT_COLUMNS = 1 << 12
PLACE_FEATURES = 5
_LIMIT = 6.0
_MARKS = tokenize("?!:").hashes


@dataclass(frozen=True, slots=True)
class SlotModel:
    """Coefficients: `segment` has SLOT_COLUMNS + 3 numbers and `place` PLACE_FEATURES, each with a bias."""

    segment: NDArray[np.float32]
    segment_bias: float
    place: NDArray[np.float32]
    place_bias: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as the slot model reads it: per token the log-odds of being request.

    `segment` uses the token's segment alone, `token` also its place and the rest of the text.
    """

    tokens: Tokens
    segment: NDArray[np.float32]
    token: NDArray[np.float32]


def segment_features(text: str, tokens: Tokens) -> sp.csr_matrix:
    """(segments of the text, SLOT_COLUMNS + 3): hashed words and pairs, of length 1 together, then three numbers.

    Those say that the segment ends with a question mark, that it is short, and how long it is.
    """
    parts = segments(text)
    rows, columns, values, extra = _features(text, parts, _owners(parts, tokens), tokens)
    hashed = sp.csr_matrix((values, (rows, columns)), shape=(len(extra), SLOT_COLUMNS))
    return sp.csr_matrix(sp.hstack([hashed, sp.csr_matrix(extra)]))


def _features(
    text: str, parts: Sequence[tuple[int, int]], owner: NDArray[np.int64], tokens: Tokens
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The features by rows, columns and values, and the last three, (segments, 3); `owner` as `_owners` tells."""
    told = tokens.words | np.isin(tokens.hashes, _MARKS)
    kept, segment = tokens.hashes[told], owner[told]
    pair = segment[1:] == segment[:-1]
    grams = np.concatenate([chain(kept, 1), chain(kept, 2)[pair]]) % np.uint64(SLOT_COLUMNS)
    rows = np.concatenate([segment, segment[1:][pair]])
    keys, counts = np.unique(rows * SLOT_COLUMNS + grams.astype(np.int64), return_counts=True)
    rows, columns = keys // SLOT_COLUMNS, keys % SLOT_COLUMNS
    length = np.sqrt(np.bincount(rows, counts.astype(np.float64) ** 2, minlength=len(parts)))
    words = np.bincount(owner[tokens.words], minlength=len(parts))
    asks = [text[begin:end].rstrip('"”’) ').endswith("?") for begin, end in parts]
    extra = np.column_stack([asks, words < 4, np.minimum(words, 40) / 40]).astype(np.float64)
    return rows, columns, counts / length[rows], extra


def place_features(tokens: Tokens, scores: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(tokens, PLACE_FEATURES): segment score, how far below the best, place, length of text, and their product."""
    below = scores - scores.max(initial=-_LIMIT)
    long = np.full(len(tokens), np.log1p(len(tokens)) - 4)
    return np.column_stack([scores, below, tokens.starts / max(1, size), long, long * below]).astype(
        np.float32
    )


def read(text: str, model: SlotModel) -> Reading:
    """The log-odds, per token, that it belongs to a request."""
    tokens = tokenize(text)
    if not len(tokens):
        return Reading(tokens, np.zeros(0, np.float32), np.zeros(0, np.float32))
    scores = segment_scores(text, tokens, model)
    # Not a matrix product: on so few columns some BLAS kernels raise floating point flags for nothing.
    place = (place_features(tokens, scores, len(text)) * model.place).sum(axis=1) + model.place_bias
    return Reading(tokens, scores, np.clip(place, -_LIMIT + 1, _LIMIT - 1).astype(np.float32))


def segment_scores(text: str, tokens: Tokens, model: SlotModel) -> NDArray[np.float32]:
    """(tokens,) the log-odds of the segment that each token stands in, clipped."""
    # The product of segment_features and the model: a matrix for each text would take most of the time.
    parts = segments(text)
    owner = _owners(parts, tokens)
    rows, columns, values, extra = _features(text, parts, owner, tokens)
    sums = np.bincount(rows, values * model.segment[columns], minlength=len(extra))
    sums = sums + (extra * model.segment[SLOT_COLUMNS:]).sum(axis=1) + model.segment_bias
    values = np.clip(sums, -_LIMIT, _LIMIT)
    return np.asarray(values[owner], dtype=np.float32)


def _owners(parts: list[tuple[int, int]], tokens: Tokens) -> NDArray[np.int64]:
    """(tokens,) the segment that each token stands in."""
    owner = np.searchsorted([begin for begin, _ in parts], tokens.starts, side="right") - 1
    return np.maximum(owner, 0)


@lru_cache(maxsize=1)
def shipped() -> SlotModel:
    """The model that comes with the product."""
    text = resources.files("triage_core.likeness").joinpath("slots.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    return SlotModel(
        segment=np.array(stored["segment"], dtype=np.float32) / stored["scale"],
        segment_bias=float(stored["segment_bias"]),
        place=np.array(stored["place"], dtype=np.float32),
        place_bias=float(stored["place_bias"]),
    )
