"""Is everything there, and as it was? The chain, the reports against their events, and the counts."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from triage_core import db, text, told
from triage_core.channel.reportformat import document_sha256
from triage_core.errors import ChainBroken, StoreError
from triage_core.store import Store

PART = 2_000
NOTE_FILE = "verified.json"
LONGEST = 1_000  # characters of what is wrong that are noted
# Each row of the ledger of rewards has its event, in the same order. What a reward is stands in that of its proposal,
# before a certain version without the currency.
_LEDGER = """
WITH told AS (
    SELECT (data ->> '$.reward_no')::BIGINT AS reward_no, data ->> '$.after.reward' AS state,
        subject, done_at, actor_id,
        row_number() OVER (PARTITION BY (data ->> '$.reward_no')::BIGINT ORDER BY seq) AS version
    FROM events WHERE json_exists(data, '$.reward_no') AND json_exists(data, '$.after.reward')),
begun AS (
    SELECT (data ->> '$.reward_no')::BIGINT AS reward_no, data ->> '$.kind' AS kind,
        (data ->> '$.amount')::DECIMAL(14, 4) AS amount, data ->> '$.currency' AS currency
    FROM events WHERE kind = 'reward.proposed')
SELECT DISTINCT coalesce(r.reward_no, t.reward_no) AS number
FROM rewards r FULL JOIN told t ON t.reward_no = r.reward_no AND t.version = r.version
LEFT JOIN begun b ON b.reward_no = r.reward_no
WHERE r.reward_no IS NULL OR t.reward_no IS NULL OR b.reward_no IS NULL
    OR (r.state, r.report_id, r.done_at, r.actor_id) <> (t.state, t.subject, t.done_at, t.actor_id)
    OR r.kind <> b.kind OR r.amount IS DISTINCT FROM b.amount OR r.currency <> coalesce(b.currency, r.currency)
ORDER BY 1
"""
# Likewise where each reward is: in a payment batch or in none. What went out is the file whose hash the events tell.
_SENT = """
WITH told AS (
    SELECT (data ->> '$.reward_no')::BIGINT AS reward_no, (data ->> '$.after.payment_batch')::BIGINT AS batch_no,
        data ->> '$.file_sha256' AS file_sha256, done_at, actor_id,
        row_number() OVER (PARTITION BY (data ->> '$.reward_no')::BIGINT ORDER BY seq) AS place
    FROM events WHERE json_exists(data, '$.reward_no') AND json_exists(data, '$.after.payment_batch')),
held AS (
    SELECT *, row_number() OVER (PARTITION BY reward_no ORDER BY entry_id) AS place FROM payment_entries)
SELECT DISTINCT format('where reward {} is', coalesce(h.reward_no, t.reward_no)) AS what
FROM held h FULL JOIN told t ON t.reward_no = h.reward_no AND t.place = h.place
WHERE h.reward_no IS NULL OR t.reward_no IS NULL OR h.batch_no IS DISTINCT FROM t.batch_no
    OR (h.done_at, h.actor_id) <> (t.done_at, t.actor_id)
UNION SELECT format('payment batch {}', coalesce(b.batch_no, t.batch_no))
FROM payment_batches b FULL JOIN (SELECT * FROM told WHERE file_sha256 IS NOT NULL) t ON t.batch_no = b.batch_no
WHERE b.batch_no IS NULL OR t.batch_no IS NULL OR (sha256(b.file), b.done_at, b.actor_id) <> (t.file_sha256, t.done_at,
    t.actor_id)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """What the last verification of a store said: when, of how many events, and what is wrong ("": nothing)."""

    at: datetime
    events: int
    wrong: str = ""


def last(folder: Path) -> Verified | None:
    """The last verification of the store in this folder; None where there was none, or its note cannot be read."""
    try:
        noted = json.loads((folder / NOTE_FILE).read_text("utf-8"))
        return Verified(datetime.fromisoformat(noted["at"]), int(noted["events"]), str(noted["wrong"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def verify(store: Store) -> int:
    """The number of events, when everything holds; notes beside the store when it was asked, and what came of it.

    In a file and not as an event: a copy that is checked before it counts as a backup stays the copy that it was.
    Raises ChainBroken for a changed event or report, StoreError when records disagree.
    """
    try:
        events = _verify(store)
    except StoreError as error:
        with suppress(StoreError):  # what is wrong with the store comes first
            _note(store.folder, Verified(store.clock(), store.revision, str(error)))
        raise
    _note(store.folder, Verified(store.clock(), events))
    return events


def _note(folder: Path, found: Verified) -> None:
    """Raises StoreError where the file cannot be written."""
    noted = {"at": found.at.isoformat(), "events": found.events, "wrong": found.wrong[:LONGEST]}
    fresh = folder / f"{NOTE_FILE}.new"
    try:
        fresh.write_text(json.dumps(noted) + "\n", "utf-8")
        os.replace(fresh, folder / NOTE_FILE)
    except OSError as error:
        raise StoreError(f"{NOTE_FILE} cannot be written ({error.strerror}): check the disk") from error


def _verify(store: Store) -> int:
    events = store.verify()
    with store.read() as cursor:
        _compare_reports(cursor)
        differences = told.disagreements(cursor)
        differences += [
            f"reward {row['number']} is not what its events tell" for row in db.rows(cursor, _LEDGER)
        ]
        differences += [f"{row['what']} is not what the events tell" for row in db.rows(cursor, _SENT)]
    if differences:
        raise StoreError("the store's records disagree: " + "; ".join(differences))
    return events


def _compare_reports(cursor: db.Cursor) -> None:
    """Each report, and its conversation alone, still has the hash that its event recorded when it came in."""
    after = 0
    while found := db.rows(
        cursor,
        "SELECT r.report_id, r.seq, r.turns, r.body, r.content_sha256, r.body_sha256, e.data FROM reports r"
        " JOIN events e ON e.subject = r.report_id AND e.kind = 'report.received'"
        " WHERE r.seq > ? ORDER BY r.seq LIMIT ?",
        [after, PART],
    ):
        for row in found:
            recorded = json.loads(row["data"])
            document = json.loads(row["body"]) | {"turns": row["turns"]}
            told = (recorded.get("content_sha256"), recorded.get("body_sha256"))
            held = (row["content_sha256"], row["body_sha256"])
            found_now = (text.content_sha256(text.turns_of(row["turns"])), document_sha256(document))
            if not told == held == found_now:
                raise ChainBroken(f"report {row['report_id']} is not what came in: restore the last backup")
        after = found[-1]["seq"]


if __name__ == "__main__":  # of a store that nobody holds, without the product around it: for a copy
    print(verify(Store(Path(sys.argv[1]))))
