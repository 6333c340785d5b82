"""What a report probably is before a model has learned: a vote of decided reports near it and the guidance's examples.

Every decided report among the nearest votes for each clause that it cites, for its severity and for its harm, with the
square of its likeness. The nearest example of the guidance votes for its clause and counts twice; of what is no flaw it
says severity none, of a flaw it does not say how bad it is. What leads is advised when something that speaks is near
enough and it has at least half of all votes (a level two thirds), of those too that say nothing: when unsure, nothing
is said. The numbers were read on the demo's decisions, see docs/likeness-measured.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from triage_core.model import Severity

VOTERS = 20
LEAST_LIKENESS = 0.2  # what is farther away than this says nothing
NEAR_ENOUGH = 0.5
SHARE = 0.5
LEVEL_SHARE = 2 / 3  # how bad something is follows from more than from what it is like
EXAMPLE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided report near the one in question, and its likeness (0 to 1): the clauses that it cites, and its
    severity and harm ("" where the decision gives none)."""

    report_id: str
    clauses: tuple[str, ...]
    likeness: float
    severity: str = ""
    harm: str = ""


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


@dataclass(frozen=True, slots=True)
class Guess:
    """One value and how probable it is (0 to 1); of a vote, its share."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class Vote:
    """What is advised; None where it is unsure."""

    clause: Advice | None
    severity: Guess | None
    harm: Guess | None


_Voice = tuple[Sequence[str], float]
"""What is voted for (nothing: it counts all the same), and how like the report in question it is."""


def vote(decided: Sequence[Decided], examples: Mapping[str, float], no_flaw: Container[str]) -> Vote:
    """What decisions and examples say, as in `advise`; `no_flaw` holds the clauses under which nothing is a flaw."""
    heard = _heard(decided)
    clause_id, example = _nearest(examples)
    no_severity = [Severity.NONE] if clause_id in no_flaw else []
    severities = [(_given(near.severity), near.likeness) for near in heard]
    severity = _lead(severities, (no_severity, example), LEVEL_SHARE)
    harm = _lead([(_given(near.harm), near.likeness) for near in heard], ([], example), LEVEL_SHARE)
    if severity and severity.value == Severity.NONE:
        harm = None  # the harm of what is no flaw is nobody's question
    return Vote(advise(decided, examples), severity, harm)


def advise(decided: Sequence[Decided], examples: Mapping[str, float]) -> Advice | None:
    """The clause that most speaks for, or None when unsure.

    `decided` may come in any order; the nearest `VOTERS` are heard. `examples` is the likeness of the
    report to the example of each clause.
    """
    heard = _heard(decided)
    nearest, example = _nearest(examples)
    lead = _lead([(near.clauses, near.likeness) for near in heard], ([nearest], example), SHARE)
    if lead is None:
        return None
    citing = [near for near in heard if lead.value in near.clauses]
    return Advice(
        lead.value,
        lead.probability,
        len(citing),
        citing[0].report_id if citing else "",
        example if nearest == lead.value else 0.0,
    )


def _heard(decided: Sequence[Decided]) -> list[Decided]:
    nearest = sorted(decided, key=lambda near: -near.likeness)[:VOTERS]
    return [near for near in nearest if near.likeness > LEAST_LIKENESS]


def _nearest(examples: Mapping[str, float]) -> tuple[str, float]:
    """The clause whose example is nearest, and how like it is; 0 where it is too far away to speak."""
    nearest = max(examples, key=examples.__getitem__, default="")
    likeness = examples.get(nearest, 0.0)
    return nearest, likeness if likeness > LEAST_LIKENESS else 0.0


def _given(level: str) -> Sequence[str]:
    return [level] if level else []


def _lead(heard: Sequence[_Voice], example: _Voice, least: float) -> Guess | None:
    votes: defaultdict[str, float] = defaultdict(float)
    total = best = 0.0
    for weight, (values, likeness) in ((EXAMPLE_WEIGHT, example), *((1.0, near) for near in heard)):
        total += weight * likeness**2
        for value in values:
            votes[value] += weight * likeness**2
            best = max(best, likeness)
    if best < NEAR_ENOUGH:
        return None
    value, voted = max(votes.items(), key=lambda item: (item[1], item[0]))
    return Guess(value, voted / total) if voted >= least * total else None
