"""A backup: the store copied while it is in use, checked by another process, and only then under its name.

The copy is the store as it was at one moment, with all that had been accepted by then. Built datasets stay where they
were built, and the model is made again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from triage_core import access, audit, db
from triage_core.access import Command
from triage_core.errors import Conflict, Refused, StoreError
from triage_core.model import Actor
from triage_core.settings import ROOT
from triage_core.store import STORE_FILE, Store

Progress = Callable[[int, int, str], None]
"""How many of how many, of what."""
ROOM = 1.2  # of the database's size, as free space for its copy
SPARE = 32 * db.MIB
_COPYING = "backup.partial"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that counts: of the store as it was `at` that moment, with so many events; `size` in bytes."""

    at: datetime
    folder: str
    events: int
    head: str
    size: int


def make(
    store: Store, actor: Actor, folder: Path, progress: Progress = lambda done, total, what: None
) -> Backup:
    """Copy the store into a new folder, and check the copy as `verify` does.

    Whatever ends it before, nothing stands under that name. Raises Refused naming the folder, Conflict while
    another backup is made, and StoreError when the copy is not sound or cannot be written.
    """
    access.require(actor, Command.BACKUP)
    folder = Path(os.path.abspath(folder))
    if not _one_at_a_time.acquire(blocking=False):
        raise Conflict("backup", "another one is being made: wait for it")
    try:
        made = _make(store, folder, progress)
    except OSError as error:
        raise StoreError(
            f"the copy cannot be written or read ({error}): check both disks, and whether {folder} is there"
        ) from error
    finally:
        _one_at_a_time.release()
    with store.write(actor, Command.BACKUP) as work:
        told = {"folder": made.folder, "at": made.at.isoformat(), "events": made.events, "bytes": made.size}
        work.event("backup.made", "backup", told)
    return made


def last(cursor: db.Cursor) -> Backup | None:
    """The last backup that was made so; None where there was none. Whether it is still there, nobody knows."""
    found = db.value(cursor, "SELECT data FROM events WHERE kind = 'backup.made' ORDER BY seq DESC LIMIT 1")
    if found is None:
        return None
    told = json.loads(found)
    head = audit.hash_of(cursor, told["events"]) or ""
    return Backup(datetime.fromisoformat(told["at"]), told["folder"], told["events"], head, told["bytes"])


def _partial(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def _check_folder(store: Store, folder: Path) -> None:
    """Raises Refused where no copy could be made there, or one would be lost with the store."""
    own = store.folder.resolve()
    parent = folder.parent.resolve()
    if not parent.is_dir():
        raise Refused("folder", f"there is no {parent}: name a new folder in one that is there")
    if own in (parent, *parent.parents):
        raise Refused("folder", "lies in the store itself, with which it would be lost: name one elsewhere")
    if os.path.lexists(folder):
        raise Refused(
            "folder", f"{folder} is there already, and no backup is written over another: name a new one"
        )
    if os.path.lexists(_partial(folder)):
        raise Refused("folder", f"{_partial(folder)} is left of one that was cut short: remove it first")
    files = store.path, store.path.with_name(f"{store.path.name}.wal")
    wanted = SPARE + int(ROOM * sum(file.stat().st_size for file in files if file.exists()))
    for place in (store.folder, parent):
        if shutil.disk_usage(place).free < wanted:
            raise Refused(
                "folder", f"the copy needs {wanted // db.MIB + 1:,} MiB, which are not free in {place}"
            )


def _make(store: Store, folder: Path, progress: Progress) -> Backup:
    copying, partial = store.folder / _COPYING, _partial(folder)
    shutil.rmtree(copying, ignore_errors=True)  # of a process that was killed, and in the way of room
    _check_folder(store, folder)
    with _new(copying), _new(partial):
        # The database beside its original first: it may write nowhere else.
        copied = store.copy(copying, lambda done, total: progress(done, total, "rows copied"))
        for file in copying.iterdir():
            _move(file, partial / file.name)
        _sync(partial)
        progress(0, 0, "checking the copy")
        _check(partial, copied.head)
        size = (partial / STORE_FILE).stat().st_size
        os.rename(partial, folder)
        _sync(folder.parent)
    return Backup(copied.at, str(folder), copied.head.seq, copied.head.hash, size)


@contextmanager
def _new(folder: Path) -> Iterator[None]:
    """A folder that is gone afterwards, unless it has another name by then. Raises OSError for one that is there."""
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """To the same disk or another one; returns when it is there for good."""
    shutil.move(source, target)
    target.chmod(0o600)
    _sync(target)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _check(copy: Path, head: audit.Head) -> None:
    """The copy as another process finds it: opened, read whole, and ending where it should. Raises StoreError."""
    command = [sys.executable, "-m", "triage_core.verification", str(copy)]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode:
        why = asked.stderr.strip().rpartition("\n")[2][:500]
        raise StoreError(f"the copy is not sound, and was removed: {why or 'it could not be checked'}")
    if int(asked.stdout) != head.seq:
        raise StoreError(f"the copy holds {asked.stdout.strip()} events, not {head.seq}, and was removed")
