"""Where the wrapper ends and the request begins, in one text, given the texts that share its wrapper.

What a report shares in long runs with others that ask for something else is wrapper; what is left is the
request. Where nobody shares the wrapper yet, the slot model's reading decides alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.kernels import compiled, mark_known
from triage_core.likeness.lexical import trigrams
from triage_core.likeness.slots import Reading

Ranges = tuple[tuple[int, int], ...]

# A shared run is a wrapper only if it is long, or if it does not read like a request: paraphrases of one
# question share short runs that do. (Least tokens; tokens that excuse log-odds of 0; tokens per log-odds more.)
_LEAST_RUN, _NEUTRAL_RUN, _TOKENS_PER_LOGIT = 8, 12, 8.0
# A mate whose text leaves fewer words unexplained asks for the same thing, and cannot tell wrapper from request.
_LEAST_OWN_WORDS = 2
# How fast a less alike mate loses its say, and the share of say that makes a token wrapper.
_SAY, _SHARED = 8, 0.35
# Between these likenesses mates gain their influence; between these explained shares what is left is the request.
_MATE_FROM, _MATE_FULL = 0.3, 0.45
_EXPLAINED_FROM, _EXPLAINED_FULL = 0.5, 0.9
_SWITCH = 3.0
# A shorter text whose wrapper nobody shares is left whole: its request fills most of it.
_LEAST_LONE_WORDS = 120
# Fewer words are no wrapper, however they read: in proportion, since there is no sharp limit.
_WRAPPER_WORDS = 24
_CERTAIN = 3.0


@dataclass(frozen=True, slots=True)
class Spans:
    """Character ranges of one text, each sorted and disjoint.

    `wrapper` and `request` are empty where nothing could be told apart: then the whole text is both.
    `sure` (0 to 1) says how well other reports confirm the wrapper and how much the rest reads like a request;
    `wrapped` (0 to 1) how much of the text reads or is known as wrapper, of short texts less than of long ones.
    """

    wrapper: Ranges
    request: Ranges
    sure: float
    wrapped: float


@dataclass(frozen=True, slots=True)
class Mate:
    """Another text with a similar whole: its trigram hashes (sorted) and its likeness (0 to 1)."""

    grams: NDArray[np.uint64]
    likeness: float


def mate_grams(reading: Reading) -> NDArray[np.uint64]:
    """The sorted trigram hashes of a text, as `Mate` wants them."""
    return np.unique(trigrams(reading.tokens))


def divide(text: str, reading: Reading, mates: Sequence[Mate]) -> Spans:
    """The wrapper and the request of `text`."""
    tokens = reading.tokens
    shared, likeness = _shared(reading, mates)
    explained = float((shared >= _SHARED).mean()) if len(tokens) else 0.0
    influence = _ramp(likeness, _MATE_FROM, _MATE_FULL)
    trust = _ramp(explained, _EXPLAINED_FROM, _EXPLAINED_FULL)
    with_mates = np.where(
        shared >= _SHARED, 4 * _CERTAIN * (_SHARED - shared), (1 - trust) * reading.token + trust * _CERTAIN
    )
    logits = (1 - influence) * reading.token + influence * with_mates
    request = _smooth(logits)
    if _words(request, reading) < _LEAST_OWN_WORDS:
        request, trust = _smooth(reading.token), 0.0
    if influence * trust == 0 and reading.tokens.words.sum() < _LEAST_LONE_WORDS:
        request[:] = True
    wrapped = float((1 / (1 + np.exp(np.clip(logits, -30, 30)))).mean()) if len(tokens) else 0.0
    wrapped *= min(1.0, float(tokens.words.sum()) / _WRAPPER_WORDS)
    left = int((tokens.words & ~request).sum())
    if _words(request, reading) < _LEAST_OWN_WORDS or left == 0:
        return Spans((), (), 0.0, wrapped)
    ranges = _ranges(request, reading)
    asks = 1 / (1 + np.exp(-float(reading.segment[request].mean())))
    return Spans(_rest(ranges, text), ranges, influence * trust * asks, wrapped)


def extract(text: str, ranges: Ranges) -> str:
    """The pieces of `text` in `ranges`, a line each; the whole text where there are none."""
    return "\n".join(text[begin:end] for begin, end in ranges) if ranges else text


def within(ranges: Ranges, length: int) -> Ranges:
    """The part of `ranges` that lies in the first `length` characters."""
    return tuple((begin, min(end, length)) for begin, end in ranges if begin < length)


def _shared(reading: Reading, mates: Sequence[Mate]) -> tuple[NDArray[np.float64], float]:
    """Per token the share of the mates' say that has it in a wrapper-like run; the best mate's likeness."""
    count = len(reading.tokens)
    if not count or not mates:
        return np.zeros(count), 0.0
    own, place = np.unique(trigrams(reading.tokens), return_inverse=True)
    known = np.zeros((len(mates), len(own)), dtype=np.bool_)
    for mate, row in zip(mates, known, strict=True):
        mark_known(own, mate.grams, row)
    same = known[:, place]
    hit = same.copy()
    hit[:, 1:] |= same[:, :-1]
    hit[:, :-1] |= same[:, 1:]
    covered = _wrapper_runs(hit, reading.segment)
    tells = covered.any(axis=1) & ((reading.tokens.words & ~covered).sum(axis=1) >= _LEAST_OWN_WORDS)
    if not tells.any():
        return np.zeros(count), 0.0
    likeness = np.array([mate.likeness for mate in mates])[tells]
    say = (likeness / likeness.max()) ** _SAY
    return np.asarray(say @ covered[tells] / say.sum()), float(likeness.max())


def _wrapper_runs(hit: NDArray[np.bool_], scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(mates, tokens) the hits that stand in runs long enough, or unlike enough to a request, to be wrapper."""
    edge = np.zeros((len(hit), 1), np.int8)
    steps = np.diff(hit.astype(np.int8), axis=1, prepend=edge, append=edge)
    row, begin = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    length = end - begin
    mean = (total[end] - total[begin]) / length
    good = (length >= _LEAST_RUN) & (mean <= (length - _NEUTRAL_RUN) / _TOKENS_PER_LOGIT)
    marks = np.zeros(steps.shape, np.int8)
    marks[row[good], begin[good]] = 1
    marks[row[good], end[good]] = -1
    return np.asarray(np.cumsum(marks, axis=1, dtype=np.int8)[:, :-1] == 1)


@compiled
def _smooth(logits: NDArray[np.floating]) -> NDArray[np.bool_]:
    """The likeliest two-state sequence when each change of state costs `_SWITCH` (Viterbi)."""
    path = np.zeros(len(logits), dtype=np.bool_)
    came = np.zeros((len(logits), 2), dtype=np.bool_)
    off, on = 0.0, 0.0
    for at in range(len(logits)):
        if at:
            came[at, 0], came[at, 1] = on - _SWITCH > off, not off - _SWITCH > on
            off, on = max(off, on - _SWITCH), max(on, off - _SWITCH)
        on += float(logits[at])
    state = on > off
    for at in range(len(logits) - 1, -1, -1):
        path[at] = state
        state = came[at, int(state)]
    return path


def _words(kept: NDArray[np.bool_], reading: Reading) -> int:
    return int((kept & reading.tokens.words).sum())


def _ranges(kept: NDArray[np.bool_], reading: Reading) -> Ranges:
    edges = np.diff(np.concatenate([[0], kept.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    tokens = reading.tokens
    return tuple(
        (int(tokens.starts[b]), int(tokens.ends[e - 1]))
        for b, e in zip(begins, ends, strict=True)
        if tokens.words[b:e].any()
    )


def _rest(ranges: Ranges, text: str) -> Ranges:
    found, at = [], 0
    for begin, end in (*ranges, (len(text), len(text))):
        piece = text[at:begin]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            found.append((at + lead, at + len(piece.rstrip())))
        at = end
    return tuple(found)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
