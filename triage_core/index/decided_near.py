"""The decided reports like a report: of the latest decisions in force, however many undecided reports are nearer.

What is asked about a report while somebody reads it: neither the vectors of all reports are searched nor a conversation
is read, so that it takes a few milliseconds among a million.
"""

from __future__ import annotations

from dataclasses import dataclass

from triage_core.index import suggestion_facts
from triage_core.index.indexing import Likeness
from triage_core.index.suggestion_facts import LATEST
from triage_core.index.vectors import Vectors
from triage_core.likeness.advice import VOTERS, Decided
from triage_core.store import Store


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The vector of a report, (dim,), and the VOTERS decided reports most like it, the nearest first."""

    vector: Vectors
    decided: tuple[Decided, ...]


def around(store: Store, likeness: Likeness, report_id: str) -> Surroundings | None:
    """What stands around a report, of the latest decisions; None while the worker has not read it."""
    with store.read() as cursor:
        rows = {row["report_id"]: row for row in suggestion_facts.in_force(cursor, LATEST)}
    found = likeness.vectors_by_id([report_id, *rows])
    vector = found.pop(report_id, None)
    if vector is None:
        return None
    decided = [
        Decided(
            name, tuple(row["clauses"]), float(found[name] @ vector), row["severity"] or "", row["harm"] or ""
        )
        for name, row in rows.items()
        if name in found
    ]
    return Surroundings(vector, tuple(sorted(decided, key=lambda near: -near.likeness)[:VOTERS]))
