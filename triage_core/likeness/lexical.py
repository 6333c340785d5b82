"""What a text is made of: tokens with their places, segments, and hashed n-grams for lexical likeness.

Features are hashed into a fixed number of columns, so that no vocabulary has to be kept, a text's features
do not depend on the other texts, and rows can be appended for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

COLUMNS = 1 << 22

_TOKEN = re.compile(r"\w+|[^\w\s]")
# Ends of sentences and lines, after a colon, around quotations. A single capital and a full stop ("U.S.") end nothing.
_BREAK = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)[\"”’)\]]*\s+|\n+|(?<=[:;])\s+|\s+(?=[\"“])|(?<=[\"”])\s+")
# A meeting of two rows in a column costs this many times an addition in a dense table.
_SPARSE_COST = 8
_BLOCK = 512
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


def matrix(rows: Iterable[NDArray[np.uint64]]) -> sp.csr_matrix:
    """(rows, COLUMNS) float32 counts of hashed grams, one row an array of grams."""
    indices, counts, indptr = [], [], [0]
    for grams in rows:
        columns, count = np.unique(grams % np.uint64(COLUMNS), return_counts=True)
        indices.append(columns.astype(np.int32))
        counts.append(count.astype(np.float32))
        indptr.append(indptr[-1] + len(columns))
    return sp.csr_matrix(
        (
            np.concatenate(counts) if counts else np.zeros(0, np.float32),
            np.concatenate(indices) if indices else np.zeros(0, np.int32),
            np.array(indptr),
        ),
        shape=(len(indptr) - 1, COLUMNS),
    )


def presence(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Rows of length 1 that say only which grams occur: robust where whole passages are shared."""
    return _unit(_with(counts, np.ones_like(counts.data)))


def weighted(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Rows of length 1 with damped counts times rarity in these rows: for wordings, where single words decide."""
    _, columns, frequency = np.unique(counts.indices, return_inverse=True, return_counts=True)
    rarity = np.log((1 + counts.shape[0]) / (1 + frequency)) + 1
    return _unit(_with(counts, (1 + np.log(counts.data)) * rarity[columns]))


def cosines(left: sp.csr_matrix, right: sp.csr_matrix) -> NDArray[np.float32]:
    """(left rows, right rows) float32 cosines of rows of length 1."""
    used, columns, counts = np.unique(right.indices, return_inverse=True, return_counts=True)
    if not len(used):
        return np.zeros((left.shape[0], right.shape[0]), np.float32)
    place = np.minimum(np.searchsorted(used, left.indices), len(used) - 1)
    known = used[place] == left.indices
    if counts[place[known]].sum() * _SPARSE_COST < left.nnz * right.shape[0]:
        return np.asarray((left @ right.T).toarray(), dtype=np.float32)
    # Where most rows share most columns, adding whole rows of a dense table is quicker than meeting by meeting.
    rows = np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))[known]
    inside = sp.csr_matrix((left.data[known], (rows, place[known])), shape=(left.shape[0], len(used)))
    across = sp.csr_matrix((right.data, columns, right.indptr), shape=(right.shape[0], len(used)))
    found = np.empty((left.shape[0], right.shape[0]), np.float32)
    for begin in range(0, right.shape[0], _BLOCK):
        found[:, begin : begin + _BLOCK] = inside @ across[begin : begin + _BLOCK].T.toarray(order="C")
    return found


def _with(counts: sp.csr_matrix, data: NDArray[np.float32]) -> sp.csr_matrix:
    return sp.csr_matrix((data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def _unit(rows: sp.csr_matrix) -> sp.csr_matrix:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = 1 / np.maximum(lengths, 1e-12)
    rows.data *= np.repeat(scale, np.diff(rows.indptr)).astype(np.float32)
    return rows
