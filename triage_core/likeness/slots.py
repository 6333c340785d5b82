"""Which parts of one text read like a request rather than like the wrapper around it.

A linear model over hashed words and word pairs of each segment, then over a token's place in the text. Its
coefficients are numbers fitted by benchmarks/train_likeness.py; they hold no words. It is what splits a
report whose wrapper nobody else has used yet.
"""

from __future__ import annotations

import json
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


def segment_features(texts: list[str]) -> sp.csr_matrix:
    """(texts, SLOT_COLUMNS + 3): hashed words and pairs of length 1 in all, ends with "?", is short, length."""
    indices, data, indptr = [], [], [0]
    marks = {int(tokenize(mark).hashes[0]) for mark in "?!:"}
    for text in texts:
        tokens = tokenize(text)
        told = tokens.words | np.array([int(h) in marks for h in tokens.hashes], dtype=np.bool_)
        kept = tokens.hashes[told]
        grams = np.concatenate([chain(kept, 1), chain(kept, 2)]) % np.uint64(SLOT_COLUMNS)
        columns, counts = np.unique(grams, return_counts=True)
        length = np.sqrt(float((counts.astype(np.float64) ** 2).sum())) or 1.0
        words = int(tokens.words.sum())
        extra = [float(text.rstrip('"”’) ').endswith("?")), float(words < 4), min(words, 40) / 40]
        indices.append(np.concatenate([columns.astype(np.int64), SLOT_COLUMNS + np.arange(3)]))
        data.append(np.concatenate([counts / length, extra]))
        indptr.append(indptr[-1] + len(columns) + 3)
    return sp.csr_matrix(
        (np.concatenate(data), np.concatenate(indices), np.array(indptr)),
        shape=(len(texts), SLOT_COLUMNS + 3),
    )


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
    parts = segments(text)
    features = segment_features([text[begin:end] for begin, end in parts])
    values = np.clip(features @ model.segment + model.segment_bias, -_LIMIT, _LIMIT)
    owner = np.searchsorted([begin for begin, _ in parts], tokens.starts, side="right") - 1
    return np.asarray(values[np.maximum(owner, 0)], dtype=np.float32)


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
