"""Likeness of the stored reports: embed what is new, keep it in memory, answer, write clusters.

The vectors in the store are the truth; everything in memory is a function of them, of the order of
arrival and of what reviewers decided. `refresh` is the only writer and runs in the worker (or in
the `index` command), never inside a request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import access, db, text
from triage_core.errors import NotFound
from triage_core.likeness.cluster import Clusters, Params
from triage_core.likeness.embed import Embedder
from triage_core.likeness.search import VectorIndex
from triage_core.model import Actor, Turn, TurnRole
from triage_core.store import Store

BATCH = 128
PREFIX = {"whole": "D", "technique": "T", "request": "Q"}

Progress = Callable[[int, int], None]
Vectors = NDArray[np.float32]


class Axis(StrEnum):
    """In what two reports are alike: all of it, the trick, or what is asked for."""

    WHOLE = "whole"
    TECHNIQUE = "technique"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A report like another: cosine score, and whether the canonical texts are the same."""

    report_id: str
    score: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did: texts embedded, clusters there are now, seconds taken."""

    embedded: int
    clusters: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Entry:
    report_id: str
    content: str


class Likeness:
    """The likeness of one store's reports; any number of readers beside one refresh."""

    def __init__(
        self, store: Store, embedder: Callable[[], Embedder], model: str, params: Params | None = None
    ) -> None:
        self._store = store
        self._make_embedder = embedder
        self._model = model
        self._params = params or Params()
        self._embedder: Embedder | None = None
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        self._entries: list[_Entry] = []
        self._rows: dict[str, int] = {}
        self._first_with: dict[str, int] = {}
        self._nearest_before: list[tuple[int, float]] = []
        self._saved: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._index: VectorIndex | None = None
        self._clusters: Clusters | None = None
        self._decisions: tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]] = (
            frozenset(),
            frozenset(),
        )
        self._seen_revision = -1

    def is_behind(self) -> bool:
        """True when something was stored that clusters and suggestions do not know yet."""
        if self._store.revision == self._seen_revision:
            return False
        with self._store.read() as cursor:
            total = db.value(cursor, "SELECT count(*) FROM reports WHERE content_sha256 <> ''")
            decisions = _decisions(cursor)
        with self._lock:
            if total == len(self._entries) and decisions == self._decisions:
                self._seen_revision = self._store.revision
                return False
        return True

    def refresh(
        self, actor: Actor, progress: Progress | None = None, stopped: Callable[[], bool] = lambda: False
    ) -> Refreshed:
        """Embed what is not embedded, place it, and write clusters and suggestions.

        Stored batch by batch: an interruption (`stopped`) keeps what is done. Raises ModelError
        when the model cannot be loaded.
        """
        access.require(actor, "index")
        started = time.monotonic()
        with self._lock:
            embedded = self._embed(actor, progress, stopped)
            if not stopped():
                self._load()
                self._save(actor)
            clusters = len(np.unique(self._clusters.labels())) if self._clusters else 0
        return Refreshed(embedded, clusters, time.monotonic() - started)

    def similar(self, report_id: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like this one, best first, exact duplicates before all.

        Raises NotFound when the report has not been indexed yet.
        """
        self._ensure_loaded()
        row = self._rows.get(report_id)
        if row is None or self._index is None:
            raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
        vector = self._index.vectors(np.array([row]))
        return [
            found
            for found in self._nearest(vector, k + 1, self._entries[row].content)
            if found.report_id != report_id
        ][:k]

    def similar_text(self, words: str, k: int, axis: Axis = Axis.WHOLE) -> list[Neighbour]:
        """The `k` reports most like a text that is not stored."""
        self._ensure_loaded()
        if self._index is None:
            return []
        content = text.content_sha256([Turn(TurnRole.USER, words)])
        return self._nearest(self.embedder.embed([text.canonical(words)]), k, content)

    def all_similar(self, k: int, axis: Axis = Axis.WHOLE) -> Iterator[tuple[str, list[Neighbour]]]:
        """(report id, its `k` neighbours) of every indexed report, in order of arrival."""
        self._ensure_loaded()
        for entry in list(self._entries):
            yield entry.report_id, self.similar(entry.report_id, k, axis)

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded on first use."""
        with self._lock:
            if self._embedder is None:
                self._embedder = self._make_embedder()
            return self._embedder

    def _ensure_loaded(self) -> None:
        with self._lock:
            if self._index is None:
                self._load()

    def _nearest(self, vector: Vectors, k: int, content: str) -> list[Neighbour]:
        assert self._index is not None
        scores, rows = self._index.top_k(vector, k)
        found = []
        for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
            if row >= 0:
                entry = self._entries[row]
                found.append(Neighbour(entry.report_id, min(1.0, score), entry.content == content))
        return sorted(found, key=lambda item: not item.exact)

    def _embed(self, actor: Actor, progress: Progress | None, stopped: Callable[[], bool]) -> int:
        """Embed every content that the model's space lacks; gives how many."""
        with self._store.read() as cursor:
            space = _space(cursor, self._model)
            if space and not _missing(cursor, space):
                return 0
        model_id = self.embedder.model_id
        with self._store.read() as cursor:
            missing = _missing(cursor, model_id)
        done = 0
        for start in range(0, len(missing), BATCH):
            if stopped():
                return done
            batch = missing[start : start + BATCH]
            with self._store.read() as cursor:
                texts = _texts(cursor, batch)
            vectors = self.embedder.embed([texts[content] for content in batch])
            with self._store.write(actor, "index") as work:
                db.insert_arrow(work.cursor, "embeddings", _embedding_table(batch, model_id, vectors))
                work.event("contents.embedded", model_id, {"count": len(batch)})
            done += len(batch)
            if progress:
                progress(done, len(missing))
        with self._store.write(actor, "index") as work:
            # The answering space changes in one step, once the new one is complete.
            work.cursor.execute("DELETE FROM likeness_space")
            db.insert(work.cursor, "likeness_space", [{"model": self._model, "model_id": model_id}])
            work.event("likeness.space", model_id, {"model": self._model})
        self._forget()
        return done

    def _load(self) -> None:
        """Bring memory up to date with the store: new vectors, new decisions."""
        revision = self._store.revision
        with self._store.read() as cursor:
            model_id = _space(cursor, self._model)
            decisions = _decisions(cursor)
            if self._decisions[0] - decisions[0] or self._decisions[1] - decisions[1]:
                self._forget()  # a decision was taken back: lay everything again without it
            after = len(self._entries)
            found = db.rows(
                cursor,
                "SELECT r.report_id, r.content_sha256 FROM reports r"
                " WHERE r.content_sha256 IN (SELECT content_sha256 FROM embeddings WHERE model_id = ?)"
                " ORDER BY r.seq OFFSET ?",
                [model_id, after],
            )
            vectors = _vectors(cursor, model_id or "", [row["content_sha256"] for row in found])
        if found:
            if self._index is None or self._clusters is None:
                self._index = VectorIndex(vectors.shape[1])
                self._clusters = Clusters(vectors.shape[1], self._params)
            self._place([_Entry(row["report_id"], row["content_sha256"]) for row in found], vectors)
        self._decide(decisions)
        self._seen_revision = revision

    def _place(self, entries: Sequence[_Entry], vectors: Vectors) -> None:
        assert self._index is not None
        assert self._clusters is not None
        floor = self._params.search_floor(vectors.shape[1])
        for entry, vector in zip(entries, vectors, strict=True):
            row = len(self._entries)
            _, candidates = self._index.above(vector, floor)
            self._clusters.place(row, vector, candidates.tolist())
            self._nearest_before.append(self._nearest_earlier(entry, vector))
            self._index.add(vector[None, :])
            self._entries.append(entry)
            self._rows[entry.report_id] = row
            self._first_with.setdefault(entry.content, row)

    def _nearest_earlier(self, entry: _Entry, vector: Vectors) -> tuple[int, float]:
        """(row, score) of the earlier report most like this one; the first exact duplicate if there is one."""
        assert self._index is not None
        if entry.content in self._first_with:
            return self._first_with[entry.content], 1.0
        scores, rows = self._index.top_k(vector[None, :], 1)
        return int(rows[0, 0]), min(1.0, float(scores[0, 0]))

    def _decide(self, decisions: tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]) -> None:
        if self._clusters is None:
            return
        for pair in sorted(decisions[0] - self._decisions[0]):
            self._clusters.must_link(*(self._rows[name] for name in pair))
        for pair in sorted(decisions[1] - self._decisions[1]):
            self._clusters.cannot_link(*(self._rows[name] for name in pair))
        self._decisions = decisions

    def _save(self, actor: Actor) -> None:
        """Write what changed since the last save: memberships, their clusters, duplicate suggestions."""
        if self._clusters is None:
            return
        labels = self._clusters.labels()
        old = self._saved
        new_rows = range(len(old), len(labels))
        changed = [*np.flatnonzero(labels[: len(old)] != old).tolist(), *new_rows]
        if not changed:
            return
        touched = np.union1d(labels[changed], old[[row for row in changed if row < len(old)]])
        with self._store.write(actor, "index") as work:
            if not len(old):
                for table in ("memberships", "clusters", "suggestions"):
                    work.cursor.execute(f"DELETE FROM {table}")
            work.cursor.execute(
                "DELETE FROM memberships WHERE axis = 'whole' AND report_id IN (SELECT unnest(?))",
                [[self._entries[row].report_id for row in changed]],
            )
            work.cursor.execute(
                "DELETE FROM clusters WHERE axis = 'whole' AND cluster_id IN (SELECT unnest(?))",
                [[self._cluster_id(label) for label in touched.tolist()]],
            )
            db.insert(
                work.cursor, "memberships", [self._membership(row, int(labels[row])) for row in changed]
            )
            standing = touched[np.isin(touched, labels)]
            db.insert(work.cursor, "clusters", [self._cluster(label, labels) for label in standing.tolist()])
            db.insert(work.cursor, "suggestions", [s for row in new_rows if (s := self._suggestion(row))])
        self._saved = labels

    def _cluster_id(self, label: int) -> str:
        return f"{PREFIX[Axis.WHOLE]}-{self._entries[label].report_id.removeprefix('FR-')}"

    def _membership(self, row: int, label: int) -> dict[str, Any]:
        nearest, score = self._nearest_before[row]
        return {
            "axis": str(Axis.WHOLE),
            "report_id": self._entries[row].report_id,
            "cluster_id": self._cluster_id(label),
            "model_id": self._model,
            "nearest_id": self._entries[nearest].report_id if nearest >= 0 else None,
            "nearest": score if nearest >= 0 else None,
        }

    def _cluster(self, label: int, labels: NDArray[np.int64]) -> dict[str, Any]:
        assert self._clusters is not None
        return {
            "axis": str(Axis.WHOLE),
            "cluster_id": self._cluster_id(label),
            "representative_id": self._entries[self._clusters.representative(label)].report_id,
            "size": int((labels == label).sum()),
            "label": "",
        }

    def _suggestion(self, row: int) -> dict[str, Any] | None:
        nearest, score = self._nearest_before[row]
        if nearest < 0 or score < self._params.suggest:
            return None
        exact = self._entries[nearest].content == self._entries[row].content
        return {
            "child_id": self._entries[row].report_id,
            "canonical_id": self._entries[nearest].report_id,
            "score": score,
            "basis": "exact" if exact else "embedding",
            "model_id": self._model,
        }


def conversation(turns: Sequence[dict[str, str]]) -> str:
    """The canonical text of a stored conversation: what is embedded."""
    return text.canonical(
        text.conversation_text([Turn(TurnRole(turn["role"]), turn["content"]) for turn in turns])
    )


def _space(cursor: db.Cursor, model: str) -> str | None:
    """The id of the space that answers, if it is the configured model's."""
    found: str | None = db.value(cursor, "SELECT model_id FROM likeness_space WHERE model = ?", [model])
    return found


def _missing(cursor: db.Cursor, model_id: str) -> list[str]:
    """Contents without a vector in this space, in order of arrival."""
    found = db.rows(
        cursor,
        "SELECT content_sha256, min(seq) AS first FROM reports WHERE content_sha256 <> '' AND content_sha256 NOT IN"
        " (SELECT content_sha256 FROM embeddings WHERE model_id = ?) GROUP BY content_sha256 ORDER BY first",
        [model_id],
    )
    return [row["content_sha256"] for row in found]


def _texts(cursor: db.Cursor, contents: Sequence[str]) -> dict[str, str]:
    found = db.rows(
        cursor,
        "SELECT content_sha256, arg_min(turns, seq) AS turns FROM reports"
        " WHERE content_sha256 IN (SELECT unnest(?)) GROUP BY content_sha256",
        [list(contents)],
    )
    return {row["content_sha256"]: conversation(row["turns"]) for row in found}


def _embedding_table(contents: Sequence[str], model_id: str, vectors: Vectors) -> pa.Table:
    offsets = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1])
    return pa.table(
        {
            "content_sha256": list(contents),
            "model_id": [model_id] * len(contents),
            "vector": pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())),
        }
    )


def _vectors(cursor: db.Cursor, model_id: str, contents: Sequence[str]) -> Vectors:
    """The vectors of these contents, (n, dim), a row for each even where contents repeat."""
    table = db.arrow(
        cursor,
        "SELECT content_sha256, vector FROM embeddings WHERE model_id = ? AND content_sha256 IN (SELECT unnest(?))",
        [model_id, list(set(contents))],
    )
    if not len(table):
        return np.empty((0, 0), np.float32)
    position = {name: row for row, name in enumerate(table["content_sha256"].to_pylist())}
    matrix = table["vector"].combine_chunks().values.to_numpy().reshape(len(table), -1)
    return np.ascontiguousarray(matrix[[position[content] for content in contents]], dtype=np.float32)


def _decisions(cursor: db.Cursor) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Pairs that reviewers put together, and pairs that they keep apart."""
    together = db.rows(cursor, "SELECT canonical_id, child_id FROM active_links")
    apart = db.rows(cursor, "SELECT a_id, b_id FROM active_cannot_links")
    return (
        frozenset((row["canonical_id"], row["child_id"]) for row in together),
        frozenset((row["a_id"], row["b_id"]) for row in apart),
    )
