"""Whatever is changed in a case behind its events is noticed; whatever commands do is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import told, verification
from triage_core.desk import claims, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.errors import StoreError
from triage_core.lifecycle import Trigger
from triage_core.model import Actor
from triage_core.store import Store

INES = Actor("test:ines", "Ines", REVIEWER.roles)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """FR-1 is accepted after an undo, FR-2 its duplicate, FR-3 asked about, FR-4 new, FR-5 rerouted."""
    clock = Clock()
    opened = Store(tmp_path, clock)
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 5)))
    bring(opened, {"system": [{"platform": "Kite"}], "illegal_minor_content": True})
    clock.forward(microseconds=120)
    triage.assess(opened, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), better_answer="No."))
    undo(opened, REVIEWER, opened.revision)
    triage.assess(opened, POLICY, REVIEWER, "FR-1", FLAW)
    second_look.ask(opened, REVIEWER, "FR-1")
    triage.link(opened, REVIEWER, "FR-2", "FR-1")
    triage.move(opened, REVIEWER, "FR-3", Trigger.ASK_REPORTER, note="Which one?")
    claims.assign(opened, REVIEWER, "FR-3", REVIEWER)
    claims.assign(opened, INES, "FR-3", None)
    yield opened
    opened.close()


def test_a_store_that_only_commands_have_changed_is_sound(store: Store) -> None:
    assert verification.verify(store) == store.revision


@pytest.mark.parametrize(
    ("report_id", "change", "what"),
    [
        ("FR-1", "severity = 'low'", "not what their events made"),
        ("FR-1", "closed_at = '2026-01-01'", "not what their events made"),
        ("FR-1", "triaged_at = triaged_at + INTERVAL 1 MICROSECOND", "not what their events made"),
        ("FR-2", "canonical_id = 'FR-3'", "not what their events made"),
        ("FR-3", "severity = 'critical'", "not what their events made"),
        ("FR-3", "assigned_to = 'somebody'", "not what their events made"),
        ("FR-3", "status = 'new'", "not what their events made"),
        ("FR-3", "version = version + 1", "version or author"),
        ("FR-3", "updated_by = 'somebody'", "version or author"),
        ("FR-4", "status = 'accepted'", "without an event"),
        ("FR-4", "priority = 'immediate'", "without an event"),
        ("FR-5", "resolution = 'spam'", "without an event"),
    ],
)
def test_a_change_behind_the_events_is_noticed(store: Store, report_id: str, change: str, what: str) -> None:
    with store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute(f"UPDATE cases SET {change} WHERE report_id = ?", [report_id])
    with pytest.raises(StoreError, match=what):
        verification.verify(store)
    with store.read() as cursor:
        assert any(
            sentence.startswith("1 cases") and what in sentence for sentence in told.disagreements(cursor)
        )
