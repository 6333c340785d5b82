"""From texts, vectors and spans to one likeness matrix an axis: every pair of a set of reports at once.

Raw likeness is between -1 and 1 and only orders pairs; `calibrate` makes it a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from triage_core.likeness import lexical
from triage_core.likeness.spans import Spans

Matrix = NDArray[np.float32]

_NEIGHBOURS, _POWER = 10, 4


@dataclass(frozen=True, slots=True)
class Parts:
    """What is known of n reports before they are compared, row by row."""

    whole_words: sp.csr_matrix
    wrapper_grams: sp.csr_matrix
    request_words: sp.csr_matrix
    whole_vectors: Matrix
    request_vectors: Matrix
    spans: Sequence[Spans]


@dataclass(frozen=True, slots=True)
class Likeness:
    """(n, n) matrices, symmetric. The first three are the axes, the others the evidence they are made of."""

    whole: Matrix
    technique: Matrix
    request: Matrix
    whole_lexical: Matrix
    whole_semantic: Matrix
    technique_lexical: Matrix
    request_lexical: Matrix
    request_semantic: Matrix


def compare(parts: Parts) -> Likeness:
    """Every likeness of every pair."""
    whole_lexical = _tfidf(parts.whole_words)
    whole_semantic = _dots(parts.whole_vectors)
    technique_lexical = _presence(parts.wrapper_grams)
    request_lexical = _tfidf(parts.request_words)
    request_semantic = _dots(parts.request_vectors)
    technique = smooth(technique_lexical)
    plain = (request_lexical + request_semantic) / 2
    request = (plain + smooth(plain)) / 2
    blend = (whole_lexical + whole_semantic) / 2
    wrapped = np.sqrt(np.array([s.wrapped for s in parts.spans], dtype=np.float32))
    sure = np.array([s.sure for s in parts.spans], dtype=np.float32)
    other_request = np.minimum.outer(sure, sure) * (1 - np.clip(plain, 0, 1))
    weight = np.outer(wrapped, wrapped)
    whole = weight * technique * (1 - other_request) + (1 - weight) * (blend + smooth(blend)) / 2
    return Likeness(
        whole,
        technique,
        request,
        whole_lexical,
        whole_semantic,
        technique_lexical,
        request_lexical,
        request_semantic,
    )


def smooth(likeness: Matrix, neighbours: int = _NEIGHBOURS, power: int = _POWER) -> Matrix:
    """The likeness of neighbourhoods: each report is replaced by the mean of itself and its nearest.

    Members of one family agree on who else belongs to it, which a single pair may not show; the diagonal is 1.
    """
    count = len(likeness)
    own = likeness.copy()
    np.fill_diagonal(own, 1)
    nearest = np.argsort(-own, axis=1, kind="stable")[:, :neighbours]
    weight = np.clip(np.take_along_axis(own, nearest, axis=1), 0, None) ** power
    weight /= weight.sum(axis=1, keepdims=True)
    places = np.repeat(np.arange(count), nearest.shape[1])
    mean = sp.csr_matrix((weight.ravel(), (places, nearest.ravel())), shape=(count, count))
    both = mean @ (mean @ own).T
    length = np.sqrt(np.maximum(np.diag(both), 1e-9))
    smoothed = np.asarray(both / length[:, None] / length[None, :], dtype=np.float32)
    return (smoothed + smoothed.T) / 2


def _tfidf(counts: sp.csr_matrix) -> Matrix:
    rows = lexical.weighted(counts, lexical.rarity(counts))
    return lexical.cosines(rows, rows)


def _presence(counts: sp.csr_matrix) -> Matrix:
    rows = lexical.weighted(
        sp.csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape),
        np.sqrt(lexical.rarity(counts)),
    )
    return lexical.cosines(rows, rows)


def _dots(vectors: Matrix) -> Matrix:
    return np.asarray(vectors @ vectors.T, dtype=np.float32)
