"""What the desk remembers of its last look is followed, event by event, to what it would find anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from tests.making import EVERYBODY, ML_ENGINEER, POLICY, make_report, open_store
from tests.property.channels import CLOCK, NUMBERS, WISHES, Channels
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.desk import claims, triage
from triage_core.disclosure.withheld import Desk
from triage_core.model import Channel
from triage_core.store import Store


class Looks(Channels):
    """The walk over three linked reports and a copy; one desk looks after each step, one now and then."""

    withheld = 0

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seldom = Desk(store)

    @initialize(wishes=WISHES)
    def receive(self, wishes: list[int | None]) -> None:
        super().receive(wishes)
        for child in self.ids[1:3]:
            triage.link(self.store, EVERYBODY, child, self.ids[0])

    @rule(number=NUMBERS)
    def say_it_again(self, number: int) -> None:
        report = reportformat.parse(make_report(self.words[number]))
        intake.receive(self.store, POLICY, report, Channel.FORM)

    @rule(number=NUMBERS)
    def claim(self, number: int) -> None:
        self.give(claims.claim, EVERYBODY, self.ids[number])

    @rule(days=st.integers(1, 10))
    def time_alone(self, days: int) -> None:
        CLOCK.forward(days=days)

    @rule()
    def look_after_a_while(self) -> None:
        self.follows(self.seldom)

    @invariant()
    def look(self) -> None:
        self.follows(self.desk)

    def teardown(self) -> None:
        self.follows(self.seldom)

    def follows(self, desk: Desk) -> None:
        anew = self.told(Desk(self.store))
        assert self.told(desk) == anew
        self.withheld = max(self.withheld, len(anew))

    def told(self, desk: Desk) -> list[db.Row]:
        with desk.look(ML_ENGINEER, CLOCK.now) as cursor:
            return db.rows(cursor, "FROM withheld ORDER BY ALL")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, CLOCK)
    yield opened
    opened.close()


@pytest.mark.slow
def test_what_is_followed_is_what_is_found_anew(store: Store) -> None:
    machines: list[Looks] = []

    def make() -> Looks:
        machines.append(Looks(store))
        return machines[-1]

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        make, settings=settings(max_examples=5, stateful_step_count=15)
    )
    assert any(machine.withheld for machine in machines), "where nothing is withheld, nothing is followed"
