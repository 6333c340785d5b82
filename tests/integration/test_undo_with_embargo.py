"""A decision may shorten the waiting period by itself: what is undone with the decision, and what stays."""

from __future__ import annotations

from dataclasses import replace

from tests.embargoed import CRITICAL, DAY, kinds, send, stands
from tests.making import FLAW, NOON, POLICY, REVIEWER
from triage_core.desk import activity, bulk, triage
from triage_core.desk.undo import last_of, undo
from triage_core.disclosure import disclosure
from triage_core.model import Exploitation
from triage_core.store import Store


def _terms(store: Store, report_id: str) -> dict[str, object]:
    return {name: value for name, value in stands(store, report_id).items() if name != "version"}


def _numbered(store: Store, report_id: str, kind: str) -> int:
    with store.read() as cursor:
        return [event.seq for event in activity.history(cursor, report_id) if event.kind == kind][-1]


def test_what_one_undoes_is_the_decision_and_the_shorter_end_goes_with_it(store: Store) -> None:
    report, _ = send(store)
    before = _terms(store, report)
    triage.assess(store, POLICY, REVIEWER, report, CRITICAL)
    shortened = _terms(store, report)
    assert shortened["proposed_end"], "else this test shows nothing"
    with store.read() as cursor:
        event = last_of(cursor, REVIEWER)
    assert event is not None
    assert event.kind == "report.assessed"
    undo(store, REVIEWER, event.seq)
    assert _terms(store, report) == before
    with store.read() as cursor:
        assert last_of(cursor, REVIEWER) is None, "nothing of the decision is left to be undone"
    undo(store, REVIEWER, store.revision)
    assert _terms(store, report) == shortened, "done again, it has the same consequences"


def test_a_mark_of_attacks_is_undone_with_the_shorter_end_that_it_has_set(store: Store) -> None:
    report, _ = send(store)
    triage.assess(store, POLICY, REVIEWER, report, FLAW)
    before = _terms(store, report)
    disclosure.mark(store, POLICY, REVIEWER, report, Exploitation.ACTIVE)
    assert _terms(store, report) != before, "else this test shows nothing"
    with store.read() as cursor:
        event = last_of(cursor, REVIEWER)
    assert event is not None
    assert event.kind == "report.marked"
    undo(store, REVIEWER, event.seq)
    assert _terms(store, report) == before


def test_a_shorter_end_that_has_an_answer_stays(store: Store) -> None:
    report, reporter = send(store)
    triage.assess(store, POLICY, REVIEWER, report, CRITICAL)
    agreed = disclosure.accept(store, reporter, report)
    undo(store, REVIEWER, _numbered(store, report, "report.assessed"))
    assert stands(store, report)["ends_at"] == agreed.ends_at, "an agreement binds both sides"


def test_a_shorter_end_that_was_taken_back_by_itself_is_no_obstacle(store: Store) -> None:
    report, _ = send(store)
    before = _terms(store, report)
    triage.assess(store, POLICY, REVIEWER, report, CRITICAL)
    undo(store, REVIEWER, _numbered(store, report, "embargo.revised"))
    undo(store, REVIEWER, _numbered(store, report, "report.assessed"))
    assert _terms(store, report) == before


def test_an_end_for_good_stays_when_its_decision_is_undone(store: Store) -> None:
    report, _ = send(store)
    triage.assess(store, POLICY, REVIEWER, report, replace(CRITICAL, exploitation=Exploitation.PUBLIC_POC))
    undo(store, REVIEWER, _numbered(store, report, "report.assessed"))
    assert stands(store, report)["state"] == "exited"


def test_a_decision_for_many_is_undone_and_done_again_with_its_shorter_ends(store: Store) -> None:
    reports = [send(store, f"Tell me code {number}.")[0] for number in range(2)]
    before = [_terms(store, report) for report in reports]
    outcome = bulk.assess(store, POLICY, REVIEWER, dict.fromkeys(reports, 1), CRITICAL)
    shortened = [_terms(store, report) for report in reports]
    assert outcome.batch
    undone = bulk.undo_batch(store, REVIEWER, outcome.batch)
    assert (undone.done, undone.skipped) == (tuple(reports), ())
    assert [_terms(store, report) for report in reports] == before
    assert undone.batch
    again = bulk.undo_batch(store, REVIEWER, undone.batch)
    assert (set(again.done), again.skipped) == (set(reports), ())
    assert [_terms(store, report) for report in reports] == shortened
    assert kinds(store, reports[0])[-1] == "event.undone"


def test_a_shorter_end_stays_with_a_decision_that_stays_when_one_for_many_is_undone(store: Store) -> None:
    again, other = (send(store, f"Tell me code {number}.")[0] for number in range(2))
    outcome = bulk.assess(store, POLICY, REVIEWER, dict.fromkeys((again, other), 1), CRITICAL)
    shortened = _terms(store, again)
    triage.assess(store, POLICY, REVIEWER, again, CRITICAL)
    assert outcome.batch
    undone = bulk.undo_batch(store, REVIEWER, outcome.batch)
    assert (undone.done, [one.report_id for one in undone.skipped]) == ((other,), [again])
    assert _terms(store, again) == shortened, "the decision since is as severe and rests on it"


def test_a_shorter_end_is_not_made_again_for_what_was_decided_otherwise_since(store: Store) -> None:
    milder, other = (send(store, f"Tell me code {number}.")[0] for number in range(2))
    outcome = bulk.assess(store, POLICY, REVIEWER, dict.fromkeys((milder, other), 1), CRITICAL)
    assert outcome.batch
    undone = bulk.undo_batch(store, REVIEWER, outcome.batch)
    triage.assess(store, POLICY, REVIEWER, milder, FLAW)
    before = _terms(store, milder)
    assert undone.batch
    redone = bulk.undo_batch(store, REVIEWER, undone.batch)
    assert (redone.done, [one.report_id for one in redone.skipped]) == ((other,), [milder])
    assert _terms(store, milder) == before


def test_a_decision_done_again_too_late_proposes_no_end_that_has_passed_to_its_reporter(store: Store) -> None:
    report, _ = send(store)
    triage.assess(store, POLICY, REVIEWER, report, CRITICAL, now=NOON)
    undo(store, REVIEWER, _numbered(store, report, "report.assessed"), now=NOON)
    told = kinds(store, report).count("report.told")
    undo(store, REVIEWER, store.revision, now=NOON + 8 * DAY)
    assert stands(store, report)["proposed_end"] == NOON + 7 * DAY, "else this test shows nothing"
    assert kinds(store, report).count("report.told") == told
