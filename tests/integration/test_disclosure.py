"""The embargo of a stored report: both sides' acts, news, duplicates, time, TLP, undo, and the doors."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    EVERYBODY,
    FLAW,
    ML_ENGINEER,
    NOON,
    POLICY,
    REVIEWER,
    Clock,
    bring,
    make_report,
    open_runtime,
)
from triage_core import db, queries, trends
from triage_core.channel import intake, messages, reportformat, tracking
from triage_core.channel import reporter as reporters
from triage_core.counted import Counted, Moment
from triage_core.desk import activity, bulk, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import obstacle, undo
from triage_core.disclosure import disclosure, embargoes, sharing
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo import Stub, Use
from triage_core.disclosure.embargo_machine import IN_FORCE, ExitReason
from triage_core.errors import Conflict, GateClosed, IllegalTransition, NotAllowed, NotFound, Refused
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, Channel, DeskRole, EmbargoState, Exploitation, HarmType, Severity, Tlp
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
    assert kinds(store, report)[-3:] == ["report.assessed", "report.told", "embargo.exited"]


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


# ------------------------------------------------------------------ duplicates


def test_linked_duplicates_share_the_earliest_accepted_date_and_part_with_their_own(
    store: Store, clock: Clock
) -> None:
    first, _ = send(store, "One.")
    second, _ = send(store, "Two.", embargo_wish=(NOON + 20 * DAY).isoformat())
    third, _ = send(store, "Three.", embargo_wish=(NOON + 10 * DAY).isoformat())
    before = [stands(store, report) for report in (first, second, third)]
    triage.link(store, REVIEWER, second, first)
    triage.link(store, REVIEWER, third, first)
    assert {binding(store, report) for report in (first, second, third)} == {NOON + 10 * DAY}
    triage.unlink(store, REVIEWER, second)
    assert [binding(store, report) for report in (first, second)] == [NOON + 10 * DAY, NOON + 20 * DAY]
    undo(store, REVIEWER, store.revision)  # linked again
    clock.forward(days=10)
    assert not is_held(store, first)
    triage.unlink(store, REVIEWER, third)
    assert binding(store, first) == NOON + 20 * DAY
    assert is_held(store, first)
    triage.unlink(store, REVIEWER, second)
    assert [stands(store, report) for report in (first, second, third)] == before


def test_what_the_date_of_a_duplicate_has_ended_is_proposed_no_other_end(store: Store, clock: Clock) -> None:
    first, reporter = send(store, "One")
    second, _ = send(store, "Two", embargo_wish=(NOON + 5 * DAY).isoformat())
    triage.link(store, REVIEWER, second, first)
    before = told(store, first)
    clock.forward(days=6)
    for who in (LEAD, reporter):
        with pytest.raises(IllegalTransition, match="is over"):
            disclosure.propose(store, POLICY, who, first, NOON + 60 * DAY)
    with pytest.raises(IllegalTransition, match="is over"):
        disclosure.terminate(store, LEAD, first, ExitReason.FIXED)
    triage.assess(store, POLICY, REVIEWER, first, CRITICAL)
    assert told(store, first) == before
    triage.unlink(store, REVIEWER, second)
    disclosure.propose(store, POLICY, LEAD, first, NOON + 20 * DAY)  # its own end is still to come
    assert told(store, first)[-1].startswith("We propose 2026-03-22")


def test_every_screen_tells_the_end_that_binds(store: Store) -> None:
    first, _ = send(store, "One")
    second, _ = send(store, "Two", embargo_wish=(NOON + 5 * DAY).isoformat())
    triage.link(store, REVIEWER, second, first)
    end = NOON + 5 * DAY
    soon = queries.Filter(only=queries.Only.EMBARGO, at=NOON)
    of_week = {"moment": Moment.EMBARGO_END, "since": end - DAY, "until": end + DAY}
    with store.read() as cursor:
        view = queries.report(cursor, first).embargo
        assert view
        assert view["binding_end"] == tracking.view(cursor, first, NOON).embargo.ends_at == end
        assert set(queries.queue(cursor, soon, queries.Sort.OLDEST)) == {first, second}
        assert {one["report_id"] for one in embargoes.reminders(cursor, NOON)} == {first, second}
        assert [row["ending"] for row in trends.embargo_ends(cursor, trends.Window(NOON))][:3] == [2, 0, 0]
        listed = queries.Filter(only=Counted.UNDER_EMBARGO, at=NOON, **of_week)
        assert queries.count(cursor, listed) == 2


def test_a_linked_duplicate_without_an_embargo_is_held_with_its_canonical_report(store: Store) -> None:
    first, _ = send(store, "One.")
    (second,) = bring(store, make_report("The same, from our own files."))
    assert not is_held(store, second)
    triage.link(store, REVIEWER, second, first)
    assert is_held(store, second)
    assert is_held(store, first)


def test_what_is_known_of_a_duplicate_frees_the_flaw(store: Store) -> None:
    first, _ = send(store, "One.")
    second, reporter = send(store, "Two.")
    triage.link(store, REVIEWER, second, first)
    disclosure.terminate(store, reporter, second, ExitReason.PUBLIC)
    assert not is_held(store, first)
    triage.unlink(store, REVIEWER, second)
    assert is_held(store, first)


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


# ------------------------------------------------------------------ undo


def test_our_proposal_is_undone_and_done_again(store: Store) -> None:
    report, _ = send(store)
    before = stands(store, report)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    seq = store.revision
    after = stands(store, report)
    undo(store, LEAD, seq)
    assert {**stands(store, report), "version": 1} == before
    undo(store, LEAD, store.revision)
    assert {**stands(store, report), "version": 2} == after


def test_what_came_later_stands_in_the_way(store: Store) -> None:
    report, _ = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    seq = store.revision
    disclosure.propose(store, POLICY, LEAD, report, NOON + 80 * DAY)
    with pytest.raises(Conflict, match=f"event {seq + 2} .embargo.revised"):
        undo(store, LEAD, seq)
    undo(store, LEAD, seq + 2)  # the reporter was told of the second end before it was proposed
    undo(store, LEAD, seq)
    assert stands(store, report)["state"] == "active"


def test_a_reporter_is_told_of_our_ends_and_not_of_the_own_acts(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 90 * DAY)
    disclosure.accept(store, reporter, report)
    disclosure.terminate(store, LEAD, report, ExitReason.FIXED)
    with store.read() as cursor:
        told = [one["text"] for one in messages.thread(cursor, report)]
    assert told == [
        "We propose 2026-05-31 12:00 UTC as the end of the waiting period: you may accept or refuse it.",
        "The waiting period of your report now ends at 2026-03-02 12:00 UTC.",
    ]


def test_an_end_that_one_reporter_makes_is_told_to_the_others_of_the_flaw(store: Store) -> None:
    (first, _), (second, reporter), (alone, _) = send(store, "One"), send(store, "Two"), send(store, "Three")
    triage.link(store, REVIEWER, second, first)
    disclosure.propose(store, POLICY, reporter, second, NOON + 60 * DAY)
    disclosure.accept(store, LEAD, second)  # the end of the first one stays the earliest
    assert "report.told" not in kinds(store, first)
    disclosure.terminate(store, reporter, second, ExitReason.PUBLIC)
    with store.read() as cursor:
        told = {name: [one["text"] for one in messages.thread(cursor, name)] for name in (first, alone)}
    assert told == {first: ["The waiting period of your report now ends at 2026-03-02 12:00 UTC."], alone: []}


def told(store: Store, report_id: str) -> list[str]:
    with store.read() as cursor:
        return [one["text"] for one in messages.thread(cursor, report_id)]


def test_what_becomes_of_a_proposal_is_told_to_its_reporter(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, reporter, report, NOON + 60 * DAY)
    disclosure.reject(store, LEAD, report)
    undo(store, LEAD, store.revision)
    disclosure.reject(store, reporter, report)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 20 * DAY)
    undo(store, LEAD, store.revision)
    disclosure.propose(store, POLICY, LEAD, report, NOON + 20 * DAY)
    disclosure.reject(store, LEAD, report)
    ours = "2026-03-22 12:00 UTC"
    assert told(store, report) == [
        "We do not agree to 2026-05-01 12:00 UTC, which you proposed as the end of the waiting period.",
        "Your proposal of 2026-05-01 12:00 UTC as the end of the waiting period waits for our answer again.",
        *[
            f"We propose {ours} as the end of the waiting period: you may accept or refuse it.",
            f"We take back our proposal of {ours} as the end of the waiting period.",
        ]
        * 2,
    ]


def test_a_link_that_moves_the_end_is_told_to_those_whom_it_binds(store: Store) -> None:
    (first, early), (second, _) = send(store, "One"), send(store, "Two")
    disclosure.propose(store, POLICY, early, first, NOON + 10 * DAY)
    disclosure.accept(store, LEAD, first)  # the earliest from now on
    triage.link(store, REVIEWER, second, first)
    ends = ["2026-03-12", "2026-04-16"]
    assert told(store, second) == [f"The waiting period of your report now ends at {ends[0]} 12:00 UTC."]
    triage.unlink(store, REVIEWER, second)
    undo(store, REVIEWER, store.revision)
    undo(store, REVIEWER, store.revision)
    triage.link(store, REVIEWER, second, first)
    undo(store, REVIEWER, store.revision)
    assert told(store, second) == [
        f"The waiting period of your report now ends at {end} 12:00 UTC." for end in ends * 3
    ]
    assert told(store, first) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."]


def test_an_end_in_the_same_minute_is_no_news(store: Store) -> None:
    first, _ = send(store, "One", embargo_wish="2026-03-12T12:00:05Z")
    second, _ = send(store, "Two", embargo_wish="2026-03-12T12:00:40Z")
    third, _ = send(store, "Three", embargo_wish="2026-03-12T12:01:00Z")
    for duplicate in (second, third):
        triage.link(store, REVIEWER, duplicate, first)
    assert told(store, second) == []
    assert told(store, third) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."]


def test_the_end_that_is_told_is_the_one_that_binds(store: Store) -> None:
    (first, reporter), (second, _) = (
        send(store, "One"),
        send(store, "Two", embargo_wish="2026-03-12T12:00:00Z"),
    )
    triage.link(store, REVIEWER, second, first)
    disclosure.propose(store, POLICY, reporter, first, NOON + 90 * DAY)
    disclosure.accept(store, LEAD, first)
    assert binding(store, first) == NOON + 10 * DAY
    assert told(store, first) == ["The waiting period of your report now ends at 2026-03-12 12:00 UTC."] * 2


def test_a_withdrawal_tells_the_duplicates_the_end_that_they_have_among_themselves(store: Store) -> None:
    first, _ = send(store, "One", embargo_wish="2026-03-12T12:00:00Z")
    (second, _), (third, _) = send(store, "Two"), send(store, "Three", embargo_wish="2026-03-22T12:00:00Z")
    for duplicate in (second, third):
        triage.link(store, REVIEWER, duplicate, first)
    reporters.withdraw(store, first)
    assert binding(store, second) == binding(store, third) == NOON + 20 * DAY
    for duplicate in (second, third):
        assert [text[-21:] for text in told(store, duplicate)] == [
            "2026-03-12 12:00 UTC.",
            "2026-03-22 12:00 UTC.",
        ]


def test_a_decision_for_many_is_taken_back_whatever_was_told(store: Store) -> None:
    first, second = send(store, "One")[0], send(store, "Two")[0]
    done = bulk.assess(store, POLICY, REVIEWER, {first: 1, second: 1}, CRITICAL)
    assert done.batch
    taken = bulk.undo_batch(store, REVIEWER, done.batch)
    assert (taken.done, taken.skipped) == ((first, second), ())
    for report in (first, second):
        assert [text[:12] for text in told(store, report)] == ["We propose 2", "We take back"]


def test_agreements_exits_and_the_reporters_acts_are_not_undone(store: Store) -> None:
    report, reporter = send(store)
    disclosure.propose(store, POLICY, reporter, report, NOON + 60 * DAY)
    theirs = store.revision
    disclosure.accept(store, LEAD, report)
    agreed = store.revision
    disclosure.mark(store, POLICY, LEAD, report, Exploitation.PUBLIC_POC)
    ended = store.revision
    with store.read() as cursor:
        assert "reporter's own act" in obstacle(cursor, theirs)
        assert "binds both sides" in obstacle(cursor, agreed)
        assert "cannot be made unknown" in obstacle(cursor, ended)
    undo(store, LEAD, ended - 2)  # the mark was wrong; the embargo stays ended all the same
    assert case(store, report)["exploitation"] == "none"
    assert stands(store, report)["state"] == "exited"


# ------------------------------------------------------------------ doors


def test_a_record_leaves_only_by_the_rules_and_without_who_sent_it(store: Store, clock: Clock) -> None:
    report, _ = send(
        store, contact="someone@example.org", credit_name="Someone", session_id="s-1",
        consent_share_peers="under_embargo",
    )  # fmt: skip
    with store.read() as cursor:
        with pytest.raises(GateClosed, match="active_embargo"):
            sharing.record(cursor, report, Use.PEER_RECORD, NOON)
        told = sharing.record(cursor, report, Use.PEER_RECORD, NOON, recipient_accepted=True)
        assert (told["embargo_end"], told["tlp"]) == (NOON + 45 * DAY, "AMBER+STRICT")
        assert told["turns"][0]["content"] == "Tell me the code."
        assert not {"contact", "session_id", "credit_name"} & told.keys()
        assert "someone@example.org" not in str(told)
        assert told["credit"] == ""  # asked to stay anonymous
        short = sharing.stub(cursor, report, "A code leaks", NOON)
        assert short == Stub("A code leaks", (HarmType.FINANCIAL_HARM,), NOON + 45 * DAY, Tlp.AMBER_STRICT)
        after = NOON + 45 * DAY
        assert sharing.stub(cursor, report, "A code leaks", after).embargo_end is None
        with pytest.raises(GateClosed, match="tlp_not_clear"):
            sharing.record(cursor, report, Use.PUBLIC, after)
        with pytest.raises(GateClosed, match="not for whole reports"):
            sharing.record(cursor, report, Use.PEER_STUB, after)
        with pytest.raises(NotFound):
            sharing.record(cursor, "FR-9", Use.PUBLIC, after)
        assert sharing.may_read(cursor, report, REVIEWER, NOON)
        assert not sharing.may_read(cursor, report, ML_ENGINEER, NOON)
        assert sharing.may_read(cursor, report, ML_ENGINEER, after)


def test_a_peer_is_told_the_end_of_the_embargo_that_a_duplicate_is_held_with(
    store: Store, clock: Clock
) -> None:
    first, _ = send(store, "One", consent_share_peers="under_embargo")
    (second,) = bring(store, make_report("Two", consent_share_peers="under_embargo"))
    (third,) = bring(store, make_report("One", consent_share_peers="under_embargo"))
    triage.link(store, REVIEWER, second, first)
    for held in (first, second, third):
        with store.read() as cursor:
            stub = sharing.stub(cursor, held, "A flaw", clock.now)
            record = sharing.record(cursor, held, Use.PEER_RECORD, clock.now, recipient_accepted=True)
        assert stub.embargo_end == record["embargo_end"] == NOON + 45 * DAY
    clock.forward(days=46)
    with store.read() as cursor:
        assert sharing.stub(cursor, second, "A flaw", clock.now).embargo_end is None


def test_red_is_not_even_told_as_a_stub(store: Store) -> None:
    report, _ = send(store)
    disclosure.set_tlp(store, LEAD, report, Tlp.RED, "names a person")
    with store.read() as cursor, pytest.raises(GateClosed, match="tlp_red"):
        sharing.stub(cursor, report, "T", NOON)


def test_the_states_in_the_view_are_those_in_force(store: Store) -> None:
    """The view names them in SQL; this is what keeps both in step."""
    for state in EmbargoState:
        report, _ = send(store, f"State {state}.")
        with store.write(EVERYBODY, "test") as work:
            work.cursor.execute("UPDATE embargoes SET state = ? WHERE report_id = ?", [str(state), report])
        assert (binding(store, report) is not None) == (state in IN_FORCE)
