"""One decision for many reports: what is decided, what is skipped and why, and that each can be undone alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.making import FLAW, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import bulk, db, triage
from triage_core.errors import NotAllowed, Refused
from triage_core.model import Actor, DeskRole
from triage_core.store import Store

SEEN = {"FR-1": 1, "FR-2": 1, "FR-3": 1, "FR-4": 1}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, Clock())
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 5)))
    yield opened
    opened.close()


def states(store: Store) -> dict[str, str]:
    with store.read() as cursor:
        found = db.rows(cursor, "SELECT report_id, status, resolution FROM cases ORDER BY report_id")
    return {row["report_id"]: row["resolution"] or row["status"] for row in found}


def test_one_assessment_for_many_says_what_it_skipped(store: Store) -> None:
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    triage.assess(store, POLICY, REVIEWER, "FR-3", FLAW)
    found = bulk.assess(store, POLICY, REVIEWER, {**SEEN, "FR-2": 2, "FR-9": 1}, FLAW)
    assert found.done == ("FR-1", "FR-4")
    why = {item.report_id: item.why for item in found.skipped}
    assert list(why) == ["FR-2", "FR-3", "FR-9"]
    assert "duplicate of FR-1" in why["FR-2"]
    assert "was changed by test:mara" in why["FR-3"]
    assert "no report" in why["FR-9"]
    assert states(store) == {"FR-1": "accepted", "FR-2": "duplicate", "FR-3": "accepted", "FR-4": "accepted"}
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM assessments") == 3
    store.verify()


def test_many_become_duplicates_of_the_earliest(store: Store) -> None:
    triage.keep_apart(store, REVIEWER, "FR-2", "FR-4")
    found = bulk.link(store, REVIEWER, {name: 1 for name in SEEN if name != "FR-2"}, "FR-2")
    assert found.done == ("FR-3",)
    assert [item.report_id for item in found.skipped] == ["FR-1", "FR-4"]
    assert states(store) == {"FR-1": "new", "FR-2": "new", "FR-3": "duplicate", "FR-4": "new"}


def test_a_decision_that_breaks_a_rule_touches_nothing(store: Store) -> None:
    with pytest.raises(Refused, match="clause"):
        bulk.assess(store, POLICY, REVIEWER, SEEN, replace(FLAW, clauses=()))
    with pytest.raises(Refused, match="at most"):
        bulk.assess(store, POLICY, REVIEWER, {f"FR-{n}": 1 for n in range(bulk.MOST + 1)}, FLAW)
    with pytest.raises(NotAllowed):
        bulk.link(store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), SEEN, "FR-1")
    assert set(states(store).values()) == {"new"}
