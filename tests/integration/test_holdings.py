"""What holds some reports is what the embargoes of all say, each looked at by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.embargoed import DAY, LEAD, send
from tests.making import NOON, POLICY, REVIEWER, Clock
from triage_core import db
from triage_core.desk import triage
from triage_core.disclosure import disclosure, embargo, embargo_board, embargoes, holdings, sharing
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.model import EmbargoState, Exploitation, Tlp
from triage_core.store import Store


def last_end(every: dict[str, db.Row], report: str, now: datetime) -> datetime | None:
    """The latest end of what holds a report now: it, its canonical report, and earlier ones of its conversation."""
    mine = every[report]
    ends = [
        row["binding_end"]
        for name, row in every.items()
        if name in {report, mine["canonical_id"]}
        or (row["content_sha256"] == mine["content_sha256"] and row["seq"] < mine["seq"])
        if row["state"] and embargo.is_active(EmbargoState(row["state"]), row["binding_end"], now)
    ]
    return max(ends, default=None)


def test_a_report_is_held_by_what_the_embargoes_of_all_say(tmp_path) -> None:
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
            every = {report: row for report in ids if (row := embargo_board.one(cursor, report))}
            told_again = embargoes.held(cursor, now)
            for report, holding in found.items():
                terms = embargoes.terms(every[report], told_again.covers(every[report]))
                assert (holding.terms, holding.held) == (terms, embargo.is_held(terms, now))
                assert holding.end == last_end(every, report, now)
                if terms.tlp is not Tlp.RED:
                    assert holding.stub("x") == sharing.stub(cursor, report, "x", now)
                seen.add((holding.held, terms.earlier_copy_held, holding.suggested))
            assert holdings.of(cursor, [], now) == {}
    assert {held for held, _, _ in seen} == {copy for _, copy, _ in seen} == {True, False}
    assert Tlp.CLEAR in {suggested for _, _, suggested in seen}
    store.close()
