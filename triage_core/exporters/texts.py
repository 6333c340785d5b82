"""The texts of many reports as one column, in which a text is told by its number: rows take theirs from it at once.

    texts = Texts(said, starts, ids, answers)   # what was said in n reports, turn after turn
    texts.write(3, ["Hello"], "")               # what is said in report 3 instead
    words = Growing(texts.column())             # with words of our own, and texts put together
    words.numbers(content, reports, texts)      # of each of these reports

No text becomes an object of Python's but what has to be looked at by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core.exporters.arrays import TEXT
from triage_core.exporters.rows import BETTER_ANSWER, FIRST_TURN, REPORT_ID, Content, Joined, Text

Numbers = NDArray[np.int64]


class Texts:
    """The texts of n reports, told by place: what was said, the better answers, the ids."""

    def __init__(self, said: pa.Array, starts: Numbers, ids: pa.Array, answers: Mapping[int, str]) -> None:
        """`said` are the turns of all reports, those of report i from starts[i] to starts[i + 1]."""
        self.starts = starts
        self.turns = np.arange(len(said), dtype=np.int64)
        """The number of what is said in each turn."""
        self.answers = np.full(len(ids), -1, np.int64)
        """The number of each report's better answer, -1 for none."""
        self.answers[list(answers)] = np.arange(len(said), len(said) + len(answers))
        self._ids = len(said) + len(answers)
        self._column = pa.concat_arrays(
            [said.cast(TEXT), pa.array(list(answers.values()), TEXT), ids.cast(TEXT)]
        )
        self._written: list[str] = []

    def __len__(self) -> int:
        """Of how many reports these are."""
        return len(self.answers)

    def column(self) -> pa.Array:
        """All texts by number: what was said, the better answers, the ids, and what was written since."""
        if self._written:
            self._column = pa.concat_arrays([self._column, pa.array(self._written, TEXT)])
            self._written = []
        return self._column

    def write(self, report: int, said: Sequence[str], answer: str) -> None:
        """Have a report say this instead, turn by turn; `answer` is left aside where it has none."""
        first = len(self._column) + len(self._written)
        self._written += [*said, answer]
        start, end = self.starts[report], self.starts[report + 1]
        self.turns[start:end] = np.arange(first, first + len(said))
        if self.answers[report] >= 0:
            self.answers[report] = first + len(said)

    def of(self, text: Text, reports: Numbers) -> Numbers:
        """The numbers of a text of these reports."""
        if text.place == REPORT_ID:
            return self._ids + reports
        if text.place == BETTER_ANSWER:
            return self.answers[reports]
        return self.turns[self.starts[reports] + text.place - FIRST_TURN]

    def said(self, reports: Numbers) -> tuple[pa.Array, Numbers]:
        """What was said in these reports, and where each begins in it, and the end."""
        lengths = np.diff(self.starts)[reports]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        turns = np.repeat(self.starts[reports] - starts[:-1], lengths) + np.arange(starts[-1])
        return self.column().take(pa.array(self.turns[turns])), starts

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n,) what a value of each number comes to over the texts of each report, its better answer among them."""
        said = np.concatenate([[0], np.cumsum(values[self.turns])])[self.starts]
        return np.diff(said) + np.where(self.answers < 0, 0, values[self.answers])


class Growing:
    """A column of texts that is added to while rows are put together."""

    def __init__(self, column: pa.Array) -> None:
        self._column = column
        self._more: list[pa.Array] = []
        self._size = len(column)
        self._words: dict[str, int] = {}

    def numbers(self, content: Content, reports: Numbers, texts: Texts) -> Numbers:
        """The number of this content in the row of each of the reports."""
        if isinstance(content, Text):
            return texts.of(content, reports)
        if isinstance(content, Joined):
            parts = [
                pa.scalar(part, TEXT)
                if isinstance(part, str)
                else self._column.take(pa.array(texts.of(part, reports)))
                for part in content.parts
            ]
            first = self._add(joined(parts))
            return np.arange(first, first + len(reports))
        if content not in self._words:
            self._words[content] = self._add(pa.array([content], TEXT))
        return np.full(len(reports), self._words[content])

    def column(self) -> pa.Array:
        """All texts by number."""
        return pa.concat_arrays([self._column, *self._more]) if self._more else self._column

    def _add(self, column: pa.Array) -> int:
        self._more.append(column)
        self._size += len(column)
        return self._size - len(column)


def joined(parts: Sequence[pa.Array | pa.Scalar]) -> pa.Array:
    """The texts that columns of texts and single ones make, one right after another."""
    return pc.binary_join_element_wise(*parts, pa.scalar("", TEXT))


def blank(column: pa.Array) -> NDArray[np.bool_]:
    """(n,) whether each text holds nothing but spaces, as `str.strip` sees them."""
    found = ~np.asarray(pc.match_substring_regex(column, "[!-~]").to_numpy(zero_copy_only=False), np.bool_)
    rare = np.flatnonzero(found)
    found[rare] = [not text.strip() for text in column.take(rare).to_pylist()]
    return found
