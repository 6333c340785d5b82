"""The public doors' way into a store: accepted in a journal at once, taken into the database in groups.

A commit of the database costs several times what the disk needs for a line. So a report is acknowledged when it
stands in the journal, with its number and the hash of its tracking key, and a thread takes what waits there into
the database, many at a time. Whoever reads the store waits for what was accepted before. After a crash the journal
is read again, and what the database has not got is taken in, under the same numbers.

Reports that arrive while a line is written share the next one: whoever comes first writes for all that wait. What
can be made ready before a report's turn is made ready before it, while the disk is busy with the line of others.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice, takewhile
from typing import Any

from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.channel.intake import Accepted, Incoming, Receipt
from triage_core.channel.journal import JOURNAL_FILE, Journal
from triage_core.channel.seen_keys import SeenKeys
from triage_core.errors import FlawdeskError, Refused, StoreError
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.model import Channel
from triage_core.store import Store

log = logging.getLogger(__name__)

LINE = 256  # reports of one line
MOST = 1_024  # reports of one commit
LONGEST = 16_384  # accepted reports that wait for their commit; beyond it the doors wait too
MOST_BYTES = 64 * db.MIB  # the same of what stands in the journal
GATHER_S = 0.5  # how long reports gather for one commit, unless somebody reads
# So many in so short a time are a rush. To take reports in beside it would take the interpreter from the doors; so a
# rush is let by first, for a while.
RUSH, RUSH_S = 10, 0.05
LASTING_S = 3.0
RETRY_S = 1.0
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(slots=True, eq=False)
class _Waiting:
    """A report that waits for its line: as JSON, as the text that will be written, and what becomes of it.

    `told` is what its sender waits for on an event loop.
    """

    policy: Policy
    incoming: Incoming
    body: dict[str, Any]
    text: str
    told: asyncio.Future[None] | None = None
    receipt: Future[Receipt] = field(default_factory=Future)


class Committer:
    """The doors of one open store; safe to be used by any number of threads. Closed with its store."""

    def __init__(self, store: Store, taken: Callable[[], None] = lambda: None) -> None:
        """Take in what a crash has left in the journal. Raises StoreError when it does not fit the store.

        `taken` is called after each commit, which is soon enough for whoever goes on with the reports: to look
        earlier would hurry every commit.
        """
        self._store = store
        self._taken = taken
        self._turn = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._writer = ThreadPoolExecutor(1, "doors")  # for those who must not wait themselves
        # Held by whoever gives out numbers of reports; never waited for with the writer lock of the store in hand.
        self._numbering = threading.RLock()
        self._next: int | None = None
        self._keys = SeenKeys()
        self._changed = threading.Condition()
        self._accepted: deque[tuple[Policy, Incoming]] = deque()
        self._wanted = 0  # up to this number somebody waits for the reports to be in the database
        self._closing = False
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._journal = Journal(store.folder / JOURNAL_FILE)
        self._replay()
        store.ahead = self

    def receive(self, policy: Policy, incoming: Incoming) -> Receipt:
        """Accept one report; returns when it is on the disk.

        Raises Refused for this report alone (Conflict when its key came before with another content),
        and StoreError when nothing can be written.
        """
        mine, first = self._enter(policy, incoming)
        if first:
            self._write()
        return mine.receipt.result()

    async def receive_soon(self, policy: Policy, incoming: Incoming) -> Receipt:
        """`receive` for an event loop, which goes on meanwhile."""
        told = asyncio.get_running_loop().create_future()
        mine, first = self._enter(policy, incoming, told)
        if first:
            try:
                self._writer.submit(self._write)
            except RuntimeError:  # it is closed, or no thread can be had: nobody else would write
                self._write()
        await told
        return mine.receipt.result()

    @property
    def in_journal(self) -> int:
        """How many accepted reports stand in the journal and not in the database yet."""
        return len(self._accepted)

    @property
    def error(self) -> Exception | None:
        """Why they could not be taken in at the last try; None where that went well."""
        return self._error

    def settle(self, timeout: float | None = None) -> None:
        """Wait until what was accepted before is in the database, `timeout` seconds at most.

        Without a timeout raises StoreError when it cannot be taken in.
        """
        if not self._accepted or threading.current_thread() is self._thread:
            return
        with self._changed:
            last = self._wanted = _seq(self._accepted[-1]) if self._accepted else 0
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: not self._accepted or _seq(self._accepted[0]) > last or self._error, timeout
            )
            if timeout is None and self._error is not None:
                raise StoreError(f"accepted reports wait in {JOURNAL_FILE}: {self._error}") from self._error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While somebody else gives out numbers of reports: all that was accepted is in, and nothing is accepted."""
        with self._numbering:
            self.settle()
            try:
                yield
            finally:
                self._next = None

    def close(self) -> None:
        """Take in what waits and stop; what cannot be taken in stays in the journal."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.shutdown()
        if self._thread is not None:
            self._thread.join()
        self._journal.close()

    def _enter(
        self, policy: Policy, incoming: Incoming, told: asyncio.Future[None] | None = None
    ) -> tuple[_Waiting, bool]:
        """The report in the queue, and whether its sender has to see to it that the queue is written."""
        body = reportformat.to_json(incoming.report)
        mine = _Waiting(policy, incoming, body, _text(policy, incoming, body), told)
        with self._queue_lock:
            self._queue.append(mine)
            return mine, len(self._queue) == 1

    def _write(self) -> None:
        """Accept all that waits when the line before is written."""
        with self._turn:
            with self._queue_lock:
                waiting, self._queue = self._queue, []
            for start in range(0, len(waiting), LINE):
                self._accept(waiting[start : start + LINE])

    def _accept(self, batch: Sequence[_Waiting]) -> None:
        try:
            with self._numbering:
                known = self._write_down(batch)
        except Exception as error:
            for one in batch:
                one.receipt.set_exception(error)
            _tell(batch)
            return
        _tell([one for one in batch if one.receipt.done()])
        for one in known:
            try:
                (outcome,) = intake.receive_all(self._store, one.policy, [one.incoming])
                if isinstance(outcome, Refused):
                    raise outcome
            except Exception as error:
                one.receipt.set_exception(error)
            else:
                one.receipt.set_result(outcome)
        _tell(known)

    def _write_down(self, batch: Sequence[_Waiting]) -> list[_Waiting]:
        """Accept all that is new, in one line; gives those whose key came before, which the database knows best."""
        if len(self._accepted) >= LONGEST or self._journal.size >= MOST_BYTES:
            self.settle()
            self._journal.clear()  # under a lasting load the thread finds no moment at which nothing waits
        seq = self._numbers()
        now = self._store.clock()
        new: list[tuple[_Waiting, Accepted, str]] = []
        known = []
        for one in batch:
            dated = one.incoming.report.submitted_at is not None  # of an import; the database checks it
            if dated or (one.incoming.intake_key and not self._keys.add(one.incoming.intake_key)):
                known.append(one)
                continue
            key = intake.new_tracking_key()
            new.append((one, Accepted(seq + len(new), now, intake.tracking_hash(key), one.body), key))
        if not new:
            return known
        self._journal.append([_entry(one, accepted) for one, accepted, _ in new])
        self._next = seq + len(new)
        with self._changed:  # before the answer: whoever has it and looks waits for the report
            before = len(self._accepted)
            self._accepted.extend((one.policy, _taken(one.incoming, accepted)) for one, accepted, _ in new)
            self._start()
            if not before or before < LONGEST // 2 <= len(self._accepted):  # in between nobody waits for it
                self._changed.notify_all()
        for one, accepted, key in new:
            name = one.incoming.report.external_id
            one.receipt.set_result(
                Receipt(f"FR-{accepted.seq}", name, key, already_known=False, exact_duplicate=None)
            )
        return known

    def _numbers(self) -> int:
        """The next free number of a report; what somebody else has stored since the last look is looked at first."""
        if self._next is None:
            self.settle()
            with self._store.read() as cursor:
                self._keys.load(cursor)
                self._next = int(db.value(cursor, "SELECT coalesce(max(seq), 0) + 1 FROM reports"))
        return self._next

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._accepted or self._closing)
                if not self._accepted:
                    return
                self._gather()
                last = _seq(self._accepted[-1])
            try:
                while self._accepted and _seq(self._accepted[0]) <= last:  # what comes meanwhile gathers anew
                    self._take_in()
            except Exception as error:  # nothing is lost: it stands in the journal
                log.exception("accepted reports cannot be taken in")
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                    if self._closing or self._changed.wait_for(lambda: self._closing, RETRY_S):
                        return

    def _gather(self) -> None:
        """Wait for more, as long as nobody waits for what is there."""

        def urgent() -> bool:
            return (
                _seq(self._accepted[0]) <= self._wanted
                or self._closing
                or len(self._accepted) >= LONGEST // 2
            )

        self._changed.wait_for(urgent, GATHER_S)
        for _ in range(int(LASTING_S / RUSH_S)):
            before = len(self._accepted)
            if self._changed.wait_for(urgent, RUSH_S) or len(self._accepted) < before + RUSH:
                return

    def _take_in(self) -> None:
        with self._changed:
            policy = self._accepted[0][0]
            same = takewhile(lambda one: one[0] is policy, self._accepted)
            batch = [item for _, item in islice(same, MOST)]
        intake.take_in(self._store, policy, batch)
        with self._changed:
            for _ in batch:
                self._accepted.popleft()
            self._error = None
            self._changed.notify_all()
        self._taken()
        # Who holds the numbers may be waiting for this thread; the next time will do.
        if not self._accepted and self._numbering.acquire(blocking=False):
            try:
                if not self._accepted:
                    self._journal.clear()
            finally:
                self._numbering.release()

    def _replay(self) -> None:
        entries = self._journal.read()
        if not entries:
            return
        try:
            with self._store.read() as cursor:
                last = int(db.value(cursor, "SELECT coalesce(max(seq), 0) FROM reports"))
                missing = [entry for entry in entries if entry["accepted"]["seq"] > last]
                known = {name: policies.version(cursor, name) for name in {one["policy"] for one in missing}}
            for name, group in groupby(missing, key=lambda entry: str(entry["policy"])):
                intake.take_in(self._store, known[name], [_item(entry) for entry in group])
        except FlawdeskError as error:
            self._journal.close()
            raise StoreError(
                f"{JOURNAL_FILE} does not fit this store: {error}. Restore the last backup"
            ) from error
        self._journal.clear()


def _tell(settled: Sequence[_Waiting]) -> None:
    """Wake those who wait on an event loop: once for all of a line, since each wake-up costs more than the rest."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for one in settled:
        if one.told is not None:
            loops.setdefault(one.told.get_loop(), []).append(one.told)
    for loop, waiting in loops.items():
        with suppress(RuntimeError):  # the loop is closed, and nobody waits on it any more
            loop.call_soon_threadsafe(_wake, waiting)


def _wake(waiting: Sequence[asyncio.Future[None]]) -> None:
    for told in waiting:
        if not told.done():  # a sender who went away takes nothing back
            told.set_result(None)


def _seq(one: tuple[Policy, Incoming]) -> int:
    assert one[1].accepted is not None, "only what was accepted waits"
    return one[1].accepted.seq


def _taken(item: Incoming, accepted: Accepted) -> Incoming:
    return Incoming(item.report, item.intake_key, item.channel, item.api_key, accepted)


def _text(policy: Policy, item: Incoming, body: dict[str, Any]) -> str:
    """What the journal says of a report that came in, as a JSON object."""
    sent = {
        "policy": policy.version,
        "intake_key": item.intake_key,
        "channel": str(item.channel),
        "api_key": item.api_key,
        "report": body,
    }
    return _JSON.encode(sent)


def _entry(one: _Waiting, accepted: Accepted) -> str:
    """The same with what was promised for it."""
    promised = {"seq": accepted.seq, "at": accepted.at.isoformat(), "key_sha256": accepted.key_sha256}
    return f'{{"accepted":{_JSON.encode(promised)},{one.text[1:]}'


def _item(entry: dict[str, Any]) -> Incoming:
    accepted = entry["accepted"]
    return Incoming(
        reportformat.parse(entry["report"], imported=True),
        entry["intake_key"],
        Channel(entry["channel"]),
        entry["api_key"],
        Accepted(
            accepted["seq"], datetime.fromisoformat(accepted["at"]), accepted["key_sha256"], entry["report"]
        ),
    )
