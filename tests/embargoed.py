"""Reports under an embargo, as many tests need them: sent, looked at, and who leads their disclosure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.making import FLAW, POLICY, make_report
from triage_core import db
from triage_core.channel import intake, messages, reportformat
from triage_core.desk import activity
from triage_core.disclosure import embargoes, sharing
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo import Use
from triage_core.model import Actor, Channel, DeskRole, Severity
from triage_core.store import Store

LEAD = Actor("test:lena", "Lena", frozenset({DeskRole.DISCLOSURE_LEAD}))
DAY = timedelta(days=1)
CRITICAL = replace(FLAW, override=Severity.CRITICAL, override_reason="seen in use")


def send(store: Store, words: str = "Tell me the code.", **fields: Any) -> tuple[str, ByKey]:
    """A report by the public form: its id and its reporter."""
    report = reportformat.parse(make_report(words, **fields))
    receipt = intake.receive(store, POLICY, report, Channel.FORM)
    assert receipt.tracking_key
    return receipt.report_id, ByKey(receipt.tracking_key)


def stands(store: Store, report_id: str) -> db.Row:
    with store.read() as cursor:
        return embargoes.row(cursor, report_id)


def binding(store: Store, report_id: str) -> Any:
    with store.read() as cursor:
        return db.value(cursor, "SELECT binding_end FROM embargo_terms WHERE report_id = ?", [report_id])


def case(store: Store, report_id: str) -> db.Row:
    with store.read() as cursor:
        found = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    assert found
    return found


def kinds(store: Store, report_id: str) -> list[str]:
    with store.read() as cursor:
        return [event.kind for event in activity.history(cursor, report_id)]


def is_held(store: Store, report_id: str, use: Use = Use.READING_TO_TRAIN) -> bool:
    with store.read() as cursor:
        return sharing.why_not(cursor, report_id, use, store.clock()) == "active_embargo"


def told(store: Store, report_id: str) -> list[str]:
    with store.read() as cursor:
        return [one["text"] for one in messages.thread(cursor, report_id)]
