"""What a text is made of: tokens with their places, segments, and hashed n-grams for lexical likeness.

Features are hashed into a fixed number of columns, so that no vocabulary has to be kept, a text's features
do not depend on the other texts, and rows can be appended for ever.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

COLUMNS = 1 << 22

_TOKEN = re.compile(r"\w+|[^\w\s]")
# Ends of sentences and lines, after a colon, around quotations. A single capital and a full stop ("U.S.") end nothing.
# The spaces before a quotation are looked at once, from where they begin, so that a text of spaces takes no longer.
_BREAK = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)[\"”’)\]]*\s+|\n+|(?<=[:;])\s+|(?<![^\S\n])[^\S\n]++(?=[\"“])|(?<=[\"”])\s+"
)
# So long are weighed bags: products of what is no longer than 4,096 are whole numbers that 32 bits hold exactly.
_LENGTH = 3_900
# A column that one row in so many has costs less as part of a dense table.
_MANY = 32
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text, lower case: (n,) hashes, character offsets, and which are words."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    words: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hashes)


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """The grams of one text: (n,) their hashes as columns, ascending, and how often each occurs."""

    columns: NDArray[np.int32]
    counts: NDArray[np.float32]


@lru_cache(maxsize=200_000)
def _token_hash(token: str) -> int:
    data = token.encode("utf-8", "surrogatepass")
    return crc32(data) << 32 | crc32(data, 0x5BD1E995)


def tokenize(text: str) -> Tokens:
    """The words and single punctuation marks of `text`, in order."""
    found = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    return Tokens(
        hashes=np.array([_token_hash(token.lower()) for token, _, _ in found], dtype=np.uint64),
        starts=np.array([start for _, start, _ in found], dtype=np.int64),
        ends=np.array([end for _, _, end in found], dtype=np.int64),
        words=np.array([token[0].isalnum() or token[0] == "_" for token, _, _ in found], dtype=np.bool_),
    )


def segments(text: str) -> list[tuple[int, int]]:
    """Character ranges of sentences, lines and quotations, without blank ones."""
    found, begin = [], 0
    for match in _BREAK.finditer(text):
        if text[begin : match.start()].strip():
            found.append((begin, match.start()))
        begin = match.end()
    if text[begin:].strip():
        found.append((begin, len(text)))
    return found


def chain(hashes: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """(n - length + 1,) one hash for every run of `length` neighbours; order matters."""
    count = len(hashes) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    value = np.full(count, length, dtype=np.uint64)
    for offset in range(length):
        value = (value ^ hashes[offset : offset + count]) * _MIX
        value ^= value >> _SHIFT
    return value


def word_grams(tokens: Tokens, lengths: Sequence[int] = (1,)) -> NDArray[np.uint64]:
    """Hashes of the runs of words (punctuation left out), with repetitions."""
    words = tokens.hashes[tokens.words]
    return np.concatenate([chain(words, length) for length in lengths])


def token_grams(tokens: Tokens, lengths: Sequence[int] = (1, 2)) -> NDArray[np.uint64]:
    """Hashes of the runs of tokens, punctuation and all, with repetitions: layout marks a wrapper too."""
    return np.concatenate([chain(tokens.hashes, length) for length in lengths])


def trigrams(tokens: Tokens) -> NDArray[np.uint64]:
    """(len(tokens),) the hash of each token between its two neighbours; the ends of the text count as tokens."""
    edged = np.concatenate([[np.uint64(1)], tokens.hashes, [np.uint64(2)]]).astype(np.uint64)
    return chain(edged, 3)


def bag(grams: NDArray[np.uint64]) -> Bag:
    """The grams of one text, with repetitions, as a bag."""
    columns, counts = np.unique(grams % np.uint64(COLUMNS), return_counts=True)
    return Bag(columns.astype(np.int32), counts.astype(np.float32))


def gram_set(grams: NDArray[np.uint64]) -> Bag:
    """The grams of one text as a bag in which each stands once, however often it occurs."""
    columns = np.unique(grams % np.uint64(COLUMNS)).astype(np.int32)
    return Bag(columns, np.ones(len(columns), np.float32))


def cosine(one: Bag, other: Bag) -> float:
    """The cosine of two bags; 0 where one is empty."""
    _, here, there = np.intersect1d(one.columns, other.columns, assume_unique=True, return_indices=True)
    squares = float(one.counts @ one.counts) * float(other.counts @ other.counts)
    return float(one.counts[here] @ other.counts[there]) / math.sqrt(max(1.0, squares))


def matrix(bags: Sequence[Bag]) -> sp.csr_matrix:
    """(bags, their different grams) float32 counts; a column a gram, in the order of the grams' hashes."""
    hashed = np.concatenate([np.zeros(0, np.int32), *(item.columns for item in bags)])
    known = np.zeros(COLUMNS, np.bool_)
    known[hashed] = True
    used = np.flatnonzero(known)  # a table of all columns takes less time than sorting
    place = np.empty(COLUMNS, np.int32)
    place[used] = np.arange(len(used))
    counts = np.concatenate([np.zeros(0, np.float32), *(item.counts for item in bags)])
    starts = np.cumsum([0, *(len(item.columns) for item in bags)])
    return sp.csr_matrix((counts, place[hashed], starts), shape=(len(bags), len(used)))


class Rarity:
    """How much each word tells, by how few of some texts have it.

    It is fixed once for those texts, so that what it weighs keeps its weight however many more texts come.
    """

    def __init__(self, bags: Sequence[Bag]) -> None:
        columns = np.concatenate([np.zeros(0, np.int32), *(item.columns for item in bags)])
        self._known, frequency = np.unique(columns, return_counts=True)
        self._rarity = np.append(np.log((1 + len(bags)) / (1 + frequency)), np.log(1 + len(bags))) + 1
        self._weighed: dict[int, tuple[Bag, Bag]] = {}

    def weighed(self, item: Bag) -> Bag:
        """The bag with damped counts times rarity, in whole numbers and about `_LENGTH` long: single words decide.

        The same object for the same bag.
        """
        kept = self._weighed.get(id(item))
        if kept is None:
            kept = self._weighed[id(item)] = item, self._weigh(item)
        return kept[1]

    def _weigh(self, item: Bag) -> Bag:
        place = np.searchsorted(self._known, item.columns)
        place[np.append(self._known, -1)[place] != item.columns] = len(self._known)  # in none of those texts
        weights = (1 + np.log(item.counts)) * self._rarity[place]
        length = max(float(np.sqrt((weights * weights).sum())), 1e-12)
        return Bag(item.columns, np.rint(weights * (_LENGTH / length)).astype(np.float32))


def products(left: sp.csr_matrix, right: sp.csr_matrix) -> NDArray[np.float32]:
    """(left rows, right rows) float32 scalar products; the same matrix on both sides is read once.

    Columns that many rows have are multiplied as dense tables, the others meeting by meeting.
    """
    if left.shape[0] < _MANY:
        return np.asarray((left @ right.T).toarray(), dtype=np.float32)
    many = np.bincount(right.indices, minlength=right.shape[1]) * _MANY > right.shape[0]
    dense, sparse = right[:, many].toarray(), right[:, ~many]
    if left is right:
        found = dense @ dense.T
        found += (sparse @ sparse.T).toarray()
    else:
        found = left[:, many].toarray() @ dense.T
        found += (left[:, ~many] @ sparse.T).toarray()
    return np.asarray(found, dtype=np.float32)
