"""A reviewer's commands: what they change, what they refuse, and that unlinking restores exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    EVERYBODY,
    FLAW,
    NOON,
    POLICY,
    REVIEWER,
    SECOND,
    Clock,
    bring,
    make_report,
    open_store,
)
from triage_core import db
from triage_core.channel import tracking
from triage_core.desk import claims, triage
from triage_core.desk.decision import Decision
from triage_core.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole, Resolution, Severity, TrainingConsent
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 5)))
    yield opened
    opened.close()


def case(store: Store, report_id: str) -> dict[str, Any]:
    with store.read() as cursor:
        found = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    assert found is not None
    return found


def assess(store: Store, report_id: str, decision: Decision = FLAW, **more: Any) -> dict[str, Any]:
    return triage.assess(store, POLICY, REVIEWER, report_id, decision, **more)


def test_an_in_scope_decision_accepts_and_computes(store: Store) -> None:
    made = assess(
        store, "FR-1", replace(FLAW, consent=TrainingConsent.ANY_SAFETY_TRAINING, better_answer="No.")
    )
    assert (made["status"], made["resolution"], made["severity"], made["priority"]) == (
        "accepted", None, "medium", "scheduled",
    )  # fmt: skip
    assert made["consent_training"] == "any_safety_training"
    stored = case(store, "FR-1")
    assert stored == made
    with store.read() as cursor:
        assessment = db.row(cursor, "SELECT * FROM assessments")
    assert assessment is not None
    assert (assessment["policy_version"], assessment["clauses"]) == (POLICY.version, ["IN-1"])


def test_a_fix_is_due_as_the_policy_of_the_day_of_receipt_promised(store: Store) -> None:
    """The tracking page names that version beside the date."""
    policies.publish(store, EVERYBODY, POLICY)
    text = POLICY.toml_text.replace("medium = 60\n", "medium = 300\n").replace('"2026.2"', '"2027.1"')
    later = policies.policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)
    made = triage.assess(store, policies.publish(store, EVERYBODY, later), REVIEWER, "FR-1", FLAW)
    assert made["fix_due"] == NOON + timedelta(days=60)
    with store.read() as cursor:
        assert db.value(cursor, "SELECT policy_version FROM assessments") == "2027.1"
        assert tracking.view(cursor, "FR-1", NOON).next_due == made["fix_due"]


@pytest.mark.parametrize(
    ("clause", "resolution"),
    [("OOS-1", "out_of_scope"), ("EXP-1", "expected_behaviour"), ("RTE-1", "rerouted")],
)
def test_any_other_clause_closes(store: Store, clause: str, resolution: str) -> None:
    made = assess(store, "FR-1", Decision(clauses=(clause,)))
    assert (made["status"], made["resolution"], made["severity"]) == ("closed", resolution, "none")
    assert made["closed_at"] is not None


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (Decision(clauses=()), "clause"),
        (Decision(clauses=("IN-99",)), "clause"),
        (Decision(clauses=("IN-1",)), "harm"),
        (replace(FLAW, override=Severity.HIGH), "override_reason"),
        (replace(FLAW, note="x" * 5_001), "note"),
        (replace(FLAW, resolution=Resolution.DUPLICATE), "resolution"),
        (replace(FLAW, resolution=Resolution.RESOLVED_FIXED), "resolution"),
        (replace(FLAW, resolution=Resolution.NOT_REPRODUCIBLE, note="tried"), "reproduction_log"),
    ],
)
def test_a_decision_that_breaks_a_rule_names_the_field(store: Store, decision: Decision, field: str) -> None:
    with pytest.raises(Refused) as refused:
        assess(store, "FR-1", decision)
    assert refused.value.field == field
    assert case(store, "FR-1")["version"] == 1


def test_an_override_is_kept_beside_the_computed_severity(store: Store) -> None:
    made = assess(store, "FR-1", replace(FLAW, override=Severity.HIGH, override_reason="seen in the wild"))
    assert made["severity"] == "high"
    with store.read() as cursor:
        assert db.value(cursor, "SELECT computed_severity FROM assessments") == "medium"


def test_a_decision_can_be_taken_again(store: Store) -> None:
    assess(store, "FR-1")
    assert assess(store, "FR-1", Decision(clauses=("OOS-1",)))["status"] == "closed"
    assert assess(store, "FR-1")["status"] == "accepted"


def test_the_loser_of_a_race_is_told_who_won(store: Store) -> None:
    assess(store, "FR-1", seen_version=1)
    with pytest.raises(Conflict, match="test:mara"):
        assess(store, "FR-1", seen_version=1)


def test_the_loser_is_told_of_the_change_and_not_of_what_came_after_it(store: Store) -> None:
    assess(store, "FR-1")
    claims.assign(store, SECOND, "FR-1", SECOND)
    claims.claim(store, EVERYBODY, "FR-1")
    told = r"test:jonas \(02 Mar 2026 12:00 UTC\) while you looked at it: assigned, "
    with pytest.raises(Conflict, match=f"{told}state new → accepted, severity not assessed → medium"):
        assess(store, "FR-1", seen_version=1)
    with pytest.raises(Conflict, match=f"{told}it is still accepted"):
        assess(store, "FR-1", seen_version=2)


def test_linking_closes_and_unlinking_restores_exactly(store: Store) -> None:
    assess(store, "FR-2")
    before = case(store, "FR-2")
    linked = triage.link(store, REVIEWER, "FR-2", "FR-1", evidence={"score": 0.9})
    assert (linked["status"], linked["resolution"], linked["canonical_id"]) == ("closed", "duplicate", "FR-1")
    triage.unlink(store, REVIEWER, "FR-2")
    after = case(store, "FR-2")
    assert after["version"] == before["version"] + 2
    ignored = {"version", "updated_at", "updated_by"}
    assert {k: v for k, v in after.items() if k not in ignored} == {
        k: v for k, v in before.items() if k not in ignored
    }


def test_the_same_link_twice_is_one(store: Store) -> None:
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    assert triage.link(store, REVIEWER, "FR-2", "FR-1")["version"] == 2
    with pytest.raises(Conflict, match="already a duplicate of FR-1 by test:mara"):
        triage.link(
            store, REVIEWER, "FR-2", bring(store, make_report(submitted_at="2026-01-01T00:00:00Z"))[0]
        )


def test_the_canonical_report_is_the_earlier_one(store: Store) -> None:
    with pytest.raises(Refused, match="submitted first"):
        triage.link(store, REVIEWER, "FR-1", "FR-2")
    with pytest.raises(Refused, match="itself"):
        triage.link(store, REVIEWER, "FR-1", "FR-1")
    with pytest.raises(NotFound):
        triage.link(store, REVIEWER, "FR-1", "FR-99")


def test_a_linked_report_is_not_decided_on_alone(store: Store) -> None:
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    with pytest.raises(Conflict, match="unlink"):
        assess(store, "FR-2")
    with pytest.raises(Conflict, match="unlink"):
        triage.move(store, REVIEWER, "FR-2", Trigger.REOPEN)


def test_a_report_whose_fix_is_under_way_is_no_duplicate(store: Store) -> None:
    assess(store, "FR-2")
    triage.move(store, REVIEWER, "FR-2", Trigger.FINISH_FIX)
    with pytest.raises(IllegalTransition):
        triage.link(store, REVIEWER, "FR-2", "FR-1")


def test_not_a_duplicate_is_kept_and_stops_the_link(store: Store) -> None:
    number = triage.keep_apart(store, REVIEWER, "FR-2", "FR-1")
    assert triage.keep_apart(store, REVIEWER, "FR-1", "FR-2") == number
    with pytest.raises(Conflict, match=r"test:mara \(02 Mar.*FR-1 and FR-2 are not duplicates"):
        triage.link(store, SECOND, "FR-2", "FR-1")


def test_a_linked_pair_is_not_kept_apart(store: Store) -> None:
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    with pytest.raises(Conflict, match=r"a duplicate of FR-1 by test:mara \(02 Mar"):
        triage.keep_apart(store, SECOND, "FR-1", "FR-2")
    triage.link(store, REVIEWER, "FR-3", "FR-1")
    with pytest.raises(Conflict, match=r"through other reports, last by test:mara \(02 Mar"):
        triage.keep_apart(store, SECOND, "FR-2", "FR-3")


def test_moves_follow_the_machine(store: Store) -> None:
    assert (
        triage.move(store, REVIEWER, "FR-1", Trigger.ASK_REPORTER, note="Which one?")["status"]
        == "needs_info"
    )
    assert case(store, "FR-1")["first_response_at"] is not None
    with pytest.raises(IllegalTransition):
        triage.move(store, REVIEWER, "FR-1", Trigger.ACCEPT)
    with pytest.raises(Refused, match="needs an assessment"):
        triage.move(store, REVIEWER, "FR-2", Trigger.CLOSE)


def test_every_change_is_an_event_with_both_states(store: Store) -> None:
    assess(store, "FR-1")
    with store.read() as cursor:
        data = db.value(cursor, "SELECT data FROM events WHERE kind = 'report.assessed'")
    assert '"before":{' in data
    assert '"status":"new"' in data
    assert '"status":"accepted"' in data


def test_roles_are_checked(store: Store) -> None:
    reader = Actor("test:ml", "Ml", frozenset({DeskRole.ML_ENGINEER}))
    for command in (
        lambda: triage.assess(store, POLICY, reader, "FR-1", FLAW),
        lambda: triage.link(store, reader, "FR-2", "FR-1"),
        lambda: triage.unlink(store, reader, "FR-2"),
        lambda: triage.keep_apart(store, reader, "FR-2", "FR-1"),
        lambda: triage.move(store, reader, "FR-1", Trigger.TRIAGE),
    ):
        with pytest.raises(NotAllowed):
            command()


def test_find_takes_report_ids_and_external_ids(store: Store) -> None:
    bring(store, {"external_id": "mine", "turns": make_report()["turns"]})
    with store.read() as cursor:
        assert triage.find(cursor, "mine") == "FR-5"
        assert triage.find(cursor, "FR-5") == "FR-5"
        with pytest.raises(NotFound):
            triage.find(cursor, "other")


def test_a_passed_retest_closes_with_a_reason(store: Store) -> None:
    assess(store, "FR-1")
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        triage.move(store, REVIEWER, "FR-1", trigger)
    with pytest.raises(Refused, match="resolution"):
        triage.move(store, REVIEWER, "FR-1", Trigger.PASS_RETEST)
    made = triage.move(
        store,
        REVIEWER,
        "FR-1",
        Trigger.PASS_RETEST,
        resolution=Resolution.RESOLVED_FIXED,
        note="Ten tries, none worked.",
    )
    assert (made["status"], made["resolution"]) == ("closed", "resolved_fixed")
    assert made["closed_at"] is not None


def test_who_was_overtaken_hears_that_before_what_is_missing(store: Store) -> None:
    triage.assess(store, POLICY, SECOND, "FR-1", FLAW, seen_version=1)
    with pytest.raises(Conflict, match="test:jonas"):
        triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(clauses=("IN-1",)), seen_version=1)
    with pytest.raises(Refused, match="five severity inputs") as missing:
        triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(clauses=("IN-1",)), seen_version=2)
    assert missing.value.field == "harm"
