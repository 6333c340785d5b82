"""How the installation is: what came in, what waits, what failed, and how its record and its disk stand.

Counts, moments, and names that the operator gave: no word of a report, and none of a message. What a look costs does
not grow with the texts, and it waits for nothing that waits itself.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from triage_core import access, audit, backup, db, verification
from triage_core.access import Command
from triage_core.backup import Backup
from triage_core.channel.journal import JOURNAL_FILE
from triage_core.desk import boards
from triage_core.errors import ChainBroken
from triage_core.index import vectors
from triage_core.model import Actor
from triage_core.runtime import Failure, Runtime, Step, WorkerState, in_our_words
from triage_core.verification import Verified

IMPORTS_SINCE = timedelta(days=30)
MOST_IMPORTS = MOST_KEYS = 100
_FILES = "flawdesk.duckdb", "flawdesk.duckdb.wal"


@dataclass(frozen=True, slots=True)
class Intake:
    """`waiting` reports were accepted into the journal and are not in the database yet; `error` says why they stay."""

    reports: int
    last_at: datetime | None
    last_channel: str
    waiting: int
    error: str


@dataclass(frozen=True, slots=True)
class Comparing:
    """Reports with a conversation: `done` of `total` are compared. `space` is None before anything was."""

    model: str
    space: str | None
    done: int
    total: int
    is_running: bool
    step: tuple[Step, datetime]
    state: WorkerState
    last_failure: Failure | None


@dataclass(frozen=True, slots=True)
class Messages:
    """The outbox. `looked_at` is the last round; `errors` are why messages wait or were given up, with how many."""

    channels: tuple[str, ...]
    is_running: bool
    waiting: int
    failed: int
    sent: int
    oldest_at: datetime | None
    last_sent_at: datetime | None
    looked_at: datetime | None
    errors: tuple[tuple[str, int], ...]


class Anchored(StrEnum):
    """What the anchor file says of the chain."""

    SAME = "same"
    BEHIND = "behind"  # as between a commit and its anchor
    AHEAD = "ahead"
    DIFFERS = "differs"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Record:
    """The chain of events; `behind_since` is when the first event that is not anchored was written."""

    events: int
    head: str
    began_at: datetime | None
    anchored: Anchored
    behind_since: datetime | None
    verified: Verified | None


@dataclass(frozen=True, slots=True)
class Disk:
    """Sizes in bytes; `folder` is all that the store's folder holds. Of `versions` of datasets, `gone` are not where
    they were built."""

    free: int
    size: int
    database: int
    journal: int
    folder: int
    datasets: int
    versions: int
    gone: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a report button, and what came with it."""

    key_id: int
    product: str
    made_at: datetime
    revoked_at: datetime | None
    reports: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was read to its end."""

    at: datetime
    actor_id: str
    file: str
    received: int
    stored: int
    already_known: int
    refused: int


@dataclass(frozen=True, slots=True)
class Health:
    """One look. `imported` reports came by imports of the last 30 days, also by those that did not end.

    `backup` is the last one that was made by the command; of other copies nothing is known.
    """

    at: datetime
    folder: Path
    intake: Intake
    comparing: Comparing
    messages: Messages
    record: Record
    backup: Backup | None
    disk: Disk
    keys: tuple[Key, ...]
    imports: tuple[Import, ...]
    imported: int


def look(runtime: Runtime, actor: Actor) -> Health:
    """How the installation of this process is now. Raises NotAllowed, StoreError."""
    access.require(actor, Command.VIEW_HEALTH)
    now, folder = runtime.store.clock(), runtime.store.folder
    anchor = _anchor(runtime)  # before the look: what is anchored by then is in the store
    with runtime.store.read(fresh=False) as cursor:
        return Health(
            now,
            folder,
            _intake(cursor, runtime),
            _comparing(cursor, runtime),
            _messages(cursor, runtime),
            _record(cursor, anchor, folder),
            backup.last(cursor),
            _disk(cursor, folder),
            tuple(_keys(cursor)),
            tuple(_imports(cursor, now)),
            _imported(cursor, now),
        )


def _intake(cursor: db.Cursor, runtime: Runtime) -> Intake:
    committer = runtime.committer
    # When it came in, which the date that an import brings with it does not tell.
    last = db.row(
        cursor,
        "SELECT done_at, data ->> '$.channel' AS channel FROM events WHERE kind = 'report.received'"
        " ORDER BY seq DESC LIMIT 1",
    )
    return Intake(
        reports=int(db.value(cursor, "SELECT count(*) FROM reports")),
        last_at=last["done_at"] if last else None,
        last_channel=last["channel"] if last else "",
        waiting=committer.in_journal,
        error=in_our_words(error) if (error := committer.error) else "",
    )


def _comparing(cursor: db.Cursor, runtime: Runtime) -> Comparing:
    worker, model = runtime.worker, runtime.settings.model
    compared = boards.compared(cursor)
    return Comparing(
        model,
        vectors.space(cursor, model),
        compared.done,
        compared.total,
        worker.is_running,
        worker.step,
        worker.state,
        worker.last_failure,
    )


def _messages(cursor: db.Cursor, runtime: Runtime) -> Messages:
    found = db.row(
        cursor,
        "SELECT count(*) FILTER (state = 'waiting') AS waiting, count(*) FILTER (state = 'failed') AS failed,"
        " count(*) FILTER (state = 'sent') AS sent, min(made_at) FILTER (state = 'waiting') AS oldest_at,"
        " max(done_at) FILTER (state = 'sent') AS last_sent_at FROM outbox",
    )
    assert found is not None
    errors = db.rows(
        cursor,
        "SELECT error, count(*) AS n FROM outbox WHERE state <> 'sent' AND error <> ''"
        " GROUP BY error ORDER BY n DESC, error LIMIT 3",
    )
    return Messages(
        channels=runtime.notifier.channels,
        is_running=runtime.notifier.is_running,
        looked_at=db.value(cursor, "SELECT max(looked_at) FROM outbox_mark"),
        errors=tuple((row["error"], row["n"]) for row in errors),
        **found,
    )


def _anchor(runtime: Runtime) -> audit.Head | Anchored:
    try:
        return runtime.store.anchored() or Anchored.MISSING
    except (OSError, ChainBroken):
        return Anchored.UNREADABLE


def _record(cursor: db.Cursor, anchor: audit.Head | Anchored, folder: Path) -> Record:
    head = audit.head(cursor)
    behind_since = None
    if isinstance(anchor, Anchored):
        says = anchor
    elif anchor.seq > head.seq:
        says = Anchored.AHEAD
    elif audit.hash_of(cursor, anchor.seq) != anchor.hash:
        says = Anchored.DIFFERS
    elif anchor.seq < head.seq:
        says = Anchored.BEHIND
        behind_since = _written(cursor, anchor.seq + 1)
    else:
        says = Anchored.SAME
    return Record(head.seq, head.hash, _written(cursor, 1), says, behind_since, verification.last(folder))


def _written(cursor: db.Cursor, seq: int) -> datetime | None:
    found: datetime | None = db.value(cursor, "SELECT done_at FROM events WHERE seq = ?", [seq])
    return found


def _disk(cursor: db.Cursor, folder: Path) -> Disk:
    usage = shutil.disk_usage(folder)
    built = db.rows(
        cursor,
        "SELECT folder, list_sum((manifest -> '$.files[*].bytes')::BIGINT[]) AS bytes"
        " FROM datasets ANTI JOIN dataset_retirements USING (name, version)",
    )
    here = [row for row in built if os.path.isdir(row["folder"])]
    return Disk(
        free=usage.free,
        size=usage.total,
        database=sum(_size(folder / name) for name in _FILES),
        journal=_size(folder / JOURNAL_FILE),
        folder=sum(map(_size, _files(folder))),
        datasets=sum(int(row["bytes"] or 0) for row in here),
        versions=len(built),
        gone=len(built) - len(here),
    )


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # gone meanwhile, as a file that something spilled to
        return 0


def _keys(cursor: db.Cursor) -> Iterator[Key]:
    found = db.rows(
        cursor,
        "SELECT k.key_id, k.product, k.done_at AS made_at, e.done_at AS revoked_at, coalesce(u.reports, 0) AS reports,"
        " u.last_at FROM api_keys k LEFT JOIN api_key_ends e USING (key_id) LEFT JOIN (SELECT api_key AS key_id,"
        " count(*) AS reports, max(received_at) AS last_at FROM reports WHERE api_key IS NOT NULL GROUP BY api_key) u"
        " USING (key_id) ORDER BY e.done_at IS NOT NULL, k.key_id LIMIT ?",
        [MOST_KEYS],
    )
    return (Key(**row) for row in found)


def _imports(cursor: db.Cursor, now: datetime) -> Iterator[Import]:
    found = db.rows(
        cursor,
        "SELECT done_at, actor_id, data FROM events WHERE kind = 'reports.imported' AND done_at >= ?"
        " ORDER BY seq DESC LIMIT ?",
        [db.naive(now - IMPORTS_SINCE), MOST_IMPORTS],
    )
    for row in found:
        told = json.loads(row["data"])
        numbers = (told[name] for name in ("received", "stored", "already_known", "refused"))
        yield Import(row["done_at"], row["actor_id"], told["file"], *numbers)


def _imported(cursor: db.Cursor, now: datetime) -> int:
    return int(
        db.value(
            cursor,
            "SELECT count(*) FROM events WHERE kind = 'report.received' AND command = 'import_reports'"
            " AND done_at >= ?",
            [db.naive(now - IMPORTS_SINCE)],
        )
    )
