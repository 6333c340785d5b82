"""Whatever both sides do, in whatever order: nothing that is under an active embargo leaves by any door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from tests.making import EVERYBODY, ML_ENGINEER, POLICY, REVIEWER, open_store
from tests.property.channels import CLOCK, NUMBERS, WISHES, Channels
from triage_core import db
from triage_core.advisories import advising, advisory_board, answering, peers
from triage_core.advisories.advisory_board import Told
from triage_core.channel import reporter
from triage_core.disclosure import sharing
from triage_core.disclosure.embargo import Use
from triage_core.errors import Refused
from triage_core.exporters.build import preview
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import ExportRequest
from triage_core.model import ProductStatus
from triage_core.store import Store

EVERYTHING = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
    " AND table_catalog = current_database() AND table_name NOT IN ('tracking_keys', 'intake_keys')"
)


class Doors(Channels):
    """After each step of the walk, every door is tried."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.unshared: set[int] = set()

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

    @initialize(wishes=WISHES)
    def receive(self, wishes: list[int | None]) -> None:
        """Of each report a peer is told; from the first one on it takes part, as far as it agrees."""
        Channels.receive(self, wishes)
        name = f"Heron {self.start}"
        _, self.peer_key = peers.add(self.store, EVERYBODY, name)
        self.agreed: dict[int, Any] = {}
        self.advisories = []
        for report_id in self.ids:
            opened = advising.open_advisory(
                self.store, EVERYBODY, report_id, "A title of ours", "It may reach"
            )
            self.advisories.append(
                advising.tell(self.store, EVERYBODY, opened.advisory_id, [name]).advisory_id
            )
        self.peer_accepts(0)

    @rule(number=NUMBERS)
    def peer_accepts(self, number: int) -> None:
        end = self.shown_end(number)
        with suppress(Refused):
            answering.accept(self.store, self.peer_key, self.advisories[number], end)
            self.agreed[number] = max(end, self.agreed.get(number, end))

    @rule(number=NUMBERS)
    def peer_answers(self, number: int) -> None:
        """What it says of its product may repeat what it was told."""
        note = f"We see {self.words[number]} too"
        status = ProductStatus.KNOWN_AFFECTED
        self.give(answering.answer, self.peer_key, self.advisories[number], status, note)

    @rule(number=NUMBERS)
    def reporter_ends_sharing(self, number: int) -> None:
        reporter.end_sharing(self.store, self.ids[number])
        self.unshared.add(number)

    def told_now(self, number: int) -> Told:
        with self.store.read() as cursor:
            return advisory_board.told(
                cursor, peers.of_key(cursor, self.peer_key), self.advisories[number], CLOCK.now
            )

    def shown_end(self, number: int) -> Any:
        stub = self.told_now(number).stub
        return stub and stub.embargo_end

    def peer_may(self, number: int, held: set[int], end: Any) -> bool:
        """The door in plain words: what it agreed to lasts as long as the embargo, and the reporter agrees."""
        agreed = self.agreed.get(number)
        return number not in self.unshared and (
            number not in held or (agreed is not None and end is not None and end <= agreed)
        )

    @invariant()
    def the_peer_gets_what_it_agreed_to(self) -> None:
        with self.store.read() as cursor:
            held = self.held(cursor)
            shown = advisory_board.told_to(cursor, peers.of_key(cursor, self.peer_key), CLOCK.now)
        assert [one.advisory_id for one in shown] == self.advisories[::-1]
        for number, found in enumerate(reversed(shown)):
            words = self.words[number]
            assert words not in str(shown).replace(f"We see {words} too", ""), "a stub tells nothing"
            if found.rule is None:
                assert self.peer_may(number, held, found.stub and found.stub.embargo_end), self.ids[number]
                self.shared |= number in held

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
        for number, advisory_id in enumerate(self.advisories):
            out = self.told(answering.read, self.store, self.peer_key, advisory_id)
            assert self.peer_may(number, held, self.shown_end(number)) or not out
            assert (self.words[number] in out) == (self.told_now(number).rule is None)

    def datasets_hold_back(self, held: set[int], profile: str) -> None:
        free = {self.words[number] for number in range(4) if number not in held}
        rows = preview(self.store, POLICY, ExportRequest(profile, Path("unused")), limit=1_000).rows
        text = str(rows)
        for number in held:
            assert self.words[number] in free or self.words[number] not in text, profile
            assert self.ids[number] not in {row["meta"]["meta_report_id"] for row in rows}
        self.trained |= any(words in text for words in free)

    went_out = trained = read = shared = False

    @staticmethod
    def told(door: Any, *arguments: Any) -> str:
        try:
            return str(door(*arguments))
        except Refused:
            return ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, CLOCK)
    yield opened
    opened.verify()
    opened.close()


def test_nothing_under_an_active_embargo_leaves_by_any_door(store: Store) -> None:
    machines: list[Doors] = []

    def make() -> Doors:
        machines.append(Doors(store))
        return machines[-1]

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        make, settings=settings(max_examples=4, stateful_step_count=12)
    )
    assert any(machine.went_out for machine in machines), "a gate that is always closed proves nothing"
    assert any(machine.trained for machine in machines)
    assert any(machine.read for machine in machines)
    assert any(machine.shared for machine in machines)
