"""What a question about likeness is answered with: reports by name, those with the same text first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage_core.errors import NotFound
from triage_core.memory import Memory


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A report like another: its score on an axis (0 to 1), and whether the canonical texts are the same."""

    report_id: str
    score: float
    exact: bool


def row_of(memory: Memory, report_id: str) -> int:
    """The row of a report that likeness knows. Raises NotFound for any other."""
    row = memory.row.get(report_id, len(memory.index))
    if row >= len(memory.index):
        raise NotFound("report", f"{report_id} is not indexed yet: run `index`, or wait for the worker")
    return row


def of_rows(memory: Memory, found: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
    """Scores by report rather than by row."""
    return [(memory.ids[row], score) for row, score in found]


def named(memory: Memory, found: Sequence[tuple[str, float]], content: str) -> list[Neighbour]:
    """Neighbours with exact duplicates marked, and those first."""
    near = []
    for name, score in found:
        exact = memory.contents[memory.row[name]] == content
        near.append(Neighbour(name, 1.0 if exact else score, exact))
    return sorted(near, key=lambda item: not item.exact)
