"""What the desk and a reporter tell each other: questions, answers, and our own notices.

A question or an answer is text of a person. A notice is a kind and the values of its template, so
that it is worded once and in one place. No event holds the text of a message.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from triage_core import access, audit, cases, db, lifecycle
from triage_core.desk.decision import MAX_NOTE, check_text
from triage_core.errors import Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, Status
from triage_core.store import Store, Work

REPORTER = Actor("reporter", "Reporter", frozenset())
MAX_FROM_REPORTER = 100


class Direction(StrEnum):
    TO_REPORTER = "to_reporter"
    FROM_REPORTER = "from_reporter"


class Kind(StrEnum):
    """What a message is; the first two are words of a person, the last six a choice of the reporter's in our words,
    the others notices of ours."""

    QUESTION = "question"
    ANSWER = "answer"
    FIX_MARKED = "fix_marked"
    FIX_REOPENED = "fix_reopened"
    TRAINED_VERSION = "trained_version"
    LEFT_VERSION = "left_version"
    REWARD_APPROVED = "reward_approved"
    REWARD_PAID = "reward_paid"
    REWARD_GIVEN = "reward_given"
    REWARD_DECLINED = "reward_declined"
    REWARD_REOPENED = "reward_reopened"
    REWARD_UNPAID = "reward_unpaid"
    EMBARGO_CHANGED = "embargo_changed"
    EMBARGO_PROPOSED = "embargo_proposed"
    EMBARGO_TAKEN_BACK = "embargo_taken_back"
    EMBARGO_REFUSED = "embargo_refused"
    EMBARGO_REOPENED = "embargo_reopened"
    TRAINING_ENDED = "training_ended"
    SHARING_ENDED = "sharing_ended"
    MAIL_OFF = "mail_off"
    MAIL_ON = "mail_on"
    NAME_OFF = "name_off"
    NAME_ON = "name_on"


NOTICES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.FIX_MARKED: "A fix for the flaw that you reported is in place.",
        Kind.FIX_REOPENED: "What we told you of a fix holds no longer: it failed its test, or was taken back.",
        Kind.TRAINED_VERSION: "Your report is in version {version} of the training set {dataset}.",
        Kind.LEFT_VERSION: (
            "Your report has left the training set {dataset}: version {version} is built without it. Versions before it"
            " stay as they were."
        ),
        Kind.REWARD_APPROVED: "A reward was approved for your report: {reward}.",
        Kind.REWARD_PAID: "Your reward was paid: {reward}.",
        Kind.REWARD_GIVEN: "Your reward was given: {reward}.",
        Kind.REWARD_DECLINED: "No reward is given for your report: {reason}",
        Kind.REWARD_REOPENED: "What we told you about your reward was taken back: {reward} is decided on anew.",
        Kind.REWARD_UNPAID: "We told you by mistake that you have your reward: {reward} is still to come.",
        Kind.EMBARGO_CHANGED: "The waiting period of your report now ends at {end}.",
        Kind.EMBARGO_PROPOSED: "We propose {end} as the end of the waiting period: you may accept or refuse it.",
        Kind.EMBARGO_TAKEN_BACK: "We take back our proposal of {end} as the end of the waiting period.",
        Kind.EMBARGO_REFUSED: "We do not agree to {end}, which you proposed as the end of the waiting period.",
        Kind.EMBARGO_REOPENED: "Your proposal of {end} as the end of the waiting period waits for our answer again.",
        Kind.TRAINING_ENDED: "I no longer agree that you train on this report.",
        Kind.SHARING_ENDED: "I no longer agree that companies with similar products get this report.",
        Kind.MAIL_OFF: "Send me no e-mail about this report.",
        Kind.MAIL_ON: "Send me e-mail about this report again.",
        Kind.NAME_OFF: "Do not name me on the thanks page for this report.",
        Kind.NAME_ON: "Name me on the thanks page for this report again.",
    }
)
"""The words of each notice; what stands in braces comes with it."""
AGAIN: Mapping[Kind, Kind] = MappingProxyType({Kind.MAIL_OFF: Kind.MAIL_ON, Kind.NAME_OFF: Kind.NAME_ON})
"""What a reporter may choose not to have, and how that is taken back."""


def ask(
    store: Store,
    actor: Actor,
    report_id: str,
    text: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> db.Row:
    """Ask the reporter something; gives the new state of the case.

    A new report waits for the answer (`needs_info`); any other keeps its state. It is an answer
    that the reporter can see, so it stops the clock of the first response.
    """
    access.require(actor, "ask_reporter")
    _check(text)
    with store.write(actor, "ask_reporter", now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        message_id = record(work, report_id, Kind.QUESTION, text)
        after: dict[str, Any] = {"first_response_at": case["first_response_at"] or work.now}
        if case["status"] == Status.NEW:
            after["status"] = str(lifecycle.step(Status.NEW, Trigger.ASK_REPORTER))
        return cases.change(work, case, "report.asked", after, {"message_id": message_id})


def answer(store: Store, report_id: str, text: str, *, now: datetime | None = None) -> db.Row:
    """Take what the reporter writes on the tracking page; gives the new state of the case.

    It answers the open question if there is one, else it asks one. A report that waited for it
    (`needs_info`) is new again. Raises Refused for blank text and beyond 100 messages.
    """
    _check(text)
    with store.write(REPORTER, "answer", now) as work:
        case = cases.read(work.cursor, report_id)
        before = thread(work.cursor, report_id)
        if before and _is_written(before[-1]) and before[-1]["text"] == text:
            return case  # a second click
        if sum(map(_is_written, before)) >= MAX_FROM_REPORTER:
            raise Refused("text", f"at most {MAX_FROM_REPORTER} messages to one report")
        kind = Kind.ANSWER if open_question(before) else Kind.QUESTION
        message_id = record(work, report_id, kind, text, Direction.FROM_REPORTER)
        after = {}
        if case["status"] == Status.NEEDS_INFO:
            after["status"] = str(lifecycle.step(Status.NEEDS_INFO, Trigger.END_WAIT))
        return cases.change(work, case, "report.answered", after, {"message_id": message_id})


def tell(work: Work, report_ids: Sequence[str], kind: Kind, params: Mapping[str, str] | None = None) -> None:
    """Write one of our notices to the reporters of these reports, within a running command.

    `params` holds exactly what the notice's template names; anything else is a bug (KeyError).
    """
    values = dict(params or {})
    if set(values) != _names(kind):
        raise KeyError(f"{kind} takes {sorted(_names(kind))}, not {sorted(values)}")
    first = work.next_id("messages", "message_id")
    rows = [
        _row(work, first + at, report_id, kind, "", values, Direction.TO_REPORTER)
        for at, report_id in enumerate(report_ids)
    ]
    db.insert(work.cursor, "messages", rows)
    for row in rows:
        work.say("messages", row)
        work.event("report.told", row["report_id"], {"message_id": row["message_id"], "kind": kind})


def record(
    work: Work, report_id: str, kind: Kind, text: str, direction: Direction = Direction.TO_REPORTER
) -> int:
    """Add what a person wrote to the thread; the caller writes the event. Gives the number of the message."""
    message_id = work.next_id("messages", "message_id")
    row = _row(work, message_id, report_id, kind, text, {}, direction)
    db.insert(work.cursor, "messages", [row])
    work.say("messages", row)
    return message_id


def _row(
    work: Work,
    message_id: int,
    report_id: str,
    kind: Kind,
    text: str,
    params: Mapping[str, str],
    direction: Direction,
) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "report_id": report_id,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "direction": str(direction),
        "kind": str(kind),
        "text": text,
        "params": audit.encode(params),
    }


def thread(cursor: db.Cursor, report_id: str) -> list[db.Row]:
    """All messages of a report, oldest first: message_id, done_at, direction, kind, and `text` in words."""
    found = db.rows(
        cursor,
        "SELECT message_id, done_at, actor_id, direction, kind, text, params FROM messages"
        " WHERE report_id = ? ORDER BY message_id",
        [report_id],
    )
    return [row | {"text": words(Kind(row["kind"]), row["text"], row.pop("params"))} for row in found]


def open_question(messages: list[db.Row]) -> db.Row | None:
    """The desk's last question that the reporter has written nothing after; None when there is none."""
    for message in reversed(messages):
        if _is_written(message):
            return None
        if message["kind"] == Kind.QUESTION:
            return message
    return None


def without(cursor: db.Cursor, off: Kind, report_ids: Sequence[str]) -> set[str]:
    """Those of the reports whose reporter chose `off` (MAIL_OFF, NAME_OFF) and has not taken that back."""
    found = db.rows(
        cursor,
        "SELECT report_id FROM messages WHERE kind IN ($off, $on) AND report_id IN (SELECT unnest($reports))"
        " GROUP BY report_id HAVING arg_max(kind, message_id) = $off",
        {"off": str(off), "on": str(AGAIN[off]), "reports": list(report_ids)},
    )
    return {row["report_id"] for row in found}


def words(kind: Kind, text: str, params: str) -> str:
    """A message as it is read: the person's text, or our notice with its values put in."""
    return NOTICES[kind].format(**json.loads(params)) if kind in NOTICES else text


def _is_written(message: db.Row) -> bool:
    """Whether these are the reporter's own words, not a choice in ours."""
    return message["direction"] == Direction.FROM_REPORTER and message["kind"] not in NOTICES


def _names(kind: Kind) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(NOTICES[kind]) if name}


def _check(text: str) -> None:
    check_text("text", text, MAX_NOTE)
    if not text.strip():
        raise Refused("text", "must not be blank")
