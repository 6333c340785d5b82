"""What is asked of many reports at once is what each of them would be told by itself."""

from __future__ import annotations

from datetime import timedelta

from tests.embargoed import DAY, LEAD, send
from tests.making import NOON, POLICY, REVIEWER, Clock
from triage_core.desk import triage
from triage_core.disclosure import disclosure, embargo, embargoes, holdings, sharing
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.model import Exploitation, Tlp
from triage_core.store import Store


def test_many_reports_are_held_as_each_is_by_itself(tmp_path) -> None:
    clock = Clock()
    store = Store(tmp_path, clock)
    wishes = ("one", 20), ("one", 40), ("one", 30), ("two", 10), ("three", 25), ("four", 45), ("five", 15)
    ids = []
    for words, days in wishes:
        report, _ = send(store, words, embargo_wish=(NOON + days * DAY).isoformat())
        ids.append(report)
        clock.forward(minutes=1)
    triage.link(store, REVIEWER, ids[4], ids[3])
    disclosure.set_tlp(store, LEAD, ids[5], Tlp.RED, "for a test")
    disclosure.mark(store, POLICY, LEAD, ids[6], Exploitation.PUBLIC_POC)
    disclosure.terminate(store, LEAD, ids[0], ExitReason.OTHER, note="for a test")
    seen = set()
    for hours in (0, 24 * 12, 24 * 22, 24 * 35, 24 * 60):
        now = NOON + timedelta(hours=hours, minutes=30)
        with store.read() as cursor:
            found = holdings.of(cursor, [*ids, "FR-99"], now)
            assert set(found) == set(ids)
            for report, holding in found.items():
                terms = sharing.terms(cursor, report, now)
                assert (holding.terms, holding.held) == (terms, embargo.is_held(terms, now))
                assert holding.end == embargoes.last_end(cursor, report, now)
                if terms.tlp is not Tlp.RED:
                    assert holding.stub("x") == sharing.stub(cursor, report, "x", now)
                seen.add((holding.held, terms.earlier_copy_held, holding.suggested))
            assert holdings.of(cursor, [], now) == {}
    assert {held for held, _, _ in seen} == {copy for _, copy, _ in seen} == {True, False}
    assert Tlp.CLEAR in {suggested for _, _, suggested in seen}
    store.close()
