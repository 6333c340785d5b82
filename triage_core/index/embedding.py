"""The vectors of one store's texts: makes and stores what is missing, and looks the rest up.

A store may hold a million vectors, and the database has no index on their names. So the first 60 bits of
every stored name are held in memory (8 bytes each), and only a text whose name may be stored is looked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from triage_core import db, text
from triage_core.index import vectors
from triage_core.index.vectors import Batch, Vectors
from triage_core.likeness import embed
from triage_core.likeness.embed import Embedder
from triage_core.model import Actor
from triage_core.settings import Settings
from triage_core.store import Store

BATCH = 128
FEW = 2_000
"""Up to so many new reports are read one by one rather than by joining whole tables."""

Progress = Callable[[int, int, str], None]
"""(done, total, of what: one of `STAGES`)"""
TEXTS, ARRIVALS, TOGETHER = STAGES = (
    "conversations read", "reports compared", "first reports read again, with each other",
)  # fmt: skip
Stop = Callable[[], bool]


def untold(done: int, total: int, what: str) -> None:
    """A progress that nobody is told."""


def never() -> bool:
    return False


class Stopped(Exception):
    """Ends a round that is to stop: what it has stored stays, and the next one goes on from there."""


@dataclass(frozen=True, slots=True)
class Round:
    """One bringing up to date: by whom, who is told how far it is, and whether it is to stop."""

    actor: Actor
    progress: Progress = untold
    stopped: Stop = never

    def at(self, done: int, total: int, what: str) -> None:
        """Say how far it is. Raises Stopped."""
        if self.stopped():
            raise Stopped
        self.progress(done, total, what)


def loader(settings: Settings) -> Callable[[], Embedder]:
    """Loads the configured model, in whichever process calls it."""
    return partial(
        embed.load,
        settings.model,
        runtime=settings.runtime,  # type: ignore[arg-type]  # checked by settings
        device=settings.device,  # type: ignore[arg-type]
        cache_dir=settings.store / "models",
    )


@dataclass(slots=True)
class _Names:
    """The beginnings of the stored names of one space: `count` rows of the table tell whether they are all."""

    model_id: str = ""
    count: int = -1
    sorted: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    added: set[int] = field(default_factory=set)

    def may_hold(self, name: str) -> bool:
        start = int(name[: vectors.NAME_START], 16)
        at = int(np.searchsorted(self.sorted, start))
        return start in self.added or (at < len(self.sorted) and int(self.sorted[at]) == start)


class Embedding:
    """The model and its vectors in a store; one writer at a time."""

    def __init__(self, store: Store, make: Callable[[], Embedder], model: str) -> None:
        self._store = store
        self._make = make
        self._model = model
        self._embedder: Embedder | None = None
        self._loading = threading.Lock()
        self._names = _Names()
        self._recent: dict[str, Vectors] = {}

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded on first use."""
        with self._loading:
            if self._embedder is None:
                self._embedder = self._make()
            return self._embedder

    def fill(self, by: Round, after: int) -> tuple[int, str | None]:
        """Embed every content without a vector among the reports after number `after`.

        Gives how many were embedded, and the id of another space than the one that answers when that is
        complete now.
        """
        with self._store.read() as cursor:
            space = vectors.space(cursor, self._model)
            missing = self._missing(cursor, space, after) if space else {}
            if space and not missing:
                return 0, None
        model_id = self.embedder.model_id
        if model_id != space:
            after = 0
            with self._store.read() as cursor:
                missing = self._missing(cursor, model_id, after)
        self._recent.clear()
        names = list(missing)
        for start in range(0, len(names), BATCH):
            if by.stopped():
                return start, None
            batch = names[start : start + BATCH]
            with self._store.read() as cursor:
                texts = vectors.texts_of(cursor, [missing[name] for name in batch])
            self._save(by.actor, model_id, batch, self._embed(texts))
            by.progress(start + len(batch), len(names), TEXTS)
        return len(names), None if model_id == space else model_id

    def arrived(self, cursor: db.Cursor, after: int) -> Iterator[Batch]:
        """Reports after number `after` with their vectors, up to the first that has none."""
        model_id = vectors.space(cursor, self._model) or ""
        new = vectors.after(cursor, after, FEW + 1)
        if len(new.ids) > FEW:
            yield from vectors.embedded(cursor, model_id, after)
        elif new.ids:
            found = self._find(cursor, model_id, new.contents)
            count = next((at for at, name in enumerate(new.contents) if name not in found), len(new.ids))
            if count:
                made = np.stack([found[name] for name in new.contents[:count]])
                yield Batch(new.ids[:count], new.contents[:count], new.seqs[:count], made)

    def by_name(self, words: Sequence[str], actor: Actor | None) -> Vectors:
        """Vectors of texts: stored ones where there are; what `actor` lacks is stored for the next time."""
        names = [vectors.name_of(part) for part in words]
        with self._store.read() as cursor:
            model_id = vectors.space(cursor, self._model) or self.embedder.model_id
            known = self._find(cursor, model_id, names)
        lacking = {name: part for name, part in zip(names, words, strict=True) if name not in known}
        if lacking:
            made = self._embed(list(lacking.values()))
            known |= dict(zip(lacking, made, strict=True))
            if actor is not None:
                self._save(actor, model_id, list(lacking), made)
        return np.stack([known[name] for name in names]) if names else np.empty((0, 0), np.float32)

    def stored(self, words: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of those of these texts that have one."""
        names = {vectors.name_of(part): part for part in words}
        with self._store.read() as cursor:
            model_id = vectors.space(cursor, self._model)
            found = self._find(cursor, model_id, list(names)) if model_id else {}
        return {names[name]: vector for name, vector in found.items()}

    def _embed(self, texts: Sequence[str]) -> Vectors:
        return self.embedder.embed([text.canonical(words) for words in texts])

    def _save(self, actor: Actor, model_id: str, names: Sequence[str], made: Vectors) -> None:
        with self._store.write(actor, "index") as work:
            vectors.save(work, model_id, names, made)
        if self._names.model_id == model_id:
            self._names.added.update(int(name[: vectors.NAME_START], 16) for name in names)
            self._names.count += len(names)
        if len(self._recent) < FEW:
            self._recent |= dict(zip(names, made, strict=True))

    def _missing(self, cursor: db.Cursor, model_id: str, after: int) -> dict[str, int]:
        new = vectors.after(cursor, after, FEW + 1)
        if len(new.ids) > FEW:
            return vectors.missing(cursor, model_id, after)
        found = self._find(cursor, model_id, list(set(new.contents)))
        missing: dict[str, int] = {}
        for name, seq in zip(new.contents, new.seqs, strict=True):
            if name not in found:
                missing.setdefault(name, seq)
        return missing

    def _find(self, cursor: db.Cursor, model_id: str, names: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of these names; asks the database only for those that it may have."""
        self._look(cursor, model_id)
        found = {name: self._recent[name] for name in names if name in self._recent}
        asked = [name for name in names if name not in found and self._names.may_hold(name)]
        return found | (vectors.stored(cursor, model_id, asked) if asked else {})

    def _look(self, cursor: db.Cursor, model_id: str) -> None:
        """See that the names in memory are those of the store, which others may have written to."""
        count = vectors.count(cursor)
        if (self._names.model_id, self._names.count) != (model_id, count):
            self._recent.clear()
            self._names = _Names(model_id, count, vectors.name_starts(cursor, model_id))
