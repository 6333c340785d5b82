"""Tickets: good for one thing, for a while, from one secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.making import NOON
from triage_core.tickets import Tickets

OURS = Tickets(b"ours")
END = NOON + timedelta(hours=1)


def test_a_ticket_opens_what_it_was_issued_for_until_its_end() -> None:
    ticket = OURS.issue("kto/1", END)
    assert OURS.holds("kto/1", ticket, NOON)
    assert not OURS.holds("kto/1", ticket, END)
    assert not OURS.holds("kto/2", ticket, NOON)
    assert not Tickets(b"another").holds("kto/1", ticket, NOON)


@pytest.mark.parametrize("ticket", ["", ".", "é.é", "99999999999.", "99999999999.00", "x" * 200])
def test_nobody_makes_one_up(ticket: str) -> None:
    assert not OURS.holds("kto/1", ticket, NOON)


def test_a_later_end_needs_another_signature() -> None:
    _, signature = OURS.issue("kto/1", END).split(".")
    assert not OURS.holds("kto/1", f"{int(END.timestamp()) + 1}.{signature}", NOON)


def test_the_secret_is_not_shown() -> None:
    assert "ours" not in repr(OURS)
