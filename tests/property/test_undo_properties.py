"""Undo over random decisions: all of it, backwards, leads through every earlier state; out of order, it is
clean: done to a state that there has been, or refused with the event and the person in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
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

from tests.making import FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db, queries, told
from triage_core.desk import activity, claims, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.desk.undoable import DECISION
from triage_core.disclosure import disclosure, embargoes
from triage_core.errors import Conflict, Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole, Severity
from triage_core.store import Store

CLOCK = Clock()
ROLES = frozenset({DeskRole.REVIEWER, DeskRole.DISCLOSURE_LEAD})
PEOPLE = (Actor(REVIEWER.actor_id, "Mara", ROLES), Actor("test:ines", "Ines", ROLES))
DECISIONS = (
    FLAW,
    replace(FLAW, better_answer="No."),
    replace(FLAW, override=Severity.HIGH, override_reason="seen in use", better_answer="Rather not."),
    Decision(clauses=("OOS-1",)),
)
TRIGGERS = (
    Trigger.ASK_REPORTER,
    Trigger.END_WAIT,
    Trigger.DEFER,
    Trigger.RESUME,
    Trigger.REVOKE,
    Trigger.REOPEN,
)
REPORTS = st.integers(0, 1)
BOOKKEEPING = {"version", "updated_at", "updated_by"}

State = dict[str, Any]


class Desk(RuleBasedStateMachine):
    """Two people and two reports of their own in a store that other runs share."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.commands: list[tuple[range, State]] = []  # the events of each command, and the state before it
        self.seen: set[tuple[Any, ...]] = set()

    @initialize()
    def receive(self) -> None:
        self.ids = bring(self.store, *(make_report(f"Question {number}") for number in range(2)))
        self.start = self.store.revision

    def state(self) -> State:
        """Everything that a decision can change about these reports."""
        with self.store.read() as cursor:
            rows = db.rows(
                cursor, "FROM cases WHERE list_contains(?, report_id) ORDER BY report_id", [self.ids]
            )
            return {
                "cases": [{name: row[name] for name in row.keys() - BOOKKEEPING} for row in rows],
                "links": db.rows(
                    cursor,
                    "SELECT child_id, canonical_id FROM active_links WHERE list_contains(?, child_id) ORDER BY ALL",
                    [self.ids],
                ),
                "apart": db.rows(
                    cursor,
                    "SELECT a_id, b_id FROM active_cannot_links WHERE list_contains(?, b_id) ORDER BY ALL",
                    [self.ids],
                ),
                "embargoes": [
                    {**embargoes.row(cursor, report_id), "version": None} for report_id in self.ids
                ],
                "answers": [queries.better_answer(cursor, report_id) for report_id in self.ids],
            }

    def give(self, command: Any, *arguments: Any) -> None:
        """Give a command; a refused one changes nothing."""
        CLOCK.forward(minutes=7)
        last, before = self.store.revision, self.present
        try:
            command(self.store, *arguments)
        except Refused as refusal:
            assert (self.store.revision, self.state()) == (last, before)
            if command is undo and isinstance(refusal, Conflict):
                self.check_names_who(refusal)
        if self.store.revision > last:
            self.commands.append((range(last + 1, self.store.revision + 1), before))

    def check_names_who(self, conflict: Conflict) -> None:
        named = re.search(r"event (\d+) \(([\w.]+) [\w-]+\) of (\S+?)(?: |$)", conflict.rule)
        assert named, conflict.rule
        with self.store.read() as cursor:
            event = activity.event(cursor, int(named[1]))
        assert (event.kind, event.actor_id) == (named[2], named[3])

    @rule(who=st.sampled_from(PEOPLE), report=REPORTS, decision=st.sampled_from(DECISIONS))
    def assess(self, who: Actor, report: int, decision: Decision) -> None:
        self.give(triage.assess, POLICY, who, self.ids[report], decision)

    @rule(who=st.sampled_from(PEOPLE))
    def link(self, who: Actor) -> None:
        self.give(triage.link, who, self.ids[1], self.ids[0])

    @rule(who=st.sampled_from(PEOPLE))
    def unlink(self, who: Actor) -> None:
        self.give(triage.unlink, who, self.ids[1])

    @rule(who=st.sampled_from(PEOPLE))
    def keep_apart(self, who: Actor) -> None:
        self.give(triage.keep_apart, who, *self.ids)

    @rule(who=st.sampled_from(PEOPLE), report=REPORTS, trigger=st.sampled_from(TRIGGERS))
    def move(self, who: Actor, report: int, trigger: Trigger) -> None:
        self.give(partial(triage.move, note="Which one?"), who, self.ids[report], trigger)

    @rule(who=st.sampled_from(PEOPLE), report=REPORTS, days=st.sampled_from((10, 30)))
    def propose(self, who: Actor, report: int, days: int) -> None:
        end = CLOCK.now + timedelta(days=days)
        self.give(disclosure.propose, POLICY, who, self.ids[report], end)

    @rule(who=st.sampled_from(PEOPLE), report=REPORTS)
    def reject(self, who: Actor, report: int) -> None:
        self.give(disclosure.reject, who, self.ids[report])

    @rule(who=st.sampled_from(PEOPLE), report=REPORTS, task=st.sampled_from((None, *PEOPLE)))
    def assign(self, who: Actor, report: int, task: Actor | None) -> None:
        self.give(claims.assign, who, self.ids[report], task)

    @rule(who=st.sampled_from(PEOPLE), ago=st.integers(0, 3))
    def undo(self, who: Actor, ago: int) -> None:
        if self.store.revision - ago > self.start:
            self.give(undo, who, self.store.revision - ago)
            assert {self.decided(case) for case in self.state()["cases"]} <= self.seen, (
                "a mixture of two states"
            )

    @staticmethod
    def decided(case: State) -> tuple[Any, ...]:
        return tuple(case[name] for name in sorted(DECISION | {"report_id"}))

    @invariant()
    def remember(self) -> None:
        self.present = self.state()
        self.seen |= {self.decided(case) for case in self.present["cases"]}

    def teardown(self) -> None:
        for events, before in reversed(self.commands):
            for seq in reversed(events):
                undo(self.store, PEOPLE[0], seq)
            assert self.state() == before
        with self.store.read() as cursor:
            assert told.disagreements(cursor) == []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, CLOCK)
    yield opened
    opened.verify()
    opened.close()


def test_everything_can_be_undone_backwards_and_nothing_is_undone_into_a_muddle(store: Store) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Desk(store), settings=settings(max_examples=16, stateful_step_count=12)
    )
