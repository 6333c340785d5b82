"""Whatever both sides do, in whatever order: nothing that is under an active embargo leaves by any door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.making import ML_ENGINEER, POLICY, REVIEWER
from tests.property.channels import CLOCK, Channels
from triage_core import db
from triage_core.disclosure import sharing
from triage_core.disclosure.embargo import Use
from triage_core.errors import Refused
from triage_core.exporters.build import preview
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import ExportRequest
from triage_core.store import Store

EVERYTHING = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
    " AND table_catalog = current_database() AND table_name NOT IN ('tracking_keys', 'intake_keys')"
)


class Doors(Channels):
    """After each step of the walk, every door is tried."""

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
