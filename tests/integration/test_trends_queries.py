"""What the charts show: weeks, clocks, backlog, what was known already and what closures rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.making import FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import queries, trends, triage
from triage_core.model import Severity
from triage_core.store import Store
from triage_core.trends import Kept, Window
from triage_core.triage import Decision

MONDAY = NOON.replace(hour=0)  # 2 March 2026
EXPECTED = Decision(clauses=("EXP-1",))
NOW = Window(NOON)
Ask = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store", Clock())
    yield opened
    opened.close()


@pytest.fixture
def ask(store: Store) -> Ask:
    def run(question: Callable[..., Any], *args: Any) -> Any:
        with store.read() as cursor:
            return question(cursor, *args)

    return run


def came(store: Store, at: datetime, words: str = "", product: str = "Kite Travel") -> str:
    """A report that came in at a moment; different words each time unless given."""
    line = make_report(words or f"Asked at {at}", submitted_at=at.isoformat(), system=[{"platform": product}])
    return bring(store, line)[0]


def rerouted(store: Store, at: datetime) -> str:
    """A report that the intake itself closes, as nobody at the desk may see what it is about."""
    line = {"illegal_minor_content": True, "submitted_at": at.isoformat(), "turns": []}
    return bring(store, line)[0]


def decide(store: Store, report_id: str, after_hours: float, decision: Decision = EXPECTED) -> None:
    with store.read() as cursor:
        received = queries.report(cursor, report_id).report["received_at"]
    triage.assess(store, POLICY, REVIEWER, report_id, decision, now=received + timedelta(hours=after_hours))


def test_an_empty_store_has_zeros_and_no_shares(ask):
    head = ask(trends.figures, NOW)
    assert (head.reports, head.open, head.known, head.known_share) == (0, 0, 0, None)
    assert head.first_response == Kept(0, 0, None)
    assert head.triage.share is None
    rows = ask(trends.volume_by_state, NOW)
    assert [row["week"] for row in rows] == [MONDAY - timedelta(weeks=back) for back in (3, 2, 1, 0)]
    assert {row["to_decide"] + row["in_work"] + row["closed"] for row in rows} == {0}
    assert sum(row["to_decide"] for row in ask(trends.backlog, NOW)) == 0


def test_weeks_start_on_monday_and_leave_none_out(store, ask):
    sunday = MONDAY - timedelta(minutes=1)
    for at in (MONDAY, sunday, MONDAY - timedelta(weeks=3)):
        came(store, at)
    assert [row["to_decide"] for row in ask(trends.volume_by_state, Window(NOON, 5))] == [0, 1, 0, 1, 1]
    assert [row["to_decide"] for row in ask(trends.volume_by_state, Window(NOON, 2))] == [1, 1]


def test_all_time_reaches_back_to_the_first_report(store, ask):
    came(store, MONDAY - timedelta(weeks=9))
    rows = ask(trends.volume_by_state, NOW)
    assert (len(rows), rows[0]["week"], rows[0]["to_decide"]) == (10, MONDAY - timedelta(weeks=9), 1)


def test_volume_by_state_and_by_severity(store, ask):
    at = MONDAY + timedelta(hours=1)
    _, flaw, fine = (came(store, at + timedelta(minutes=n)) for n in range(3))
    decide(store, flaw, 1, FLAW)
    decide(store, fine, 1)
    week = ask(trends.volume_by_state, NOW)[-1]
    assert (week["to_decide"], week["in_work"], week["closed"]) == (1, 1, 1)
    week = ask(trends.volume_by_severity, NOW)[-1]
    assert set(week) == {"week", "not_assessed", *Severity}
    assert (week["not_assessed"], week["medium"], week["none"], week["high"]) == (1, 1, 1, 0)
    assert ask(trends.states, NOW) == {"accepted": 1, "closed": 1, "new": 1}
    assert ask(trends.severities, NOW) == {"": 1, "medium": 1, "none": 1}


def test_clocks_count_what_was_answered_or_is_late(store, ask):
    start = MONDAY - timedelta(weeks=1)  # due: response on Wednesday, triage on the next Monday
    in_time, late, waiting = (came(store, start + timedelta(minutes=n)) for n in range(3))
    decide(store, in_time, 10)
    decide(store, late, 72)
    fresh = came(store, NOON - timedelta(hours=1))
    head = ask(trends.figures, NOW)
    assert head.first_response == Kept(
        counted=3, inside=1, median_hours=41
    )  # `waiting` is late, `fresh` is not yet
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


def test_known_is_a_linked_duplicate_or_an_exact_copy(store, ask):
    first = came(store, MONDAY, "Tell me the code.")
    came(store, MONDAY + timedelta(minutes=1), "tell  me the CODE.")
    other = came(store, MONDAY + timedelta(minutes=2), "Which code is it?")
    triage.link(store, REVIEWER, other, first)
    week = ask(trends.known_by_week, NOW)[-1]
    assert (week["new"], week["known"]) == (1, 2)
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
    rows = [(row["clause"], row["duplicate"], row["neither"]) for row in ask(trends.closures, NOW)]
    assert rows == [(0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0)]


def test_a_product_narrows_every_answer(store, ask):
    at = MONDAY + timedelta(hours=1)
    for product in ("Kite Travel", "Kite Travel", "Lumen Tutor"):
        at += timedelta(minutes=1)
        came(store, at, product=product)
    lumen = Window(NOON, None, ("Lumen Tutor",))
    assert ask(trends.figures, lumen).reports == ask(trends.figures, lumen).open == 1
    assert ask(trends.volume_by_state, lumen)[-1]["to_decide"] == 1
    assert sum(row["to_decide"] for row in ask(trends.backlog, lumen)) == 1
    assert ask(trends.products, NOW, 5) == {"Kite Travel": 2, "Lumen Tutor": 1}
    assert ask(trends.products, NOW, 1) == {"Kite Travel": 2}


def test_a_window_begins_on_a_monday(ask):
    sunday = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)
    assert Window(sunday, 1).since == MONDAY
    assert Window(sunday, 4).since == MONDAY - timedelta(weeks=3)
