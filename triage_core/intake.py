"""Reports come in: one command for the public form, the report button and the file import.

A report is acknowledged after its commit and never before. Delivering the same thing twice (same
idempotency key, same external id, same line of a file) stores nothing new.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from triage_core import access, audit, clocks, db, embargo_machine, reportformat, text
from triage_core.errors import Conflict, InvalidReport, Refused
from triage_core.model import (
    Actor,
    Channel,
    DisclosureIntent,
    EmbargoState,
    Exploitation,
    FlawReport,
    Resolution,
    Status,
    Tlp,
)
from triage_core.policy import Policy
from triage_core.store import Store, Work

MAX_TRACKING_KEYS = 5
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
PUBLIC = Actor("public", "Public intake", frozenset())


@dataclass(frozen=True, slots=True)
class Incoming:
    """A validated report and the key by which a second delivery of it is known (None: no key)."""

    report: FlawReport
    intake_key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acknowledgement of one report.

    `tracking_key` is shown here and nowhere else (only its hash is stored); `exact_duplicate` says
    that an earlier report has the same conversation; `already_known` that nothing was stored.
    """

    report_id: str
    external_id: str | None
    tracking_key: str | None
    already_known: bool
    exact_duplicate: bool


def new_tracking_key() -> str:
    return secrets.token_urlsafe(24)


def tracking_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def receive(
    store: Store, policy: Policy, report: FlawReport, channel: Channel, intake_key: str | None = None
) -> Receipt:
    """Store one report from a public door and give its receipt.

    Raises Conflict when `intake_key` came before with another content.
    """
    with store.write(PUBLIC, "receive") as work:
        if intake_key is None and report.external_id is not None:
            key: str | None = f"{channel}:id:{report.external_id}"
        else:
            key = f"{channel}:key:{intake_key}" if intake_key else None
        outcome = _store_all(work, policy, channel, [Incoming(report, key)], with_keys=True)[0]
        if isinstance(outcome, Refused):
            raise outcome
        return outcome


def import_batch(
    store: Store, policy: Policy, actor: Actor, batch: Sequence[Incoming]
) -> list[Receipt | Refused]:
    """Store a batch of imported reports in one transaction; one outcome each, in order.

    A line whose external id already names another content is refused; the others go on.
    """
    access.require(actor, "import_reports")
    with store.write(actor, "import_reports") as work:
        return _store_all(work, policy, Channel.IMPORT, batch, with_keys=False)


def _store_all(
    work: Work, policy: Policy, channel: Channel, batch: Sequence[Incoming], *, with_keys: bool
) -> list[Receipt | Refused]:
    bodies = [reportformat.to_json(item.report) for item in batch]
    digests = [reportformat.report_sha256(item.report) for item in batch]
    contents = [text.content_sha256(item.report.turns) for item in batch]
    known = _known_keys(work.cursor, [item.intake_key for item in batch if item.intake_key])
    seen = _known_contents(work.cursor, contents)
    next_seq = work.next_id("reports", "seq")
    rows: dict[str, list[dict[str, Any]]] = {
        table: [] for table in ("reports", "cases", "embargoes", "intake_keys", "tracking_keys")
    }
    outcomes: list[Receipt | Refused] = []
    for item, body, digest, content in zip(batch, bodies, digests, contents, strict=True):
        if (untimely := _untimely(work, item.report)) is not None:
            outcomes.append(untimely)
            continue
        before = known.get(item.intake_key) if item.intake_key else None
        if before is not None:
            outcomes.append(_known_again(work, rows, item, before, digest, with_keys))
            continue
        report_id = f"FR-{next_seq}"
        received = item.report.submitted_at or work.now
        rows["reports"].append(
            _report_row(
                work, policy, channel, item.report, body, digest, content, report_id, next_seq, received
            )
        )
        rows["cases"].append(_case_row(work, policy, item.report, report_id, received))
        embargo = _embargo_row(policy, channel, item.report, report_id, received)
        if embargo:
            rows["embargoes"].append(embargo)
        if item.intake_key:
            rows["intake_keys"].append(
                {"intake_key": item.intake_key, "report_id": report_id, "body_sha256": digest}
            )
            known[item.intake_key] = (report_id, digest)
        key = _issue_key(work, rows, report_id) if with_keys else None
        work.event(
            "report.received",
            report_id,
            {
                "channel": channel,
                "content_sha256": content,
                "body_sha256": digest,
                "external_id": item.report.external_id,
                "policy_version": policy.version,
            },
        )
        outcomes.append(
            Receipt(report_id, item.report.external_id, key, False, bool(content) and content in seen)
        )
        seen.add(content)
        next_seq += 1
    for table, records in rows.items():
        db.insert(work.cursor, table, records)
    return outcomes


def _untimely(work: Work, report: FlawReport) -> Refused | None:
    """Why an imported date of submission cannot be: clocks and embargoes are counted from it."""
    at = report.submitted_at
    if at is not None and not EARLIEST <= at <= work.now + timedelta(days=1):
        return InvalidReport("submitted_at", f"must lie between {EARLIEST:%Y-%m-%d} and now")
    return None


def _known_again(
    work: Work,
    rows: dict[str, list[dict[str, Any]]],
    item: Incoming,
    before: tuple[str, str],
    digest: str,
    with_keys: bool,
) -> Receipt | Refused:
    report_id, old_digest = before
    if digest != old_digest:
        by_name = item.report.external_id is not None and str(item.intake_key).endswith(
            f"id:{item.report.external_id}"
        )
        name = "external_id" if by_name else "idempotency_key"
        return Conflict(name, f"this key already belongs to report {report_id}, which has another content")
    key = None
    if with_keys:
        # The sender may never have seen the first answer, and its key is stored only as a hash:
        # a new key beside the old one loses nobody and reveals nothing.
        count = db.value(work.cursor, "SELECT count(*) FROM tracking_keys WHERE report_id = ?", [report_id])
        key = _issue_key(work, rows, report_id) if count < MAX_TRACKING_KEYS else None
    return Receipt(report_id, item.report.external_id, key, True, False)


def _issue_key(work: Work, rows: dict[str, list[dict[str, Any]]], report_id: str) -> str:
    key = new_tracking_key()
    rows["tracking_keys"].append(
        {"key_sha256": tracking_hash(key), "report_id": report_id, "created_at": work.now}
    )
    return key


def _known_keys(cursor: db.Cursor, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    found = db.rows(
        cursor,
        "SELECT intake_key, report_id, body_sha256 FROM intake_keys WHERE intake_key IN (SELECT unnest(?))",
        [list(keys)],
    )
    return {row["intake_key"]: (row["report_id"], row["body_sha256"]) for row in found}


def _known_contents(cursor: db.Cursor, contents: Sequence[str]) -> set[str]:
    found = db.rows(
        cursor,
        "SELECT DISTINCT content_sha256 FROM reports WHERE content_sha256 IN (SELECT unnest(?))",
        [[content for content in contents if content]],
    )
    return {row["content_sha256"] for row in found}


def _report_row(
    work: Work,
    policy: Policy,
    channel: Channel,
    report: FlawReport,
    body: Mapping[str, Any],
    digest: str,
    content: str,
    report_id: str,
    seq: int,
    received: datetime,
) -> dict[str, Any]:
    first = report.system[0] if report.system else None
    return {
        "report_id": report_id,
        "seq": seq,
        "external_id": report.external_id,
        "channel": str(channel),
        "received_at": received,
        "reporter_id": _reporter(work, report, report_id, received),
        "policy_version": policy.version,
        "content_sha256": content,
        "body_sha256": digest,
        "platform": first.platform if first else "",
        "model": first.model if first else "",
        "model_version": first.version if first else "",
        "what_is_wrong": report.what_is_wrong,
        "harm_types": [str(harm) for harm in report.harm_types],
        "disclosure_intent": str(report.disclosure_intent),
        "turns": [{"role": str(turn.role), "content": turn.content} for turn in report.turns],
        "body": audit.encode({name: part for name, part in body.items() if name != "turns"}),
    }


def _case_row(
    work: Work, policy: Policy, report: FlawReport, report_id: str, received: datetime
) -> dict[str, Any]:
    # Evidence of illegal content involving minors is not held here: the report is rerouted at once.
    rerouted = report.illegal_minor_content
    return {
        "report_id": report_id,
        "version": 1,
        "status": str(Status.CLOSED if rerouted else Status.NEW),
        "resolution": str(Resolution.REROUTED) if rerouted else None,
        "exploitation": str(Exploitation.NONE),
        "tlp": str(Tlp.AMBER_STRICT),
        "consent_training": str(report.consent_training),
        "consent_share_peers": str(report.consent_share_peers),
        "response_due": clocks.due(received, policy.clocks.first_response_days, policy.clocks),
        "triage_due": clocks.due(received, policy.clocks.triage_days, policy.clocks),
        "closed_at": received if rerouted else None,
        "updated_at": work.now,
        "updated_by": work.actor.actor_id,
    }


def _embargo_row(
    policy: Policy, channel: Channel, report: FlawReport, report_id: str, received: datetime
) -> dict[str, Any] | None:
    """The waiting period that the published policy promises, or None where nothing is to be kept.

    An imported line comes from the company's own files: it is under embargo when it says so.
    """
    wish = report.embargo_wish or report.planned_date
    asked = report.disclosure_intent is DisclosureIntent.YES or wish
    if channel is Channel.IMPORT and not asked:
        return None
    public = report.disclosure_intent is DisclosureIntent.ALREADY
    opening = embargo_machine.opening(policy, None, Exploitation.NONE, received, wish, public=public)
    if opening.state is EmbargoState.NONE:
        return None
    return {
        "report_id": report_id,
        "state": str(opening.state),
        "starts_at": received,
        "ends_at": opening.active_end,
        "proposed_end": opening.proposed_end,
        "proposed_by": str(opening.proposed_by or ""),
        "exit_reason": "",
    }


def _reporter(work: Work, report: FlawReport, report_id: str, received: datetime) -> str | None:
    """The id of the reporter with this contact, made on first sight; None for the anonymous."""
    contact = report.contact.strip().casefold()
    if not contact:
        return None
    digest = hashlib.sha256(contact.encode()).hexdigest()
    found = db.value(work.cursor, "SELECT reporter_id FROM reporters WHERE contact_sha256 = ?", [digest])
    if found:
        return str(found)
    reporter_id = f"RP-{report_id.removeprefix('FR-')}"
    row = {
        "reporter_id": reporter_id,
        "contact_sha256": digest,
        "contact": report.contact.strip(),
        "credit_name": report.credit_name,
        "credit_wish": str(report.credit_wish),
        "first_seen_at": received,
    }
    db.insert(work.cursor, "reporters", [row])
    return reporter_id
