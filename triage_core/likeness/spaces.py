"""The three axes as vector spaces, for more reports than can be compared pair by pair.

Every report is read when it arrives: the runs of tokens that it shares with earlier reports tell its wrapper from
its request, and both become vectors (sketch.py). The first reports are read with each other, and again when more have
come (index/arrivals.py). So what is kept of a report depends on the reports, their order and how many there are,
whether they came one by one or all at once. A question about a report compares its
neighbourhood, the nearest on any axis, pair by pair as close reading does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from triage_core.likeness import laying, sketch
from triage_core.likeness.axes import Axis, wrapper_of
from triage_core.likeness.column import Column
from triage_core.likeness.evidence import Likeness, Parts, top, weigh, wording
from triage_core.likeness.learn import Pair
from triage_core.likeness.lexical import tokenize, trigrams
from triage_core.likeness.search import ROUNDING, VectorIndex
from triage_core.likeness.slots import Reading, read, shipped
from triage_core.likeness.spans import Mate, Spans, divide, extract, mate_grams

MATES, MATE_LIKENESS, MATE_SKETCH = 16, 0.2, 0.15
NEIGHBOURHOOD = 48

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Embed = Callable[[Sequence[str]], Vectors]
Grams = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Readings:
    """What is kept of n reports, a row each: sketches as bytes (sketch.py), what their spans say of them
    (spans.Spans), and the lengths of their texts."""

    passages: sketch.Codes
    words: sketch.Codes
    wrapper: sketch.Codes
    request: sketch.Codes
    sure: NDArray[np.float32]
    wrapped: NDArray[np.float32]
    size: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.sure)

    def put(self, rows: Rows, other: Readings) -> None:
        """Make these rows, (r,), those of another r reports."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(other, name)


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it is read before anything is known of its mates."""

    text: str
    reading: Reading
    grams: Grams
    passages: sketch.Codes


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Rows, ascending, and the likeness of every pair of them, beside the cosines of their words and meanings."""

    rows: Rows
    likeness: Likeness
    words: Vectors
    meaning: Vectors

    def scores(self, axis: Axis, row: int) -> Vectors:
        """The scores of a row with all rows of the neighbourhood, (n,)."""
        table = {
            Axis.WHOLE: self.likeness.whole,
            Axis.TECHNIQUE: self.likeness.technique,
            Axis.REQUEST: self.likeness.request,
        }[axis]
        scores: Vectors = table[int(np.searchsorted(self.rows, row))]
        return scores


@dataclass(frozen=True, slots=True)
class Laid:
    """The vectors by which clusters of an axis are laid, of the first `count` rows: made when asked for."""

    spaces: Spaces
    axis: Axis
    count: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.count, self.spaces.index[self.axis].dim

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: slice) -> Vectors:
        return self.spaces.laid(self.axis, np.arange(self.count)[rows])


class Spaces:
    """Readings and vectors of reports in order of arrival; any number of readers while one writer adds."""

    def __init__(self, dim: int, scratch: Path | None = None) -> None:
        self.dim = dim
        self.passages = VectorIndex(sketch.PASSAGES, coded=True)
        self.meanings = VectorIndex(dim, scratch)
        self.index = {
            Axis.WHOLE: VectorIndex(laying.width(dim), coded=True),
            Axis.TECHNIQUE: VectorIndex(sketch.WRAPPER, coded=True),
            Axis.REQUEST: VectorIndex(sketch.WORDS + dim, coded=True),
        }
        self._words = Column(np.int8, sketch.WORDS)
        self._spans = Column(np.float32, 2)
        self._sizes = Column(np.int32)
        self._lengths = Column(np.float32, len(Axis))

    def __len__(self) -> int:
        return len(self.meanings)

    def add(self, read: Readings, meaning: Vectors) -> None:
        """Take in the reports that arrived next; `meaning` (n, dim) is that of their whole texts."""
        count = len(self)
        self._words.append(read.words)
        self._spans.append(np.column_stack([read.sure, read.wrapped]))
        self._sizes.append(read.size)
        lengths = {
            Axis.WHOLE: laying.whole_lengths(read.wrapped),
            Axis.TECHNIQUE: np.ones(len(read), dtype=np.float32),
            Axis.REQUEST: laying.request_lengths(read.request),
        }
        self._lengths.append(np.column_stack([lengths[axis] for axis in Axis]))
        if len(self.passages) < count + len(read):
            self.passages.add_coded(read.passages[len(self.passages) - count :])
        self.index[Axis.TECHNIQUE].add_coded(read.wrapper)
        self.index[Axis.REQUEST].add_coded(read.request)
        wholes = laying.wholes(meaning, read.wrapper, read.request, read.sure, read.wrapped)
        self.index[Axis.WHOLE].add_coded(wholes)
        # Last, since it says how many rows there are.
        self.meanings.add(meaning)

    def mates(self, passages: Vectors, rows: Rows, together: bool = False) -> list[list[int]]:
        """For the texts of these rows, (n, PASSAGES), the rows that may share the wrapper, the likeliest first.

        Those are earlier rows; `together` looks among all whose passages are held.
        """
        before = np.full(len(rows), len(self.passages)) if together else rows
        scores, found = self.passages.top_k(passages, MATES + 1, before)
        near = (found != rows[:, None]) & (scores >= MATE_SKETCH)
        return [found[at, near[at]][:MATES].tolist() for at in range(len(rows))]

    def meaning(self, rows: Rows) -> Vectors:
        """The meaning of the whole texts, (n, dim) unit vectors."""
        return self.meanings.vectors(rows)

    def laid(self, axis: Axis, rows: Rows) -> Vectors:
        """The vectors by which clusters of an axis are laid, (n, places): no longer than one."""
        vectors = self.index[axis].vectors(rows)
        vectors *= self.lengths(axis, rows)[:, None]
        return vectors

    def unit(self, axis: Axis, rows: Rows) -> Vectors:
        """The same, each of length one: what the wrappers, the requests or the wholes of these rows are like."""
        return self.index[axis].vectors(rows)

    def lengths(self, axis: Axis, rows: Rows) -> Vectors:
        """The lengths of `laid`, (n,): what a likeness of one comes to."""
        lengths: Vectors = self._lengths.rows[rows, list(Axis).index(axis)]
        return lengths

    def linkable(self, axis: Axis, row: int, floor: float) -> Rows:
        """The earlier rows whose product with a row by `laid` may be `floor` or more, the likest first."""
        at = np.array([row])
        length = float(self.lengths(axis, at)[0])
        # No vector is longer than one; then those that are as short as they are fall out.
        scores, rows = self.index[axis].above(self.index[axis].vectors(at)[0], floor / length)
        enough = (rows < row) & (scores * length * self.lengths(axis, rows) >= floor - ROUNDING)
        earlier: Rows = rows[enough]
        return earlier

    def near(self, row: int, most: int = NEIGHBOURHOOD, before: int | None = None) -> Neighbourhood:
        """A row among the `most` nearest on each axis and by passages, of all rows or of those before `before`."""
        found = self._nearest(self, row, most, len(self) if before is None else before)
        return self.compared(np.union1d(found, [row]))

    def compared(self, rows: Rows) -> Neighbourhood:
        """These rows, ascending, pair by pair."""
        return _weighed(rows, self._sides(rows))

    def pair(self, one: int, other: int, near: Neighbourhood | None = None) -> Pair:
        """The evidence that two rows give, in a neighbourhood of both."""
        if near is None:
            near = self.compared(np.union1d(self.near(one).rows, self.near(other).rows))
        a, b = np.searchsorted(near.rows, (one, other)).tolist()
        found, sizes = near.likeness, self._sizes.rows[[one, other]]
        return Pair(
            whole=float(found.whole[a, b]),
            technique=float(found.technique[a, b]),
            request=float(found.request[a, b]),
            words=float(near.words[a, b]),
            meaning=float(near.meaning[a, b]),
            length=float(sizes.min() / max(1, sizes.max())),
        )

    def neighbours(self, row: int, axis: Axis, k: int) -> list[tuple[int, float]]:
        """The `k` rows most like this one on an axis, with their scores (0 to 1), best first."""
        near = self.near(row, max(k, NEIGHBOURHOOD))
        others = near.rows != row
        return _best(near.rows[others], near.scores(axis, row)[others], k)

    def neighbours_of(self, read: Readings, meaning: Vectors, axis: Axis, k: int) -> list[tuple[int, float]]:
        """`neighbours` of a report that is not held: its reading, one row, and its meaning, (1, dim)."""
        alone = Spaces(self.dim)
        alone.add(read, meaning)
        rows = self._nearest(alone, 0, max(k, NEIGHBOURHOOD), len(self))
        sides = [
            np.concatenate(pair) for pair in zip(self._sides(rows), alone._sides(np.array([0])), strict=True)
        ]
        near = _weighed(np.append(rows, len(self)), sides)
        return _best(rows, near.scores(axis, len(self))[:-1], k)

    def _nearest(self, asking: Spaces, row: int, most: int, limit: int) -> Rows:
        """The rows before `limit`, ascending, that are the `most` nearest of a row of `asking` by anything."""
        at, before = np.array([row]), np.array([limit])
        found = []
        for ours, theirs in (
            (self.passages, asking.passages),
            (self.meanings, asking.meanings),
            *((self.index[axis], asking.index[axis]) for axis in (Axis.TECHNIQUE, Axis.REQUEST)),
        ):
            _, rows = ours.top_k(theirs.vectors(at), most, before)
            found.append(rows[0][(rows[0] >= 0) & (ours is not theirs or rows[0] != row)])
        return np.unique(np.concatenate(found))

    def _sides(self, rows: Rows) -> list[NDArray[np.float32]]:
        """What is compared of these rows: wrappers, requests, words, meanings, and what their spans say."""
        return [
            self.index[Axis.TECHNIQUE].vectors(rows),
            self.index[Axis.REQUEST].vectors(rows),
            sketch.decoded(self._words.rows[rows]),
            self.meaning(rows),
            self._spans.rows[rows],
        ]


def document(text: str) -> Document:
    """A text, read."""
    reading = read(text, shipped())
    return Document(text, reading, mate_grams(reading), sketch.coded(sketch.passages(reading.tokens)))


def passages(text: str) -> sketch.Codes:
    """(PASSAGES,) the passages of a text, as `document` has them."""
    return sketch.coded(sketch.passages(tokenize(text)))


def unread(count: int, dim: int) -> Readings:
    """Room for the readings of so many reports, whose meanings have `dim` numbers."""
    return Readings(
        np.zeros((count, sketch.PASSAGES), dtype=np.int8),
        np.zeros((count, sketch.WORDS), dtype=np.int8),
        np.zeros((count, sketch.WRAPPER), dtype=np.int8),
        np.zeros((count, sketch.WORDS + dim), dtype=np.int8),
        np.zeros(count, dtype=np.float32),
        np.zeros(count, dtype=np.float32),
        np.zeros(count, dtype=np.int32),
    )


def grams(text: str) -> Grams:
    """The trigrams of a text, as its mates want them."""
    return np.unique(trigrams(tokenize(text)))


def divided(document: Document, mates: Sequence[Grams]) -> Spans:
    """Wrapper and request of a text, by the trigrams of those that may share its wrapper."""
    near = []
    for grams in mates:
        shared = np.isin(document.grams, grams, assume_unique=True).sum()
        likeness = float(shared / max(1.0, np.sqrt(len(document.grams) * len(grams))))
        if likeness >= MATE_LIKENESS:
            near.append(Mate(grams, likeness))
    return divide(document.text, document.reading, near)


def readings(
    documents: Sequence[Document], spans: Sequence[Spans], meaning: Vectors, embed: Embed
) -> Readings:
    """Divided texts as rows; `meaning` (n, dim) is that of the whole texts, `embed` gives that of requests."""
    requests = [extract(d.text, s.request) for d, s in zip(documents, spans, strict=True)]
    parts = [at for at, d in enumerate(documents) if requests[at] != d.text]
    whole = np.stack([sketch.words(d.reading.tokens) for d in documents])
    own, asked = whole.copy(), meaning.copy()
    if parts:
        own[parts] = [sketch.words(tokenize(requests[at])) for at in parts]
        asked[parts] = embed([requests[at] for at in parts])
    wrappers = [sketch.wrapper(wrapper_of(d.text, s.wrapper)) for d, s in zip(documents, spans, strict=True)]
    return Readings(
        np.stack([d.passages for d in documents]),
        sketch.coded(whole),
        sketch.coded(np.stack(wrappers)),
        sketch.coded(sketch.wording(own, asked)),
        np.array([s.sure for s in spans], dtype=np.float32),
        np.array([s.wrapped for s in spans], dtype=np.float32),
        np.array([len(d.text) for d in documents], dtype=np.int32),
    )


def _weighed(rows: Rows, sides: Sequence[Vectors]) -> Neighbourhood:
    *vectors, spans = sides
    # A hundred rows are no work for several threads: they would wait for each other longer than they compute.
    with _blas().limit(limits=1, user_api="blas"):
        cosines = [np.asarray(side @ side.T, dtype=np.float32) for side in vectors]
    for likeness in cosines:
        np.fill_diagonal(likeness, 1)
    wrappers, asked, words, meaning = cosines
    parts = Parts(wrappers, asked, wording(words, meaning), spans[:, 0], spans[:, 1])
    return Neighbourhood(rows, weigh(parts), words, meaning)


def _best(rows: Rows, scores: Vectors, k: int) -> list[tuple[int, float]]:
    if not len(rows):
        return []
    best = top(scores[None, :], min(k, len(scores)))[0]
    return [(int(rows[at]), float(np.clip(scores[at], 0, 1))) for at in best]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
