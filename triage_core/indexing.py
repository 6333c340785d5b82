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

from triage_core import access, db, placements, text, vectors
from triage_core.errors import NotFound
from triage_core.likeness.axes import Axis, AxisIndex
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.embed import Embedder
from triage_core.likeness.search import VectorIndex
from triage_core.model import Actor
from triage_core.placements import Cluster, Placement, Suggestion
from triage_core.store import Store
from triage_core.vectors import Vectors

BATCH = 128
CLOSE_READING = 4_000
NEIGHBOURHOOD = 100
SUGGEST = 0.5
"""The least score of the whole axis from which a pair is suggested as a duplicate."""

Progress = Callable[[int, int], None]
Pair = tuple[str, str]


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


@dataclass(frozen=True, slots=True)
class Decided:
    """Pairs that reviewers put together, and pairs that they keep apart."""

    together: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()


@dataclass(slots=True)
class _Memory:
    """What is known of the indexed reports, in order of arrival; rows are only ever appended."""

    index: VectorIndex
    ids: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    row: dict[str, int] = field(default_factory=dict)
    first_with: dict[str, int] = field(default_factory=dict)
    last_seq: int = 0
    axes: AxisIndex | None = None
    clusters: Clusters | None = None
    nearest: list[tuple[int, float]] = field(default_factory=list)
    decided: Decided = Decided()

    def append(self, report_id: str, content: str, seq: int) -> None:
        self.row[report_id] = len(self.ids)
        self.first_with.setdefault(content, len(self.ids))
        self.ids.append(report_id)
        self.contents.append(content)
        self.last_seq = seq


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
        self._memory: _Memory | None = None
        self._seen_revision = -1

    def is_behind(self) -> bool:
        """True when something was stored that clusters and suggestions do not know yet."""
        revision = self._store.revision
        if revision == self._seen_revision:
            return False
        with self._store.read() as cursor:
            total = db.value(cursor, "SELECT count(*) FROM reports WHERE content_sha256 <> ''")
            placed = db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = 'whole'")
            decided = _decided(cursor)
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
            embedded = self._embed(actor, progress, stopped)
            if not stopped():
                self._place(actor)
        with self._store.read() as cursor:
            clusters = int(db.value(cursor, "SELECT count(*) FROM clusters WHERE axis = 'whole'"))
        return Refreshed(embedded, clusters, time.monotonic() - started)

    def similar(self, report_id: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like this one on an axis, best first.

        Raises NotFound when the report has not been indexed yet.
        """
        memory = self._ready()
        if report_id not in memory.row:
            raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
        row = memory.row[report_id]
        axes = memory.axes
        if axes is None:
            near = self._neighbourhood(memory, memory.index.vectors(np.array([row])))
            axes = self._read_closely(memory, sorted({row, *near}))
        return _named(memory, axes.neighbours(report_id, axis, k), memory.contents[row])

    def similar_text(self, words: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like a text that is not stored, among those nearest to it."""
        memory = self._ready()
        if not memory.ids:
            return []
        vector = self.embedder.embed([text.canonical(words)])
        axes = self._read_closely(memory, sorted(self._neighbourhood(memory, vector)))
        axes.add(["this text"], [words], vector)
        return _named(memory, axes.neighbours("this text", axis, k), vectors.name_of(words))

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

    def _ready(self) -> _Memory:
        memory = self._memory
        if memory is None:
            with self._refreshing:
                memory = self._memory or self._load()
        return memory

    def _embed(self, actor: Actor, progress: Progress | None, stopped: Callable[[], bool]) -> int:
        """Embed every content that the model's space lacks; gives how many."""
        with self._store.read() as cursor:
            space = vectors.space(cursor, self._model)
            if space and not vectors.missing(cursor, space):
                return 0
        model_id = self.embedder.model_id
        with self._store.read() as cursor:
            missing = vectors.missing(cursor, model_id)
        for start in range(0, len(missing), BATCH):
            if stopped():
                return start
            batch = missing[start : start + BATCH]
            with self._store.read() as cursor:
                texts = vectors.texts(cursor, batch)
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

    def _embed_by_name(self, actor: Actor | None, words: Sequence[str]) -> Vectors:
        """Vectors of texts: stored ones where there are, new ones stored when `actor` is given."""
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

    def _load(self, actor: Actor | None = None) -> _Memory:
        """Bring memory up to date with the store: rows, vectors, close reading; not the clusters."""
        memory = self._memory
        with self._store.read() as cursor:
            model_id = vectors.space(cursor, self._model) or ""
            found = db.rows(
                cursor,
                "SELECT report_id, content_sha256, seq FROM reports WHERE content_sha256 <> '' AND seq > $after"
                " AND seq < (SELECT coalesce(min(seq), 9e18) FROM reports WHERE content_sha256 <> ''"
                " AND content_sha256 NOT IN (SELECT content_sha256 FROM embeddings WHERE model_id = $model_id))"
                " ORDER BY seq",
                {"after": memory.last_seq if memory else 0, "model_id": model_id},
            )
            contents = [row["content_sha256"] for row in found]
            known = vectors.stored(cursor, model_id, contents)
            close = (len(memory.ids) if memory else 0) + len(found) <= CLOSE_READING
            texts = vectors.texts(cursor, contents) if close and found else []
        matrix = np.stack([known[content] for content in contents]) if found else np.empty((0, 1), np.float32)
        if memory is None:
            memory = _Memory(VectorIndex(matrix.shape[1]))
        if close and found:
            axes = memory.axes or AxisIndex(lambda words: self._embed_by_name(actor, words))
            memory.axes = axes.grown([row["report_id"] for row in found], texts, matrix)
        elif not close:
            memory.axes = None
        for row in found:
            memory.append(row["report_id"], row["content_sha256"], row["seq"])
        if found:
            memory.index.add(matrix)
        self._memory = memory
        return memory

    def _place(self, actor: Actor) -> None:
        """Lay the clusters of everything in memory and write what differs from the store."""
        revision = self._store.revision
        memory = self._load(actor)
        with self._store.read() as cursor:
            decided = _decided(cursor)
            model_id = vectors.space(cursor, self._model) or ""
            before = {axis: placements.read(cursor, axis) for axis in Axis}
        if not memory.ids:
            return
        lay = self._close_layout if memory.axes else self._far_layout
        layout, suggestions = lay(memory, decided)
        with self._store.write(actor, "index") as work:
            for axis, (placed, clusters) in layout.items():
                changed = [item for item in placed if before[axis].get(item.report_id) != item]
                placements.write(work, axis, model_id, changed, clusters)
            placements.suggest(work, model_id, suggestions)
        memory.decided = decided
        self._seen_revision = revision

    def _close_layout(self, memory: _Memory, decided: Decided) -> tuple[Layout, list[Suggestion]]:
        """Every report on every axis, from the likeness of every pair."""
        assert memory.axes is not None
        layout: Layout = {}
        for axis in Axis:
            ids, scores = memory.axes.table(axis)
            place = {name: at for at, name in enumerate(ids)}
            order = np.array([place[name] for name in memory.ids])
            scores = scores[np.ix_(order, order)]
            # What reviewers decided is about duplicates; it says nothing on the other two axes.
            roots = memory.axes.clusters(
                axis, *((decided.together, decided.apart) if axis is Axis.WHOLE else ())
            )
            root_rows = np.array([memory.row[roots[name]] for name in memory.ids])
            layout[axis] = _describe(memory.ids, axis, scores, root_rows)
            if axis is Axis.WHOLE:
                earlier = np.where(np.tri(len(scores), k=-1, dtype=np.bool_), scores, -1)
                best = earlier.argmax(axis=1)
                nearest = list(zip(best.tolist(), earlier[np.arange(len(best)), best].tolist(), strict=True))
        return layout, _suggestions(memory, nearest, SUGGEST, "likeness")

    def _far_layout(self, memory: _Memory, decided: Decided) -> tuple[Layout, list[Suggestion]]:
        """Every report on the whole axis, by the gated rule on vectors."""
        rows = {name: memory.row[name] for pair in decided.together | decided.apart for name in pair}
        must = [(rows[a], rows[b]) for a, b in sorted(decided.together)]
        cannot = [(rows[a], rows[b]) for a, b in sorted(decided.apart)]
        taken_back = bool(
            (memory.decided.together - decided.together) | (memory.decided.apart - decided.apart)
        )
        if memory.clusters is None or taken_back:
            everything = memory.index.vectors(np.arange(len(memory.ids)))
            memory.clusters = cluster_all(everything, self._params, must, cannot)
        else:
            self._place_new(memory, must, cannot)
        clusters = memory.clusters
        labels = clusters.labels()
        placed, described = [], {}
        for row, name in enumerate(memory.ids):
            why = clusters.placement(row)
            label = int(labels[row])
            number = placements.cluster_id(Axis.WHOLE, memory.ids[label])
            if number not in described:
                described[number] = Cluster(number, memory.ids[clusters.representative(label)])
            placed.append(
                Placement(
                    name,
                    number,
                    None if why.nearest_row is None else memory.ids[why.nearest_row],
                    why.maximum,
                    why.mean,
                    None if why.runner_up_cluster is None else memory.ids[why.runner_up_cluster],
                    why.runner_up_mean,
                )
            )
        nearest = memory.nearest
        for row in range(len(nearest), len(memory.ids)):
            scores, rows_found = memory.index.top_k(memory.index.vectors(np.array([row])), 1, np.array([row]))
            nearest.append((int(rows_found[0, 0]), float(scores[0, 0])))
        return {Axis.WHOLE: (placed, described)}, _suggestions(
            memory, nearest, self._params.suggest, "embedding"
        )

    def _place_new(
        self, memory: _Memory, must: Sequence[tuple[int, int]], cannot: Sequence[tuple[int, int]]
    ) -> None:
        assert memory.clusters is not None
        floor = self._params.search_floor(memory.index.dim)
        for row in range(len(memory.clusters), len(memory.ids)):
            vector = memory.index.vectors(np.array([row]))[0]
            _, candidates = memory.index.above(vector, floor)
            memory.clusters.place(row, vector, candidates[candidates < row].tolist())
        for pair in must:
            memory.clusters.must_link(*pair)
        for pair in cannot:
            memory.clusters.cannot_link(*pair)

    def _neighbourhood(self, memory: _Memory, vector: Vectors) -> set[int]:
        _, rows = memory.index.top_k(vector, NEIGHBOURHOOD)
        return {row for row in rows[0].tolist() if row >= 0}

    def _read_closely(self, memory: _Memory, rows: Sequence[int]) -> AxisIndex:
        """These rows alone, compared on all axes."""
        with self._store.read() as cursor:
            texts = vectors.texts(cursor, [memory.contents[row] for row in rows])
        axes = AxisIndex(lambda words: self._embed_by_name(None, words))
        axes.add([memory.ids[row] for row in rows], texts, memory.index.vectors(np.array(rows)))
        return axes


Layout = dict[Axis, tuple[list[Placement], dict[str, Cluster]]]


def _describe(
    ids: Sequence[str], axis: Axis, scores: NDArray[np.float32], roots: NDArray[np.int64]
) -> tuple[list[Placement], dict[str, Cluster]]:
    """Placements and clusters from scores, (n, n), and the row of each report's representative, (n,)."""
    founders = {int(root): int(np.flatnonzero(roots == root)[0]) for root in np.unique(roots)}
    names = {root: placements.cluster_id(axis, ids[founder]) for root, founder in founders.items()}
    clusters = {names[root]: Cluster(names[root], ids[root]) for root in founders}
    placed = []
    for row, name in enumerate(ids):
        own = scores[row].astype(np.float64).clip(0, 1)
        own[row] = -1
        inside = roots == roots[row]
        inside[row] = False
        outside = np.where(roots == roots[row], -1, own)
        nearest, other = int(np.argmax(own)), int(np.argmax(outside))
        placed.append(
            Placement(
                name,
                names[int(roots[row])],
                ids[nearest] if own[nearest] >= 0 else None,
                round(float(own[nearest]), 6) if own[nearest] >= 0 else None,
                round(float(own[inside].mean()), 6) if inside.any() else None,
                names[int(roots[other])] if outside[other] >= 0 else None,
                round(float(outside[other]), 6) if outside[other] >= 0 else None,
            )
        )
    return placed, clusters


def _suggestions(
    memory: _Memory, nearest: Sequence[tuple[int, float]], least: float, basis: str
) -> list[Suggestion]:
    """A pair for each report whose best earlier one, (row, score), scores at least `least`, or equals it."""
    found = []
    for row, (best, score) in enumerate(nearest):
        first = memory.first_with[memory.contents[row]]
        if first < row:
            found.append(Suggestion(memory.ids[row], memory.ids[first], 1.0, "exact"))
        elif best >= 0 and score >= least:
            found.append(Suggestion(memory.ids[row], memory.ids[best], round(min(score, 1.0), 6), basis))
    return found


def _named(memory: _Memory, found: Sequence[tuple[str, float]], content: str) -> list[Neighbour]:
    """Neighbours with exact duplicates marked, and those first."""
    near = [Neighbour(name, score, memory.contents[memory.row[name]] == content) for name, score in found]
    return sorted(near, key=lambda item: not item.exact)


def _decided(cursor: db.Cursor) -> Decided:
    together = db.rows(cursor, "SELECT canonical_id, child_id FROM active_links")
    apart = db.rows(cursor, "SELECT a_id, b_id FROM active_cannot_links")
    return Decided(
        frozenset((row["canonical_id"], row["child_id"]) for row in together),
        frozenset((row["a_id"], row["b_id"]) for row in apart),
    )
