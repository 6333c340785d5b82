"""Reports as they are read on arrival, beyond close reading: into the store and into memory.

A report is divided by what it shares with the reports before it. The first reports are divided by each other: those
that close reading held, and with each quarter more of them, up to `MOST_TOGETHER`, all that there are then. So what
is kept of a report depends on the reports, their order and how many there are: one at a time or all at once, before a
restart or after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage_core.index import readings, vectors
from triage_core.index.embedding import ARRIVALS, TOGETHER, Round
from triage_core.index.memory import Memory
from triage_core.index.vectors import Batch
from triage_core.likeness import sketch, spaces
from triage_core.likeness.spaces import Document, Embed, Grams, Spaces
from triage_core.likeness.spans import Spans
from triage_core.store import Store

AT_ONCE = 256
MOST_KEPT = 50_000
LEAST_TOGETHER, MOST_TOGETHER, GROWTH = 64, 20_000, 4
"""Among how many, and with the how manieth part more of them, all are read anew: of more it would take minutes, and
clusters that are laid at once are exact up to so many (join.EXACT_ROWS)."""


def together(count: int, limit: int) -> int:
    """How many of the first reports, of `count` beyond the `limit` of close reading, are read with each other."""
    told, more = limit, max(limit + limit // GROWTH, LEAST_TOGETHER)
    while more <= min(count, MOST_TOGETHER):
        told, more = more, more + more // GROWTH
    return told


class Arrivals:
    """Reads reports in order of arrival; keeps the passages of the latest ones that were looked at."""

    def __init__(self, store: Store, embed: Embed, limit: int) -> None:
        """`limit` is that of close reading."""
        self._store = store
        self._embed = embed
        self._limit = limit
        self._grams: dict[int, Grams] = {}

    def take(self, memory: Memory, batch: Batch, by: Round | None) -> Memory:
        """Take in reports: those that the store has readings of, and the rest where a round reads and stores them.

        Gives the same memory, or another one where earlier reports were read anew: with no clusters yet. Raises
        Stopped: then the memory is incomplete, and the store is whole.
        """
        assert memory.spaces is not None
        known = self._take_read(memory, batch)
        if by is None:
            return memory
        have, count = len(memory.ids), len(memory.ids) + len(batch.ids) - known
        first = min(together(count, self._limit), count)
        if first > have:
            memory = self._read_together(memory, batch.part(known, known + first - have), by)
            known += first - have
        for start in range(known, len(batch.ids), AT_ONCE):
            by.at(start - known, len(batch.ids) - known, ARRIVALS)
            self._read(memory, batch.part(start, start + AT_ONCE), by)
        return memory

    def _take_read(self, memory: Memory, batch: Batch) -> int:
        """Take in reports that the store has readings of, as far as it has them; gives how many."""
        assert memory.spaces is not None
        with self._store.read() as cursor:
            read = readings.stored(cursor, batch.seqs[0], batch.seqs[-1])
        if read is None:
            return 0
        known = batch.part(0, len(read))
        memory.append(known.ids, known.contents, known.seqs)
        memory.spaces.add(read, known.vectors)
        return len(read)

    def _read(self, memory: Memory, batch: Batch, by: Round) -> None:
        """Read reports that nobody has read yet, each by those before it, and store what was read."""
        assert memory.spaces is not None
        with self._store.read() as cursor:
            documents = [spaces.document(text) for text in vectors.texts_of(cursor, batch.seqs)]
        first = len(memory.ids)
        passages = sketch.decoded(np.stack([item.passages for item in documents]))
        memory.spaces.passages.add(passages)
        mates = memory.spaces.mates(passages, np.arange(first, first + len(documents)))
        for at, rows in enumerate(mates):
            memory.found_near(first + at, rows)
        spans = self._divided(memory, first, documents, mates)
        read = spaces.readings(documents, spans, batch.vectors, self._embed)
        with self._store.write(by.actor, "index") as work:
            if not first:
                readings.clear(work)  # spans may be of close reading, or of another model
            readings.save(work, batch.seqs, read)
            readings.add_spans(work, dict(zip(batch.ids, spans, strict=True)))
            work.event("reports.read", batch.ids[0], {"count": len(batch.ids)})
        memory.append(batch.ids, batch.contents, batch.seqs)
        memory.spaces.add(read, batch.vectors)

    def _read_together(self, memory: Memory, batch: Batch, by: Round) -> Memory:
        """Read all reports that are held, and these, by each other; another memory, and in the store at once.

        In one step, so that the number of readings in the store says which of them were read together.
        """
        assert memory.spaces is not None
        have = len(memory.ids)
        fresh = Spaces(memory.spaces.dim, self._store.folder)
        found = Memory(fresh.meanings, fresh)
        found.append(memory.ids, memory.contents, memory.seqs)
        found.append(batch.ids, batch.contents, batch.seqs)
        every = np.arange(len(found.ids))
        meaning = np.concatenate([memory.spaces.meaning(every[:have]), batch.vectors])
        read, spans = spaces.unread(len(every), fresh.dim), dict[str, Spans]()
        if have:
            with self._store.read() as cursor:
                known = readings.stored(cursor, found.seqs[0], found.seqs[have - 1])
                before = readings.spans(cursor, memory.ids)
            assert known is not None
            read.put(every[:have], known)
        for rows in _parts(every[have:]):
            by.at(0, len(every), TOGETHER)
            texts = self._texts(found, rows)
            read.passages[rows] = [spaces.passages(text) for text in texts]
        fresh.passages.add_coded(read.passages)
        for rows in _parts(every):
            by.at(int(rows[0]), len(every), TOGETHER)
            documents = [spaces.document(text) for text in self._texts(found, rows)]
            mates = fresh.mates(sketch.decoded(read.passages[rows]), rows, together=True)
            divided = self._divided(found, int(rows[0]), documents, mates)
            names = [found.ids[row] for row in rows]
            spans |= zip(names, divided, strict=True)
            # Where the same words are the request as before, their vector is the same too, and need not be made.
            other = [
                at
                for at, row in enumerate(rows.tolist())
                if row >= have or not readings.same(before.get(names[at]), divided[at])
            ]
            if other:
                some = [documents[at] for at in other], [divided[at] for at in other]
                read.put(rows[other], spaces.readings(*some, meaning[rows[other]], self._embed))
            read.sure[rows] = [item.sure for item in divided]
            read.wrapped[rows] = [item.wrapped for item in divided]
        with self._store.write(by.actor, "index") as work:
            readings.clear(work)
            readings.save(work, found.seqs, read)
            readings.add_spans(work, spans)
            work.event("reports.read", found.ids[0], {"count": len(found.ids)})
        fresh.add(read, meaning)
        return found

    def _texts(self, memory: Memory, rows: NDArray[np.int64]) -> list[str]:
        with self._store.read() as cursor:
            return vectors.texts_of(cursor, [memory.seqs[row] for row in rows])

    def query(self, memory: Memory, text: str, meaning: vectors.Vectors) -> spaces.Readings:
        """A text that is not stored, read as if it arrived now; `meaning` is (1, dim)."""
        assert memory.spaces is not None
        one = spaces.document(text)
        mates = memory.spaces.mates(sketch.decoded(one.passages[None]), np.array([len(memory.ids)]))[0]
        grams = self._grams_of(memory, mates, {})
        spans = spaces.divided(one, [grams[row] for row in mates])
        return spaces.readings([one], [spans], meaning, self._embed)

    def _divided(
        self, memory: Memory, first: int, documents: Sequence[Document], mates: Sequence[Sequence[int]]
    ) -> list[Spans]:
        """The texts of the rows from `first` on, divided by the rows that may share their wrappers."""
        own = {first + at: item.grams for at, item in enumerate(documents)}
        grams = self._grams_of(memory, sorted({row for rows in mates for row in rows}), own)
        return [
            spaces.divided(item, [grams[row] for row in rows])
            for item, rows in zip(documents, mates, strict=True)
        ]

    def _grams_of(self, memory: Memory, rows: Sequence[int], own: dict[int, Grams]) -> dict[int, Grams]:
        found = {row: own.get(row, self._grams.get(row)) for row in rows}
        lacking = [row for row, known in found.items() if known is None]
        if lacking:
            with self._store.read() as cursor:
                texts = vectors.texts_of(cursor, [memory.seqs[row] for row in lacking])
            found |= {row: spaces.grams(text) for row, text in zip(lacking, texts, strict=True)}
        grams = {row: known for row, known in found.items() if known is not None}
        self._grams |= own | grams
        if len(self._grams) > MOST_KEPT:
            # The first in go first. Another thread may add and drop at the same time: the list is a copy.
            for row in list(self._grams)[:-MOST_KEPT]:
                self._grams.pop(row, None)
        return grams


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
