"""From texts, vectors and spans to one likeness matrix an axis: every pair of a set of reports at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from triage_core.likeness.kernels import keep_best, speak_for
from triage_core.likeness.sketch import LEXICAL_SHARE

Matrix = NDArray[np.float32]
Rows = NDArray[np.int64]

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
    """What is known of n reports before their neighbours are heard.

    (n, n) the cosines of wrappers and the likeness of the `wording` of requests and of whole texts, each 1 on the
    diagonal; `sure` and `wrapped` are (n,), as spans have them.
    """

    wrappers: Matrix
    asked: Matrix
    plain: Matrix
    sure: Matrix
    wrapped: Matrix


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who speaks for each report: (n, k) its nearest, how near they are, and what each has to say."""

    nearest: Rows
    near: Matrix
    say: Matrix


@dataclass(frozen=True, slots=True)
class Likeness:
    """(n, n) symmetric matrices. The axes are probabilities: one half where alike becomes likelier than not.

    `wrappers` are cosines of the wrappers; `heard` says who spoke for each report of wrappers, requests and wordings.
    """

    whole: Matrix
    technique: Matrix
    request: Matrix
    wrappers: Matrix
    heard: tuple[Neighbours, Neighbours, Neighbours]

    def tools(self) -> Rows:
        """(n,) which reports carry one wrapper almost word for word around different requests, by number.

        -1 where that is not seen.
        """
        return tools(self.wrappers, lambda rows: self.request[np.ix_(rows, rows)])


@dataclass(frozen=True, slots=True)
class Before:
    """The likeness of the first of these reports, and the rows whose wrapper, request, text or spans are others now."""

    likeness: Likeness
    wrappers: Rows
    asked: Rows
    whole: Rows
    spans: Rows


def heard_in(count: int) -> int:
    """How many nearest speak for a report among so many."""
    return min(count, NEIGHBOURS, max(_LEAST_NEIGHBOURS, count // 10))


def weigh(parts: Parts, neighbours: int = NEIGHBOURS, before: Before | None = None) -> Likeness:
    """Every likeness of every pair; the `neighbours` nearest of a report speak for it.

    With `before` only what changed is weighed, to the same numbers. It needs the same `neighbours`.
    """
    count = len(parts.wrappers)
    kept = min(neighbours, count)
    old = before.likeness.heard if before else (None, None, None)
    changed = (before.wrappers, before.asked, before.whole) if before else (np.arange(count),) * 3
    kinds = (
        (parts.wrappers, _TECHNIQUE_POWER),
        (parts.asked, _WORDING_POWER),
        (parts.plain, _WORDING_POWER),
    )
    heard, touched = zip(
        *(
            _heard(likeness, power, kept, known, new)
            for (likeness, power), known, new in zip(kinds, old, changed, strict=True)
        ),
        strict=True,
    )
    rows = np.unique(np.concatenate([*touched, *([before.spans] if before else ())]))
    smoothed = [_smoothed(likeness, who, rows) for (likeness, _), who in zip(kinds, heard, strict=True)]
    whole, technique, request = (
        _copied(known, count)
        for known in (
            (before.likeness.whole, before.likeness.technique, before.likeness.request)
            if before and len(rows) < count
            else (None,) * 3
        )
    )
    sure, wrapped = parts.sure, parts.wrapped
    # Row by row, so that what is computed on the way stays near the processor.
    for start in range(0, len(rows), _AT_ONCE):
        here = rows[start : start + _AT_ONCE]
        tricks, asks, words = (part[start : start + _AT_ONCE] for part in smoothed)
        asked, own = parts.asked[here], parts.plain[here]
        whole[here] = _whole(
            sure[here], wrapped[here], sure, wrapped, tricks, asked, _neighbourly(own, words)
        )
        technique[here] = _probability(TECHNIQUE_SLOPE * (tricks - TECHNIQUE_AT))
        request[here] = request_probability(_neighbourly(asked, asks))
    if len(rows) < count:
        for found in (whole, technique, request):
            found[:, rows] = found[rows].T
    return Likeness(whole, technique, request, parts.wrappers, heard)


def _heard(
    likeness: Matrix, power: int, kept: int, known: Neighbours | None, changed: Rows
) -> tuple[Neighbours, Rows]:
    """Who speaks for each report, and the rows for which somebody else does, or speaks otherwise.

    Members of one family agree on who else belongs to it, which a single pair may not show.
    """
    count = len(likeness)
    near = np.full((count, kept), -np.inf, np.float32)
    nearest = np.zeros(near.shape, np.int64)
    say = np.zeros_like(near)
    rows = np.arange(count)
    if known is not None and len(changed) < count:
        old = len(known.near)
        near[:old], nearest[:old], say[:old] = known.near, known.nearest, known.say
        others = np.isin(known.nearest, changed).any(axis=1)
        # Of equals the first is the nearer one.
        for later, displaces in ((changed >= old, np.greater), (changed < old, np.greater_equal)):
            others |= displaces(likeness[changed[later], :old], known.near[:, -1]).any(axis=0)
        rows = np.union1d(changed, np.flatnonzero(others))
    every = np.arange(count)
    for start in range(0, len(rows), _AT_ONCE):
        here = rows[start : start + _AT_ONCE]
        near[here] = -np.inf
        keep_best(likeness[here], every, here, near, nearest)
    loud, among = np.clip(near[rows], 0, None), likeness[nearest[rows][:, :, None], nearest[rows][:, None, :]]
    said = loud.copy()
    for _ in range(power - 1):
        said *= loud
    total = np.zeros(len(rows), np.float32)
    # In this order, however many rows there are: what is kept equals what is computed anew.
    for one in range(kept):
        for other in range(kept):
            total += said[:, one] * among[:, one, other] * said[:, other]
    say[rows] = said / np.sqrt(np.maximum(total, np.float32(1e-9)))[:, None]
    return Neighbours(nearest, near, say), rows


def _smoothed(likeness: Matrix, heard: Neighbours, rows: Rows) -> Matrix:
    """(r, n) the likeness of these rows' neighbourhoods: each report is replaced by its nearest, itself among them."""
    nearest = heard.nearest[rows]
    speakers, at = np.unique(nearest, return_inverse=True)
    places = at.reshape(nearest.shape).astype(np.int32)
    found = np.empty((len(rows), len(likeness)), np.float32)
    speak_for(likeness[speakers], places, heard.nearest.astype(np.int32), heard.say, rows, found)
    return found


def _copied(known: Matrix | None, count: int) -> Matrix:
    found = np.empty((count, count), np.float32)
    if known is not None:
        found[: len(known), : len(known)] = known
    return found


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


def tools(wrappers: Matrix, request: Callable[[Rows], Matrix]) -> Rows:
    """(n,) which reports carry one wrapper almost word for word around different requests, by number; -1: none seen.

    `wrappers` (n, n) are cosines; `request` gives the probability, (r, r), that some rows ask for the same thing.
    """
    count, labels = connected_components(sp.csr_matrix(wrappers >= _VERBATIM), directed=False)
    sizes = np.bincount(labels, minlength=count)
    found = np.full(len(wrappers), -1)
    for number in np.flatnonzero(sizes > 1).tolist():
        rows = np.flatnonzero(labels == number)
        asked = sp.csr_matrix(request(rows) >= _SAME_REQUEST)
        if connected_components(asked, directed=False)[0] > 1:
            found[rows] = number
    return found


def request_probability(likeness: Matrix) -> Matrix:
    """How probably two ask for the same thing whose requests are this much alike."""
    return _probability(REQUEST_SLOPE * (likeness - REQUEST_AT))


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


def wording(words: Matrix, meaning: Matrix) -> Matrix:
    """The likeness of wordings: (r, n) by words and by meaning together."""
    found = np.empty_like(words)
    for start in range(0, len(words), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        found[rows] = LEXICAL_SHARE * words[rows] + (1 - LEXICAL_SHARE) * meaning[rows]
    return found


def _neighbourly(likeness: Matrix, smoothed: Matrix) -> Matrix:
    return np.asarray(_OWN_SHARE * likeness + (1 - _OWN_SHARE) * smoothed, dtype=np.float32)
