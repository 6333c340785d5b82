"""Reports as they are read on arrival, beyond close reading: into the store and into memory.

A report is divided by what it shares with the reports before it, so what is kept of it never changes: one
at a time or all at once, before a restart or after it. The first reports, up to the limit of close reading, are
divided by each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triage_core.index import readings, vectors
from triage_core.index.memory import Memory
from triage_core.index.vectors import Batch
from triage_core.likeness import sketch, spaces
from triage_core.likeness.spaces import Document, Embed, Grams
from triage_core.likeness.spans import Spans
from triage_core.model import Actor
from triage_core.store import Store

AT_ONCE = 256
MOST_KEPT = 50_000


class Arrivals:
    """Reads reports in order of arrival; keeps the passages of the latest ones that were looked at."""

    def __init__(self, store: Store, embed: Embed) -> None:
        self._store = store
        self._embed = embed
        self._grams: dict[int, Grams] = {}

    def take(self, memory: Memory, batch: Batch) -> int:
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

    def read(self, memory: Memory, batch: Batch, actor: Actor, together: bool = False) -> None:
        """Read reports that nobody has read yet, and store what was read.

        Each is read by those before it; `together`: by those before it and those beside it.
        """
        assert memory.spaces is not None
        with self._store.read() as cursor:
            documents = [spaces.document(text) for text in vectors.texts_of(cursor, batch.seqs)]
        first = len(memory.ids)
        spans = self._divide(memory, first, documents, together)
        read = spaces.readings(documents, spans, batch.vectors, self._embed)
        with self._store.write(actor, "index") as work:
            readings.save(work, batch.seqs, read)
            readings.add_spans(work, dict(zip(batch.ids, spans, strict=True)))
            work.event("reports.read", batch.ids[0], {"count": len(batch.ids)})
        memory.append(batch.ids, batch.contents, batch.seqs)
        memory.spaces.add(read, batch.vectors)

    def query(self, memory: Memory, text: str, meaning: vectors.Vectors) -> spaces.Readings:
        """A text that is not stored, read as if it arrived now; `meaning` is (1, dim)."""
        assert memory.spaces is not None
        one = spaces.document(text)
        mates = memory.spaces.mates(sketch.decoded(one.passages[None]), np.array([len(memory.ids)]))[0]
        grams = self._grams_of(memory, mates, {})
        spans = spaces.divided(one, [grams[row] for row in mates])
        return spaces.readings([one], [spans], meaning, self._embed)

    def _divide(
        self, memory: Memory, first: int, documents: Sequence[Document], together: bool
    ) -> list[Spans]:
        assert memory.spaces is not None
        passages = sketch.decoded(np.stack([item.passages for item in documents]))
        memory.spaces.passages.add(passages)
        mates = memory.spaces.mates(passages, np.arange(first, first + len(documents)), together)
        for at, rows in enumerate(mates):
            memory.found_near(first + at, [row for row in rows if row < first + at])
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
