"""What becomes of a report afterwards, told to those who sent it: the fix, and the training set.

Everything that a reporter is told by itself passes `messages.tell`, and holds facts of ours only:
never a word of a prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

from triage_core import db, messages
from triage_core.messages import Kind
from triage_core.store import Work


def fix_deployed(work: Work, report_id: str) -> None:
    """A fix of this report is in the hands of users: the reporters of the whole duplicate group are told."""
    group = db.rows(
        work.cursor,
        "SELECT c.report_id FROM cases c JOIN reports r USING (report_id) WHERE (c.report_id = $root OR"
        " c.canonical_id = $root) AND c.report_id IN (SELECT report_id FROM tracking_keys) ORDER BY r.seq",
        {"root": report_id},
    )
    messages.tell(work, [member["report_id"] for member in group], Kind.FIX_MARKED)


def trained(work: Work, report_ids: Sequence[str], dataset: str, version: str) -> int:
    """A version of a dataset holds these reports: those who sent one by a public door are told; gives their number.

    Reports from the company's own files have nobody to be told.
    """
    found = db.rows(
        work.cursor,
        "SELECT DISTINCT report_id FROM tracking_keys WHERE report_id IN (SELECT unnest(?)) ORDER BY report_id",
        [list(report_ids)],
    )
    values = {"dataset": dataset, "version": version}
    messages.tell(work, [one["report_id"] for one in found], Kind.TRAINED_VERSION, values)
    return len(found)
