"""The journal of the doors: what was accepted and is not in the database yet, on the disk before the answer.

A line is one group of entries, written and synced at once, with a checksum before it. So the last line alone can
be torn, and then nobody was told that it had been accepted; any other line that does not fit is damage.
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


class Journal:
    """The file of one store; its callers take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # a file whose name is lost is lost
        os.close(folder)
        self._size = os.fstat(self._file).st_size

    def read(self) -> list[dict[str, Any]]:
        """Every entry, oldest first; a torn last line is cut off. Raises StoreError for damage."""
        entries: list[dict[str, Any]] = []
        lines = self._path.read_bytes().split(b"\n")
        good = 0
        for number, line in enumerate(lines[:-1], start=1):
            check, _, text = line.partition(b" ")
            if check != _check(text):
                if number < len(lines) - 1:
                    raise StoreError(
                        f"line {number} of {self._path.name} is damaged: restore the last backup"
                    )
                break
            entries += json.loads(text)
            good += len(line) + 1
        self._cut(good)
        return entries

    def append(self, group: Sequence[str]) -> None:
        """Returns when these entries, JSON objects, are on the disk. Raises StoreError, and then none of them is."""
        text = f"[{','.join(group)}]".encode()
        line = _check(text) + b" " + text + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("the disk took a part of it")
            os.fdatasync(self._file)
        except OSError as error:
            with suppress(OSError):
                self._cut(self._size)
            raise StoreError(f"{self._path.name} cannot be written to ({error}): check the disk") from error
        self._size += len(line)

    def clear(self) -> None:
        """Forget everything: it is in the database."""
        if self._size:
            self._cut(0)

    def close(self) -> None:
        os.close(self._file)
        self._file = -1  # the number may soon be another file's

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        self._size = size


def _check(text: bytes) -> bytes:
    return f"{zlib.crc32(text):08x}".encode()
