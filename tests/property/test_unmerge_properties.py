"""Un-merge is exact: whatever was linked, grouped and decided, taking it back restores the state, byte for byte.

Random commands of two people on six reports, with runs of the model in between and undos in any order:
each undo is clean or refused. Then all is undone backwards, and every earlier state comes back, to the
first one, and a last run of the model lays the clusters as they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_runtime
from triage_core import cases, db, told
from triage_core.clusters import cluster_work, groups
from triage_core.desk import activity, bulk, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.errors import Refused
from triage_core.likeness.axes import Axis
from triage_core.likeness.constraints import Constraints
from triage_core.model import Actor
from triage_core.runtime import Runtime

CLOCK = Clock()
PEOPLE = (REVIEWER, Actor("test:ines", "Ines", REVIEWER.roles))
DECISIONS = (FLAW, Decision(clauses=("OOS-1",)))
WORDS = (
    "sing a rude song about the clerk one",
    "sing a rude song about the clerk two",
    "sing a rude song about the clerk three",
    "multiply these two long numbers one",
    "multiply these two long numbers two",
    "wie heißt der Hund",
)
BOOKKEEPING = {"version", "updated_at", "updated_by"}
WHO = st.sampled_from(PEOPLE)
AXES = st.sampled_from(tuple(Axis))
REPORT = st.integers(0, len(WORDS) - 1)
SOME = st.sets(REPORT, min_size=1, max_size=4)


class Desk(RuleBasedStateMachine):
    """Two people on a store that is as it was in the beginning whenever a run begins."""

    def __init__(self, opened: Runtime) -> None:
        super().__init__()
        self.opened, self.store = opened, opened.store
        self.commands: list[tuple[range, str]] = []  # the events of each command, and the state before it

    @initialize()
    def begin(self) -> None:
        with self.store.read() as cursor:
            found = db.rows(cursor, "SELECT report_id FROM reports ORDER BY seq")
        self.ids = [row["report_id"] for row in found]
        self.start, self.first, self.laid = self.store.revision, self.state(), self.memberships()

    def state(self) -> str:
        """Everything that a decision can change, as bytes that can be compared."""
        with self.store.read() as cursor:
            rows = db.rows(cursor, "FROM cases ORDER BY report_id")
            found = {
                "cases": [{name: row[name] for name in row.keys() - BOOKKEEPING} for row in rows],
                "bound": db.rows(
                    cursor, "SELECT DISTINCT axis, one_id, other_id FROM bound_pairs ORDER BY ALL"
                ),
                "apart": db.rows(
                    cursor, "SELECT DISTINCT axis, one_id, other_id FROM apart_pairs ORDER BY ALL"
                ),
            }
        return json.dumps(found, sort_keys=True, default=str)

    def memberships(self) -> list[dict[str, Any]]:
        self.opened.likeness.refresh(EVERYBODY)
        with self.store.read() as cursor:
            return db.rows(cursor, "FROM memberships ORDER BY axis, report_id")

    def give(self, command: Any, *arguments: Any, **more: Any) -> None:
        """Give a command; a refused one changes nothing."""
        CLOCK.forward(minutes=7)
        last, before = self.store.revision, self.state()
        try:
            command(self.store, *arguments, **more)
        except Refused:
            assert (self.store.revision, self.state()) == (last, before)
        if self.store.revision > last:
            self.commands.append((range(last + 1, self.store.revision + 1), before))

    def cluster(self, axis: Axis, report: int) -> str:
        with self.store.read() as cursor:
            found = "SELECT cluster_id FROM memberships WHERE axis = ? AND report_id = ?"
            return str(db.value(cursor, found, [axis, self.ids[report]]))

    def inside(self, axis: Axis, chosen: set[int], among: int) -> list[str]:
        """Those of the chosen that share a cluster with the report `among`."""
        here = self.cluster(axis, among)
        return [self.ids[at] for at in sorted(chosen | {among}) if self.cluster(axis, at) == here]

    def seen(self, names: list[str]) -> dict[str, int]:
        with self.store.read() as cursor:
            return {name: cases.read(cursor, name)["version"] for name in names}

    @rule(who=WHO, child=REPORT, canonical=REPORT)
    def link(self, who: Actor, child: int, canonical: int) -> None:
        self.give(triage.link, who, self.ids[child], self.ids[canonical])

    @rule(who=WHO, child=REPORT)
    def unlink(self, who: Actor, child: int) -> None:
        self.give(triage.unlink, who, self.ids[child])

    @rule(who=WHO, one=REPORT, other=REPORT)
    def say_that_two_differ(self, who: Actor, one: int, other: int) -> None:
        self.give(triage.keep_apart, who, self.ids[one], self.ids[other])

    @rule(
        who=WHO,
        axis=AXES,
        some=SOME,
        among=REPORT,
        decision=st.sampled_from(DECISIONS),
        grouping=st.sampled_from(("", "same", "split")),
    )
    def assess(
        self, who: Actor, axis: Axis, some: set[int], among: int, decision: Decision, grouping: str
    ) -> None:
        seen = self.seen(self.inside(axis, some, among))
        name = self.cluster(axis, among)
        self.give(
            lambda store, *_: cluster_work.assess(
                store, POLICY, who, axis, name, seen, decision, grouping=grouping
            )
        )

    @rule(who=WHO, some=SOME, among=REPORT, decision=st.sampled_from((None, FLAW)))
    def accept(self, who: Actor, some: set[int], among: int, decision: Decision | None) -> None:
        seen, name = self.seen(self.inside(Axis.WHOLE, some, among)), self.cluster(Axis.WHOLE, among)
        self.give(lambda store, *_: cluster_work.accept(store, POLICY, who, name, seen, decision))

    @rule(who=WHO, axis=AXES, some=SOME, among=REPORT, singly=st.booleans())
    def split(self, who: Actor, axis: Axis, some: set[int], among: int, singly: bool) -> None:
        leaving = self.inside(axis, some, among)
        self.give(cluster_work.split, who, axis, self.cluster(axis, among), leaving, singly=singly)

    @rule(who=WHO, axis=AXES, some=SOME, among=REPORT, to=REPORT)
    def move(self, who: Actor, axis: Axis, some: set[int], among: int, to: int) -> None:
        names = self.inside(axis, some, among)
        self.give(cluster_work.move, who, axis, self.cluster(axis, among), names, self.cluster(axis, to))

    @rule(
        who=WHO,
        axis=AXES,
        one=REPORT,
        other=REPORT,
        command=st.sampled_from((cluster_work.merge, cluster_work.keep_apart)),
    )
    def two_clusters(self, who: Actor, axis: Axis, one: int, other: int, command: Any) -> None:
        self.give(command, who, axis, self.cluster(axis, one), self.cluster(axis, other))

    @rule(who=WHO, ago=st.integers(0, 5))
    def undo(self, who: Actor, ago: int) -> None:
        if self.store.revision - ago > self.start:
            self.give(undo, who, self.store.revision - ago)

    @rule(who=WHO, ago=st.integers(0, 5))
    def undo_all_of_it(self, who: Actor, ago: int) -> None:
        if self.store.revision - ago > self.start:
            self.give(bulk.undo_batch, who, self.store.revision - ago)

    @rule()
    def run_the_model(self) -> None:
        last = self.store.revision
        before = self.state()
        self.opened.likeness.refresh(EVERYBODY)
        assert self.state() == before
        # Its own events are no decisions; later undos count from here.
        self.commands.append((range(last + 1, last + 1), before))

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        with self.store.read() as cursor:
            assert told.disagreements(cursor) == []
            chains = "SELECT count(*) FROM active_links a JOIN active_links b ON a.canonical_id = b.child_id"
            assert db.value(cursor, chains) == 0
            for together, apart in groups.pairs(cursor).values():
                number = {name: at for at, name in enumerate(self.ids)}
                Constraints(
                    [(number[a], number[b]) for a, b in together], [(number[a], number[b]) for a, b in apart]
                )

    def teardown(self) -> None:
        for events, before in reversed(self.commands):
            for seq in reversed(events):
                with self.store.read() as cursor:
                    event = activity.event(cursor, seq)
                if not event.undone_by:  # it may have gone with a later one
                    undo(self.store, PEOPLE[0], seq)
            assert self.state() == before
        assert self.state() == self.first
        assert self.memberships() == self.laid


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    runtime = open_runtime(tmp_path, CLOCK)
    bring(runtime.store, *(make_report(words) for words in WORDS))
    runtime.likeness.refresh(EVERYBODY)
    yield runtime
    runtime.store.verify()
    runtime.close()


@pytest.mark.slow
def test_unmerging_restores_every_earlier_state_to_the_byte(opened: Runtime) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Desk(opened), settings=settings(max_examples=12, stateful_step_count=12)
    )
