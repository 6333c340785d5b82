"""Bring a store's schema up to date: numbered .sql files, each applied once, in order.

All that are missing and their records are one transaction, so a crash leaves either all or none.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib import resources

from triage_core import db
from triage_core.errors import StoreError


def available() -> list[tuple[int, str, str]]:
    """(number, file name, SQL text) of every migration of this release, in order."""
    folder = resources.files("triage_core") / "sql"
    files = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(int(name.split("_")[0]), name, (folder / name).read_text("utf-8")) for name in files]


def migrate(cursor: db.Cursor, now: datetime) -> list[str]:
    """Apply what is missing and give the names applied.

    Raises StoreError when the store was written by a newer release or an applied file changed.
    """
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,"
        " applied_at TIMESTAMP NOT NULL)"
    )
    known = {row["number"]: row for row in db.rows(cursor, "SELECT * FROM migrations")}
    files = available()
    newer = set(known) - {number for number, _, _ in files}
    if newer:
        raise StoreError(
            f"the store has migration {max(newer)}, which this release does not know: use a newer release"
        )
    missing = []
    for number, name, text in files:
        digest = hashlib.sha256(text.encode()).hexdigest()
        if number not in known:
            missing.append((number, name, text, digest))
        elif known[number]["sha256"] != digest:
            raise StoreError(f"migration {name} was changed after it had been applied")
    if missing:
        with db.transaction(cursor):
            for number, name, text, digest in missing:
                cursor.execute(text)
                record = {"number": number, "name": name, "sha256": digest, "applied_at": now}
                db.insert(cursor, "migrations", [record])
    return [name for _, name, _, _ in missing]
