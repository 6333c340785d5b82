"""Is everything there, and as it was? The chain, the reports against their events, and the counts."""

from __future__ import annotations

import json

from triage_core import db, text, told
from triage_core.errors import ChainBroken, StoreError
from triage_core.store import Store

PART = 2_000


def verify(store: Store) -> int:
    """The number of events, when everything holds.

    Raises ChainBroken for a changed event or report, StoreError when records disagree.
    """
    events = store.verify()
    with store.read() as cursor:
        _compare_reports(cursor)
        differences = told.disagreements(cursor)
    if differences:
        raise StoreError("the store's records disagree: " + "; ".join(differences))
    return events


def _compare_reports(cursor: db.Cursor) -> None:
    """Each conversation still has the hash that its event recorded when it came in."""
    after = 0
    while found := db.rows(
        cursor,
        "SELECT r.report_id, r.seq, r.turns, r.content_sha256, r.body_sha256, e.data FROM reports r"
        " JOIN events e ON e.subject = r.report_id AND e.kind = 'report.received'"
        " WHERE r.seq > ? ORDER BY r.seq LIMIT ?",
        [after, PART],
    ):
        for row in found:
            recorded = json.loads(row["data"])
            turns = text.turns_of(row["turns"])
            hashes = (row["content_sha256"], row["body_sha256"])
            if text.content_sha256(turns) != recorded["content_sha256"] or hashes != (
                recorded["content_sha256"],
                recorded["body_sha256"],
            ):
                raise ChainBroken(f"report {row['report_id']} is not what came in: restore the last backup")
        after = found[-1]["seq"]
