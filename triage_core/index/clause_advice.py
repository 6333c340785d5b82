"""What is advised before a model has learned: the vote of the policy's examples and of the decided reports near by.

The vectors of the guidance's examples are made by the worker (`prepare`) and stored like every
other; `vote` reads and never embeds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from triage_core import access
from triage_core.guidance.policy import Clause, ClauseKind, Policy
from triage_core.index import vectors
from triage_core.index.decided_near import Surroundings
from triage_core.index.indexing import Likeness
from triage_core.index.vectors import Vectors
from triage_core.likeness import advice
from triage_core.likeness.advice import Vote
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
    """The vote about the reports of one store; any number of readers beside one `prepare`."""

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

    def vote(self, policy: Policy, around: Surroundings) -> Vote | None:
        """What is probable of the report that this surrounds; None while the worker has not read the examples."""
        found = self._prepared
        if found is None or found.policy != policy.sha256 or around.vector.shape[0] != found.matrix.shape[1]:
            return None
        known = set(found.clause_ids)
        decided = [
            replace(near, clauses=tuple(clause for clause in near.clauses if clause in known))
            for near in around.decided
        ]
        likenesses = (found.matrix @ around.vector).tolist()
        return advice.vote(decided, dict(zip(found.clause_ids, likenesses, strict=True)), no_flaw(policy))


def example(clause: Clause) -> str:
    """The example that falls under the clause; the guidance gives one of either side of its border."""
    inside = clause.kind is ClauseKind.IN_SCOPE
    return (clause.in_scope_example if inside else clause.out_of_scope_example).strip()


def no_flaw(policy: Policy) -> frozenset[str]:
    """The clauses under which a report is no flaw, so that it has no severity."""
    return frozenset(clause.clause_id for clause in policy.clauses if clause.kind is not ClauseKind.IN_SCOPE)
