"""The list for payment: what is approved and to be paid, as a file for whoever pays."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

from triage_core import db
from triage_core.rewards import dismissals
from triage_core.rewards.reward_rules import SPENT
from triage_core.text import spreadsheet_text

PAYMENT_COLUMNS = (
    "reward", "report", "kind", "amount", "currency", "contact", "credit name", "approved at", "dismissed since",
)  # fmt: skip
_TO_PAY = (
    "SELECT p.reward_no, p.report_id, p.kind, p.amount, p.currency, coalesce(w.contact, '') AS contact,"
    " coalesce(w.credit_name, '') AS credit_name, p.done_at FROM present_rewards p"
    " JOIN reports r USING (report_id) LEFT JOIN reporters w USING (reporter_id)"
    " WHERE p.state = 'approved' AND list_contains(?, p.kind) ORDER BY p.reward_no"
)


def to_pay(cursor: db.Cursor) -> list[db.Row]:
    """The money that is approved and not paid, by number, with `dismissed`: what became of the flaw since, else ""."""
    gone = dismissals.since(cursor)
    found = db.rows(cursor, _TO_PAY, [[str(kind) for kind in SPENT]])
    return [{**row, "dismissed": str(gone.get(row["reward_no"], ""))} for row in found]


def payments_csv(cursor: db.Cursor, chosen: Collection[int] = ()) -> str:
    """What is to be paid, as CSV; no cell is a formula to a spreadsheet.

    A file is often paid as a whole: of the rewards whose flaw was dismissed since only the `chosen` are in it,
    and the last column says so.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(PAYMENT_COLUMNS)
    for row in to_pay(cursor):
        if not row["dismissed"] or row["reward_no"] in chosen:
            values = {**row, "done_at": f"{row['done_at']:%Y-%m-%dT%H:%M:%SZ}"}
            writer.writerow([spreadsheet_text(str(value)) for value in values.values()])
    return table.getvalue()
