"""Better answers as commands: one person writes what the model should have said, another one approves it.

Only what is approved is a target of training. What a reporter expected may be the beginning of an
answer and is never one as it stands: to take it word for word, the writer says so, and even then a second
person approves. The command line, which holds every role, may do both at once; data sets count that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from triage_core import access, cases, db
from triage_core.access import Command
from triage_core.desk import preferred
from triage_core.desk.decision import MAX_ANSWER, check_text
from triage_core.desk.preferred import Answer
from triage_core.errors import Conflict, NotAllowed, Refused
from triage_core.model import Actor, DeskRole, Turn, TurnRole
from triage_core.store import Store, Work
from triage_core.text import canonical, turns_of

MAX_REASON = 2_000


def write(
    store: Store,
    actor: Actor,
    report_id: str,
    content: str,
    *,
    turn: int | None = None,
    confirmed: bool = False,
    alone: bool = False,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Answer:
    """Write the better answer to a report, a draft until somebody else approves it; gives it as it stands.

    `turn` (from 1) is the assistant's turn that it stands in for, None the one at the end. `confirmed`:
    the reporter's own words are meant as they are. `alone`: approved by the same call, for whoever holds every
    role. Writing the same again changes nothing. Raises Refused naming the field, Conflict when the report
    was changed since `seen_version`.
    """
    access.require(actor, Command.WRITE_ANSWER)
    if not content.strip():
        raise Refused("answer", "is empty")
    check_text("answer", content, MAX_ANSWER)
    with store.write(actor, Command.WRITE_ANSWER, now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        given, expected = _said(work.cursor, report_id)
        _check_turn(given, turn, content)
        if not confirmed and is_expectation(content, expected):
            raise Refused(
                "answer", "holds the reporter's own words: edit them, or confirm that they are yours"
            )
        details = write_within(work, report_id, content, turn, alone=alone)
        if details:
            cases.change(work, case, "answer.written", {}, details)
        return preferred.in_force(work.cursor, report_id)


def write_within(
    work: Work, report_id: str, content: str, turn: int | None, *, alone: bool = False
) -> Mapping[str, int | None]:
    """Store an answer as a part of a running command; gives the data of its event, empty where nothing is new."""
    if alone and not frozenset(DeskRole) <= work.actor.roles:
        raise NotAllowed(Command.APPROVE_ANSWER, "a second person approves what you have written")
    before = preferred.in_force(work.cursor, report_id)
    # Saving what was returned without a change sends it on again.
    returned = before.returned_by is not None
    _, expected = _said(work.cursor, report_id)
    me = work.actor.actor_id
    same = (before.content, before.turn) == (content, turn)
    approves = alone and not is_expectation(content, expected) and not (same and before.approved_by)
    if same and not (approves or returned):
        return {}
    writer = before.written_by if same else me
    after = Answer(0, content, turn, writer, me if approves else None)
    return {"answer_id": preferred.add(work, report_id, after), "turn": turn}


def approve(
    store: Store,
    actor: Actor,
    report_id: str,
    answer_id: int,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Answer:
    """Approve the answer that somebody else has written; approving twice is approving once.

    Raises NotAllowed for its writer, Conflict when `answer_id` is not the one in force (any more).
    """
    access.require(actor, Command.APPROVE_ANSWER)
    with store.write(actor, Command.APPROVE_ANSWER, now) as work:
        found = preferred.in_force(work.cursor, report_id)
        if found.by_two:
            return found
        case = cases.read(work.cursor, report_id, seen_version)
        if found.answer_id != answer_id:
            raise Conflict("answer", f"{report_id} has another answer by now")
        if found.written_by == actor.actor_id:
            raise NotAllowed(Command.APPROVE_ANSWER, "a second person approves what you have written")
        if found.returned_by is not None:
            raise Conflict("answer", f"the answer to {report_id} was sent back to its writer")
        number = preferred.add(work, report_id, replace(found, approved_by=actor.actor_id))
        cases.change(work, case, "answer.approved", {}, {"answer_id": number})
        return replace(found, answer_id=number, approved_by=actor.actor_id)


def send_back(
    store: Store,
    actor: Actor,
    report_id: str,
    answer_id: int,
    reason: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> Answer:
    """Return the draft that somebody else has written, with a reason that its writer reads; twice is once.

    Raises Refused without a reason, NotAllowed for its writer, Conflict when `answer_id` is not the one in force or
    was approved.
    """
    access.require(actor, Command.APPROVE_ANSWER)
    if not reason.strip():
        raise Refused("reason", "is empty: say what should be different")
    check_text("reason", reason, MAX_REASON)
    with store.write(actor, Command.APPROVE_ANSWER, now) as work:
        found = preferred.in_force(work.cursor, report_id)
        if (found.returned_by, found.returned_why) == (actor.actor_id, reason):
            return found
        case = cases.read(work.cursor, report_id, seen_version)
        if found.answer_id != answer_id:
            raise Conflict("answer", f"{report_id} has another answer by now")
        if found.approved_by is not None:
            raise Conflict("answer", f"the answer to {report_id} is approved: undo that on Activity first")
        if found.written_by == actor.actor_id:
            raise NotAllowed(Command.APPROVE_ANSWER, "a second person returns what you have written")
        after = replace(found, returned_by=actor.actor_id, returned_why=reason)
        number = preferred.add(work, report_id, after)
        cases.change(work, case, "answer.returned", {}, {"answer_id": number, "reason": reason})
        return replace(after, answer_id=number)


def is_expectation(content: str, expected: str) -> bool:
    """Whether an answer is what the reporter wrote that they had expected, but for case and white space."""
    return bool(expected.strip()) and canonical(content) == canonical(expected)


def answerable(turns: tuple[Turn, ...]) -> list[int]:
    """The numbers (from 1) of the assistant's turns that a user's words stand before."""
    heard = [at for at, turn in enumerate(turns, 1) if turn.role is TurnRole.USER and turn.content.strip()]
    first = heard[0] if heard else len(turns)
    given = [
        at for at, turn in enumerate(turns, 1) if turn.role is TurnRole.ASSISTANT and turn.content.strip()
    ]
    return [at for at in given if at > first]


def _said(cursor: db.Cursor, report_id: str) -> tuple[tuple[Turn, ...], str]:
    """The conversation, and what the reporter expected."""
    found = db.row(cursor, "SELECT turns, body FROM reports WHERE report_id = ?", [report_id])
    assert found is not None, "a case belongs to a report"
    return turns_of(found["turns"]), json.loads(found["body"]).get("expected", "")


def _check_turn(turns: tuple[Turn, ...], turn: int | None, content: str) -> None:
    if turn is None:
        return
    if turn not in answerable(turns):
        raise Refused("turn", "the number of an answer in the conversation, counted from 1")
    if canonical(turns[turn - 1].content) == canonical(content):
        raise Refused("answer", "is the answer that was given at that turn")
