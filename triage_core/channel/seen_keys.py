"""Which intake keys have come in: what tells a report sent twice before the database is asked."""

from __future__ import annotations

import hashlib

import numpy as np

from triage_core import db

MOST_NEW = 50_000


class SeenKeys:
    """The intake keys that have come in, as numbers of 64 bits: two that share one are told apart by the database."""

    def __init__(self) -> None:
        self._stored = np.empty(0, np.uint64)
        self._new: set[int] = set()
        self._last = 0

    def load(self, cursor: db.Cursor) -> None:
        """Learn those that were stored since the last look."""
        table = db.arrow(
            cursor,
            "SELECT md5_number_lower(k.intake_key) AS number FROM intake_keys k JOIN reports r USING (report_id)"
            " WHERE r.seq > $last",
            {"last": self._last},
        )
        self._stored = np.union1d(self._stored, table["number"].to_numpy())
        self._new.clear()
        self._last = int(db.value(cursor, "SELECT coalesce(max(seq), 0) FROM reports"))

    def add(self, key: str) -> bool:
        """Remember a key; False when it may have come before."""
        digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
        number = int.from_bytes(digest[8:], "little")
        at = int(self._stored.searchsorted(np.uint64(number)))
        if number in self._new or (at < len(self._stored) and int(self._stored[at]) == number):
            return False
        self._new.add(number)
        if len(self._new) >= MOST_NEW:  # a number in a set takes ten times the room
            self._stored = np.union1d(self._stored, np.fromiter(self._new, np.uint64))
            self._new.clear()
        return True
