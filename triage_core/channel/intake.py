"""Reports come in: one command for the public form, the report button and the file import.

A report is acknowledged when it is on the disk and never before. Delivering the same thing twice (same
idempotency key, same external id, same line of a file) stores nothing new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from triage_core import access, db, keys, text
from triage_core.channel import first_rows, reportformat, spam
from triage_core.channel.first_rows import New
from triage_core.errors import Conflict, InvalidReport, Refused, StoreError
from triage_core.guidance.policy import Policy
from triage_core.model import (
    Actor,
    Channel,
    FlawReport,
)
from triage_core.store import Store, Work

MAX_TRACKING_KEYS = 5
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
PUBLIC = Actor("public", "Public intake", frozenset())


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was promised for a report when it was acknowledged ahead of its commit: number, moment, tracking key.

    `body` is the report as JSON, as it was written down.
    """

    seq: int
    at: datetime
    key_sha256: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A validated report, the key by which a second delivery of it is known (None: no key), its door.

    `api_key` is the number of the product's key that it came with, None without one.
    """

    report: FlawReport
    intake_key: str | None = None
    channel: Channel = Channel.IMPORT
    api_key: int | None = None
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acknowledgement of one report.

    `tracking_key` is shown here and nowhere else (only its hash is stored); `exact_duplicate` says
    that an earlier report has the same conversation (None: nobody has looked yet); `already_known`
    that nothing was stored.
    """

    report_id: str
    external_id: str | None
    tracking_key: str | None
    already_known: bool
    exact_duplicate: bool | None


def new_tracking_key() -> str:
    """Whoever holds it speaks as the reporter."""
    return keys.new()


def tracking_hash(key: str) -> str:
    """What is stored of a tracking key."""
    return keys.digest(key)


def incoming(
    report: FlawReport, channel: Channel, key: str | None = None, api_key: int | None = None
) -> Incoming:
    """A report from a public door with the key that tells a second delivery: the sender's, else its own name."""
    # Two products that send with keys of their own may name their reports alike.
    door = str(channel) if api_key is None else f"{channel}:{api_key}"
    if key:
        return Incoming(report, f"{door}:key:{key}", channel, api_key)
    name = None if report.external_id is None else f"{door}:id:{report.external_id}"
    return Incoming(report, name, channel, api_key)


def receive(
    store: Store, policy: Policy, report: FlawReport, channel: Channel, intake_key: str | None = None
) -> Receipt:
    """Store one report from a public door and give its receipt.

    Raises Conflict when `intake_key` came before with another content.
    """
    (outcome,) = receive_all(store, policy, [incoming(report, channel, intake_key)])
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def receive_all(store: Store, policy: Policy, batch: Sequence[Incoming]) -> list[Receipt | Refused]:
    """Store what came in at public doors in one transaction; one outcome each, in order, with tracking keys."""
    with store.numbering(), store.write(PUBLIC, "receive") as work:
        return _store_all(work, policy, batch, with_keys=True)


def take_in(store: Store, policy: Policy, batch: Sequence[Incoming]) -> None:
    """Store what was accepted ahead of its commit, in one transaction and as it was promised.

    Raises StoreError when the numbers that were promised are not the next ones.
    """
    with store.write(PUBLIC, "receive") as work:
        _store_all(work, policy, batch, with_keys=True)


def import_batch(
    store: Store, policy: Policy, actor: Actor, batch: Sequence[Incoming]
) -> list[Receipt | Refused]:
    """Store a batch of imported reports in one transaction; one outcome each, in order.

    A line whose external id already names another content is refused; the others go on.
    """
    access.require(actor, "import_reports")
    with store.numbering(), store.write(actor, "import_reports") as work:
        return _store_all(work, policy, batch, with_keys=False)


def note_import(store: Store, actor: Actor, file: str, found: Mapping[str, int]) -> None:
    """Record that a file was read to its end: how many of its lines were received, stored, refused ...

    Its lines are committed long before, in batches: an import that was interrupted leaves no such record.
    """
    access.require(actor, "import_reports")
    # A name need not be text, and the record is read as JSON by many questions.
    name = file.encode("utf-8", "replace").decode()
    with store.write(actor, "import_reports") as work:
        work.event("reports.imported", "import", {"file": name, **found})


def _store_all(
    work: Work, policy: Policy, batch: Sequence[Incoming], *, with_keys: bool
) -> list[Receipt | Refused]:
    contents = [text.content_sha256(item.report.turns) for item in batch]
    rows = _Rows(work)
    known = _known_keys(work.cursor, [item.intake_key for item in batch if item.intake_key])
    seen = _known_contents(work.cursor, contents)
    next_seq = work.next_id("reports", "seq")
    outcomes: list[Receipt | Refused] = []
    for item, content in zip(batch, contents, strict=True):
        if (untimely := _untimely(work, item.report)) is not None:
            outcomes.append(untimely)
            continue
        body = item.accepted.body if item.accepted else reportformat.to_json(item.report)
        digest = reportformat.document_sha256(body)
        before = known.get(item.intake_key) if item.intake_key else None
        if before is not None:
            outcomes.append(_known_again(rows, item, before, digest, with_keys))
            continue
        if item.accepted is not None and item.accepted.seq != next_seq:
            raise StoreError(f"report {item.accepted.seq} was promised, and {next_seq} is the next one")
        received = item.report.submitted_at or (item.accepted.at if item.accepted else work.now)
        new = New(item.report, item.channel, item.api_key, body, digest, content, next_seq, received)
        is_copy = bool(content) and content in seen
        rows.take(policy, new, is_copy)
        # What came with the key of a product is known by it, also where its sender gave it no name.
        by_key = None if item.api_key is None else f"{item.channel}:{item.api_key}:report:{new.report_id}"
        if intake_key := item.intake_key or by_key:
            row = {"intake_key": intake_key, "report_id": new.report_id, "body_sha256": digest}
            rows.add("intake_keys", row)
            known[intake_key] = (new.report_id, digest)
        key = None
        if item.accepted is not None:
            rows.add_key(new.report_id, item.accepted.key_sha256)
        elif with_keys:
            key = rows.tracking_key(new.report_id)
        outcomes.append(Receipt(new.report_id, item.report.external_id, key, False, is_copy))
        seen.add(content)
        next_seq += 1
    rows.insert()
    return outcomes


class _Rows:
    """The rows that a running batch has made, by table; inserted together at its end."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._reporters: dict[str, str] = {}

    def add(self, table: str, row: dict[str, Any]) -> None:
        self._rows.setdefault(table, []).append(row)

    def take(self, policy: Policy, new: New, is_copy: bool) -> None:
        """Rows and event of a report that nobody has sent before."""
        report_id = new.report_id
        row = first_rows.report(policy, new, self.reporter(new.report, report_id, new.received))
        self.add("reports", row)
        self.add("cases", first_rows.case(self._work, policy, new, row, is_copy))
        if (looks := spam.suggest(new.report)).signs:
            suggested = {"report_id": report_id, "score": looks.score, "signs": list(looks.signs)}
            self.add("spam_suggestions", suggested)
        if embargo := first_rows.embargo(policy, new):
            self.add("embargoes", embargo)
        details: dict[str, Any] = {
            "channel": new.channel,
            "content_sha256": new.content,
            "body_sha256": new.digest,
            "external_id": new.report.external_id,
            "policy_version": policy.version,
        }
        if new.api_key is not None:
            details["api_key"] = new.api_key
        self._work.event("report.received", report_id, details)

    def insert(self) -> None:
        for table, records in self._rows.items():
            db.insert(self._work.cursor, table, records)

    def tracking_key(self, report_id: str) -> str:
        """A new key of the report, of which the hash is stored."""
        key = new_tracking_key()
        self.add_key(report_id, tracking_hash(key))
        return key

    def add_key(self, report_id: str, key_sha256: str) -> None:
        row = {"key_sha256": key_sha256, "report_id": report_id, "created_at": self._work.now}
        self.add("tracking_keys", row)

    def tracking_keys(self, report_id: str) -> int:
        """How many keys the report has, those of this batch included."""
        made = len([row for row in self._rows.get("tracking_keys", ()) if row["report_id"] == report_id])
        count = "SELECT count(*) FROM tracking_keys WHERE report_id = ?"
        stored: int = db.value(self._work.cursor, count, [report_id])
        return made + stored

    def reporter(self, report: FlawReport, report_id: str, received: datetime) -> str | None:
        """The id of the reporter with this contact, made on first sight; None for the anonymous."""
        if not report.contact.strip():
            return None
        digest = _contact_sha256(report.contact)
        if digest not in self._reporters:
            found = reporter_of(self._work.cursor, report.contact)
            self._reporters[digest] = str(found or f"RP-{report_id.removeprefix('FR-')}")
            if not found:
                row = {
                    "reporter_id": self._reporters[digest],
                    "contact_sha256": digest,
                    "contact": report.contact.strip(),
                    "credit_name": report.credit_name,
                    "credit_wish": str(report.credit_wish),
                    "first_seen_at": received,
                }
                self.add("reporters", row)
        return self._reporters[digest]


def _untimely(work: Work, report: FlawReport) -> Refused | None:
    """Why an imported date of submission cannot be: clocks and embargoes are counted from it."""
    at = report.submitted_at
    if at is not None and not EARLIEST <= at <= work.now + timedelta(days=1):
        return InvalidReport("submitted_at", f"must lie between {EARLIEST:%Y-%m-%d} and now")
    return None


def _known_again(
    rows: _Rows, item: Incoming, before: tuple[str, str], digest: str, with_keys: bool
) -> Receipt | Refused:
    report_id, old_digest = before
    if digest != old_digest:
        by_name = item.report.external_id is not None and str(item.intake_key).endswith(
            f"id:{item.report.external_id}"
        )
        name = "external_id" if by_name else "idempotency_key"
        return Conflict(name, f"this key already belongs to report {report_id}, which has another content")
    key = None
    # The sender may never have seen the first answer, and its key is stored only as a hash:
    # a new key beside the old one loses nobody and reveals nothing.
    if with_keys and rows.tracking_keys(report_id) < MAX_TRACKING_KEYS:
        key = rows.tracking_key(report_id)
    return Receipt(report_id, item.report.external_id, key, True, False)


def reporter_of(cursor: db.Cursor, contact: str) -> str | None:
    """The id of the reporter with this contact; None for a contact that never came in."""
    known = "SELECT reporter_id FROM reporters WHERE contact_sha256 = ?"
    found: str | None = db.value(cursor, known, [_contact_sha256(contact)])
    return found


def _contact_sha256(contact: str) -> str:
    return hashlib.sha256(contact.strip().casefold().encode()).hexdigest()


def _known_keys(cursor: db.Cursor, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    if not keys:
        return {}
    known = "SELECT intake_key, report_id, body_sha256 FROM intake_keys WHERE intake_key"
    found = _rows_of(cursor, known, keys)
    return {row["intake_key"]: (row["report_id"], row["body_sha256"]) for row in found}


def _known_contents(cursor: db.Cursor, contents: Sequence[str]) -> set[str]:
    filled = [content for content in contents if content]
    known = "SELECT DISTINCT content_sha256 FROM reports WHERE content_sha256"
    return {row["content_sha256"] for row in _rows_of(cursor, known, filled)} if filled else set()


def _rows_of(cursor: db.Cursor, sql: str, values: Sequence[str]) -> list[db.Row]:
    """The rows whose column, with which `sql` ends, is one of the values."""
    if len(values) == 1:  # a look-up by itself costs a fifth of a join, and most reports come one by one
        return db.rows(cursor, f"{sql} = ?", values)
    return db.rows(cursor, f"{sql} IN (SELECT unnest(?))", [list(values)])
