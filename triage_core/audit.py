"""The audit chain: every state change is an event that carries the hash of the one before.

The database can lose its write-ahead log without noticing, so the head of the chain is also
appended to an anchor file outside the database after every commit. At start the two are
compared: events beyond the anchor are a crash between commit and append and are fine; an anchor
beyond the events means that acknowledged work is gone, and the store refuses to open.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from triage_core import db
from triage_core.errors import ChainBroken

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a chain: its number (0 for none) and its hash."""

    seq: int
    hash: str


def encode(data: Mapping[str, Any]) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII; the text that is stored is the text hashed."""
    return _CANONICAL.encode(data)


def _simple(item: Any) -> Any:
    if isinstance(item, datetime):
        return item.isoformat()
    raise TypeError(f"an event cannot hold {type(item).__name__}")


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_simple)


def event_hash(event: Mapping[str, Any]) -> str:
    """SHA-256 over the event's fields and the hash of its predecessor."""
    done_at = event["done_at"]
    fields = [event["seq"], db.naive(done_at).isoformat(), event["actor_id"], event["command"]]  # type: ignore[union-attr]
    fields += [event["kind"], event["subject"], event["data"], event["prev_hash"]]
    return hashlib.sha256(encode({"event": fields}).encode()).hexdigest()


def head(cursor: db.Cursor) -> Head:
    """Number and hash of the last event; of an empty chain 0 and `GENESIS`."""
    found = db.row(cursor, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
    return Head(found["seq"], found["hash"]) if found else Head(0, GENESIS)


def hash_of(cursor: db.Cursor, seq: int) -> str | None:
    """The hash of event `seq`, `GENESIS` for 0; None where there is no such event."""
    found: str | None = db.value(cursor, "SELECT hash FROM events WHERE seq = ?", [seq]) if seq else GENESIS
    return found


def verify(cursor: db.Cursor, first: int = 1, batch: int = 10_000) -> int:
    """Recompute the chain from event `first` to its end; gives the number of events checked.

    Raises ChainBroken naming the first event that does not fit.
    """
    expected = hash_of(cursor, first - 1) or ""
    seq = first
    while True:
        events = db.rows(cursor, "SELECT * FROM events WHERE seq >= ? ORDER BY seq LIMIT ?", [seq, batch])
        for event in events:
            if event["seq"] != seq:
                raise ChainBroken(f"event {seq} is missing from the audit chain")
            if event["prev_hash"] != expected or event_hash(event) != event["hash"]:
                raise ChainBroken(f"event {seq} was changed after it had been written")
            expected = event["hash"]
            seq += 1
        if len(events) < batch:
            return seq - first


SAID: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "messages": ("message_id", "report_id", "actor_id", "direction", "kind", "text", "params"),
        "better_answers": (
            "answer_id", "report_id", "content", "turn", "written_by", "approved_by", "returned_by", "returned_why",
        ),
        "assessments": (
            "assessment_id", "harm", "exposure", "generality", "reliability", "uplift", "override_reason", "note",
            "reproduction_log",
        ),
    }
)  # fmt: skip
"""What people write, by table: its number, and the columns that no event tells but by their hash."""


def said_sha256(table: str, row: Mapping[str, Any]) -> str:
    """The hex SHA-256 of these columns of a row; told.py computes the same of what is stored."""
    parts = ("" if row[name] is None else str(row[name]) for name in SAID[table][1:])
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Anchor:
    """The append-only file that remembers the chain's head outside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Head | None:
        """The last whole line, or None when there is no anchor; a torn last line is cut off.

        Raises ChainBroken when that line is no anchor.
        """
        if self._path.exists():
            with self._path.open("rb+") as file:
                _, torn, size = _tail(file)
                if torn:
                    file.truncate(size - torn)
        return self.look()

    def look(self) -> Head | None:
        """As `read`, but nothing is cut off: for a look while somebody may be writing. Raises OSError too."""
        if not self._path.exists():
            return None
        with self._path.open("rb") as file:
            whole, _, _ = _tail(file)
        if not whole:
            return None
        found = re.fullmatch(rb"(\d{1,18}) ([0-9a-f]{64})", whole.splitlines()[-1])
        if found is None:
            raise ChainBroken("the last line of anchor.log is no anchor: restore the last backup")
        return Head(int(found[1]), found[2].decode())

    def append(self, head: Head) -> None:
        """Returns when the head is on the disk. Raises OSError."""
        with self._path.open("ab") as file:
            file.write(f"{head.seq} {head.hash}\n".encode())
            file.flush()
            os.fsync(file.fileno())


def _tail(file: BinaryIO) -> tuple[bytes, int, int]:
    """The whole lines at the end of a file, how many bytes of a torn one follow them, and how long the file is."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4096))
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    return whole, len(tail) - len(whole), size


def check_anchor(cursor: db.Cursor, anchor: Anchor) -> None:
    """Compare chain and anchor at start; mends an anchor that is merely behind.

    Raises ChainBroken when acknowledged events are missing or differ.
    """
    last = head(cursor)
    anchored = anchor.read()
    if anchored is None:
        if last.seq:
            raise ChainBroken(
                "the anchor file is missing although the store holds events: restore anchor.log from the backup"
            )
        # The beginning is anchored too, before any event: so a crash between the very first commit
        # and its anchor is not taken for a lost file.
        anchor.append(last)
        return
    if anchored.seq > last.seq:
        raise ChainBroken(
            f"the anchor knows event {anchored.seq} but the store ends at {last.seq}: "
            "acknowledged work is missing, restore the last backup"
        )
    if hash_of(cursor, anchored.seq) != anchored.hash:
        raise ChainBroken(f"event {anchored.seq} differs from the anchor")
    if anchored.seq < last.seq:
        anchor.append(last)
