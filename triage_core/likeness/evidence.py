"""From texts, vectors and spans to one likeness matrix an axis: every pair of a set of reports at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from triage_core.likeness import lexical
from triage_core.likeness.kernels import keep_best, speak_for
from triage_core.likeness.sketch import LEXICAL_SHARE
from triage_core.likeness.spans import Spans

Matrix = NDArray[np.float32]

# Where a likeness becomes more probable than not, and how fast it does (log-odds per unit).
TECHNIQUE_AT, TECHNIQUE_SLOPE = 0.47, 10.0
REQUEST_AT, REQUEST_SLOPE = 0.57, 12.0

# So many nearest are a neighbourhood; of few reports no more than a tenth, since most of the others are unlike.
NEIGHBOURS, _LEAST_NEIGHBOURS = 10, 3
# How much less a more distant neighbour counts: wrappers are alike or not, wordings differ by degrees.
_TECHNIQUE_POWER, _WORDING_POWER = 3, 2
_OWN_SHARE = 0.25
# From and up to this share of wrapper-like text, the whole is compared as a wrapper rather than as a wording.
_WRAPPED_FROM, _WRAPPED_FULL = 0.5, 0.7
# Wrappers at this cosine are one, but for the edges of what was put into them.
_VERBATIM, _SAME_REQUEST = 0.94, 0.5
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """What is known of n reports before they are compared, row by row.

    `wrappers` (n, n) are the cosines of their tokens and pairs of tokens (see `overlap`), `words` and
    `request_words` counts of words (see `lexical.matrix`); vectors are (n, dim) of length 1.
    """

    wrappers: Matrix
    words: sp.csr_matrix
    request_words: sp.csr_matrix
    vectors: Matrix
    request_vectors: Matrix
    spans: Sequence[Spans]


@dataclass(frozen=True, slots=True)
class Likeness:
    """(n, n) symmetric matrices. The axes are probabilities: one half where alike becomes likelier than not.

    `lexical` and `semantic` are cosines of the whole texts, `wrappers` those of the wrappers.
    """

    whole: Matrix
    technique: Matrix
    request: Matrix
    lexical: Matrix
    semantic: Matrix
    wrappers: Matrix

    def tools(self) -> NDArray[np.int64]:
        """(n,) which reports carry one wrapper almost word for word around different requests, by number.

        -1 where that is not seen.
        """
        return _tools(self.wrappers, self.request)


def compare(parts: Parts) -> Likeness:
    """Every likeness of every pair."""
    return weigh(
        wrappers=parts.wrappers,
        asked=_wording(_rare_words(parts.request_words), _dots(parts.request_vectors)),
        words=_rare_words(parts.words),
        meaning=_dots(parts.vectors),
        sure=np.array([s.sure for s in parts.spans], dtype=np.float32),
        wrapped=np.array([s.wrapped for s in parts.spans], dtype=np.float32),
        neighbours=min(NEIGHBOURS, max(_LEAST_NEIGHBOURS, len(parts.spans) // 10)),
    )


def weigh(
    wrappers: Matrix,
    asked: Matrix,
    words: Matrix,
    meaning: Matrix,
    sure: Matrix,
    wrapped: Matrix,
    neighbours: int = NEIGHBOURS,
) -> Likeness:
    """Every likeness from the cosines, (n, n), of wrappers, requests, words and meanings, whoever computed them.

    `sure` and `wrapped` are (n,), as spans have them; `neighbours` of a report speak for it.
    """
    technique = smooth(wrappers, _TECHNIQUE_POWER, neighbours)
    request = smooth(asked, _WORDING_POWER, neighbours)
    plain = _wording(words, meaning)
    wording = smooth(plain, _WORDING_POWER, neighbours)
    whole = np.empty_like(technique)
    # Row by row, so that what is computed on the way stays near the processor.
    for start in range(0, len(whole), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        wording[rows] = _neighbourly(plain[rows], wording[rows])
        whole[rows] = _whole(
            sure[rows], wrapped[rows], sure, wrapped, technique[rows], asked[rows], wording[rows]
        )
        technique[rows] = _probability(TECHNIQUE_SLOPE * (technique[rows] - TECHNIQUE_AT))
        request[rows] = _probability(REQUEST_SLOPE * (_neighbourly(asked[rows], request[rows]) - REQUEST_AT))
    return Likeness(whole, technique, request, words, meaning, wrappers)


def smooth(likeness: Matrix, power: int, neighbours: int = NEIGHBOURS) -> Matrix:
    """The likeness of neighbourhoods: each report is replaced by the mean of itself and its nearest.

    Members of one family agree on who else belongs to it, which a single pair may not show; the diagonal is 1.
    """
    own = likeness.copy()
    np.fill_diagonal(own, 1)
    rows = np.arange(len(own))
    best = np.full((len(own), min(neighbours, len(own))), -np.inf, np.float32)
    nearest = np.zeros(best.shape, np.int64)
    keep_best(own, rows, rows, best, nearest)
    say = np.clip(best, 0, None) ** power
    among = own[nearest[:, :, None], nearest[:, None, :]]
    say /= np.sqrt(np.maximum(np.einsum("nk,nkl,nl->n", say, among, say), 1e-9))[:, None]
    smoothed = np.empty_like(own)
    speak_for(own, nearest.astype(np.int32), say, smoothed)
    return smoothed


def top(likeness: Matrix, count: int) -> NDArray[np.int64]:
    """(rows, count or fewer) the columns of each row's greatest values, greatest first, equal ones by column."""
    columns = _greatest(likeness, count)
    order = np.argsort(-np.take_along_axis(likeness, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def _greatest(likeness: Matrix, count: int) -> NDArray[np.int64]:
    """(rows, count or fewer) the columns of each row's greatest values, by column."""
    width = likeness.shape[1]
    if count >= width:
        return np.broadcast_to(np.arange(width), likeness.shape)
    return np.sort(np.argpartition(-likeness, count - 1, axis=1)[:, :count], axis=1)


def _tools(same_words: Matrix, request: Matrix) -> NDArray[np.int64]:
    """The wrappers that were used again, word for word, to ask for something else."""
    count, labels = connected_components(sp.csr_matrix(same_words >= _VERBATIM), directed=False)
    sizes = np.bincount(labels, minlength=count)
    tools = np.full(len(same_words), -1)
    for number in np.flatnonzero(sizes > 1).tolist():
        rows = np.flatnonzero(labels == number)
        asked = sp.csr_matrix(request[np.ix_(rows, rows)] >= _SAME_REQUEST)
        if connected_components(asked, directed=False)[0] > 1:
            tools[rows] = number
    return tools


def _whole(
    sure: Matrix,
    wrapped: Matrix,
    others_sure: Matrix,
    others_wrapped: Matrix,
    technique: Matrix,
    asked: Matrix,
    wording: Matrix,
) -> Matrix:
    """The probability that two reports are one: the same wrapper and the same request, or the same wording.

    Two reports with one wrapper that surely ask for different things are not duplicates.
    """
    as_wrapper = np.outer(_wrapper_share(wrapped), _wrapper_share(others_wrapped))
    differ = np.minimum.outer(sure, others_sure) * (1 - np.clip(asked, 0, 1))
    odds = as_wrapper * TECHNIQUE_SLOPE * (technique * (1 - differ) - TECHNIQUE_AT)
    odds += (1 - as_wrapper) * REQUEST_SLOPE * (wording - REQUEST_AT)
    return _probability(odds)


def _wrapper_share(wrapped: Matrix) -> Matrix:
    share = np.clip((wrapped - _WRAPPED_FROM) / (_WRAPPED_FULL - _WRAPPED_FROM), 0, 1)
    return np.asarray(np.sqrt(share), dtype=np.float32)


def _probability(odds: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)


def _wording(words: Matrix, meaning: Matrix) -> Matrix:
    wording = np.empty_like(words)
    for start in range(0, len(words), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        wording[rows] = LEXICAL_SHARE * words[rows] + (1 - LEXICAL_SHARE) * meaning[rows]
    return wording


def _neighbourly(likeness: Matrix, smoothed: Matrix) -> Matrix:
    return np.asarray(_OWN_SHARE * likeness + (1 - _OWN_SHARE) * smoothed, dtype=np.float32)


def _rare_words(counts: sp.csr_matrix) -> Matrix:
    rows = lexical.weighted(counts)
    return lexical.products(rows, rows)


def _dots(vectors: Matrix) -> Matrix:
    return np.asarray(vectors @ vectors.T, dtype=np.float32)
