"""Likeness of the stored reports: embed what is new, keep it in memory, answer, write clusters.

The vectors in the store are the truth; what is in memory is a function of them, of the order of
arrival and of what reviewers decided. `refresh` alone writes, and runs in the worker or in the
`index` command, never inside a request. Up to `CLOSE_READING` reports every pair is compared on
all three axes (close_reading.py); beyond that, each report is read on arrival (arrivals.py) and
placed by its vectors on each axis (far_reading.py), and a question compares its neighbourhood.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from triage_core import access, db, text
from triage_core.clusters import cluster_splits
from triage_core.clusters.cluster_names import Names
from triage_core.index import (
    close_reading,
    far_reading,
    learning,
    neighbours,
    placements,
    readings,
    vectors,
)
from triage_core.index import memory as memory_of
from triage_core.index.arrivals import Arrivals
from triage_core.index.embedding import Embedding, Progress, Round, Stop, Stopped, never, untold
from triage_core.index.memory import Memory
from triage_core.index.neighbours import Neighbour
from triage_core.index.placements import Changes, Layout, Suggestion
from triage_core.index.vectors import Vectors
from triage_core.likeness import lexical
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.embed import Embedder
from triage_core.likeness.everyone import all_neighbours
from triage_core.likeness.explain import Explanation, explain
from triage_core.likeness.learn import Pair, PairModel
from triage_core.likeness.search import VectorIndex
from triage_core.likeness.spaces import Spaces
from triage_core.likeness.splits import SplitSuggestion
from triage_core.model import Actor
from triage_core.settings import CLOSE_READING
from triage_core.store import Store

NEIGHBOURHOOD = 100


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: texts embedded, seconds taken."""

    embedded: int
    seconds: float


@dataclass(slots=True)
class _Laid:
    """A layout that is not written yet: parts by axis, and the suggestions about some reports."""

    memory: Memory
    revision: int
    model: PairModel
    layout: Layout = field(default_factory=dict)
    suggestions: Sequence[Suggestion] = ()
    about: Sequence[str] = ()
    labels: dict[Axis, NDArray[np.int64]] = field(default_factory=dict)


class Likeness:
    """The likeness of one store's reports; any number of readers beside one refresh."""

    def __init__(
        self,
        store: Store,
        embedder: Callable[[], Embedder],
        model: str,
        close_reading: int = CLOSE_READING,
    ) -> None:
        """`embedder` makes the model on first use; up to `close_reading` reports every pair is compared."""
        self._store = store
        self._model = model
        self._limit = close_reading
        self.embedding = Embedding(store, embedder, model)
        self._arrivals = Arrivals(store, lambda words: self.embedding.by_name(words, None), close_reading)
        self._names = Names(store, self.embedding.by_name)
        self._teacher = learning.Teacher()
        self._refreshing = threading.Lock()
        self._memory: Memory | None = None
        self._refreshed_by: Actor | None = None
        self._seen_revision = -1

    def is_behind(self) -> bool:
        """True when something was stored that clusters and suggestions do not know yet."""
        memory, revision = self._memory, self._store.revision
        if revision == self._seen_revision:
            return False
        with self._store.read() as cursor:
            if memory and (placed := memory.known(Axis.WHOLE)):
                # Counting would read through the tables for each report that comes in.
                total = len(memory.ids) + len(vectors.after(cursor, memory.last_seq, 1).ids)
            else:
                total = db.value(cursor, "SELECT count(*) FROM reports WHERE content_sha256 <> ''")
                placed = db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = 'whole'")
            known = memory.decided if memory else None
            behind = bool(total) and (total != placed or memory_of.decided(cursor) != known)
        if not behind:
            self._seen_revision = revision
        return behind

    def refresh(self, actor: Actor, progress: Progress = untold, stopped: Stop = never) -> Refreshed:
        """Embed what is not embedded, place it, and write clusters and suggestions.

        Stored batch by batch: an interruption (`stopped`) keeps what is done. Raises ModelError
        when the model cannot be loaded.
        """
        access.require(actor, "index")
        started = time.monotonic()
        with self._refreshing:
            self._refreshed_by = actor
            try:
                by = Round(actor, progress, stopped)
                embedded = self._embed(by)
                with suppress(Stopped):
                    if not stopped():
                        self._write(actor, self._lay(by))
            finally:
                self._refreshed_by = None
        return Refreshed(embedded, time.monotonic() - started)

    def name_clusters(self, actor: Actor) -> int:
        """Say what clusters beyond close reading are called, of a bounded number that wait for it; gives how many."""
        access.require(actor, "index")
        with self._refreshing:
            return self._names.name(self._memory, actor) if self._memory else 0

    def rebuild(self, actor: Actor, accept: bool = False) -> dict[str, Changes]:
        """What laying every cluster anew would change, by axis; done only when `accept` says so.

        Embeds nothing: reports that wait for the worker are left out. What only has to be read, as after the limit of
        close reading was lowered, is read when `accept` says so.
        """
        access.require(actor, "index")
        with self._refreshing:
            laid = self._lay(Round(actor) if accept else None, anew=True)
            laid.layout = {axis: list(parts) for axis, parts in laid.layout.items()}
            with self._store.read() as cursor:
                changes = {
                    str(axis): placements.compare(
                        placements.read(cursor, axis), [item for part in parts for item in part.placed]
                    )
                    for axis, parts in laid.layout.items()
                }
            if accept:
                self._write(actor, laid)
            else:
                self._memory = None
        return changes

    def audit(self, actor: Actor) -> cluster_splits.Audit:
        """Look for clusters that hold two groups and keep what is found; changes no cluster.

        Brings clusters up to date first. See cluster_splits for what stands afterwards.
        """
        self.refresh(actor)
        with self._refreshing:
            memory = self._load()
            found: dict[str, Sequence[SplitSuggestion]] = {}
            if memory.axes:
                with self._store.read() as cursor:
                    decided = memory_of.decided(cursor)
                    labels = {axis: placements.labels(cursor, axis, memory.row) for axis in Axis}
                found = {axis: close_reading.splits(memory, axis, labels[axis], decided) for axis in Axis}
            else:
                found = {axis: clusters.suggest_splits() for axis, clusters in memory.clusters.items()}
            with self._store.write(actor, "index") as work:
                return cluster_splits.save(work, memory.ids, found)

    def similar(self, report_id: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like this one on an axis, best first.

        Raises NotFound when the report has not been indexed yet.
        """
        memory = self._ready()
        row = memory.place(report_id)
        if memory.spaces is not None:
            found = memory.named(memory.spaces.neighbours(row, axis, k))
        else:
            found = self._axes(memory).neighbours(report_id, axis, k)
        return neighbours.named(memory, found, memory.contents[row])

    def nearest_to(self, made: Vectors, k: int) -> list[dict[str, float]]:
        """For each of these vectors, (n, dim), the `k` reports nearest to it and their cosine, the nearest first."""
        return self._ready().nearest_to(made, k)

    def vectors_of(self, words: Sequence[str], actor: Actor) -> Vectors:
        """The vectors of texts, (n, dim); `actor` makes and stores those that are lacking: for the worker."""
        access.require(actor, "index")
        return self.embedding.by_name(words, actor)

    def vectors_by_id(self, report_ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of these reports, (dim,) each; those that are not indexed yet are left out."""
        return self._ready().vectors(report_ids)

    def similar_text(self, words: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like a text that is not stored, among those nearest to it."""
        memory = self._ready()
        if not memory.ids:
            return []
        vector = self.embedding.embedder.embed([text.canonical(words)])
        if memory.spaces is not None:
            read = self._arrivals.query(memory, words, vector)
            found = memory.named(memory.spaces.neighbours_of(read, vector, axis, k))
        else:
            axes = self._read_closely(memory, sorted(self._neighbourhood(memory, vector)))
            axes.add(["this text"], [words], vector)
            found = axes.neighbours("this text", axis, k)
        return neighbours.named(memory, found, vectors.name_of(words))

    def explain(self, one: str, other: str) -> Explanation:
        """Why two reports are alike or not, on both axes and as a probability. Raises NotFound."""
        memory = self._ready()
        rows = [memory.place(name) for name in (one, other)]
        with self._store.read() as cursor:
            texts = vectors.texts_of(cursor, [memory.seqs[row] for row in rows])
            pair = learning.evidence(cursor, self._pair(memory, one, other), one, other)
            model = learning.current(cursor)
        a, b = (lexical.tokenize(words) for words in texts)
        return explain(pair, model, texts[0], a, texts[1], b)

    def all_similar(self, k: int, axis: Axis = Axis.WHOLE) -> Iterator[tuple[str, list[Neighbour]]]:
        """(report id, its `k` neighbours) of every indexed report, in order of arrival."""
        memory = self._ready()
        if memory.spaces is None:
            for report_id in list(memory.ids):
                yield report_id, self.similar(report_id, k, axis)
            return
        for row, found in all_neighbours(memory.spaces, axis, k):
            yield memory.ids[row], neighbours.named(memory, memory.named(found), memory.contents[row])

    def _ready(self) -> Memory:
        memory = self._memory
        if memory is None:
            with self._refreshing:
                memory = self._memory or self._load()
        return memory

    def _embed(self, by: Round) -> int:
        """Embed every content that the model's space lacks; gives how many."""
        after = self._memory.last_seq if self._memory else 0
        embedded, space = self.embedding.fill(by, after)
        if space is not None:
            with self._store.write(by.actor, "index") as work:
                vectors.switch_space(work, self._model, space)
                for axis in Axis:
                    placements.clear(work, axis)
                readings.clear(work)
                work.cursor.execute("DELETE FROM suggestions")
            self._memory = None
        return embedded

    def _embed_kept(self, words: Sequence[str]) -> Vectors:
        """Vectors of parts of texts; a refresh stores the new ones."""
        return self.embedding.by_name(words, self._refreshed_by)

    def _load(self, by: Round | None = None) -> Memory:
        """Bring memory up to date with the store: rows, vectors, reading; not the clusters.

        Beyond close reading a round reads what nobody has read yet; without one, that is left out.
        """
        memory = self._memory
        with self._store.read() as cursor:
            far = int(db.value(cursor, "SELECT count(*) FROM reports")) > self._limit
            if memory and (memory.spaces is not None) != far:
                memory = None
            known = len(memory.ids) if memory else 0
            try:
                for batch in self.embedding.arrived(cursor, memory.last_seq if memory else 0):
                    memory = memory or self._empty(batch.vectors.shape[1], far)
                    memory = self._take(memory, batch, by)
            except BaseException:
                self._memory = None  # half of a batch may be in memory: it is read again from the store
                raise
        if memory is None or len(memory.ids) == known:
            return memory or Memory(VectorIndex(1))
        if not far:
            memory.axes = self._grown(memory, known)
        self._memory = memory
        return memory

    def _empty(self, dim: int, far: bool) -> Memory:
        if not far:
            return Memory(VectorIndex(dim, self._store.folder))
        spaces = Spaces(dim, self._store.folder)
        return Memory(spaces.meanings, spaces)

    def _take(self, memory: Memory, batch: vectors.Batch, by: Round | None) -> Memory:
        """Readers look names up in what stands before them: the rows first, then who speaks of them."""
        if memory.spaces is not None:
            return self._arrivals.take(memory, batch, by)
        memory.append(batch.ids, batch.contents, batch.seqs)
        memory.index.add(batch.vectors)
        return memory

    def _grown(self, memory: Memory, known: int) -> AxisIndex:
        """The close reading of what it held before and of the rows from `known` on."""
        new = range(known, len(memory.ids))
        with self._store.read() as cursor:
            texts = vectors.texts_of(cursor, [memory.first_seq(row) for row in new])
        axes = (memory.axes or AxisIndex(self._embed_kept)).grown(
            [memory.ids[row] for row in new], texts, memory.index.vectors(np.array(new))
        )
        axes.table(Axis.WHOLE)  # all pairs are compared here, not by whoever asks first
        return axes

    def _lay(self, by: Round | None, anew: bool = False) -> _Laid:
        """Where everything stored stands, under what reviewers decided; no cluster is written."""
        revision = self._store.revision
        if anew:
            self._memory = None
        memory = self._load(by)
        with self._store.read() as cursor:
            decided, model = memory_of.decided(cursor), learning.current(cursor)
            if memory.spaces is not None and not memory.stored and not anew:
                memory.stored = placements.known_labels(cursor, memory.row)
                memory.unnamed = {
                    (axis, memory.row[name]): None
                    for axis in memory.stored
                    for name in placements.unnamed(cursor, axis)
                }
                memory.parts = placements.parts(cursor, memory.row)
                memory.decided = memory_of.decided_when_laid(cursor)
        laid = _Laid(memory, revision, model)
        if memory.spaces is not None:
            laid.labels = far_reading.lay(memory, decided, self._limit)
            laid.layout = far_reading.layout(memory, laid.labels, self._limit)
            laid.suggestions = far_reading.suggestions(memory, model)
            # Suggestions are stored with clusters: reports that have none have neither.
            laid.about = () if memory.known(Axis.WHOLE) else memory.ids
        elif memory.ids:
            laid.layout, laid.suggestions = close_reading.lay(memory, decided, model)
            laid.about = memory.ids
        memory.decided = decided
        return laid

    def _write(self, actor: Actor, laid: _Laid) -> None:
        """Store what differs."""
        memory, parts = laid.memory, far_reading.parts(laid.memory)
        with self._store.read() as cursor:
            trial = self._teacher.trial(cursor, laid.model, memory.row, partial(self._pair, memory))
        with self._store.write(actor, "index") as work:
            if trial is not None:
                learning.keep(work, trial)
            model_id = vectors.space(work.cursor, self._model) or ""
            for axis, changed in laid.layout.items():
                for part in changed:
                    placements.write(work, axis, model_id, part)
            if parts != memory.parts or not memory.stored:
                placements.keep_parts(work, memory.ids, parts)
            placements.suggest(work, model_id, laid.about, laid.suggestions)
            told = {name: memory.axes.spans(name) for name in memory.ids} if memory.axes else {}
            if told and not memory.told_spans:
                # Readings beyond the limit, when it was lower, belong to other spans than those that follow, of which
                # the differences are written.
                readings.clear(work, keep_spans=True)
            readings.save_spans(work, dict(told.items() - memory.told_spans.items()))
        memory.stored, memory.parts, memory.told_spans = laid.labels, parts, told
        self._seen_revision = laid.revision

    def _axes(self, memory: Memory) -> AxisIndex:
        assert memory.axes is not None
        return memory.axes

    def _pair(self, memory: Memory, one: str, other: str) -> Pair:
        """What the texts of two reports say of their likeness."""
        if memory.spaces is not None:
            return memory.spaces.pair(memory.row[one], memory.row[other])
        return self._axes(memory).pair(one, other)

    def _neighbourhood(self, memory: Memory, vector: Vectors) -> set[int]:
        _, rows = memory.index.top_k(vector, NEIGHBOURHOOD)
        return {row for row in rows[0].tolist() if row >= 0}

    def _read_closely(self, memory: Memory, rows: Sequence[int]) -> AxisIndex:
        """These rows alone, compared on all axes."""
        with self._store.read() as cursor:
            texts = vectors.texts_of(cursor, [memory.first_seq(row) for row in rows])
        axes = AxisIndex(self._embed_kept)
        axes.add([memory.ids[row] for row in rows], texts, memory.index.vectors(np.array(rows)))
        return axes
