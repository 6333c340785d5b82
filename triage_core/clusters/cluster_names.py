"""What clusters beyond close reading are called: told by a few of their members, after these were placed.

A name rests on the earliest members of a cluster and on the earliest reports of all, so that it takes as little work
among a million as among a thousand. While a cluster grows beyond its first members its name stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_core.index import placements, readings, vectors
from triage_core.index.memory import Memory
from triage_core.index.placements import Name
from triage_core.likeness import taxonomy
from triage_core.likeness.axes import Axis, wrapper_of
from triage_core.likeness.labels import Spread, distinctive, spread
from triage_core.likeness.spans import Ranges, extract
from triage_core.model import Actor
from triage_core.store import Store

MEMBERS = 8
"""A name rests on so many members at most; a cluster of more keeps what it is called."""
AT_ONCE = 500
BACKGROUND = 1_000

Embed = Callable[[Sequence[str], Actor], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    axis: Axis
    label: int
    rows: list[int]


def note(memory: Memory, axis: Axis, label: int, size: int, moved: bool) -> None:
    """Remember that a cluster changed, if that may change what it is called."""
    if size > 1 and (size <= MEMBERS or moved):
        memory.unnamed[axis, label] = None


class Names:
    """Names the clusters of one store."""

    def __init__(self, store: Store, embed: Embed) -> None:
        """`embed` gives the vectors of texts, and stores what it lacked in somebody's name."""
        self._store = store
        self._embed = embed
        self._spread: Spread | None = None

    def name(self, memory: Memory, actor: Actor) -> int:
        """Name up to AT_ONCE clusters that wait for it; gives how many."""
        waiting = [self._members(memory, *item) for item in list(memory.unnamed)[:AT_ONCE]]
        if not waiting:
            return 0
        if self._spread is None:
            with self._store.read() as cursor:
                self._spread = spread(vectors.texts_of(cursor, memory.seqs[:BACKGROUND]))
        rows = sorted({row for item in waiting for row in item.rows})
        with self._store.read() as cursor:
            texts = dict(zip(rows, vectors.texts_of(cursor, [memory.seqs[row] for row in rows]), strict=True))
            spans = readings.spans(cursor, [memory.ids[row] for row in rows])
        parts = {
            axis: {row: _part(texts[row], spans.get(memory.ids[row]), axis) for row in rows} for axis in Axis
        }
        named: dict[Axis, list[Name]] = {}
        for axis in Axis:
            here = [item for item in waiting if item.axis is axis]
            groups = {memory.ids[item.label]: [parts[axis][row] for row in item.rows] for item in here}
            labels = distinctive(groups, spread=self._spread)
            families = self._families(memory, here, parts[axis], actor) if axis is Axis.TECHNIQUE else {}
            named[axis] = [
                Name(
                    placements.cluster_id(axis, memory.ids[item.label]),
                    labels[memory.ids[item.label]],
                    families.get(item.label),
                )
                for item in here
            ]
        with self._store.write(actor, "index") as work:
            for axis, names in named.items():
                placements.name(work, axis, names)
        for item in waiting:
            memory.unnamed.pop((item.axis, item.label), None)
        return len(waiting)

    def _members(self, memory: Memory, axis: Axis, label: int) -> _Waiting:
        """A cluster with its earliest members; without any when it was merged away meanwhile."""
        rows = np.flatnonzero(memory.labels[axis].rows[label:] == label)[:MEMBERS] + label
        return _Waiting(axis, label, rows.tolist())

    def _families(
        self, memory: Memory, waiting: Sequence[_Waiting], wrappers: dict[int, str], actor: Actor
    ) -> dict[int, str]:
        assert memory.spaces is not None
        like = self._embed(taxonomy.shipped().texts, actor)
        found = {}
        for item in waiting:
            if item.rows:
                members = memory.spaces.meaning(np.array(item.rows))
                if members.shape != like.shape[1:]:
                    return {}  # another model is on its way: in its space all is laid and named anew
                if family := taxonomy.family(wrappers[item.rows[0]], members, like):
                    found[item.label] = family
        return found


def _part(text: str, spans: dict[str, Ranges] | None, axis: Axis) -> str:
    """What an axis compares of a text."""
    if axis is Axis.WHOLE or spans is None:
        return text
    if axis is Axis.TECHNIQUE:
        return wrapper_of(text, spans["wrapper"])
    return extract(text, spans["request"])
