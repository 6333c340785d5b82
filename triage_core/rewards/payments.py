"""Paying: the list of what is approved goes out as a numbered batch, once, and its rewards are noted as paid."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from triage_core import access, currencies, db
from triage_core.access import Command
from triage_core.errors import Conflict, Refused
from triage_core.model import Actor
from triage_core.rewards import batches, dismissals, rewards
from triage_core.rewards.reward_rules import SPENT, RewardState, RewardTrigger
from triage_core.store import Store
from triage_core.text import spreadsheet_text

PAYMENT_COLUMNS = (
    "batch", "reward", "report", "kind", "amount", "currency", "contact", "credit name", "approved at",
    "decided since",
)  # fmt: skip
_TO_PAY = (
    "SELECT p.reward_no, p.report_id, p.kind, p.amount, p.currency, coalesce(w.contact, '') AS contact,"
    " coalesce(w.credit_name, '') AS credit_name, a.approved_at FROM present_rewards p"
    " JOIN reward_approvals a USING (reward_no)"
    " JOIN reports r USING (report_id) LEFT JOIN reporters w USING (reporter_id)"
    " WHERE p.state = 'approved' AND list_contains(?, p.kind)"
    " AND p.reward_no NOT IN (SELECT reward_no FROM sent_rewards) ORDER BY p.reward_no"
)


def to_pay(cursor: db.Cursor) -> list[db.Row]:
    """The money that is approved, not paid and in no batch, by number; `dismissed` says what became of the flaw since.

    That is "" where it stands.
    """
    gone = dismissals.since(cursor)
    found = db.rows(cursor, _TO_PAY, [[str(kind) for kind in SPENT]])
    return [{**row, "dismissed": str(gone.get(row["reward_no"], ""))} for row in found]


def send(
    store: Store,
    actor: Actor,
    chosen: Mapping[int, str] = MappingProxyType({}),
    *,
    now: datetime | None = None,
) -> int:
    """Take the list for payment as a new batch; gives its number, and `batches.read` its file.

    None of its rewards is on a later list. A file is often paid as a whole: of the rewards whose flaw was dismissed
    or lowered since only the `chosen` are in it, which has the sentence that is known of each, by number. Raises
    Refused where nothing is to be sent.
    """
    access.require(actor, Command.PAY_REWARD)
    with store.write(actor, Command.PAY_REWARD, now) as work:
        work.many = True
        rows = [row for row in to_pay(work.cursor) if row["dismissed"] in {"", chosen.get(row["reward_no"])}]
        if not rows:
            raise Refused("reward", "no approved reward waits for its payment outside of a batch")
        number = work.next_id("payment_batches", "batch_no")
        file = _csv(number, rows)
        batch = {"batch_no": number, "done_at": work.now, "actor_id": actor.actor_id, "file": file}
        db.insert(work.cursor, "payment_batches", [batch])
        digest = hashlib.sha256(file.encode()).hexdigest()
        for row in rows:
            known = {"dismissed": row["dismissed"]} if row["dismissed"] else {}
            batches.put(work, row, "reward.sent", number, file_sha256=digest, **known)
        return number


def pay(
    store: Store,
    actor: Actor,
    batch_no: int,
    *,
    reference: str = "",
    knowing: Collection[str] = (),
    seen: Mapping[int, int] | None = None,
    now: datetime | None = None,
) -> int:
    """Note every reward of a batch as paid that still waits for it; gives how many.

    `seen` has the versions of those that waited when somebody looked, by number. Raises NotFound, Refused where none
    waits, Conflict for all of them where others wait than were seen, and as `rewards.pay`.
    """
    access.require(actor, Command.PAY_REWARD)
    with store.write(actor, Command.PAY_REWARD, now) as work:
        work.many = True
        batches.read(work.cursor, batch_no)
        rows = batches.rewards_of(work.cursor, batch_no)
        waiting = {row["reward_no"]: row["version"] for row in rows if is_waiting(row)}
        if not waiting:
            raise Refused("batch", f"no reward of payment batch {batch_no} waits for its payment")
        if seen is not None and seen != waiting:
            raise Conflict("version", f"payment batch {batch_no} was changed while you looked at it")
        gone = dismissals.since(work.cursor)
        for number in waiting:
            rewards.settle(work, number, RewardTrigger.PAY, reference, gone=gone.get(number), knowing=knowing)
        return len(waiting)


def is_waiting(row: db.Row) -> bool:
    """Whether a row of `batches.rewards_of` waits for its payment."""
    return bool(row["is_in"]) and row["state"] == RewardState.APPROVED


def _csv(batch_no: int, rows: Sequence[db.Row]) -> str:
    """The list as CSV; no cell is a formula to a spreadsheet."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(PAYMENT_COLUMNS)
    for row in rows:
        values = {
            "batch": batch_no,
            **row,
            "amount": currencies.fitted(row["amount"], row["currency"]),
            "approved_at": f"{row['approved_at']:%Y-%m-%dT%H:%M:%SZ}",
        }
        writer.writerow([spreadsheet_text(str(value)) for value in values.values()])
    return table.getvalue()
