"""The opened product: store, policy in force, likeness and its background worker, in one process.

A server opens one at start and the dashboard, the HTTP routes and the command line's remote calls
share it. Embedding happens in the worker alone, never inside a request.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage_core import db
from triage_core.channel import apikeys, intake, limits, standing
from triage_core.channel.committer import Committer
from triage_core.channel.puzzle import Puzzle
from triage_core.clusters import cluster_splits
from triage_core.disclosure import disclosure, withheld
from triage_core.errors import FlawdeskError
from triage_core.exporters import ready
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.index.clause_advice import ClauseAdvice
from triage_core.index.embedding import loader
from triage_core.index.indexing import Likeness
from triage_core.index.suggestions import Suggestions
from triage_core.likeness.embed import Embedder
from triage_core.model import Actor, DeskRole
from triage_core.outgoing.notifier import Notifier
from triage_core.settings import Settings
from triage_core.store import Clock, Store, utc_now
from triage_core.tickets import Tickets

log = logging.getLogger(__name__)

SYSTEM = Actor("system", "Flawdesk", frozenset({DeskRole.OPERATOR, DeskRole.POLICY_OWNER}))
POLL_SECONDS = 2.0
PATIENCE_SECONDS = 20.0
"""How long a stop waits for the worker: laying a million reports takes longer than a service is given to end."""


class Runtime:
    """An open installation. `close` ends worker and notifier and releases the store."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        embedder: Callable[[], Embedder] | None = None,
    ) -> None:
        """Open the store, publish the policy file as its first policy, and read what likeness needs.

        `embedder` makes the embedding model on first use; tests give a small one. Raises the errors
        of Store and of the policy loader.
        """
        self.settings = settings
        self.store = Store(settings.store, clock, settings.database_mib)
        try:
            policies.seed(self.store, SYSTEM, settings.policy)
            self.likeness = Likeness(
                self.store, embedder or self._load_model, settings.model, settings.close_reading
            )
            self.committer = Committer(self.store, lambda: self.worker.wake())
        except BaseException:
            self.store.close()
            raise
        self._policy = policies.Current(self.store)
        self._audited: cluster_splits.Audit | None = None
        self.advice = ClauseAdvice(self.store, self.likeness, settings.model)
        self.keys = apikeys.Keys(self.store)
        self.desk = withheld.Desk(self.store)
        self.limits = limits.for_rate(settings.intake_per_second, self._standing)
        self.tickets = Tickets(secrets.token_bytes(32))
        self.puzzle = Puzzle(settings.puzzle_bits)
        self.suggestions = Suggestions(self.store, self.likeness, self.advice, settings.model)
        self.notifier = Notifier(self.store, settings, lambda: self.policy)
        self.worker = Worker(self)

    @property
    def policy(self) -> Policy:
        """The policy in force at this moment: take it once for each command."""
        return self._policy.get()

    def _load_model(self) -> Embedder:
        return loader(self.settings)()

    def audit_if_due(self) -> None:
        """Audit the clusters when there are any and that has not been done since the hour set for it."""
        hour = self.settings.audit_hour
        if hour is None or not self._may_be_due(hour):
            return
        with self.store.read() as cursor:
            self._audited = cluster_splits.latest(cursor)
            placed = db.value(cursor, "SELECT count(*) FROM memberships")
        if placed and self._may_be_due(hour):
            self._audited = self.likeness.audit(SYSTEM)

    def _may_be_due(self, hour: int) -> bool:
        return cluster_splits.due(self._audited, self.store.clock(), hour)

    def _standing(self, contact: str) -> float:
        """By how much the limit of a reporter is lifted, by the tier that earlier reports earned."""
        with self.store.read(fresh=False) as cursor:
            return standing.rate_factor(cursor, self.policy, intake.reporter_of(cursor, contact))

    def close(self) -> None:
        """End the threads, take in what was accepted, and give the store free for another process."""
        self.worker.stop()
        self.notifier.stop()
        self.store.close()


@dataclass(frozen=True, slots=True)
class WorkerState:
    """Whether the background worker compares reports, and how far it is: `done` of `total`, of what."""

    working: bool = False
    done: int = 0
    total: int = 0
    error: str = ""
    what: str = ""


class Step(StrEnum):
    """What the background worker is at."""

    REST = "rest"
    EMBARGOES = "embargoes"
    COMPARE = "compare"
    NAME = "name"
    LEARN = "learn"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Failure:
    """When the worker failed, and why, in words that quote no report."""

    at: datetime
    why: str


def in_our_words(error: Exception) -> str:
    """What an operator may read of an error: our own words; of any other its type alone, for it may quote a report."""
    if isinstance(error, FlawdeskError) and not isinstance(error.__cause__, db.Error):
        return str(error)
    return f"{type(error.__cause__ or error).__name__}, see what the server printed"


class Worker:
    """One daemon thread that embeds and clusters whatever has come in.

    Once a day it audits the clusters; each round it writes down which embargo has ended. When it has nothing else to
    do it loads what the first preview of a dataset needs.

    There is no queue to lose: what is to be done is the difference between the stored reports and
    the stored embeddings, so a restart goes on where the last run stopped.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = WorkerState()
        self.step = (Step.REST, runtime.store.clock())  # and since when
        self.last_failure: Failure | None = None
        self._loaded: Callable[[], object] = lambda: None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, loaded: Callable[[], object] = lambda: None) -> None:
        """Begin, once: a second time changes nothing. `loaded` hears when all that is loaded ahead is there."""
        if self._thread is None:
            self._loaded = loaded
            self._thread = threading.Thread(target=self._run, name="likeness-worker", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Say that something came in; the worker looks at once rather than at its next turn."""
        self._wake.set()

    def stop(self) -> None:
        """Returns when the batch at hand is done and the thread has ended, for good, or after `PATIENCE_SECONDS`.

        What it has in memory alone by then is worked out again at the next start.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        rested = loaded = False
        while not self._stop.is_set():
            try:
                self._begin(Step.EMBARGOES)
                disclosure.sweep(self._runtime.store, SYSTEM)
                self._begin(Step.COMPARE)
                if self._runtime.likeness.is_behind():
                    self.state = WorkerState(True)
                    self._runtime.likeness.refresh(SYSTEM, self._report, self._stop.is_set)
                self._begin(Step.NAME)
                self._runtime.likeness.name_clusters(SYSTEM)
                self._begin(Step.LEARN)
                self._runtime.suggestions.prepare(SYSTEM, self._runtime.policy)
                self.state = WorkerState()
                self._begin(Step.AUDIT)
                self._runtime.audit_if_due()
            except Exception as error:  # the worker outlives any one failure and says so
                log.exception("likeness worker")
                self.state = WorkerState(error=str(error))
                self.last_failure = Failure(self._runtime.store.clock(), in_our_words(error))
                self._begin(Step.REST)
                self._stop.wait(10 * POLL_SECONDS)
            self._begin(Step.REST)
            if rested and not loaded:  # not before the first page is served
                loaded = True
                _load_ready()
                self._loaded()
            rested = not self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _begin(self, step: Step) -> None:
        self.step = (step, self._runtime.store.clock())

    def _report(self, done: int, total: int, what: str) -> None:
        self.state = WorkerState(True, done, total, what=what)


def _load_ready() -> None:
    try:
        ready.load()
    except Exception:  # whoever previews first waits, and likeness is none the worse
        log.exception("what a preview needs could not be loaded ahead")


_current: Runtime | None = None


def use(runtime: Runtime | None) -> None:
    """Make `runtime` the one that this process's screens and routes share (None: forget it)."""
    global _current
    _current = runtime


def current() -> Runtime:
    """The runtime of this process. Raises RuntimeError when the server has not opened one."""
    if _current is None:
        raise RuntimeError("no runtime is open: start the server with `python -m triage_core serve`")
    return _current
