"""How near the test side of a dataset is to its training side: near-copies stop an export, the rest is told.

Groups of duplicates are never divided (split.py), but only what is known can be grouped. So every text is
compared once more, by its wording: two rows whose runs of five words agree to `NEAR_COPY` are near-copies.
Where likeness has read both and holds them for different, they are told and stop nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.errors import Refused
from triage_core.exporters import beside, wording
from triage_core.exporters.wording import EMPTY, Hashes, Runs, Sketches
from triage_core.likeness.kernels import compiled

NEAR_COPY = 0.8
"""The agreement (Jaccard index of runs of five words, estimated) from which a row is a near-copy of another."""

# Smallest hashes kept of a text: the estimate is within .07 of the truth, one standard deviation.
_SKETCH = 32
_EXACT_ROWS = 20_000  # up to so many rows every run of 13 words is compared, beyond it a share of them
_WORDS = 2  # of 64 bits, in which the runs of a sketch are marked
_HARDLY = 1e-6  # less than any two agreements differ by
_FOUND = 200  # training rows looked at for one run of a test row
_BLOCK = 1_000
_INDEXED = 50_000  # training rows that are put into the index at once

Rows = NDArray[np.int64]


@dataclass(slots=True)
class Leakage:
    """Reads the rows as they are written; some 170 bytes a row stay in memory. `expected` is how many may come.

    `step` is called again and again while they are compared, and may raise.
    """

    expected: int
    step: Callable[[], object] = lambda: None
    _ids: list[pa.Array] = field(default_factory=list)
    _sides: bytearray = field(default_factory=bytearray)
    _indexed: bytearray = field(default_factory=bytearray)
    _sketches: Sketches = field(init=False)
    _long: list[Hashes] = field(default_factory=list)
    _long_rows: list[NDArray[np.int32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Memory that is not written to yet is not taken yet.
        self._sketches = np.empty((self.expected, _SKETCH), np.uint32)

    @property
    def share(self) -> int:
        """Of so many runs of thirteen words one is compared."""
        return max(1, self.expected // _EXACT_ROWS)

    @property
    def ids(self) -> pa.ChunkedArray:
        """The reports in the order in which they were taken in."""
        return pa.chunked_array(self._ids, pa.string())

    def add(
        self,
        report_ids: Sequence[str] | pa.Array,
        test: Sequence[bool] | NDArray[np.bool_],
        indexed: Sequence[bool] | NDArray[np.bool_],
        runs: Runs,
    ) -> None:
        """Take in reports: on which side each is, whether likeness has placed it, and its runs of words."""
        before = len(self._sides)
        self._ids.append(pa.array(report_ids, pa.string()))
        self._sides += bytes(test)
        self._indexed += bytes(indexed)
        self._sketches[before : len(self._sides)] = wording.smallest(runs, _SKETCH)
        self._long.append(runs.thirteen)
        rows = np.arange(before, len(self._sides), dtype=np.int32)
        self._long_rows.append(np.repeat(rows, np.diff(runs.thirteen_from)))

    def to_json(self) -> dict[str, Any]:
        """For the manifest, to be asked for once: most of what is held is given up then.

        Raises Refused naming the pair when a near-copy stands on the other side.
        """
        copies = self._near_copies()
        self._sketches = self._sketches[:0].copy()
        ids = self.ids
        for train, test, agreement in copies:
            if not (self._indexed[train] and self._indexed[test]):
                raise Refused(
                    "split",
                    f"{ids[test]} (test) is a near-copy of {ids[train]} (train): {agreement:.0%} of their"
                    " wording agrees. Build again once both are compared with the others: a running dashboard does"
                    " that by itself, within minutes, else `index` does",
                )
        sharing = self._sharing()
        self._long, self._long_rows = [], []
        return {
            "near_copy_from": NEAR_COPY,
            "near_copies_held_different": len(copies),
            "most_alike": [
                {"train": str(ids[train]), "test": str(ids[test]), "agreement": round(agreement, 3)}
                for train, test, agreement in copies[:5]
            ],
            "test_rows_sharing_13_words": sharing,
            "runs_of_13_words_compared": f"1 in {self.share}",
        }

    def _near_copies(self) -> list[tuple[int, int, float]]:
        """(train row, test row, agreement), the most alike first: of each test row the training row nearest to it.

        A training row that likeness has not read is looked for apart, since it stops the export.
        """
        if not self._ids:
            return []
        test, indexed = (np.frombuffer(told, np.bool_) for told in (self._sides, self._indexed))
        sketches, tested = self._sketches[: len(test)], np.flatnonzero(test)
        found: dict[int, tuple[int, float]] = {}
        for known in (True, False):
            train = np.flatnonzero(~test & (indexed == known))
            # The later search is the one whose findings matter, so it has the last word.
            found |= {
                row: (one, agreement) for one, row, agreement in _nearest(sketches, train, tested, self.step)
            }
        ordered = [(one, row, agreement) for row, (one, agreement) in found.items()]
        return sorted(ordered, key=lambda item: (-item[2], item[1]))

    def _sharing(self) -> int:
        """How many test rows share a run of 13 words with training rows, among the runs that are compared."""
        if not self._long:
            return 0
        runs, rows = np.concatenate(self._long), np.concatenate(self._long_rows)
        of_test = np.frombuffer(self._sides, np.bool_)[rows]
        wanted = np.unique(runs[of_test])
        slots = _slots(wanted)
        shared = np.zeros(len(wanted) + 1, np.bool_)
        shared[_places(runs[~of_test], wanted, slots)] = True
        shared[-1] = False  # for what nobody asks for
        return len(np.unique(rows[of_test][shared[_places(runs[of_test], wanted, slots)]]))


def _nearest(
    sketches: Sketches, train: Rows, tested: Rows, step: Callable[[], object]
) -> list[tuple[int, int, float]]:
    """(train row, test row, agreement) where a training row is a near-copy: for each test row the one most alike.

    Near-copies share all but a fifth of their runs, hence at least one of any fifth and one more: those are looked
    for that the fewest training rows have. So a phrase that everybody uses hides nothing, unless nearly all of a row
    is such phrases; then the first `_FOUND` rows that share them stand for the rest.
    """
    if not len(train):
        return []
    wanted = np.unique(sketches[tested])
    wanted = wanted[wanted != EMPTY]
    slots = _slots(wanted)
    counts, starts, rows = _index(sketches, train, wanted, slots)
    marks = _marks(sketches)

    def look(some: Rows) -> list[tuple[int, int, float]]:
        seen = np.full(len(sketches), -1, np.int32)
        found: list[tuple[int, int, float]] = []
        for start in range(0, len(some), _BLOCK):
            step()
            block = some[start : start + _BLOCK]
            real = sketches[block] != EMPTY
            sizes = np.count_nonzero(real, axis=1)
            places = _places(sketches[block].ravel(), wanted, slots).reshape(real.shape)
            frequent = np.where(real, counts[places], np.iinfo(np.int64).max)
            rarest = np.argsort(frequent, axis=1, kind="stable")
            best, agreed = np.zeros(len(block), np.int64), np.zeros(len(block))
            with np.errstate(over="ignore"):  # products run over where they are not compiled, too
                _most_alike(sketches, marks, block, rows, starts, places, rarest, sizes, seen, best, agreed)
            found += [
                (int(best[at]), int(block[at]), float(agreed[at]))
                for at in np.flatnonzero(agreed >= NEAR_COPY)
            ]
        return found

    # Rows that begin alike are looked at one after another, since they meet the same training rows.
    alike = tested[np.argsort(sketches[tested, 0], kind="stable")]
    return [one for found in beside.both(look, alike) for one in found]


def _slots(wanted: Hashes | Sketches) -> Rows:
    """A table in which `_places` looks runs up: at least half of it is free."""
    slots = np.full(1 << (2 * len(wanted) + 1).bit_length(), -1)
    _fill(wanted, slots)
    return slots


@compiled
def _fill(wanted: Hashes | Sketches, slots: Rows) -> None:
    mask = np.uint64(len(slots) - 1)
    for place in range(len(wanted)):
        slot = np.int64(np.uint64(wanted[place]) & mask)
        while slots[slot] >= 0:
            slot = (slot + 1) % len(slots)
        slots[slot] = place


@compiled
def _places(runs: Hashes | Sketches, wanted: Hashes | Sketches, slots: Rows) -> Rows:
    """The place of each run among the wanted ones, -1 for a run that is none of them."""
    mask = np.uint64(len(slots) - 1)
    places = np.full(len(runs), -1)
    for at in range(len(runs)):
        slot = np.int64(np.uint64(runs[at]) & mask)
        while slots[slot] >= 0 and wanted[slots[slot]] != runs[at]:
            slot = (slot + 1) % len(slots)
        places[at] = slots[slot]
    return places


def _index(sketches: Sketches, train: Rows, wanted: Sketches, slots: Rows) -> tuple[Rows, Rows, Rows]:
    """How many training rows have each wanted run, and the first `_FOUND` of these: rows[starts[i]:starts[i + 1]]."""
    counts = np.zeros(len(wanted) + 1, np.int64)  # one more, for what nobody asks for
    held_places, held_rows = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for start in range(0, len(train) if len(wanted) else 0, _INDEXED):
        block = train[start : start + _INDEXED]
        places = _places(sketches[block].ravel(), wanted, slots)
        early = _early(places, counts)
        held_places.append(places[early].astype(np.int32))
        held_rows.append(block[early // _SKETCH].astype(np.int32))
    every = np.concatenate(held_places)
    order = np.argsort(every, kind="stable")
    starts = np.searchsorted(every[order], np.arange(len(wanted) + 1))
    return counts, starts, np.concatenate(held_rows)[order].astype(np.int64)


@compiled
def _early(places: Rows, counts: Rows) -> Rows:
    """Where the first `_FOUND` of each place stand; all are counted."""
    early = np.empty(len(places), np.int64)
    found = 0
    for at in range(len(places)):
        place = places[at]
        if place >= 0:
            if counts[place] < _FOUND:
                early[found] = at
                found += 1
            counts[place] += 1
    return early[:found]


@compiled
def _marks(sketches: Sketches) -> Hashes:
    """(rows, _WORDS) a bit for each run of each row: what is set for one row and not for another, the other lacks."""
    marks = np.zeros((len(sketches), _WORDS), np.uint64)
    for row in range(len(sketches)):
        for run in sketches[row]:
            if run == np.uint32(2**32 - 1):
                break
            bit = np.uint64(run)
            marks[row, (bit >> np.uint64(6)) % np.uint64(_WORDS)] |= np.uint64(1) << (bit & np.uint64(63))
    return marks


@compiled
def _lacking(marks: Hashes, others: Hashes) -> np.int64:
    """How many bits of one row's marks another's lack."""
    total = np.uint64(0)
    for word in range(_WORDS):
        # The bits of a word are counted by halves: of two, of four, of eight, then of all.
        bits = marks[word] & ~others[word]
        bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
        bits = (bits & np.uint64(0x3333333333333333)) + (
            (bits >> np.uint64(2)) & np.uint64(0x3333333333333333)
        )
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return np.int64(total)


@compiled
def _most_alike(
    sketches: Sketches,
    marks: Hashes,
    block: Rows,
    rows: Rows,
    starts: Rows,
    places: Rows,
    rarest: Rows,
    sizes: Rows,
    seen: NDArray[np.int32],
    best: Rows,
    agreed: NDArray[np.float64],
) -> None:
    """For each row of the block the row most alike of those that share one of its rarest runs, the earliest of equals.

    The agreement of two sets is their Jaccard index, from the smallest hashes of the union (Broder's bottom-k).
    """
    empty = np.uint32(2**32 - 1)
    for at in range(len(block)):
        one = sketches[block[at]]
        for place in range(sizes[at]):
            # Whatever is as much alike as the best that is known shares one of the rarest so many.
            if place > sizes[at] - np.ceil(max(agreed[at], NEAR_COPY) * sizes[at] - 1e-9):
                break
            run = places[at, rarest[at, place]]
            for entry in range(starts[run], starts[run + 1]):
                row = rows[entry]
                if seen[row] == block[at]:  # what is behind the best once stays behind
                    continue
                seen[row] = block[at]
                # So many differences leave it behind the best that is known, whatever comes; a later row has to
                # be ahead of it. Most of what the row lacks can be told by the marks, without reading it.
                least = max(agreed[at], NEAR_COPY) * _SKETCH + (row > best[at]) * _HARDLY
                most = int(np.floor(_SKETCH - least))
                if _lacking(marks[block[at]], marks[row]) > most:
                    continue
                i = j = size = shared = 0
                while size < _SKETCH and size - shared <= most:
                    left, right = one[i], sketches[row, j]
                    if left == empty and right == empty:
                        break
                    shared += int(left == right)
                    i += int(left <= right)
                    j += int(right <= left)
                    size += 1
                agreement = shared / max(1, size)
                if agreement > agreed[at] or (agreement == agreed[at] and row < best[at]):
                    agreed[at], best[at] = agreement, row
