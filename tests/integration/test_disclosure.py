"""The embargo of a stored report: both sides' acts, news, time, and TLP."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.embargoed import CRITICAL, DAY, LEAD, case, is_held, kinds, send, stands
from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_runtime
from triage_core import db
from triage_core.channel import intake
from triage_core.desk import activity, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import obstacle, undo
from triage_core.disclosure import disclosure, embargoes
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import EmbargoState, Exploitation, Tlp
from triage_core.store import Store

# ------------------------------------------------------------------ the two sides


def test_a_report_from_the_public_is_under_the_published_default(store: Store) -> None:
    report, _ = send(store)
    found = stands(store, report)
    assert (found["state"], found["ends_at"], found["version"]) == ("active", NOON + 45 * DAY, 1)


def test_the_reporter_asks_for_more_time_and_the_company_agrees(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(
        store, POLICY, reporter, report, NOON + 60 * DAY, note="we speak in May", seen_version=1
    )
    asked = stands(store, report)
    assert (asked["state"], asked["ends_at"], asked["proposed_by"]) == ("revise", NOON + 45 * DAY, "reporter")
    with pytest.raises(Refused, match="other side"):
        disclosure.accept(store, reporter, report)
    agreed = disclosure.accept(store, LEAD, report, seen_version=2)
    assert (agreed.state, agreed.ends_at) == (EmbargoState.ACTIVE, NOON + 60 * DAY)
    with store.read() as cursor:
        acts = [event for event in activity.history(cursor, report) if "party" in event.data]
    assert [(act.kind, act.actor_id, act.data["party"]) for act in acts] == [
        ("embargo.revised", "reporter", "reporter"),
        ("embargo.accepted", LEAD.actor_id, "company"),
    ]
    assert acts[0].after["proposed_end"] == NOON + 60 * DAY


def test_the_company_asks_and_the_reporter_refuses(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    disclosure.reject(store, reporter, report)
    assert (stands(store, report)["state"], stands(store, report)["ends_at"]) == ("active", NOON + 45 * DAY)


def test_a_shorter_wish_is_in_force_at_once_and_ours_waits_for_the_reporter(store: Store) -> None:
    report, reporter = send(store, embargo_wish=(NOON + 5 * DAY).isoformat(), disclosure_intent="yes")
    found = stands(store, report)
    assert (found["state"], found["ends_at"], found["proposed_by"]) == ("revise", NOON + 5 * DAY, "company")
    assert disclosure.accept(store, reporter, report).ends_at == NOON + 45 * DAY


def test_what_was_not_seen_is_not_answered(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    seen = stands(store, report)["version"]
    disclosure.propose(store, POLICY, LEAD, report, NOON + 120 * DAY)
    with pytest.raises(Conflict, match="while you looked"):
        disclosure.accept(store, reporter, report, seen_version=seen)


def test_a_key_opens_its_own_report_and_an_unknown_key_none(store: Store) -> None:
    report, reporter = send(store)
    other, stranger = send(store, "Another thing.")
    for who in (stranger, ByKey("no such key")):
        with pytest.raises(NotFound, match="no report has this key"):
            disclosure.terminate(store, who, report, ExitReason.OTHER, note="enough")
    with store.read() as cursor:
        assert disclosure.report_of(cursor, reporter) == report
    assert stands(store, other)["version"] == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda store, who: disclosure.propose(store, POLICY, who, "FR-1", NOON + 50 * DAY),
        lambda store, who: disclosure.accept(store, who, "FR-1"),
        lambda store, who: disclosure.reject(store, who, "FR-1"),
        lambda store, who: disclosure.terminate(store, who, "FR-1", ExitReason.FIXED),
        lambda store, who: disclosure.set_tlp(store, who, "FR-1", Tlp.RED, "names a person"),
    ],
)
def test_only_the_disclosure_lead_speaks_for_the_company(store: Store, act: Any) -> None:
    send(store)
    with pytest.raises(NotAllowed):
        act(store, REVIEWER)
    assert stands(store, "FR-1")["version"] == 1


def test_each_side_ends_it_with_its_own_reasons(store: Store) -> None:
    report, reporter = send(store)
    with pytest.raises(Refused, match="ends an embargo as"):
        disclosure.terminate(store, reporter, report, ExitReason.FIXED)
    with pytest.raises(Refused, match="ends an embargo as"):
        disclosure.terminate(store, LEAD, report, ExitReason.PUBLIC)
    with pytest.raises(Refused, match="says which"):
        disclosure.terminate(store, LEAD, report, ExitReason.OTHER)
    disclosure.terminate(store, reporter, report, ExitReason.PUBLIC)
    assert stands(store, report)["exit_reason"] == "public"
    with pytest.raises(IllegalTransition):
        disclosure.propose(store, POLICY, LEAD, report, NOON + 50 * DAY)


def test_a_reporter_ends_what_is_closed_as_no_flaw_and_nothing_else(store: Store) -> None:
    report, reporter = send(store)
    with pytest.raises(Refused, match="not closed as no flaw"):
        disclosure.release(store, reporter, report)
    triage.assess(store, POLICY, REVIEWER, report, Decision(("OOS-1",), note="A sum."))
    closed = store.revision
    assert is_held(store, report), "the closing alone opens no door"
    undo(store, REVIEWER, closed)
    with pytest.raises(Refused, match="not closed as no flaw"):
        disclosure.release(store, reporter, report)
    undo(store, REVIEWER, store.revision)  # closed again
    disclosure.release(store, reporter, report, seen_version=1)
    assert not is_held(store, report)
    with store.read() as cursor:
        last = activity.history(cursor, report)[-1]
        assert "cannot be made unknown" in obstacle(cursor, last.seq)
    assert (last.kind, last.actor_id, last.data["party"]) == ("embargo.exited", "reporter", "reporter")
    assert "closed as no flaw" in last.data["note"]
    triage.move(store, REVIEWER, report, Trigger.REOPEN)
    assert stands(store, report)["state"] == "exited"


def test_the_promise_is_that_of_the_day_the_report_came_in(store: Store) -> None:
    report, reporter = send(store)
    text = POLICY.toml_text.replace("cap_days = 180", "cap_days = 60").replace('"2026.2"', '"2027.1"')
    later = policies.publish(
        store, EVERYBODY, policies.policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)
    )
    assert (
        disclosure.propose(store, later, reporter, report, NOON + 170 * DAY).proposed_end == NOON + 170 * DAY
    )


# ------------------------------------------------------------------ news


def test_an_assessment_that_says_published_ends_it(store: Store) -> None:
    report, _ = send(store)
    triage.assess(store, POLICY, REVIEWER, report, replace(FLAW, exploitation=Exploitation.PUBLIC_POC))
    found = stands(store, report)
    assert (found["state"], found["exit_reason"], found["exited_at"]) == ("exited", "public", NOON)
    assert kinds(store, report)[-3:] == ["report.told", "embargo.exited", "report.assessed"]


@pytest.mark.parametrize(
    "decision", [CRITICAL, replace(FLAW, exploitation=Exploitation.ACTIVE)], ids=["critical", "attacked"]
)
def test_an_assessment_that_shortens_the_wait_is_our_proposal(store: Store, decision: Any) -> None:
    report, reporter = send(store)
    triage.assess(store, POLICY, REVIEWER, report, decision)
    found = stands(store, report)
    assert (found["state"], found["ends_at"], found["proposed_end"]) == (
        "revise",
        NOON + 45 * DAY,
        NOON + 7 * DAY,
    )
    assert disclosure.accept(store, reporter, report).ends_at == NOON + 7 * DAY


def test_a_mark_ends_it_sets_the_priority_and_is_done_once(store: Store) -> None:
    report, _ = send(store)
    triage.assess(store, POLICY, REVIEWER, report, CRITICAL)
    version = case(store, report)["version"]
    found = disclosure.mark(
        store, POLICY, LEAD, report, Exploitation.PUBLIC_POC, note="a video", seen_version=version
    )
    assert (found["exploitation"], found["priority"]) == ("public_poc", "immediate")
    assert stands(store, report)["exit_reason"] == "public"
    last = store.revision
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.PUBLIC_POC)
    assert store.revision == last


def test_attacks_are_marked_and_a_person_ends_it(store: Store) -> None:
    report, _ = send(store)
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.ACTIVE)
    assert (case(store, report)["exploitation"], case(store, report)["priority"]) == ("active", None)
    assert stands(store, report)["state"] == "revise"
    disclosure.terminate(store, LEAD, report, ExitReason.EXPLOITED)
    assert stands(store, report)["exit_reason"] == "exploited"


def test_public_after_attacks_still_ends_it_and_no_new_one_begins(store: Store) -> None:
    report, _ = send(store)
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.ACTIVE)
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.PUBLIC_POC)
    assert case(store, report)["exploitation"] == "active"  # the worse of the two stays
    assert stands(store, report)["exit_reason"] == "public"


@pytest.mark.parametrize("news", ["already", "marked", "fixed", "duplicate"])
def test_no_new_embargo_once_it_is_known_or_fixed(store: Store, news: str) -> None:
    (report,) = bring(store, make_report("Imported, without an embargo."))
    if news == "already":
        report, _ = send(store, disclosure_intent="already")
    elif news == "marked":
        disclosure.mark(store, POLICY, LEAD, report, Exploitation.ACTIVE)
    elif news == "fixed":
        triage.assess(store, POLICY, REVIEWER, report, FLAW)
        for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX):
            triage.move(store, REVIEWER, report, trigger)
    else:
        (copy,) = bring(store, make_report("The same again."))
        triage.link(store, REVIEWER, copy, report)
        disclosure.mark(store, POLICY, LEAD, copy, Exploitation.PUBLIC_POC)
    with pytest.raises(Refused, match="no new embargo"):
        disclosure.propose(store, POLICY, LEAD, report, NOON + 9 * DAY)


def test_a_report_without_one_gets_one_by_proposal_and_acceptance(store: Store, clock: Clock) -> None:
    (report,) = bring(store, make_report("Imported."))
    clock.forward(days=3)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 30 * DAY)
    assert (stands(store, report)["state"], is_held(store, report)) == ("proposed", False)
    with store.write(EVERYBODY, "test") as work:
        key = {"key_sha256": intake.tracking_hash("k"), "report_id": report, "created_at": NOON}
        db.insert(work.cursor, "tracking_keys", [key])
    disclosure.accept(store, ByKey("k"), report)
    assert is_held(store, report)


# ------------------------------------------------------------------ time


def test_the_sweep_writes_what_time_has_ended_and_does_it_once(store: Store, clock: Clock) -> None:
    first, _ = send(store, "One.")
    second, reporter = send(store, "Two.")
    disclosure.propose(store, POLICY, reporter, second, NOON + 60 * DAY)
    disclosure.accept(store, LEAD, second)
    disclosure.propose(store, POLICY, LEAD, second, NOON + 40 * DAY)
    assert disclosure.sweep(store, EVERYBODY) == 0
    clock.forward(days=50)
    assert not is_held(store, first)
    assert stands(store, first)["state"] == "active"  # over without a write
    assert disclosure.sweep(store, EVERYBODY) == 2
    ended, lapsed = stands(store, first), stands(store, second)
    assert (ended["state"], ended["exit_reason"], ended["exited_at"]) == (
        "exited",
        "end_reached",
        NOON + 45 * DAY,
    )
    assert (lapsed["state"], lapsed["ends_at"]) == ("active", NOON + 60 * DAY)
    assert (kinds(store, first)[-1], kinds(store, second)[-1]) == ("embargo.exited", "embargo.lapsed")
    last = store.revision
    assert (disclosure.sweep(store, EVERYBODY), store.revision) == (0, last)


def test_the_worker_of_a_running_server_sweeps(tmp_path: Path, clock: Clock) -> None:
    opened = open_runtime(tmp_path / "served", clock)
    try:
        (report,) = bring(opened.store, make_report("One", embargo_wish=(NOON + 9 * DAY).isoformat()))
        clock.forward(days=10)
        opened.worker.start()
        for _ in range(1_000):
            if stands(opened.store, report)["state"] == "exited":
                break
            time.sleep(0.05)
            assert not opened.worker.state.error
        assert stands(opened.store, report)["state"] == "exited"
    finally:
        opened.close()


def test_reminders_name_what_ends_within_a_week_and_a_day(store: Store) -> None:
    for days in (0.5, 5, 20):
        send(store, f"Ends in {days} days.", embargo_wish=(NOON + days * DAY).isoformat())
    with store.read() as cursor:
        found = embargoes.reminders(cursor, NOON)
        assert [(row["report_id"], row["days"]) for row in found] == [("FR-1", 1), ("FR-2", 7)]
        assert found[1]["binding_end"] == NOON + 5 * DAY
        assert embargoes.reminders(cursor, NOON + 6 * DAY) == []


# ------------------------------------------------------------------ TLP


def test_a_label_is_lowered_by_a_person_with_a_reason_and_not_under_an_embargo(store: Store) -> None:
    report, _ = send(store)
    with pytest.raises(Refused, match="needs a reason"):
        disclosure.set_tlp(store, LEAD, report, Tlp.GREEN, " ")
    with pytest.raises(Refused, match="not lowered under an active embargo"):
        disclosure.set_tlp(store, LEAD, report, Tlp.GREEN, "it is fixed")
    disclosure.set_tlp(store, LEAD, report, Tlp.RED, "names a person")
    undo(store, LEAD, store.revision)
    assert case(store, report)["tlp"] == "AMBER+STRICT"
    disclosure.terminate(store, LEAD, report, ExitReason.FIXED)
    assert case(store, report)["tlp"] == "AMBER+STRICT"  # nothing lowers it by itself
    found = disclosure.set_tlp(store, LEAD, report, Tlp.GREEN, "it is fixed")
    assert (found["tlp"], kinds(store, report)[-1]) == ("GREEN", "report.tlp_set")
