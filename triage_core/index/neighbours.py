"""What a question about likeness is answered with: reports by name, those with the same text first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage_core.index.memory import Memory


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A report like another: its score on an axis (0 to 1), and whether the canonical texts are the same."""

    report_id: str
    score: float
    exact: bool


def named(memory: Memory, found: Sequence[tuple[str, float]], content: str) -> list[Neighbour]:
    """Neighbours with exact duplicates marked, and those first."""
    near = []
    for name, score in found:
        exact = memory.contents[memory.row[name]] == content
        near.append(Neighbour(name, 1.0 if exact else score, exact))
    return sorted(near, key=lambda item: not item.exact)
