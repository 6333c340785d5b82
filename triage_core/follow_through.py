"""What becomes of a report afterwards, told to those who sent it: the fix, and the training set.

Everything that a reporter is told by itself passes `tell`, and holds facts of ours only: never a word of a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from triage_core import db
from triage_core.store import Work


class Told(StrEnum):
    """What a reporter is told."""

    FIX_DEPLOYED = "fix_deployed"
    TRAINED = "trained"


def tell(work: Work, report_id: str, kind: Told, params: Mapping[str, str]) -> None:
    """Tell the reporter of one report something; its tracking page puts it into words."""
    work.event("report.told", report_id, {"told": str(kind), "params": dict(params)})


def fix_deployed(work: Work, report_id: str) -> None:
    """A fix of this report is in the hands of users: the reporters of the whole duplicate group are told."""
    group = db.rows(
        work.cursor,
        "SELECT c.report_id FROM cases c JOIN reports r USING (report_id) WHERE (c.report_id = $root OR"
        " c.canonical_id = $root) AND c.report_id IN (SELECT report_id FROM tracking_keys) ORDER BY r.seq",
        {"root": report_id},
    )
    for member in group:
        tell(work, member["report_id"], Told.FIX_DEPLOYED, {})


def trained(work: Work, report_ids: Sequence[str], dataset: str, version: str) -> int:
    """A version of a dataset holds these reports: those who sent one by a public door are told; gives their number.

    Reports from the company's own files have nobody to be told.
    """
    found = db.rows(
        work.cursor,
        "SELECT DISTINCT report_id FROM tracking_keys WHERE report_id IN (SELECT unnest(?)) ORDER BY report_id",
        [list(report_ids)],
    )
    for one in found:
        tell(work, one["report_id"], Told.TRAINED, {"dataset": dataset, "version": version})
    return len(found)
