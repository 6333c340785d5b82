"""Lists of reports: which a filter finds, in which order, and that a page, its count and its ids agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.making import FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db, queries
from triage_core.channel import messages, reporter
from triage_core.desk import bulk, claims, triage, views
from triage_core.desk.decision import Decision
from triage_core.errors import NotAllowed, NotFound, Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole
from triage_core.queries import Filter, Only, Sort
from triage_core.store import Store

OTHER = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
OPERATOR = Actor("test:op", "Op", frozenset({DeskRole.OPERATOR}))


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """Six reports, FR-1 the oldest; on a Monday at noon, one came in each day since last Wednesday."""
    opened = open_store(tmp_path, clock)
    for number in range(1, 7):
        at = NOON - timedelta(days=6 - number)
        product = [{"platform": "Kite" if number % 2 else "Lumen"}]
        line = make_report(f"Question {number}", submitted_at=at.isoformat(), system=product)
        bring(opened, line)
    yield opened
    opened.close()


def found(store: Store, chosen: Filter, sort: Sort = Sort.OLDEST) -> list[str]:
    """What a filter lists; the page, the queue, the snapshot and the count must say the same."""
    with store.read() as cursor:
        rows = queries.inbox(cursor, chosen, sort)
        ids = [row["report_id"] for row in rows]
        assert queries.queue(cursor, chosen, sort) == ids
        assert queries.snapshot(cursor, chosen, sort, 100) == {
            row["report_id"]: row["version"] for row in rows
        }
        assert queries.count(cursor, chosen) == len(ids)
    return ids


def only(which: Only, at: Any = NOON, who: str = "", **more: Any) -> Filter:
    return Filter(only=which, at=at, who=who, **more)


def test_pages_follow_one_another(store: Store) -> None:
    with store.read() as cursor:
        pages = [queries.inbox(cursor, Filter(), Sort.NEWEST, page, 4) for page in (1, 2, 3)]
    assert [[row["report_id"] for row in rows] for rows in pages] == [
        ["FR-6", "FR-5", "FR-4", "FR-3"],
        ["FR-2", "FR-1"],
        [],
    ]


def test_due_first_goes_by_the_clocks_that_still_run(store: Store) -> None:
    # Its response is met, its triage is not.
    triage.move(store, REVIEWER, "FR-1", Trigger.ASK_REPORTER, note="Which one?")
    triage.assess(store, POLICY, REVIEWER, "FR-2", FLAW)  # the fix is due in weeks
    triage.assess(store, POLICY, REVIEWER, "FR-3", Decision(("EXP-1",)))  # closed: no clock runs
    assert found(store, Filter(), Sort.DUE)[-2:] == ["FR-2", "FR-3"]
    with store.read() as cursor:
        due = {row["report_id"]: row["next_due"] for row in queries.inbox(cursor, Filter())}
        cases = {row["report_id"]: row for row in db.rows(cursor, "FROM cases")}
    assert due["FR-1"] == cases["FR-1"]["triage_due"] > cases["FR-1"]["response_due"]
    assert due["FR-2"] == cases["FR-2"]["fix_due"]
    assert due["FR-3"] is None
    assert due["FR-4"] == cases["FR-4"]["response_due"]


def test_late_and_breaching_go_by_the_same_clock(store: Store, clock: Clock) -> None:
    with store.read() as cursor:
        due = {row["report_id"]: row["next_due"] for row in queries.inbox(cursor, Filter())}
    at = due["FR-3"] + timedelta(minutes=1)
    late = [name for name in sorted(due) if due[name] < at]
    soon = [name for name in sorted(due) if due[name] < at + queries.BREACHING_WITHIN]
    assert found(store, only(Only.LATE, at)) == late
    assert found(store, only(Only.BREACHING, at)) == soon
    assert late != soon
    clock.now = at
    for name in late:
        triage.move(store, REVIEWER, name, Trigger.ASK_REPORTER, note="Which one?")
    assert found(store, only(Only.LATE, at)) == []


def test_mine_is_what_is_my_task_or_what_i_hold(store: Store, clock: Clock) -> None:
    claims.assign(store, REVIEWER, "FR-2", OTHER)
    claims.assign(store, REVIEWER, "FR-4", REVIEWER)
    claims.claim(store, OTHER, "FR-5")
    assert found(store, only(Only.MINE, clock.now, OTHER.actor_id)) == ["FR-2", "FR-5"]
    assert found(store, only(Only.MINE, clock.now, OTHER.actor_id, severity=["high"])) == []
    clock.forward(hours=1)
    assert found(store, only(Only.MINE, clock.now, OTHER.actor_id)) == ["FR-2"]


def test_what_is_snoozed_leaves_the_lists_until_it_wakes(store: Store, clock: Clock) -> None:
    claims.snooze(store, REVIEWER, "FR-2", NOON + timedelta(hours=5))
    assert "FR-2" not in found(store, Filter(at=NOON))
    assert found(store, only(Only.SNOOZED)) == ["FR-2"]
    assert "FR-2" in found(store, Filter())
    assert "FR-2" in found(store, only(Only.LATE, NOON + timedelta(hours=4, minutes=59)))  # clocks run on
    clock.forward(hours=5)
    assert "FR-2" in found(store, Filter(at=clock.now))
    assert found(store, only(Only.SNOOZED, clock.now)) == []


def test_an_embargo_that_ends_soon(store: Store) -> None:
    with store.write(REVIEWER, "end_embargo") as work:
        for name, state, days in (
            ("FR-1", "active", 6),
            ("FR-2", "active", 8),
            ("FR-3", "exited", 6),
            ("FR-4", "revise", 1),
        ):
            row = {"report_id": name, "state": state, "ends_at": NOON + timedelta(days=days)}
            db.insert(work.cursor, "embargoes", [row | {"proposed_by": "", "exit_reason": ""}])
    assert found(store, only(Only.EMBARGO)) == ["FR-1", "FR-4"]
    assert found(store, only(Only.EMBARGO, NOON + timedelta(days=2))) == ["FR-1", "FR-2"]


def test_what_a_reporter_wrote_is_listed_until_somebody_acts(store: Store, clock: Clock) -> None:
    """Also about a closed report: who objects to a closing wrote to nobody."""
    assert found(store, only(Only.WROTE)) == []
    triage.assess(store, POLICY, REVIEWER, "FR-2", Decision(("OOS-2",)))
    clock.forward(minutes=1)
    messages.answer(store, "FR-2", "It did not refuse: see the second turn.")
    messages.answer(store, "FR-3", "I meant version 3.")
    reporter.withdraw(store, "FR-4")  # says all there is to say
    assert found(store, only(Only.WROTE)) == ["FR-2", "FR-3"]
    clock.forward(minutes=1)
    messages.ask(store, REVIEWER, "FR-2", "Which one?")
    reporter.withdraw(store, "FR-3")
    messages.answer(store, "FR-4", "I withdrew the wrong one.")
    assert found(store, only(Only.WROTE)) == ["FR-4"]


def test_filters_of_the_report_itself_narrow_what_is_picked_out(store: Store) -> None:
    claims.assign(store, REVIEWER, "FR-1", REVIEWER)
    claims.assign(store, REVIEWER, "FR-2", REVIEWER)
    mine = only(Only.MINE, NOON, REVIEWER.actor_id, platform=["Lumen"])
    assert found(store, mine) == ["FR-2"]
    assert found(store, Filter(words="QUESTION 4")) == ["FR-4"]
    assert found(store, Filter(words="FR-5")) == ["FR-5"]
    assert found(store, Filter(harm=["misinformation"])) == []


def test_a_snapshot_is_cut_and_holds_the_versions(store: Store) -> None:
    triage.move(store, REVIEWER, "FR-1", Trigger.ASK_REPORTER, note="Which one?")
    with store.read() as cursor:
        assert queries.snapshot(cursor, Filter(), Sort.OLDEST, 2) == {"FR-1": 2, "FR-2": 1}
        assert queries.snapshot(cursor, Filter(), Sort.OLDEST, 2, 1) == {"FR-2": 1, "FR-3": 1}


def test_many_are_put_off_and_brought_back_at_once(store: Store) -> None:
    seen = {"FR-1": 1, "FR-2": 1, "FR-3": 9}
    done = bulk.snooze(store, REVIEWER, seen, NOON + timedelta(days=1))
    assert done.done == ("FR-1", "FR-2")
    assert found(store, only(Only.SNOOZED)) == ["FR-1", "FR-2"]
    assert done.batch
    bulk.undo_batch(store, REVIEWER, done.batch)
    assert found(store, only(Only.SNOOZED)) == []


def test_a_view_is_kept_replaced_and_forgotten_by_its_owner(store: Store) -> None:
    filters = {"state": "open", "severity": ["high", "critical"]}
    views.save(store, REVIEWER, "  My   worst ", filters)
    views.save(store, OTHER, "My worst", {})
    events = store.revision
    views.save(store, REVIEWER, "My worst", filters)
    assert store.revision == events
    views.save(store, REVIEWER, "My worst", {"state": "new"})
    with store.read() as cursor:
        assert views.of(cursor, REVIEWER) == [views.SavedView("My worst", {"state": "new"})]
    views.remove(store, REVIEWER, "My worst")
    with pytest.raises(NotFound):
        views.remove(store, REVIEWER, "My worst")
    views.save(store, REVIEWER, "My worst", filters)
    with store.read() as cursor:
        assert views.of(cursor, REVIEWER) == [views.SavedView("My worst", filters)]
        assert views.of(cursor, OTHER) == [views.SavedView("My worst", {})]
    store.verify()


def test_a_view_that_cannot_be_kept(store: Store) -> None:
    with pytest.raises(Refused, match="name"):
        views.save(store, REVIEWER, " ", {})
    with pytest.raises(Refused, match="name"):
        views.save(store, REVIEWER, "x" * (views.LONGEST_NAME + 1), {})
    with pytest.raises(Refused, match="filters"):
        views.save(store, REVIEWER, "x", {"words": "x" * views.LONGEST_FILTERS})
    with pytest.raises(NotAllowed):
        views.save(store, OPERATOR, "x", {})
    for number in range(views.MOST):
        views.save(store, REVIEWER, f"{number}", {})
    with pytest.raises(Refused, match="at most"):
        views.save(store, REVIEWER, "one more", {})


def test_breaching_takes_in_other_clocks_in_the_order_of_all(store: Store) -> None:
    triage.assess(store, POLICY, REVIEWER, "FR-1", Decision(("EXP-1",)))  # closed: no clock of its own
    triage.assess(store, POLICY, REVIEWER, "FR-2", FLAW)  # the fix is due in weeks
    bounties = {"FR-1": NOON - timedelta(hours=30), "FR-2": NOON + timedelta(hours=1)}
    own = found(store, only(Only.BREACHING), Sort.DUE)
    chosen = only(Only.BREACHING, also=bounties)
    both = found(store, chosen, Sort.DUE)
    assert set(both) == {"FR-1", "FR-2", *own}
    with store.read() as cursor:
        dates = [row["next_due"] for row in queries.inbox(cursor, chosen, Sort.DUE)]
    assert dates == sorted(dates)
    assert dict(zip(both, dates, strict=True)).items() >= bounties.items()
    assert found(store, only(Only.BREACHING, also=bounties, status=["accepted"])) == ["FR-2"]
