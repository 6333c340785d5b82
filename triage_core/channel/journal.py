"""The journal of the doors: what was accepted and is not in the database yet, on the disk before the answer.

A line is one group of entries, written and synced at once, with a checksum before it. So the last line alone can
be torn, and then nobody was told that it had been accepted; any other line that does not fit is damage.

Lines are written over room that was laid down ahead: where the file need not grow, the file system has nothing
of its own to write down. Nothing is cut off either when the journal is emptied. Each line names its cycle, and a
cycle begins with an empty group at the start of the file: a line of an earlier cycle, which may stand behind the
last one, is not read.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from triage_core.errors import StoreError

JOURNAL_FILE = "intake.journal"
ROOM = 2**20  # bytes that are laid down at once
MOST_ROOM = 8 * ROOM  # what an emptied journal keeps
_NONE = -1


class Journal:
    """The file of one store; its callers take turns. Whoever opens one that may hold something reads it first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # A write returns when what was written is on the disk.
        self._file = os.open(path, os.O_RDWR | os.O_DSYNC | os.O_CREAT | os.O_CLOEXEC, 0o600)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # a file whose name is lost is lost
        os.close(folder)
        self._room = self._end = os.fstat(self._file).st_size
        self._cycle = 0
        self._is_empty = self._end == 0

    def read(self) -> list[dict[str, Any]]:
        """Every entry, oldest first; the next line goes over a torn last one. Raises StoreError for damage."""
        self._cycle, self._end, entries = _read(self._path)
        self._is_empty = not entries
        if self._is_empty:
            self._cut()
        return entries

    @property
    def size(self) -> int:
        """Bytes of the lines since it was last emptied."""
        return self._end

    def append(self, group: Sequence[str]) -> None:
        """Returns when these entries, JSON objects, are on the disk. Raises StoreError, and then none of them is."""
        self._write(group)
        self._is_empty = False

    def clear(self) -> None:
        """Forget everything: it is in the database. Raises StoreError."""
        if self._is_empty:
            return
        if self._room > MOST_ROOM:
            self._cut()
        self._cycle += 1
        self._end = 0
        self._write(())
        self._is_empty = True

    def close(self) -> None:
        if self._is_empty:
            with suppress(OSError):
                self._cut()  # a store at rest holds what reporters wrote in its database alone
        os.close(self._file)
        self._file = -1  # the number may soon be another file's

    def _write(self, group: Sequence[str]) -> None:
        text = f"{self._cycle} [{','.join(group)}]".encode()
        line = _check(text) + b" " + text + b"\n"
        end = self._end + len(line)
        written = line if end <= self._room else line + bytes(-end % ROOM)
        try:
            if os.pwrite(self._file, written, self._end) != len(written):
                raise OSError("the disk took a part of it")
        except OSError as error:
            with suppress(OSError):
                os.pwrite(self._file, b"\0", self._end)  # so that it is no line, whatever came of it
            raise StoreError(f"{self._path.name} cannot be written to ({error}): check the disk") from error
        self._room = max(self._room, self._end + len(written))
        self._end = end

    def _cut(self) -> None:
        os.ftruncate(self._file, 0)
        self._room = self._end = 0


def is_waiting(path: Path) -> bool:
    """Whether the journal at this path holds entries. Raises StoreError for damage."""
    return path.exists() and bool(_read(path)[2])


def _read(path: Path) -> tuple[int, int, list[dict[str, Any]]]:
    """The newest cycle in a file, where its last line ends, and its entries. Raises StoreError for damage.

    What stands before its first line is a torn beginning. The reports' numbers tell whether anything is missing.
    """
    lines = path.read_bytes().split(b"\n")[:-1]
    cycles = [_cycle_of(line) for line in lines]
    newest = max(cycles, default=_NONE)
    if newest == _NONE:
        return 0, 0, []
    first = cycles.index(newest)
    after = next((at for at in range(first, len(lines)) if cycles[at] != newest), len(lines))
    if newest in cycles[after:]:
        raise StoreError(f"line {after + 1} of {path.name} is damaged: restore the last backup")
    entries = [entry for line in lines[first:after] for entry in json.loads(line[line.index(b"[") :])]
    return newest, sum(len(line) + 1 for line in lines[:after]), entries


def _cycle_of(line: bytes) -> int:
    """The cycle that a line belongs to; 0 where it names none, as lines once did, and _NONE for what is no line."""
    check, _, text = line.partition(b" ")
    cycle, begins, _ = text.partition(b"[")
    return int(cycle or 0) if begins and check == _check(text) else _NONE


def _check(text: bytes) -> bytes:
    return f"{zlib.crc32(text):08x}".encode()
