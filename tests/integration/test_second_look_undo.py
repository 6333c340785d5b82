"""Undo of second looks: it reaches all of them, and keeps apart the two who differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.test_second_look import (
    ALWAYS,
    INES,
    JON,
    NEVER,
    OUT,
    answered,
    case,
    counts,
    decide,
)
from tests.making import FLAW, REVIEWER, bring, make_report
from triage_core import told
from triage_core.desk import second_look
from triage_core.desk.undo import undo
from triage_core.errors import Conflict, NotAllowed
from triage_core.store import Store


@pytest.fixture
def store(store: Store) -> Iterator[Store]:
    bring(store, *(make_report(f"Question {number}") for number in range(1, 4)))
    yield store
    with store.read() as cursor:
        assert told.disagreements(cursor) == []


def test_undoing_the_decision_cancels_the_look_and_redo_brings_it_back(store: Store) -> None:
    seq = decide(store, policy=ALWAYS)
    undo(store, REVIEWER, seq)
    assert counts(store) == (0, 0, 0)
    with pytest.raises(Conflict, match=f"no longer stands, since {REVIEWER.actor_id} "):
        second_look.answer(store, INES, 1, OUT)
    undo(store, REVIEWER, store.revision)
    assert counts(store) == (1, 1, 0)


def test_asking_is_taken_back_unless_somebody_has_answered(store: Store) -> None:
    decide(store)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    asked = store.revision
    undo(store, REVIEWER, asked)
    assert counts(store) == (0, 0, 0)
    undo(store, REVIEWER, store.revision)
    assert counts(store) == (1, 1, 0)
    second_look.answer(store, INES, look_id, OUT)
    with pytest.raises(Conflict, match=rf"look.answered FR-1\) of {INES.actor_id} stands in the way"):
        undo(store, REVIEWER, asked + 2)


def test_asking_again_after_taking_it_back_is_a_new_word_on_the_same_look(store: Store) -> None:
    decide(store)
    look_id = second_look.ask(store, REVIEWER, "FR-1")
    undo(store, REVIEWER, store.revision)
    taken_back = store.revision
    assert second_look.ask(store, REVIEWER, "FR-1") == look_id
    assert counts(store) == (1, 1, 0)
    with pytest.raises(Conflict, match=r"look\.asked FR-1"):
        undo(store, REVIEWER, taken_back)


def test_an_answer_is_taken_back_by_its_author_and_not_by_whom_it_contradicts(store: Store) -> None:
    look_id = answered(store)
    seq = store.revision
    with pytest.raises(NotAllowed, match="somebody else"):
        undo(store, REVIEWER, seq)
    undo(store, INES, seq)
    assert counts(store) == (1, 1, 0)
    undo(store, INES, store.revision)
    assert counts(store, JON) == (0, 0, 1)
    undo(store, INES, store.revision)
    second_look.answer(store, JON, look_id, FLAW)
    with pytest.raises(Conflict, match=rf"look.answered FR-1\) of {JON.actor_id}"):
        undo(store, INES, store.revision - 1)


def test_an_adjudication_goes_before_the_answer_that_it_rests_on(store: Store) -> None:
    look_id = answered(store)
    answer = store.revision
    second_look.adjudicate(store, NEVER, JON, look_id, OUT)
    settled = store.revision
    with pytest.raises(Conflict, match=rf"event {settled} \(report.assessed FR-1\) of {JON.actor_id}"):
        undo(store, INES, answer)
    undo(store, JON, settled)
    assert counts(store, JON) == (0, 0, 1)
    assert case(store)["status"] == "accepted"
    undo(store, INES, answer)
    assert counts(store) == (1, 1, 0)
