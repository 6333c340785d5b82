"""Whatever both sides do, in whatever order: nothing that is under an active embargo leaves by any door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.making import EVERYBODY, FLAW, ML_ENGINEER, POLICY, REVIEWER, Clock, make_report
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.desk import triage
from triage_core.desk.undo import undo
from triage_core.disclosure import disclosure, sharing
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo import Use
from triage_core.disclosure.embargo_machine import MAY_END, Party
from triage_core.disclosure.withheld import Desk
from triage_core.errors import Refused
from triage_core.exporters.build import preview
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import ExportRequest
from triage_core.lifecycle import Trigger
from triage_core.model import Channel, Exploitation, Tlp
from triage_core.store import Store

CLOCK = Clock()
NUMBERS = st.integers(0, 3)
SIDES = st.sampled_from(list(Party))
EVERYTHING = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
    " AND table_catalog = current_database() AND table_name NOT IN ('tracking_keys', 'intake_keys')"
)


class Channels(RuleBasedStateMachine):
    """Four reports of which the last has the very words of the first, in a store that other runs share."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.desk = Desk(self.store)  # one for the whole walk, as a server has

    @initialize(wishes=st.lists(st.sampled_from([None, 1, 20, 100]), min_size=4, max_size=4))
    def receive(self, wishes: list[int | None]) -> None:
        self.start = self.store.revision
        self.words = [f"SENTINEL{self.start:06d}{number % 3}END" for number in range(4)]
        self.ids, self.keys = [], []
        for words, wish in zip(self.words, wishes, strict=True):
            line = make_report(
                words,
                consent_training="any_safety_training",
                consent_share_peers="under_embargo",
                what_is_wrong=f"It said {words}",
            )
            if wish:
                line["embargo_wish"] = (CLOCK.now + timedelta(days=wish)).isoformat()
            receipt = intake.receive(self.store, POLICY, reportformat.parse(line), Channel.FORM)
            self.ids.append(receipt.report_id)
            self.keys.append(ByKey(str(receipt.tracking_key)))

    def give(self, command: Any, *arguments: Any, **more: Any) -> None:
        with suppress(Refused):
            command(self.store, *arguments, **more)

    def who(self, side: Party, number: int) -> Any:
        return EVERYBODY if side is Party.COMPANY else self.keys[number]

    @rule(side=SIDES, number=NUMBERS, days=st.integers(1, 170))
    def propose(self, side: Party, number: int, days: int) -> None:
        end = CLOCK.now + timedelta(days=days)
        self.give(disclosure.propose, POLICY, self.who(side, number), self.ids[number], end)

    @rule(side=SIDES, number=NUMBERS, act=st.sampled_from([disclosure.accept, disclosure.reject]))
    def answer(self, side: Party, number: int, act: Any) -> None:
        self.give(act, self.who(side, number), self.ids[number])

    @rule(side=SIDES, number=NUMBERS)
    def terminate(self, side: Party, number: int) -> None:
        self.give(
            disclosure.terminate, self.who(side, number), self.ids[number], MAY_END[side][-1], note="done"
        )

    @rule(number=NUMBERS, known=st.sampled_from([Exploitation.PUBLIC_POC, Exploitation.ACTIVE]))
    def mark(self, number: int, known: Exploitation) -> None:
        self.give(disclosure.mark, POLICY, EVERYBODY, self.ids[number], known)

    @rule(number=NUMBERS, label=st.sampled_from(list(Tlp)))
    def label(self, number: int, label: Tlp) -> None:
        self.give(disclosure.set_tlp, EVERYBODY, self.ids[number], label, "so it is")

    @rule(number=NUMBERS)
    def assess(self, number: int) -> None:
        words = self.words[number]
        decision = replace(FLAW, better_answer=f"Rather not. {words}", note=f"It does say {words}")
        self.give(triage.assess, POLICY, EVERYBODY, self.ids[number], decision)

    @rule(number=NUMBERS, trigger=st.sampled_from([Trigger.FINISH_FIX, Trigger.DEPLOY_FIX]))
    def fix(self, number: int, trigger: Trigger) -> None:
        self.give(triage.move, EVERYBODY, self.ids[number], trigger)

    @rule(child=NUMBERS, canonical=NUMBERS)
    def link(self, child: int, canonical: int) -> None:
        self.give(triage.link, EVERYBODY, self.ids[child], self.ids[canonical])

    @rule(child=NUMBERS)
    def unlink(self, child: int) -> None:
        self.give(triage.unlink, EVERYBODY, self.ids[child])

    @rule(ago=st.integers(0, 4))
    def undo(self, ago: int) -> None:
        if self.store.revision - ago > self.start:
            self.give(undo, EVERYBODY, self.store.revision - ago)

    @rule(days=st.sampled_from([1, 5, 30]), swept=st.booleans())
    def wait(self, days: int, swept: bool) -> None:
        CLOCK.forward(days=days)
        if swept:
            disclosure.sweep(self.store, EVERYBODY)

    def held(self, cursor: db.Cursor) -> set[int]:
        """The rules told once more, as plainly as possible: the numbers of the reports that must stay in."""
        embargoes = {row["report_id"]: row for row in db.rows(cursor, "FROM embargoes")}
        links = {row["child_id"]: row["canonical_id"] for row in db.rows(cursor, "FROM active_links")}
        bound = set()
        for number, report_id in enumerate(self.ids):
            own = embargoes.get(report_id)
            if own is None or own["state"] not in {"active", "revise"}:
                continue
            root = links.get(report_id, report_id)
            group = [other for other in embargoes if links.get(other, other) == root]
            ends = [
                embargoes[other]["exited_at"] if embargoes[other]["state"] == "exited" else
                embargoes[other]["ends_at"] if embargoes[other]["state"] in {"active", "revise"} else None
                for other in group
            ]  # fmt: skip
            if all(end is None or end > CLOCK.now for end in ends):
                bound.add(number)
        covered = set(bound)
        for number, report_id in enumerate(self.ids):
            canonical = links.get(report_id)
            if canonical in self.ids and self.ids.index(canonical) in bound:
                covered.add(number)
            if any(other < number and self.words[other] == self.words[number] for other in bound):
                covered.add(number)
        return covered

    @invariant()
    def nothing_held_leaves(self) -> None:
        with self.store.read() as cursor:
            held = self.held(cursor)
            for number, report_id in enumerate(self.ids):
                out = [
                    self.told(sharing.record, cursor, report_id, use, CLOCK.now)
                    for use in (Use.PEER_RECORD, Use.PUBLIC)
                ]
                out.append(self.told(sharing.stub, cursor, report_id, "A title of ours", CLOCK.now))
                assert self.words[number] not in out[-1]
                if sharing.may_read(cursor, report_id, ML_ENGINEER, CLOCK.now):
                    out.append(self.words[number])
                assert number not in held or self.words[number] not in "".join(out), report_id
                self.went_out |= any(self.words[number] in one for one in out)
        self.datasets_hold_back(held, "classifier")  # the profile that takes every decision
        self.desk_holds_back(held)

    def desk_holds_back(self, held: set[int]) -> None:
        """Whatever question a page would ask for somebody who only learns from reports: no table tells the words."""
        desk = self.desk
        with desk.look(ML_ENGINEER, CLOCK.now) as cursor:
            tables = [row["table_name"] for row in db.rows(cursor, EVERYTHING)]
            for number, report_id in enumerate(self.ids):
                may = sharing.may_read(cursor, report_id, ML_ENGINEER, CLOCK.now)
                said = db.value(cursor, "SELECT turns::VARCHAR FROM reports WHERE report_id = ?", [report_id])
                assert (self.words[number] in said) == may, report_id
                assert ("Under embargo" in said) <= (number in held)
                self.read |= may
            whole = "".join(str(cursor.execute(f"FROM {table}").fetchall()) for table in tables)
            free = {self.words[number] for number in range(4) if number not in held}
            for number in held:
                assert self.words[number] in free or self.words[number] not in whole
        with desk.look(REVIEWER, CLOCK.now) as cursor:
            assert all(words in str(cursor.execute("FROM reports").fetchall()) for words in self.words)

    def teardown(self) -> None:
        with self.store.read() as cursor:
            held = self.held(cursor)
        for profile in PROFILES:
            self.datasets_hold_back(held, profile)

    def datasets_hold_back(self, held: set[int], profile: str) -> None:
        free = {self.words[number] for number in range(4) if number not in held}
        rows = preview(self.store, POLICY, ExportRequest(profile, Path("unused")), limit=1_000).rows
        text = str(rows)
        for number in held:
            assert self.words[number] in free or self.words[number] not in text, profile
            assert self.ids[number] not in {row["meta"]["meta_report_id"] for row in rows}
        self.trained |= any(words in text for words in free)

    went_out = trained = read = False

    @staticmethod
    def told(door: Any, *arguments: Any) -> str:
        try:
            return str(door(*arguments))
        except Refused:
            return ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path, CLOCK)
    yield opened
    opened.verify()
    opened.close()


def test_nothing_under_an_active_embargo_leaves_by_any_door(store: Store) -> None:
    machines: list[Channels] = []

    def make() -> Channels:
        machines.append(Channels(store))
        return machines[-1]

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        make, settings=settings(max_examples=8, stateful_step_count=12)
    )
    assert any(machine.went_out for machine in machines), "a gate that is always closed proves nothing"
    assert any(machine.trained for machine in machines)
    assert any(machine.read for machine in machines)
