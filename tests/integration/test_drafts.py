"""Drafts: what was entered is there after a reload, and gone when its author has decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core.desk import drafts, triage, undo
from triage_core.errors import NotAllowed, NotFound, Refused
from triage_core.model import Actor, DeskRole
from triage_core.store import Store

OTHER = Actor("test:ines", "Ines", frozenset({DeskRole.REVIEWER}))
READER = Actor("test:ml", "Ml", frozenset({DeskRole.ML_ENGINEER}))
ENTERED = {"clauses": ["IN-2"], "harm": "H3", "note": "Seen twice."}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())  # stands still: nothing here may rest on the clock
    bring(opened, make_report("One"), make_report("Two"))
    yield opened
    opened.verify()
    opened.close()


def draft(store: Store, report_id: str = "FR-1", actor: Actor = REVIEWER) -> dict[str, object]:
    with store.read() as cursor:
        return drafts.read(cursor, actor, report_id)


def test_the_last_state_is_kept_without_an_event(store: Store) -> None:
    events = store.revision
    drafts.save(store, REVIEWER, "FR-1", {**ENTERED, "note": "Seen"})
    drafts.save(store, REVIEWER, "FR-1", {**ENTERED, "better": "", "log": None})
    assert draft(store) == ENTERED
    assert store.revision == events


def test_it_belongs_to_its_author_and_its_report(store: Store) -> None:
    drafts.save(store, REVIEWER, "FR-1", ENTERED)
    assert draft(store, actor=OTHER) == {}
    assert draft(store, "FR-2") == {}


def test_it_is_gone_after_the_decision_and_a_new_one_may_follow(store: Store) -> None:
    drafts.save(store, REVIEWER, "FR-1", ENTERED)
    triage.assess(store, POLICY, OTHER, "FR-1", FLAW)
    assert draft(store) == ENTERED, "somebody else's decision does not take it away"
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)
    assert draft(store) == {}
    undo.undo(store, REVIEWER, store.revision)
    assert draft(store) == {}
    drafts.save(store, REVIEWER, "FR-1", {"note": "Again"})
    assert draft(store) == {"note": "Again"}


def test_those_of_a_look_and_of_many_stand_apart_and_end_when_emptied(store: Store) -> None:
    both = drafts.of_many(["FR-1", "FR-2"])
    assert both == drafts.of_many(["FR-2", "FR-1"]) != drafts.of_many(["FR-1"])
    named = ("FR-1", drafts.of_look(1), drafts.of_look(2), both, drafts.of_many(["FR-1"]))
    for of in named:
        drafts.save(store, REVIEWER, of, {"note": of})
    triage.assess(store, POLICY, REVIEWER, "FR-1", FLAW)
    drafts.save(store, REVIEWER, drafts.of_look(2), {})
    assert [draft(store, of).get("note") for of in named] == [None, named[1], None, *named[3:]]


def test_who_settles_but_does_not_review_keeps_drafts_of_looks_alone(store: Store) -> None:
    owner = Actor("test:owner", "Owner", frozenset({DeskRole.POLICY_OWNER}))
    drafts.save(store, owner, drafts.of_look(1), ENTERED)
    assert draft(store, drafts.of_look(1), owner) == ENTERED
    for of in ("FR-1", drafts.of_many(["FR-1"])):
        with pytest.raises(NotAllowed):
            drafts.save(store, owner, of, ENTERED)


def test_a_link_ends_it_too(store: Store) -> None:
    drafts.save(store, REVIEWER, "FR-2", ENTERED)
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    assert draft(store, "FR-2") == {}


def test_nothing_entered_is_no_draft(store: Store) -> None:
    drafts.save(store, REVIEWER, "FR-1", ENTERED)
    drafts.save(store, REVIEWER, "FR-1", {"note": "", "clauses": []})
    assert draft(store) == {}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"note": ["a"]}, "note"),
        ({"clauses": [3]}, "clauses"),
        ({"note": "x" * 50_001}, "note"),
        ({"note": "\ud800"}, "note"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_last_state_stays(
    store: Store, fields: dict[str, object], named: str
) -> None:
    drafts.save(store, REVIEWER, "FR-1", ENTERED)
    with pytest.raises(Refused) as refused:
        drafts.save(store, REVIEWER, "FR-1", fields)
    assert refused.value.field == named
    assert draft(store) == ENTERED


def test_only_for_those_who_decide_and_reports_that_exist(store: Store) -> None:
    with pytest.raises(NotAllowed):
        drafts.save(store, READER, "FR-1", ENTERED)
    with pytest.raises(NotFound):
        drafts.save(store, REVIEWER, "FR-9", ENTERED)
