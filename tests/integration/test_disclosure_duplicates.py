"""The embargoes of linked duplicates: the earliest accepted date binds all."""

from __future__ import annotations

import pytest

from tests.embargoed import CRITICAL, DAY, LEAD, binding, is_held, send, stands, told
from tests.making import NOON, POLICY, REVIEWER, Clock, bring, make_report
from triage_core import queries, trends
from triage_core.channel import tracking
from triage_core.counted import Counted, Moment
from triage_core.desk import triage
from triage_core.desk.undo import undo
from triage_core.disclosure import disclosure, embargoes
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.errors import IllegalTransition
from triage_core.store import Store


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
