"""Which clause a report probably falls under: a vote of the decided reports near it and of the guidance's examples.

Every decided report among the nearest votes for each clause that it cites, with the square of its
likeness; the nearest example of the guidance votes for its clause and counts twice. The leading
clause is advised when something is near enough and the clause has at least half of all votes:
when unsure, nothing is said. The numbers were read on the demo's decisions, see docs/likeness.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VOTERS = 20
LEAST_LIKENESS = 0.2  # what is farther away than this says nothing
NEAR_ENOUGH = 0.5
SHARE = 0.5
EXAMPLE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided report near the one in question: the clauses that it cites, and its likeness (0 to 1)."""

    report_id: str
    clauses: tuple[str, ...]
    likeness: float


@dataclass(frozen=True, slots=True)
class Advice:
    """A clause, its share of the votes (0.5 to 1), and what speaks for it.

    `decisions` is how many decided reports near by cite it, `nearest_id` the nearest of them ("" for
    none), `example` the likeness of the guidance's example of this clause when that was the nearest one,
    else 0.
    """

    clause_id: str
    share: float
    decisions: int
    nearest_id: str
    example: float


def advise(decided: Sequence[Decided], examples: Mapping[str, float]) -> Advice | None:
    """The clause that most speaks for, or None when unsure.

    `decided` may come in any order; the nearest `VOTERS` are heard. `examples` is the likeness of the
    report to the example of each clause.
    """
    heard = sorted(decided, key=lambda near: -near.likeness)[:VOTERS]
    heard = [near for near in heard if near.likeness > LEAST_LIKENESS]
    votes: defaultdict[str, float] = defaultdict(float)
    total = 0.0
    for near in heard:
        total += near.likeness**2
        for clause_id in near.clauses:
            votes[clause_id] += near.likeness**2
    nearest = max(examples, key=examples.__getitem__, default="")
    example = examples.get(nearest, 0.0)
    if example > LEAST_LIKENESS:
        total += EXAMPLE_WEIGHT * example**2
        votes[nearest] += EXAMPLE_WEIGHT * example**2
    best = max([example, *(near.likeness for near in heard)])
    if best < NEAR_ENOUGH or not votes:
        return None
    clause_id, voted = max(votes.items(), key=lambda item: (item[1], item[0]))
    if voted < SHARE * total:
        return None
    citing = [near for near in heard if clause_id in near.clauses]
    return Advice(
        clause_id,
        voted / total,
        len(citing),
        citing[0].report_id if citing else "",
        example if nearest == clause_id else 0.0,
    )
