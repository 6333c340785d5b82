"""Group commit: reports that arrive while a commit runs share the next one.

A commit costs a write to the disk however many reports it holds. Whoever comes first commits; those
who come meanwhile wait, and the first of them to get its turn commits all that wait. Nobody is
answered before the commit that holds the own report, and no thread of its own is needed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from triage_core import intake
from triage_core.errors import StoreError
from triage_core.intake import Incoming, Receipt
from triage_core.policy import Policy
from triage_core.store import Store

MOST = 256


@dataclass(slots=True, eq=False)
class _Waiting:
    """A report that waits for its commit, and what became of it."""

    policy: Policy
    incoming: Incoming
    outcome: Receipt | Exception | None = None


class Committer:
    """The public doors' way into a store; safe to be used by any number of threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Waiting] = []

    def receive(self, policy: Policy, incoming: Incoming) -> Receipt:
        """Store one report; returns after the commit that holds it.

        Raises Refused for this report alone (Conflict when its key came before with another content),
        and what the store raises when it cannot be written to.
        """
        mine = _Waiting(policy, incoming)
        with self._queue_lock:
            self._queue.append(mine)
        with self._turn:
            if mine.outcome is None:  # nobody before took it along
                self._commit(self._next(mine))
        assert mine.outcome is not None, "the turn that took it along settled it"
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        return mine.outcome

    def _next(self, mine: _Waiting) -> list[_Waiting]:
        """`mine` and those that wait under the same policy, taken off the queue."""
        with self._queue_lock:
            others = (one for one in self._queue if one is not mine and one.policy is mine.policy)
            batch = [mine, *(one for one, _ in zip(others, range(MOST - 1), strict=False))]
            taken = {id(one) for one in batch}
            self._queue = [one for one in self._queue if id(one) not in taken]
        return batch

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = intake.receive_all(self._store, batch[0].policy, [one.incoming for one in batch])
        except Exception as error:
            # Nothing of the batch is stored. What one report caused must not hit the others: each is
            # tried by itself; a store that cannot be written to fails for all of them.
            if len(batch) == 1 or isinstance(error, StoreError):
                for one in batch:
                    one.outcome = error
                return
            for one in batch:
                self._commit([one])
            return
        for one, outcome in zip(batch, outcomes, strict=True):
            one.outcome = outcome
