"""The doors by which a report leaves the desk one by one: the full record, or the stub. Each asks the gate.

Data sets have their own door (exporters), which asks the same gate.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from triage_core import db
from triage_core.disclosure import embargo, holdings
from triage_core.disclosure.embargo import Rule, Stub, Terms, Use
from triage_core.disclosure.holdings import Holding
from triage_core.errors import GateClosed, NotFound
from triage_core.model import Actor

_TOLD = (
    "system", "what_is_wrong", "harm_types", "expected", "actual", "tries", "successes", "other_systems_tried",
    "real_world_harm", "malicious_use",
)  # fmt: skip
"""The fields that a record holds beside the turns; a list of what goes, so that nothing new goes by itself."""


def terms(cursor: db.Cursor, report_id: str, now: datetime) -> Terms:
    """The terms under which the desk holds a report now. Raises NotFound."""
    return _holding(cursor, report_id, now).terms


def _holding(cursor: db.Cursor, report_id: str, now: datetime) -> Holding:
    found = holdings.of(cursor, [report_id], now).get(report_id)
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    return found


def why_not(
    cursor: db.Cursor, report_id: str, use: Use, now: datetime, *, recipient_accepted: bool = False
) -> Rule | None:
    """The rule that forbids this use of a report now, or None where it may be taken."""
    return embargo.why_not(terms(cursor, report_id, now), use, now, recipient_accepted=recipient_accepted)


def may_read(cursor: db.Cursor, report_id: str, actor: Actor, now: datetime) -> bool:
    """True when a screen may show the words of a report to this person."""
    use = embargo.reading(actor)
    return use is Use.READING_TO_DECIDE or why_not(cursor, report_id, use, now) is None


def record(
    cursor: db.Cursor, report_id: str, use: Use, now: datetime, *, recipient_accepted: bool = False
) -> dict[str, Any]:
    """The full report for a peer or the public: its flaw-report/1 with turns, TLP and embargo end.

    Without contact, session and whatever an import brought along; the name only as the reporter wishes
    to be credited. Raises GateClosed naming the rule that keeps it in.
    """
    held = _holding(cursor, report_id, now)
    rule = embargo.why_not(held.terms, use, now, recipient_accepted=recipient_accepted)
    if rule is not None or use not in {Use.PEER_RECORD, Use.PUBLIC}:
        why = embargo.MEANING[rule] if rule else f"{use} is not for whole reports"
        raise GateClosed("report", f"{report_id} stays here: {why} ({rule or use})")
    found = db.row(cursor, "SELECT turns, body FROM reports WHERE report_id = ?", [report_id])
    assert found is not None, "its terms were read on the same look at the store"
    body = json.loads(found["body"])
    return {
        **{name: body[name] for name in _TOLD if name in body},
        "credit": "" if body.get("credit_wish", "anonymous") == "anonymous" else body.get("credit_name", ""),
        "report_id": report_id,
        "turns": found["turns"],
        "tlp": str(held.terms.tlp),
        "embargo_end": held.end,
    }


def stub(cursor: db.Cursor, report_id: str, title: str, now: datetime) -> Stub:
    """What a peer may be told of a report that stays here; `title` is the desk's own.

    Raises GateClosed for what is for named people only.
    """
    held = _holding(cursor, report_id, now)
    rule = embargo.why_not(held.terms, Use.PEER_STUB, now)
    if rule is not None:
        raise GateClosed("report", f"not even a stub of {report_id}: {embargo.MEANING[rule]} ({rule})")
    return held.stub(title)
