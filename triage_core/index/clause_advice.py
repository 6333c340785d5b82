"""Advice on the clause of a report, from the policy in force and from what was decided on reports near it.

The vectors of the guidance's examples are made by the worker (`prepare`) and stored like every
other; `advise` reads and never embeds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from triage_core import access, db
from triage_core.errors import NotFound
from triage_core.guidance.policy import Clause, ClauseKind, Policy
from triage_core.index import vectors
from triage_core.index.indexing import NEIGHBOURHOOD, Likeness
from triage_core.index.vectors import Vectors
from triage_core.likeness.advice import Advice, Decided, advise
from triage_core.model import Actor
from triage_core.store import Store


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The examples of one policy in one space: a row of `matrix` for each clause."""

    policy: str
    space: str
    clause_ids: tuple[str, ...]
    matrix: Vectors


class ClauseAdvice:
    """Advice for the reports of one store; any number of readers beside one `prepare`."""

    def __init__(self, store: Store, likeness: Likeness, model: str) -> None:
        self._store = store
        self._likeness = likeness
        self._model = model
        self._preparing = threading.Lock()
        self._prepared: _Prepared | None = None

    def prepare(self, actor: Actor, policy: Policy) -> int:
        """Make the vectors of the policy's examples that are lacking; gives how many examples were read.

        Does nothing before the first report is embedded. Costs one small query when all is there.
        """
        access.require(actor, access.Command.INDEX)
        with self._preparing:
            with self._store.read() as cursor:
                space = vectors.space(cursor, self._model)
            found = self._prepared
            if space is None or (found and (found.policy, found.space) == (policy.sha256, space)):
                return 0
            examples = {clause.clause_id: example(clause) for clause in policy.clauses}
            matrix = self._likeness.vectors_of(list(examples.values()), actor)
            self._prepared = _Prepared(policy.sha256, space, tuple(examples), matrix)
            return len(examples)

    def is_ready(self, policy: Policy) -> bool:
        """True when the worker has read the examples of this policy."""
        return self._prepared is not None and self._prepared.policy == policy.sha256

    def advise(self, policy: Policy, report_id: str) -> Advice | None:
        """The clause that this report probably falls under.

        None when unsure, and while the worker has not read the report or the policy's examples.
        """
        found = self._prepared
        if found is None or found.policy != policy.sha256:
            return None
        try:
            vector, near = self._likeness.near(report_id, NEIGHBOURHOOD)
        except NotFound:
            return None
        if vector.shape[0] != found.matrix.shape[1]:
            return None
        with self._store.read() as cursor:
            cited = _cited(cursor, list(near))
        known = set(found.clause_ids)
        decided = [
            Decided(other_id, tuple(clause for clause in clauses if clause in known), near[other_id])
            for other_id, clauses in cited.items()
        ]
        likenesses = (found.matrix @ vector).tolist()
        return advise(decided, dict(zip(found.clause_ids, likenesses, strict=True)))


def example(clause: Clause) -> str:
    """The example that falls under the clause; the guidance gives one of either side of its border."""
    inside = clause.kind is ClauseKind.IN_SCOPE
    return (clause.in_scope_example if inside else clause.out_of_scope_example).strip()


def _cited(cursor: db.Cursor, report_ids: list[str]) -> dict[str, list[str]]:
    """The clauses that the decisions in force on these reports cite; undecided ones are left out."""
    found = db.rows(
        cursor,
        "SELECT c.report_id, a.clauses FROM cases c JOIN assessments a USING (assessment_id)"
        " WHERE c.report_id IN (SELECT unnest(?))",
        [report_ids],
    )
    return {row["report_id"]: row["clauses"] for row in found}
