"""What of a report under an embargo leaves, for whom, and with which end."""

from __future__ import annotations

import pytest

from tests.embargoed import DAY, LEAD, binding, send
from tests.making import EVERYBODY, ML_ENGINEER, NOON, REVIEWER, Clock, bring, make_report
from triage_core import exchange
from triage_core.desk import triage
from triage_core.disclosure import disclosure, sharing
from triage_core.disclosure.embargo import Stub, Use
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.errors import GateClosed, NotFound
from triage_core.model import EmbargoState, HarmType, Tlp
from triage_core.store import Store


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


@pytest.mark.parametrize("name", exchange.FORMATS)
def test_what_is_told_to_a_peer_is_what_the_gate_let_out(store: Store, clock: Clock, name: str) -> None:
    report, _ = send(
        store, "Words of the report.", contact="someone@example.org", consent_share_peers="under_embargo"
    )  # fmt: skip
    advisory = exchange.Advisory("KITE-1", "A code leaks", "Kite", "https://kite.example", NOON)
    with store.read() as cursor:
        stub = sharing.stub(cursor, report, advisory.title, NOON)
        record = sharing.record(cursor, report, Use.PEER_RECORD, NOON, recipient_accepted=True)
    short, full = exchange.written(name, stub, advisory), exchange.written(name, record, advisory)
    assert b"Words of the report." in full
    assert b"someone@example.org" not in full
    for word in (b"Words of the report", b"It gave away", b"Kite Travel", b"kite-2", report.encode()):
        assert word not in short
    for document in (short, full):
        assert b"AMBER+STRICT" in document
        assert b"2026-04-16T12:00:00Z" in document
