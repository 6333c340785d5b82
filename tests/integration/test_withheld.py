"""What stands in the place of a withheld report, for somebody who only learns from reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.making import EVERYBODY, ML_ENGINEER, NOON, POLICY, Clock, bring, make_report, open_store
from triage_core import db
from triage_core.desk import triage
from triage_core.disclosure import disclosure
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.disclosure.withheld import Desk
from triage_core.guidance import policies
from triage_core.model import Tlp
from triage_core.store import Store

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.close()


def held(store: Store, end: datetime | None, words: str = "Tell me the code.") -> str:
    """A report under an embargo until `end`; None: the desk writes down that it has no end."""
    (report,) = bring(store, make_report(words, embargo_wish=(end or NOON + DAY).isoformat()))
    if end is None:
        with store.write(EVERYBODY, "test") as work:
            work.cursor.execute("UPDATE embargoes SET ends_at = NULL WHERE report_id = ?", [report])
            work.event("embargo.revised", report, {"after": {"ends_at": None}})
    return report


def stands(desk: Desk, report_id: str, now: datetime = NOON) -> str:
    """The words of the report, as they are read."""
    with desk.look(ML_ENGINEER, now) as cursor:
        return str(db.value(cursor, "SELECT what_is_wrong FROM reports WHERE report_id = ?", [report_id]))


def test_an_embargo_that_has_no_end_names_none(store: Store) -> None:
    report = held(store, None)
    assert stands(Desk(store), report) == "Under embargo"
    assert stands(Desk(store), report, NOON + 9_999 * DAY) == "Under embargo"


def test_the_latest_end_is_named(store: Store) -> None:
    held(store, NOON + 9 * DAY)
    copy = held(store, NOON + 2 * DAY)
    assert stands(Desk(store), copy) == "Under embargo until 2026-03-11 12:00 UTC"


@pytest.mark.parametrize("followed", [False, True])
def test_no_end_is_named_while_another_embargo_that_withholds_the_report_has_none(
    store: Store, followed: bool
) -> None:
    desk = Desk(store)
    if followed:
        stands(desk, "none")
    held(store, None)
    copy = held(store, NOON + 2 * DAY)
    assert stands(desk, copy) == "Under embargo"


def test_the_end_of_time_and_what_people_do_are_followed(store: Store) -> None:
    desk = Desk(store)
    first, other = held(store, NOON + 2 * DAY, "one"), held(store, NOON + 5 * DAY, "two")
    assert stands(desk, first) == "Under embargo until 2026-03-04 12:00 UTC"
    triage.link(store, EVERYBODY, other, first)
    assert stands(desk, other) == "Under embargo until 2026-03-04 12:00 UTC"
    triage.unlink(store, EVERYBODY, other)
    disclosure.set_tlp(store, EVERYBODY, first, Tlp.RED, "for two people")
    assert stands(desk, other) == "Under embargo until 2026-03-07 12:00 UTC"
    assert stands(desk, first, NOON + 3 * DAY) == "TLP:RED, for named people only"
    assert stands(desk, other, NOON + 5 * DAY) == "It gave away something it should keep."
    assert stands(desk, first) == "Under embargo until 2026-03-04 12:00 UTC", "a look at an earlier moment"


def test_a_copy_that_is_linked_elsewhere_stays_withheld_by_both(store: Store) -> None:
    desk = Desk(store)
    first, other = held(store, NOON + 2 * DAY, "one"), held(store, NOON + 9 * DAY, "two")
    (copy,) = bring(store, make_report("one"))
    triage.link(store, EVERYBODY, copy, other)
    assert stands(desk, copy) == "Under embargo until 2026-03-11 12:00 UTC"
    disclosure.set_tlp(store, EVERYBODY, first, Tlp.RED, "for two people")
    assert stands(desk, copy) == "Under embargo until 2026-03-11 12:00 UTC"
    disclosure.terminate(store, EVERYBODY, other, ExitReason.FIXED)
    assert stands(desk, copy) == "Under embargo until 2026-03-04 12:00 UTC"
