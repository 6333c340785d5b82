"""Questions, answers and notices: what a reporter is told, and what moves a report on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import cases, db
from triage_core.channel import messages, reporter
from triage_core.channel.messages import NOTICES, Direction, Kind
from triage_core.desk import triage, undo
from triage_core.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, DeskRole
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    policies.publish(opened, EVERYBODY, POLICY)
    bring(opened, make_report())
    yield opened
    opened.close()


def thread(store: Store) -> list[db.Row]:
    with store.read() as cursor:
        return messages.thread(cursor, "FR-1")


def test_a_question_waits_and_its_answer_makes_the_report_new_again(store: Store) -> None:
    case = messages.ask(store, REVIEWER, "FR-1", "Which version was it?", seen_version=1)
    assert (case["status"], case["first_response_at"]) == ("needs_info", NOON)
    assert messages.open_question(thread(store))["text"] == "Which version was it?"
    assert messages.answer(store, "FR-1", "2.1")["status"] == "new"
    assert messages.open_question(thread(store)) is None
    assert [(one["direction"], one["kind"], one["text"]) for one in thread(store)] == [
        ("to_reporter", "question", "Which version was it?"),
        ("from_reporter", "answer", "2.1"),
    ]
    messages.answer(store, "FR-1", "Is anybody there?")
    assert thread(store)[-1]["kind"] == "question"


def test_a_decided_report_is_asked_about_without_losing_its_state(store: Store) -> None:
    triage.move(store, REVIEWER, "FR-1", Trigger.TRIAGE)
    assert messages.ask(store, REVIEWER, "FR-1", "How often?")["status"] == "triaged"
    assert messages.answer(store, "FR-1", "Always.")["status"] == "triaged"


def test_a_note_that_asks_is_a_question_too(store: Store) -> None:
    triage.move(store, REVIEWER, "FR-1", Trigger.ASK_REPORTER, note="Which model?")
    assert [one["text"] for one in thread(store)] == ["Which model?"]
    bring(store, make_report("Another"))
    with pytest.raises(Refused, match="read the question"):
        triage.move(store, REVIEWER, "FR-2", Trigger.ASK_REPORTER)


def test_no_text_stands_in_an_event(store: Store) -> None:
    messages.ask(store, REVIEWER, "FR-1", "Which secret?")
    messages.answer(store, "FR-1", "The secret one.")
    with store.read() as cursor:
        assert "secret" not in db.value(cursor, "SELECT string_agg(data) FROM events")


@pytest.mark.parametrize("text", ["", " \n", "x" * 5_001, "a\0b", "\ud800"])
def test_what_cannot_be_kept_is_refused_and_changes_nothing(store: Store, text: str) -> None:
    for write in (
        lambda: messages.ask(store, REVIEWER, "FR-1", text),
        lambda: messages.answer(store, "FR-1", text),
    ):
        with pytest.raises(Refused) as refused:
            write()
        assert refused.value.field == "text"
    assert thread(store) == []
    with store.read() as cursor:
        assert cases.read(cursor, "FR-1")["version"] == 1


def test_who_may_ask_and_what_must_have_been_seen(store: Store) -> None:
    with pytest.raises(NotAllowed):
        messages.ask(store, Actor("o", "O", frozenset({DeskRole.OPERATOR})), "FR-1", "Why?")
    with pytest.raises(Conflict):
        messages.ask(store, REVIEWER, "FR-1", "Why?", seen_version=7)
    with pytest.raises(NotFound):
        messages.answer(store, "FR-9", "Here")


def test_a_flood_of_messages_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_FROM_REPORTER", 2)
    messages.answer(store, "FR-1", "one")
    messages.answer(store, "FR-1", "two")
    with pytest.raises(Refused, match="at most"):
        messages.answer(store, "FR-1", "three")


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_has_words_and_takes_exactly_its_values(store: Store, kind: Kind) -> None:
    values = {name: f"<{name}>" for name in messages._names(kind)}
    with store.write(REVIEWER, "assess") as work:
        messages.tell(work, ["FR-1"], kind, values)
        with pytest.raises(KeyError):
            messages.tell(work, ["FR-1"], kind, {**values, "other": "x"})
    (told,) = thread(store)
    assert told["direction"] == Direction.TO_REPORTER
    assert all(value in told["text"] for value in values.values())
    assert set(NOTICES) == set(Kind) - {Kind.QUESTION, Kind.ANSWER}


def test_a_reporter_takes_the_report_back_once(store: Store) -> None:
    case = reporter.withdraw(store, "FR-1")
    assert (case["status"], case["resolution"], case["closed_at"]) == ("closed", "withdrawn", NOON)
    with pytest.raises(IllegalTransition):
        reporter.withdraw(store, "FR-1")


def test_who_sent_the_same_flaw_does_not_lose_it_when_the_first_one_is_taken_back(store: Store) -> None:
    bring(store, *(make_report(f"Once more {number}") for number in (2, 3, 4)))
    for late in ("FR-4", "FR-3"):  # in whichever order they were linked
        triage.link(store, REVIEWER, late, "FR-1", reason="The same voucher.")
    triage.link(store, REVIEWER, "FR-2", "FR-1")
    reporter.withdraw(store, "FR-1")
    with store.read() as cursor:
        found = [cases.read(cursor, f"FR-{number}") for number in (1, 2, 3, 4)]
    assert [(one["status"], one["resolution"], one["canonical_id"]) for one in found] == [
        ("closed", "withdrawn", None),
        ("new", None, None),
        ("closed", "duplicate", "FR-2"),
        ("closed", "duplicate", "FR-2"),
    ]
    store.verify()


def test_what_was_said_is_not_undone(store: Store) -> None:
    messages.ask(store, REVIEWER, "FR-1", "Which version?")
    messages.answer(store, "FR-1", "2")
    reporter.withdraw(store, "FR-1")
    with store.read() as cursor:
        told = db.rows(cursor, "SELECT seq FROM events WHERE kind LIKE 'report.%' ORDER BY seq")[1:]
    for event in told:
        with pytest.raises(Refused, match="cannot be undone"):
            undo.undo(store, EVERYBODY, event["seq"])
