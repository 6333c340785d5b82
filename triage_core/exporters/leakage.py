"""How near the test side of a dataset is to its training side: near-copies stop an export, the rest is told.

Groups of duplicates are never divided (split.py), but only what is known can be grouped. So every text is
compared once more, by its wording: two rows whose runs of five words agree to `NEAR_COPY` are near-copies.
Where likeness has read both and holds them for different, they are told and stop nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import Refused
from triage_core.exporters.split import Split
from triage_core.likeness.lexical import chain

NEAR_COPY = 0.8
"""The agreement (Jaccard index of runs of five words, estimated) from which a row is a near-copy of another."""

_GRAM = 5
_SKETCH = (
    32  # smallest hashes kept of a text: the estimate is within .07 of the truth, one standard deviation
)
_LONG_GRAM = 13
_EXACT_ROWS = 20_000  # up to so many rows every run of 13 words is compared, beyond it a share of them
_COMMON = 200
_LEAST_SHARED = int(NEAR_COPY * _SKETCH / 2)
_EMPTY = np.uint64(2**64 - 1)


@dataclass(slots=True)
class Leakage:
    """Reads the rows as they are written; 256 bytes a row stay in memory. `expected` is how many may come."""

    expected: int
    _ids: list[str] = field(default_factory=list)
    _sides: list[bool] = field(default_factory=list)
    _indexed: list[bool] = field(default_factory=list)
    _sketches: list[NDArray[np.uint64]] = field(default_factory=list)
    _long: list[NDArray[np.uint64]] = field(default_factory=list)

    def add(self, report_id: str, side: Split, tokens: Sequence[NDArray[np.uint64]], indexed: bool) -> None:
        """Take in one report: the hashes of the words of each text, and whether likeness has placed it."""
        # A text with fewer words than a run is compared as a whole.
        grams = _distinct(chain(hashes, min(_GRAM, len(hashes))) for hashes in tokens if len(hashes))
        sketch = np.full(_SKETCH, _EMPTY)
        sketch[: min(len(grams), _SKETCH)] = grams[:_SKETCH]
        step = np.uint64(max(1, self.expected // _EXACT_ROWS))
        long = _distinct(chain(hashes, _LONG_GRAM) for hashes in tokens)
        self._ids.append(report_id)
        self._sides.append(side is Split.TEST)
        self._indexed.append(indexed)
        self._sketches.append(sketch)
        self._long.append(long[long % step == 0])

    def to_json(self) -> dict[str, Any]:
        """For the manifest. Raises Refused naming the pair when a near-copy stands on the other side."""
        copies = self._near_copies()
        for train, test, agreement in copies:
            if not (self._indexed[train] and self._indexed[test]):
                raise Refused(
                    "split",
                    f"{self._ids[test]} (test) is a near-copy of {self._ids[train]} (train): {agreement:.0%} of their"
                    " wording agrees. Run `index`, so that they are known as duplicates, and build again",
                )
        return {
            "near_copy_from": NEAR_COPY,
            "near_copies_held_different": len(copies),
            "most_alike": [
                {"train": self._ids[train], "test": self._ids[test], "agreement": round(agreement, 3)}
                for train, test, agreement in copies[:5]
            ],
            "test_rows_sharing_13_words": self._sharing(),
            "runs_of_13_words_compared": f"1 in {max(1, self.expected // _EXACT_ROWS)}",
        }

    def _near_copies(self) -> list[tuple[int, int, float]]:
        """(train row, test row, agreement), the most alike first: of each test row the training row nearest to it."""
        if not self._ids:
            return []
        sketches, test = np.stack(self._sketches), np.array(self._sides)
        entries = sketches.ravel()
        rows = np.repeat(np.arange(len(sketches)), _SKETCH)
        kept = entries != _EMPTY
        entries, rows = entries[kept], rows[kept]
        of_test = test[rows]
        # Only runs that stand on both sides can make a pair.
        both = np.intersect1d(entries[of_test], entries[~of_test])
        shared = np.isin(entries, both)
        entries, rows, of_test = entries[shared], rows[shared], of_test[shared]
        order = np.argsort(entries[~of_test], kind="stable")
        train_entries, train_rows = entries[~of_test][order], rows[~of_test][order]
        found = []
        for row in np.unique(rows[of_test]).tolist():
            own = sketches[row][sketches[row] != _EMPTY]
            start, end = np.searchsorted(train_entries, own), np.searchsorted(train_entries, own, "right")
            # A run that hundreds of rows share is a phrase that everybody uses; the earliest of them stand for it.
            end = np.minimum(end, start + _COMMON)
            near = np.concatenate([train_rows[a:b] for a, b in zip(start, end, strict=True)])
            candidates, counts = np.unique(near, return_counts=True)
            least = min(_LEAST_SHARED, len(own) // 2)
            likely = candidates[counts >= max(1, least)]
            if len(likely):
                agreements = _agreements(sketches[row], sketches[likely])
                best = int(np.argmax(agreements))  # the first of equals, which is the earliest row
                if agreements[best] >= NEAR_COPY:
                    found.append((int(likely[best]), row, float(agreements[best])))
        return sorted(found, key=lambda item: (-item[2], item[1]))

    def _sharing(self) -> int:
        """How many test rows share a run of 13 words with training rows, among the runs that are compared."""
        known = [
            grams for grams, test in zip(self._long, self._sides, strict=True) if not test and len(grams)
        ]
        if not known:
            return 0
        train = np.unique(np.concatenate(known))
        return sum(
            bool(np.isin(grams, train).any())
            for grams, test in zip(self._long, self._sides, strict=True)
            if test and len(grams)
        )


def _distinct(runs: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """The distinct hashes of the runs of words of some texts, ascending."""
    found = list(runs)
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def _agreements(one: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.float64]:
    """(n,) Jaccard indices of a set with n others, from the smallest hashes of each union (Broder's bottom-k)."""
    both = np.sort(np.hstack([np.broadcast_to(one, others.shape), others]), axis=1)
    real = both != _EMPTY
    again = np.zeros_like(real)
    again[:, 1:] = both[:, 1:] == both[:, :-1]  # in both sets, since neither holds a hash twice
    within = np.cumsum(real & ~again, axis=1) <= _SKETCH
    size = np.sum(real & ~again & within, axis=1)
    shared = np.sum(real & again & within, axis=1)
    return np.asarray(shared / np.maximum(1, size), np.float64)
