"""What the charts show: weeks, clocks, backlog, what was known already and what closures rest on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.dated import MONDAY, NOW, Ask, came, came_all, decide
from tests.making import FLAW, NOON, REVIEWER, bring, make_report
from triage_core import queries, trends
from triage_core.counted import Counted, Moment
from triage_core.desk import activity, triage, undo
from triage_core.lifecycle import Trigger
from triage_core.model import Resolution, Severity
from triage_core.store import Store
from triage_core.trends import Dimension, Kept, Window


def state_rows(ask: Ask, window: Window) -> list[dict[str, Any]]:
    found = ask(trends.volume, window, Dimension.STATE)
    return [
        {"week": week} | dict(zip(found.values, counts, strict=True))
        for week, counts in zip(found.weeks, zip(*found.counts, strict=True), strict=True)
    ]


def rerouted(store: Store, at: datetime) -> str:
    """A report that the intake itself closes, as nobody at the desk may see what it is about."""
    line = {"illegal_minor_content": True, "submitted_at": at.isoformat(), "turns": []}
    return bring(store, line)[0]


def test_an_empty_store_has_zeros_and_no_shares(ask):
    head = ask(trends.figures, NOW)
    assert (head.reports, head.open, head.known, head.known_share) == (0, 0, 0, None)
    assert head.first_response == Kept(0, 0, None)
    assert head.triage.share is None
    rows = state_rows(ask, NOW)
    assert [row["week"] for row in rows] == [MONDAY - timedelta(weeks=back) for back in (3, 2, 1, 0)]
    assert {row["to_decide"] + row["in_work"] + row["closed"] for row in rows} == {0}
    assert sum(row["to_decide"] for row in ask(trends.backlog, NOW)) == 0


def test_weeks_start_on_monday_and_leave_none_out(store, ask):
    sunday = MONDAY - timedelta(minutes=1)
    for at in (MONDAY, sunday, MONDAY - timedelta(weeks=3)):
        came(store, at)
    assert [row["to_decide"] for row in state_rows(ask, Window(NOON, 5))] == [0, 1, 0, 1, 1]
    assert [row["to_decide"] for row in state_rows(ask, Window(NOON, 2))] == [1, 1]


def test_all_time_reaches_back_to_the_first_report(store, ask):
    came(store, MONDAY - timedelta(weeks=9))
    rows = state_rows(ask, NOW)
    assert (len(rows), rows[0]["week"], rows[0]["to_decide"]) == (10, MONDAY - timedelta(weeks=9), 1)


def test_volume_by_state_and_by_severity(store, ask):
    at = MONDAY + timedelta(hours=1)
    _, flaw, fine = (came(store, at + timedelta(minutes=n)) for n in range(3))
    decide(store, flaw, 1, FLAW)
    decide(store, fine, 1)
    week = state_rows(ask, NOW)[-1]
    assert (week["to_decide"], week["in_work"], week["closed"]) == (1, 1, 1)
    levels = ask(trends.volume, NOW, Dimension.SEVERITY)
    assert levels.values == ("", *Severity)
    assert [levels.counts[place][-1] for place in range(6)] == [1, 1, 0, 1, 0, 0]


def test_clocks_count_what_was_answered_or_is_late(store, ask):
    start = MONDAY - timedelta(weeks=1)  # due: response on Wednesday, triage on the next Monday
    in_time, late, waiting = (came(store, start + timedelta(minutes=n)) for n in range(3))
    decide(store, in_time, 10)
    decide(store, late, 72)
    fresh = came(store, NOON - timedelta(hours=1))
    head = ask(trends.figures, NOW)
    # `waiting` is late, `fresh` is not yet.
    assert head.first_response == Kept(counted=3, inside=1, median_hours=41)
    assert head.triage == Kept(counted=3, inside=2, median_hours=41)
    assert head.first_response.share == pytest.approx(1 / 3)
    week, present = ask(trends.clocks_by_week, NOW)[-2:]
    assert (week["first_response_counted"], week["first_response_inside"]) == (3, 1)
    assert (week["triage_median_hours"], week["triage_share"]) == (41, pytest.approx(2 / 3))
    assert (present["triage_counted"], present["triage_share"], present["triage_median_hours"]) == (
        0,
        None,
        None,
    )
    assert {waiting, fresh} <= {
        row["report_id"] for row in ask(queries.inbox, queries.Filter(status=["new"]))
    }


def test_a_report_that_was_closed_without_an_answer_is_on_no_clock(store, ask):
    rerouted(store, NOON - timedelta(days=30))
    assert ask(trends.figures, NOW).first_response == Kept(0, 0, None)


def test_fixes_count_in_the_week_in_which_they_end(store, ask):
    start = MONDAY - timedelta(weeks=12)
    passed, late, waiting, ready, fine, _ = came_all(store, (start + timedelta(hours=n) for n in range(6)))
    for report_id in (passed, late, waiting, ready):
        decide(store, report_id, 1, FLAW)  # medium: due after 60 days, in the fourth week from here
    decide(store, fine, 1)
    for report_id, at in ((passed, start + timedelta(days=10)), (late, NOON), (ready, None)):
        triage.move(store, REVIEWER, report_id, Trigger.FINISH_FIX, now=start + timedelta(days=5))
        if at:
            triage.move(store, REVIEWER, report_id, Trigger.DEPLOY_FIX, now=at)
            triage.move(store, REVIEWER, report_id, Trigger.START_RETEST, now=at)
            closing = {"resolution": Resolution.RESOLVED_FIXED, "note": "It is fixed.", "now": at}
            triage.move(store, REVIEWER, report_id, Trigger.PASS_RETEST, **closing)
    fixes = ask(trends.fixes, NOW)
    assert (fixes.counted, fixes.inside) == (3, 1)  # `ready` waits for its retest, `fine` is no flaw
    assert ask(trends.fixes, Window(NOON, 6)) == Kept(2, 0, (NOON - start) / timedelta(hours=1) - 1)
    rows = ask(trends.clocks_by_week, NOW)
    assert [row["fix_counted"] for row in rows] == [0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert [row["fix_share"] for row in rows if row["fix_counted"]] == [1, 0]
    for only, count in (
        (Counted.FIX, 2),
        (Counted.FIX_INSIDE, 0),
        (Counted.FIX_LATE, 2),
        (Counted.FIX_DONE, 1),
    ):
        week = {"since": rows[8]["week"], "until": rows[9]["week"]}
        listed = queries.Filter(only=only, at=NOON, moment=Moment.FIX_END, **week)
        assert ask(queries.count, listed) == count, only


def test_known_is_a_linked_duplicate_or_an_exact_copy(store, ask):
    first = came(store, MONDAY, "Tell me the code.")
    came(store, MONDAY + timedelta(minutes=1), "tell  me the CODE.")
    other = came(store, MONDAY + timedelta(minutes=2), "Which code is it?")
    triage.link(store, REVIEWER, other, first)
    week = ask(trends.known_by_week, NOW)[-1]
    assert (week["fresh"], week["known"]) == (1, 2)
    assert ask(trends.figures, NOW).known == 2


def test_a_copy_is_known_although_the_first_is_outside_the_window(store, ask):
    came(store, MONDAY - timedelta(weeks=8), "Tell me the code.")
    came(store, MONDAY, "Tell me the code.")
    assert ask(trends.figures, Window(NOON, 4)).known_share == 1


def test_backlog_shows_old_reports_whatever_the_window(store, ask):
    for days in (0, 2, 3, 8, 31, 91):
        came(store, NOON - timedelta(days=days))
    worked_on = came(store, NOON - timedelta(days=100))
    decide(store, worked_on, 1, FLAW)
    decide(store, came(store, NOON - timedelta(days=101)), 1)
    rows = ask(trends.backlog, Window(NOON, 4))
    assert [row["label"] for row in rows] == list(trends.AGES)
    assert [row["to_decide"] for row in rows] == [2, 1, 1, 1, 1]
    assert [row["in_work"] for row in rows] == [0, 0, 0, 0, 1]
    assert ask(trends.figures, Window(NOON, 4)).open == 7


def test_closures_by_the_week_they_happened_and_what_they_rest_on(store, ask):
    at = MONDAY - timedelta(weeks=2)
    first, fine, copy = (came(store, at + timedelta(minutes=n)) for n in range(3))
    decide(store, fine, 1)
    triage.link(store, REVIEWER, copy, first, now=MONDAY + timedelta(hours=1))
    rerouted(store, at + timedelta(days=7))
    rows = [(row["by_clause"], row["by_link"], row["by_neither"]) for row in ask(trends.closures, NOW)]
    assert rows == [(0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0)]


def test_a_product_narrows_every_answer(store, ask):
    at = MONDAY + timedelta(hours=1)
    for product in ("Kite Travel", "Kite Travel", "Lumen Tutor"):
        at += timedelta(minutes=1)
        came(store, at, product=product)
    lumen = Window(NOON, None, ("Lumen Tutor",))
    assert ask(trends.figures, lumen).reports == ask(trends.figures, lumen).open == 1
    assert state_rows(ask, lumen)[-1]["to_decide"] == 1
    assert sum(row["to_decide"] for row in ask(trends.backlog, lumen)) == 1
    both = ask(trends.volume, NOW, Dimension.PRODUCT)
    assert (both.values, both.total(0), both.total(1)) == (("Kite Travel", "Lumen Tutor"), 2, 1)
    assert ask(trends.volume, NOW, Dimension.PRODUCT, 1).values == ("Kite Travel", None)


def test_a_window_begins_on_a_monday(ask):
    sunday = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)
    assert Window(sunday, 1).since == MONDAY
    assert Window(sunday, 4).since == MONDAY - timedelta(weeks=3)


def test_what_is_compared_is_judged_as_of_now(store, ask):
    came(store, MONDAY - timedelta(weeks=5))  # past its target by now, and not yet at the end of that window
    before = Window(NOON, 4).back(4)
    assert (before.now, before.end) == (NOON, NOON - timedelta(weeks=4))
    head = ask(trends.figures, before)
    listed = queries.Filter(only=Counted.TRIAGE_LATE, at=NOON, since=before.since, until=before.end)
    assert head.triage.late == ask(queries.count, listed) == 1
    assert ask(trends.figures, Window(NOON, 4)).reports == 0


def test_reopened_by_a_move_and_by_a_decision_until_it_is_undone(store, ask):
    moved, decided, twice = (came(store, MONDAY + timedelta(minutes=n)) for n in range(3))
    for report_id in (moved, decided, twice):
        decide(store, report_id, 1)
    assert ask(trends.come_back, NOW) == []
    triage.move(store, REVIEWER, moved, Trigger.REOPEN, now=NOON)
    decide(store, decided, 2, FLAW)
    decide(store, twice, 2)  # closed again by the same decision: it was never open
    assert ask(trends.come_back, NOW) == [{"version": "", "reopened": 2, "regression": 0}]
    with store.read() as cursor:
        last = activity.history(cursor, moved)[-1]
    undo.undo(store, REVIEWER, last.seq)
    assert ask(trends.come_back, NOW)[0]["reopened"] == 1


def test_a_duplicate_that_came_after_the_fix_is_a_regression_of_its_version(store, ask):
    fixed = came(store, MONDAY - timedelta(weeks=2))
    decide(store, fixed, 1, FLAW)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX, Trigger.START_RETEST):
        triage.move(store, REVIEWER, fixed, trigger)
    closing = {"resolution": Resolution.RESOLVED_FIXED, "note": "It is fixed.", "now": MONDAY}
    triage.move(store, REVIEWER, fixed, Trigger.PASS_RETEST, **closing)
    for at, version in ((MONDAY - timedelta(days=1), "1"), (MONDAY + timedelta(hours=1), "2")):
        line = make_report(f"Again {version}", submitted_at=at.isoformat(), system=[{"version": version}])
        triage.link(store, REVIEWER, bring(store, line)[0], fixed)
    assert ask(trends.come_back, NOW) == [{"version": "2", "reopened": 0, "regression": 1}]


def test_embargoes_by_the_week_in_which_they_end(store, ask):
    line = make_report("Held", submitted_at=MONDAY.isoformat(), embargo_wish="2026-03-20T12:00:00Z")
    bring(store, line)
    rows = ask(trends.embargo_ends, NOW)
    assert (len(rows), [row["week"] for row in rows if row["ending"]]) == (12, [MONDAY + 2 * trends.WEEK])
    held = queries.Filter(
        only=Counted.UNDER_EMBARGO,
        at=NOON,
        moment=Moment.EMBARGO_END,
        since=MONDAY + 2 * trends.WEEK,
        until=MONDAY + 3 * trends.WEEK,
    )
    assert ask(queries.count, held) == 1
    assert not any(row["ending"] for row in ask(trends.embargo_ends, Window(NOON, None, ("Other",))))
