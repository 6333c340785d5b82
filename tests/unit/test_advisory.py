"""The exchange with one peer as a table, and what a title and a note must hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.making import NOON
from triage_core.advisories.advisory import (
    ADVISORY_TABLE,
    WHY_NO_RECORD,
    Exchange,
    Standing,
    State,
    Step,
    check_generality,
    check_title,
    standing_of,
    take,
)
from triage_core.desk.activity import Event
from triage_core.disclosure.embargo import Rule
from triage_core.errors import IllegalTransition, Refused
from triage_core.model import Generality, ProductStatus
from ui.event_words import line, what

LATER = NOON + timedelta(days=1)


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", State)
def test_an_exchange_takes_the_steps_of_its_table_and_no_others(step: Step, state: State) -> None:
    there = {(one, source): destination for one, source, destination in ADVISORY_TABLE}.get((step, state))
    if there is None:
        with pytest.raises(IllegalTransition):
            take(Exchange(state), step, NOON)
    else:
        assert take(Exchange(state), step, NOON).state is there


def test_whoever_has_accepted_is_never_without_it_again() -> None:
    assert {there for _, source, there in ADVISORY_TABLE if source is State.ACCEPTED} == {State.ACCEPTED}


def test_what_a_peer_accepted_covers_shorter_embargoes_and_no_longer_ones() -> None:
    accepted = take(Exchange(State.TOLD), Step.ACCEPTED, NOON, embargo_end=LATER)
    assert accepted.has_accepted(LATER)
    assert accepted.has_accepted(NOON)
    assert not accepted.has_accepted(LATER + timedelta(microseconds=1))
    assert not accepted.has_accepted(None)
    assert not Exchange(State.TOLD).has_accepted(NOON)
    more = take(accepted, Step.ACCEPTED, LATER, embargo_end=LATER + timedelta(days=9))
    assert more.has_accepted(LATER + timedelta(days=9))


def test_the_last_answer_counts() -> None:
    first = take(
        Exchange(State.TOLD), Step.ANSWERED, NOON, status=ProductStatus.UNDER_INVESTIGATION, note="we look"
    )
    last = take(first, Step.ANSWERED, LATER, status=ProductStatus.FIXED)
    assert (last.status, last.note, last.answered_at, last.state) == (
        ProductStatus.FIXED,
        "",
        LATER,
        State.TOLD,
    )


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "a\u202eb", "x" * 201, "\ud800"])
def test_a_title_is_one_line_without_hidden_characters(title: str) -> None:
    with pytest.raises(Refused) as refused:
        check_title(title)
    assert refused.value.field == "title"


@pytest.mark.parametrize("generality", [None, Generality.INSTANCE])
def test_what_does_not_reach_further_by_its_assessment_needs_a_note(generality: Generality | None) -> None:
    with pytest.raises(Refused, match="must say why peers are told"):
        check_generality(generality, " ")
    check_generality(generality, "The same filter is sold to others.")


@pytest.mark.parametrize("generality", [Generality.RETARGETABLE, Generality.UNIVERSAL])
def test_what_generalizes_needs_none(generality: Generality) -> None:
    check_generality(generality, "")


def test_every_rule_that_keeps_a_record_in_is_told_to_the_peer() -> None:
    assert set(WHY_NO_RECORD) == set(Rule) - {Rule.TLP_NOT_CLEAR}


def test_an_event_names_its_peer_in_the_list_of_activity() -> None:
    data = {"advisory_id": 1, "peer_id": 2, "peer": "Heron", "step": "told", "note_sha256": "0" * 64}
    told = Event(7, NOON, "test:lena", "share_advisory", "advisory.told", "FR-1", data)
    assert (what(told), line(told, {})) == ("Peer told of the advisory", "Heron")


@pytest.mark.parametrize(
    ("state", "must_accept", "standing"),
    [
        (State.TOLD, True, Standing.ASKED), (State.TOLD, False, Standing.TOLD),
        (State.ACCEPTED, True, Standing.LATER_END), (State.ACCEPTED, False, Standing.ACCEPTED),
        (State.DECLINED, True, Standing.DECLINED), (State.WITHDRAWN, True, Standing.WITHDRAWN),
    ],
)  # fmt: skip
def test_what_an_exchange_comes_to(state: State, must_accept: bool, standing: Standing) -> None:
    assert standing_of(Exchange(state), must_accept=must_accept, ended=False) is standing
    assert standing_of(Exchange(state), must_accept=must_accept, ended=True) is Standing.ENDED
