"""The store: one folder, one DuckDB file, one writer at a time.

    with store.read() as cursor: ...                      a consistent look, on a cursor of its own
    with store.write(actor, "assess") as work: ...        one command = one transaction
        work.event("report.assessed", report_id, {...})

Every write appends its events to the audit chain in the same transaction and anchors the head
after the commit. Snapshot isolation allows write skew, so writers take one lock.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from triage_core import audit, db, migrations
from triage_core.channel.journal import JOURNAL_FILE, is_waiting
from triage_core.errors import ChainBroken, StoreError
from triage_core.model import Actor

Clock = Callable[[], datetime]
PATIENCE_S = 1.0  # how long a reader waits for reports that were accepted ahead of their commit
TAIL_CHECKED_AT_START = 1_000
STORE_FILE = "flawdesk.duckdb"
ANCHOR_FILE = "anchor.log"
_COPY = "copied"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Ahead(Protocol):
    """Who accepts reports ahead of their commit."""

    def settle(self, timeout: float | None = None) -> None:
        """Wait until what was accepted is in the database, `timeout` seconds at most."""

    def alone(self) -> AbstractContextManager[None]:
        """While nothing is accepted, and all that was is in the database."""

    def close(self) -> None:
        """Take in what waits, and stop."""


@dataclass(slots=True)
class Work:
    """A running command: its cursor, its moment, and the events that it will write.

    `first` is the number that its first event will have. A command on many reports sets `many`, and
    each event then names that number as its `batch`.
    """

    cursor: db.Cursor
    actor: Actor
    command: str
    now: datetime
    first: int
    many: bool = False
    events: list[tuple[str, str, str]] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)

    def event(self, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        """Record a state change of `subject`; written when the command commits."""
        batch = {"batch": self.first} if self.many else {}
        said = {"said_sha256": self.said} if self.said else {}
        self.events.append((kind, subject, audit.encode({**data, **batch, **said})))
        self.said = {}

    def say(self, table: str, row: Mapping[str, Any]) -> None:
        """What somebody wrote into a row that is never changed: the next event, else the last one, holds its hash, so
        that `verify` sees a change. `table` is one of audit.SAID."""
        self.said[f"{table}:{row[audit.SAID[table][0]]}"] = audit.said_sha256(table, row)

    def seal(self) -> None:
        """What was said after the last event goes into it."""
        if self.said and self.events:
            kind, subject, data = self.events.pop()
            told = json.loads(data)
            self.said |= told.pop("said_sha256", {})
            self.events.append((kind, subject, audit.encode({**told, "said_sha256": self.said})))

    @property
    def next_event(self) -> int:
        """The number that the next event will have."""
        return self.first + len(self.events)

    def next_id(self, table: str, column: str) -> int:
        """The next free number of an append-only table; safe under the writer lock."""
        return int(db.value(self.cursor, f"SELECT coalesce(max({column}), 0) + 1 FROM {table}"))


@dataclass(frozen=True, slots=True)
class Copied:
    """The moment of which a store's copy is, and the chain's head then."""

    at: datetime
    head: audit.Head


class Store:
    """An open store; one instance per folder and process."""

    def __init__(self, folder: Path, clock: Clock = utc_now, memory_mib: int = 0) -> None:
        """Open or create the store in `folder`; `memory_mib` as in db.Database.

        Raises StoreBusy when another process holds it, ChainBroken when acknowledged work is
        missing, StoreError when the folder or a file in it cannot be used.
        """
        self.folder = folder
        self.clock = clock
        self.path = folder / STORE_FILE
        self.ahead: Ahead | None = None
        self.last_of: dict[str, int] = {}  # by command, the last event that this process has written
        self._lock = threading.RLock()
        self._anchor = audit.Anchor(folder / ANCHOR_FILE)
        try:
            self._open(memory_mib)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot hold a store: {error.strerror or error}. Name a folder that this user may write to"
            ) from error
        except (db.Error, ValueError) as error:
            raise StoreError(
                f"{self.path} cannot be read ({error}): check who owns it, restore the last backup, "
                "or name another store"
            ) from error

    def _open(self, memory_mib: int) -> None:
        # What reporters wrote is for this user's eyes: other users of the machine see nothing of it.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path.exists() and (anchored := self._anchor.read()) is not None and anchored.seq:
            raise ChainBroken(f"{ANCHOR_FILE} exists but {STORE_FILE} is gone: restore the last backup")
        self._db = db.Database(self.path, memory_mib)
        try:
            cursor = self._db.cursor()
            migrations.migrate(cursor, self.clock())
            audit.check_anchor(cursor, self._anchor)
            self._head = audit.head(cursor)
            audit.verify(cursor, max(1, self._head.seq - TAIL_CHECKED_AT_START))
            cursor.close()
        except BaseException:
            self._db.close()
            raise

    @property
    def revision(self) -> int:
        """Grows with every committed event; the cache key of whatever was read from the store."""
        return self._head.seq

    def anchored(self) -> audit.Head | None:
        """The chain's head as the anchor file has it now; None where there is no file. Raises ChainBroken, OSError."""
        return self._anchor.look()

    @contextmanager
    def read(self, *, fresh: bool = True) -> Iterator[db.Cursor]:
        """A cursor for one consistent look at the store; `fresh`: with the reports that were accepted before it."""
        if fresh:
            self._settle()
        cursor = self._db.cursor()
        try:
            with db.transaction(cursor):
                yield cursor
        finally:
            cursor.close()

    @contextmanager
    def write(self, actor: Actor, command: str, now: datetime | None = None) -> Iterator[Work]:
        """One transaction under the writer lock; `now` is for imports and demos that bring a past.

        The head moves and the anchor is appended after the commit. An exception rolls back all.
        """
        self._settle()
        with self._lock:
            cursor = self._db.cursor()
            try:
                with db.transaction(cursor):
                    work = Work(cursor, actor, command, now or self.clock(), self._head.seq + 1)
                    yield work
                    head = self._append(work)
                if head != self._head:
                    self._head = head
                    self._anchor.append(head)
                    self.last_of[command] = head.seq
            finally:
                cursor.close()

    def numbering(self) -> AbstractContextManager[None]:
        """Around a command that gives out numbers of reports: nothing is accepted ahead of it meanwhile.

        Raises StoreError when accepted reports wait in the journal of a store that nobody accepts for.
        """
        if self.ahead is not None:
            return self.ahead.alone()
        journal = self.folder / JOURNAL_FILE
        if is_waiting(journal):
            raise StoreError(f"accepted reports wait in {journal.name}: start the server once")
        return nullcontext()

    def _settle(self) -> None:
        # Not for ever: a long command may hold the store, and an older look is better than none.
        if self.ahead is not None:
            self.ahead.settle(PATIENCE_S)

    def _append(self, work: Work) -> audit.Head:
        head = self._head
        records = []
        work.seal()
        for kind, subject, data in work.events:
            event: dict[str, Any] = {
                "seq": head.seq + 1,
                "done_at": work.now,
                "actor_id": work.actor.actor_id,
                "command": work.command,
                "kind": kind,
                "subject": subject,
                "data": data,
                "prev_hash": head.hash,
            }
            event["hash"] = audit.event_hash(event)
            records.append(event)
            head = audit.Head(event["seq"], event["hash"])
        db.insert(work.cursor, "events", records)
        return head

    def copy(self, folder: Path, progress: Callable[[int, int], None]) -> Copied:
        """Write database and anchor as they are at one moment; nobody waits for it, to read or to write.

        `folder` lies in the store's own. `progress` is told of rows: done, and of how many about. Raises StoreError,
        OSError.
        """
        at = self.clock()
        if self.ahead is not None:
            self.ahead.settle()
        with suppress(FileNotFoundError):  # then the copy is not sound, as it is
            # Before the moment: an anchor that knows of later events would tell of lost work.
            shutil.copyfile(self.folder / ANCHOR_FILE, folder / ANCHOR_FILE)
        cursor = self._db.cursor()
        try:
            with db.attached(cursor, folder / STORE_FILE, _COPY), db.transaction(cursor):
                copied = Copied(at, audit.head(cursor))
                db.copy(cursor, _COPY, progress)
                return copied
        finally:
            cursor.close()

    def verify(self) -> int:
        """Check the whole chain and the anchor; gives the number of events. Raises ChainBroken."""
        self._settle()
        with self._lock, self.read() as cursor:
            audit.check_anchor(cursor, self._anchor)
            return audit.verify(cursor)

    def close(self) -> None:
        """Take in what was accepted ahead of its commit, wait for a running command, and let go of the file."""
        if self.ahead is not None:
            self.ahead.close()
            self.ahead = None
        with self._lock:
            self._db.close()
