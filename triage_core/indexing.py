"""Likeness of the stored reports: embed what is new, keep it in memory, answer, write clusters.

The vectors in the store are the truth; what is in memory is a function of them, of the order of
arrival and of what reviewers decided. `refresh` alone writes, and runs in the worker or in the
`index` command, never inside a request. Up to `CLOSE_READING` reports every pair is compared on
all three axes; beyond that, clusters of the whole come from vectors by the gated rule, and a single
question is answered by reading its nearest `NEIGHBOURHOOD` reports closely.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triage_core import access, close_reading, db, far_reading, learning, placements, text, vectors
from triage_core import memory as memory_of
from triage_core.errors import NotFound
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Params
from triage_core.likeness.embed import Embedder
from triage_core.likeness.explain import Explanation
from triage_core.likeness.search import VectorIndex
from triage_core.memory import Memory
from triage_core.model import Actor
from triage_core.placements import Changes, Layout, Suggestion
from triage_core.store import Store
from triage_core.vectors import Vectors

BATCH = 128
CLOSE_READING = 4_000
NEIGHBOURHOOD = 100

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A report like another: its score on an axis (0 to 1), and whether the canonical texts are the same."""

    report_id: str
    score: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: texts embedded, clusters of the whole axis there are now, seconds taken."""

    embedded: int
    clusters: int
    seconds: float


@dataclass(slots=True)
class _Laid:
    """A layout that is not written yet: parts by axis, and the suggestions about some reports."""

    memory: Memory
    revision: int
    layout: Layout = field(default_factory=dict)
    suggestions: Sequence[Suggestion] = ()
    about: Sequence[str] = ()
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


class Likeness:
    """The likeness of one store's reports; any number of readers beside one refresh."""

    def __init__(self, store: Store, embedder: Callable[[], Embedder], model: str) -> None:
        self._store = store
        self._make_embedder = embedder
        self._model = model
        self._params = Params()
        self._embedder: Embedder | None = None
        self._loading = threading.Lock()
        self._refreshing = threading.Lock()
        self._memory: Memory | None = None
        self._refreshed_by: Actor | None = None
        self._seen_revision = -1

    def is_behind(self) -> bool:
        """True when something was stored that clusters and suggestions do not know yet."""
        revision = self._store.revision
        if revision == self._seen_revision:
            return False
        with self._store.read() as cursor:
            total = db.value(cursor, "SELECT count(*) FROM reports WHERE content_sha256 <> ''")
            placed = db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = 'whole'")
            decided = memory_of.decided(cursor)
        known = self._memory.decided if self._memory else None
        behind = bool(total) and (total != placed or decided != known)
        if not behind:
            self._seen_revision = revision
        return behind

    def refresh(
        self, actor: Actor, progress: Progress | None = None, stopped: Callable[[], bool] = lambda: False
    ) -> Refreshed:
        """Embed what is not embedded, place it, and write clusters and suggestions.

        Stored batch by batch: an interruption (`stopped`) keeps what is done. Raises ModelError
        when the model cannot be loaded.
        """
        access.require(actor, "index")
        started = time.monotonic()
        with self._refreshing:
            self._refreshed_by = actor
            try:
                embedded = self._embed(actor, progress, stopped)
                if not stopped():
                    self._write(actor, self._lay())
            finally:
                self._refreshed_by = None
        with self._store.read() as cursor:
            clusters = int(db.value(cursor, "SELECT count(*) FROM clusters WHERE axis = 'whole'"))
        return Refreshed(embedded, clusters, time.monotonic() - started)

    def rebuild(self, actor: Actor, accept: bool = False) -> dict[str, Changes]:
        """What laying every cluster anew would change, by axis; done only when `accept` says so.

        Embeds nothing: reports that wait for the worker are left out.
        """
        access.require(actor, "index")
        with self._refreshing:
            laid = self._lay(anew=True)
            laid.layout = {axis: list(parts) for axis, parts in laid.layout.items()}
            with self._store.read() as cursor:
                changes = {
                    str(axis): placements.compare(
                        placements.read(cursor, axis), [item for placed, _ in parts for item in placed]
                    )
                    for axis, parts in laid.layout.items()
                }
            if accept:
                self._write(actor, laid)
            else:
                self._memory = None
        return changes

    def similar(self, report_id: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like this one on an axis, best first.

        Raises NotFound when the report has not been indexed yet.
        """
        memory = self._ready()
        if memory.row.get(report_id, len(memory.index)) >= len(memory.index):
            raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
        row = memory.row[report_id]
        axes = memory.axes
        if axes is None:
            near = self._neighbourhood(memory, memory.index.vectors(np.array([row])))
            axes = self._read_closely(memory, sorted({row, *near}))
        return _named(memory, axes.neighbours(report_id, axis, k), memory.contents[row])

    def near(self, report_id: str, k: int) -> tuple[Vectors, dict[str, float]]:
        """The vector of a report, (dim,), and the cosine of the `k` reports nearest to it, best first.

        Compares vectors alone, which takes milliseconds among a million. Raises NotFound like `similar`.
        """
        memory = self._ready()
        row = memory.row.get(report_id, len(memory.index))
        if row >= len(memory.index):
            raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
        vector = memory.index.vectors(np.array([row]))
        scores, rows = memory.index.top_k(vector, k + 1)
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return vector[0], {memory.ids[other]: score for other, score in found if other >= 0 and other != row}

    def similar_text(self, words: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like a text that is not stored, among those nearest to it."""
        memory = self._ready()
        if not memory.ids:
            return []
        vector = self.embedder.embed([text.canonical(words)])
        axes = self._read_closely(memory, sorted(self._neighbourhood(memory, vector)))
        axes.add(["this text"], [words], vector)
        return _named(memory, axes.neighbours("this text", axis, k), vectors.name_of(words))

    def explain(self, one: str, other: str) -> Explanation:
        """Why two reports are alike or not, on both axes and as a probability. Raises NotFound."""
        memory = self._ready()
        for name in (one, other):
            if name not in memory.row:
                raise NotFound("report", f"{name} is not indexed yet: run `index`, or wait for the worker")
        axes = memory.axes
        if axes is None:
            rows = {memory.row[one], memory.row[other]}
            for row in tuple(rows):
                rows |= self._neighbourhood(memory, memory.index.vectors(np.array([row])))
            axes = self._read_closely(memory, sorted(rows))
        with self._store.read() as cursor:
            return axes.explain(
                one, other, learning.evidence(cursor, axes, one, other), learning.current(cursor)
            )

    def all_similar(self, k: int, axis: Axis = Axis.WHOLE) -> Iterator[tuple[str, list[Neighbour]]]:
        """(report id, its `k` neighbours) of every indexed report, in order of arrival."""
        for report_id in list(self._ready().ids):
            yield report_id, self.similar(report_id, k, axis)

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded on first use."""
        with self._loading:
            if self._embedder is None:
                self._embedder = self._make_embedder()
            return self._embedder

    def _ready(self) -> Memory:
        memory = self._memory
        if memory is None:
            with self._refreshing:
                memory = self._memory or self._load()
        return memory

    def _embed(self, actor: Actor, progress: Progress | None, stopped: Callable[[], bool]) -> int:
        """Embed every content that the model's space lacks; gives how many."""
        after = self._memory.last_seq if self._memory else 0
        with self._store.read() as cursor:
            space = vectors.space(cursor, self._model)
            if space and not vectors.missing(cursor, space, after):
                return 0
        model_id = self.embedder.model_id
        if model_id != space:
            after = 0
        with self._store.read() as cursor:
            missing = vectors.missing(cursor, model_id, after)
        for start in range(0, len(missing), BATCH):
            if stopped():
                return start
            batch = missing[start : start + BATCH]
            with self._store.read() as cursor:
                texts = vectors.texts(cursor, batch, after)
            made = self.embedder.embed([text.canonical(words) for words in texts])
            with self._store.write(actor, "index") as work:
                vectors.save(work, model_id, batch, made)
            if progress:
                progress(start + len(batch), len(missing))
        if space != model_id:
            with self._store.write(actor, "index") as work:
                vectors.switch_space(work, self._model, model_id)
                for axis in Axis:
                    placements.clear(work, axis)
                work.cursor.execute("DELETE FROM suggestions")
            self._memory = None
        return len(missing)

    def _embed_by_name(self, words: Sequence[str]) -> Vectors:
        """Vectors of texts: stored ones where there are; a refresh stores the new ones."""
        actor = self._refreshed_by
        names = [vectors.name_of(part) for part in words]
        with self._store.read() as cursor:
            model_id = vectors.space(cursor, self._model) or self.embedder.model_id
            known = vectors.stored(cursor, model_id, names)
        lacking = {name: part for name, part in zip(names, words, strict=True) if name not in known}
        if lacking:
            made = self.embedder.embed([text.canonical(part) for part in lacking.values()])
            known |= dict(zip(lacking, made, strict=True))
            if actor is not None:
                with self._store.write(actor, "index") as work:
                    vectors.save(work, model_id, list(lacking), made)
        return np.stack([known[name] for name in names]) if names else np.empty((0, 0), np.float32)

    def _load(self) -> Memory:
        """Bring memory up to date with the store: rows, vectors, close reading; not the clusters."""
        memory = self._memory
        known = len(memory.ids) if memory else 0
        with self._store.read() as cursor:
            model_id = vectors.space(cursor, self._model) or ""
            for batch in vectors.embedded(cursor, model_id, memory.last_seq if memory else 0):
                # Readers look names up in what stands before them: the rows first, then who speaks of them.
                memory = memory or Memory(VectorIndex(batch.vectors.shape[1], self._store.folder))
                memory.append(batch.ids, batch.contents, batch.last_seq)
                memory.index.add(batch.vectors)
        if memory is None or len(memory.ids) == known:
            return memory or Memory(VectorIndex(1))
        memory.axes = self._grown(memory, known) if len(memory.ids) <= CLOSE_READING else None
        self._memory = memory
        return memory

    def _grown(self, memory: Memory, known: int) -> AxisIndex:
        """The close reading of what it held before and of the rows from `known` on."""
        new = range(known, len(memory.ids))
        with self._store.read() as cursor:
            texts = vectors.texts(cursor, [memory.contents[row] for row in new])
        axes = (memory.axes or AxisIndex(self._embed_by_name)).grown(
            [memory.ids[row] for row in new], texts, memory.index.vectors(np.array(new))
        )
        axes.table(Axis.WHOLE)  # all pairs are compared here, not by whoever asks first
        return axes

    def _lay(self, anew: bool = False) -> _Laid:
        """Where everything stored stands, under what reviewers decided; nothing is written."""
        revision = self._store.revision
        if anew:
            self._memory = None
        memory = self._load()
        with self._store.read() as cursor:
            decided = memory_of.decided(cursor)
            if memory.ids and not memory.axes and not len(memory.stored) and not anew:
                memory.stored = placements.labels(cursor, Axis.WHOLE, memory.row)
        laid = _Laid(memory, revision)
        if memory.axes:
            with self._store.read() as cursor:
                model = learning.current(cursor)
            laid.layout, laid.suggestions = close_reading.lay(memory, decided, model)
            laid.about = memory.ids
        elif memory.ids:
            laid.labels = far_reading.lay(memory, decided, self._params)
            laid.layout = {Axis.WHOLE: far_reading.changed(memory, laid.labels)}
            laid.suggestions = far_reading.suggestions(memory, self._params)
            laid.about = memory.ids[len(memory.stored) :]
        memory.decided = decided
        return laid

    def _write(self, actor: Actor, laid: _Laid) -> None:
        """Store what differs."""
        with self._store.write(actor, "index") as work:
            if laid.memory.axes:
                learning.learn_from_decisions(work, laid.memory.axes)
            model_id = vectors.space(work.cursor, self._model) or ""
            for axis, parts in laid.layout.items():
                for placed, clusters in parts:
                    placements.write(work, axis, model_id, placed, clusters)
            placements.suggest(work, model_id, laid.about, laid.suggestions)
        laid.memory.stored = laid.labels
        self._seen_revision = laid.revision

    def _neighbourhood(self, memory: Memory, vector: Vectors) -> set[int]:
        _, rows = memory.index.top_k(vector, NEIGHBOURHOOD)
        return {row for row in rows[0].tolist() if row >= 0}

    def _read_closely(self, memory: Memory, rows: Sequence[int]) -> AxisIndex:
        """These rows alone, compared on all axes."""
        with self._store.read() as cursor:
            texts = vectors.texts(cursor, [memory.contents[row] for row in rows])
        axes = AxisIndex(self._embed_by_name)
        axes.add([memory.ids[row] for row in rows], texts, memory.index.vectors(np.array(rows)))
        return axes


def _named(memory: Memory, found: Sequence[tuple[str, float]], content: str) -> list[Neighbour]:
    """Neighbours with exact duplicates marked, and those first."""
    near = []
    for name, score in found:
        exact = memory.contents[memory.row[name]] == content
        near.append(Neighbour(name, 1.0 if exact else score, exact))
    return sorted(near, key=lambda item: not item.exact)
