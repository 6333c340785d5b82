"""What the members of a group share, and where each differs: the wrapper that most of them have, word for word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triage_core.likeness.lexical import tokenize, trigrams

_LEAST_SHARED = 4  # tokens in a row; shorter runs are chance
_MOST_TOKENS = 4_000  # of a text; beyond that it is compared no further


def parts(texts: Sequence[str]) -> list[list[tuple[bool, str]]]:
    """Each text as pieces in reading order, with whether at least half of the other texts have the piece too.

    The pieces of a text, put together, are the text. A text without others is one piece that is its own.
    """
    read = [tokenize(text) for text in texts]
    grams = [trigrams(tokens)[:_MOST_TOKENS] for tokens in read]
    found = []
    for at, (text, tokens) in enumerate(zip(texts, read, strict=True)):
        others = [np.isin(grams[at], other) for place, other in enumerate(grams) if place != at]
        hit = np.zeros((len(others), len(tokens)), dtype=np.bool_)
        for number, same in enumerate(others):
            hit[number, : len(same)] = same
        hit[:, 1:] |= hit[:, :-1].copy()
        hit[:, :-1] |= hit[:, 1:].copy()
        shared = hit.mean(axis=0) >= 0.5 if others else np.zeros(len(tokens), dtype=np.bool_)
        edges = np.diff(np.concatenate([[0], shared.astype(np.int8), [0]]))
        begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        runs = [
            (int(tokens.starts[begin]), int(tokens.ends[end - 1]))
            for begin, end in zip(begins, ends, strict=True)
            if end - begin >= _LEAST_SHARED
        ]
        found.append(_pieces(text, runs))
    return found


def _pieces(text: str, runs: Sequence[tuple[int, int]]) -> list[tuple[bool, str]]:
    pieces, at = [], 0
    for begin, end in runs:
        pieces += [(False, text[at:begin]), (True, text[begin:end])]
        at = end
    pieces.append((False, text[at:]))
    return [(shared, piece) for shared, piece in pieces if piece]
