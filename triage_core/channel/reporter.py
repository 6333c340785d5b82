"""What a reporter may do with the tracking key beside writing: take the report back, or what was agreed to.

The door that calls has looked up the key; a report id here is one that the reporter holds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from triage_core import cases, db, lifecycle
from triage_core.channel import consent, messages
from triage_core.channel.messages import AGAIN, REPORTER, Direction, Kind
from triage_core.desk import linking
from triage_core.errors import Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Resolution, Status
from triage_core.store import Store, Work

MOST_CHANGES = 50


def withdraw(store: Store, report_id: str, *, now: datetime | None = None) -> db.Row:
    """Close the report as withdrawn by its reporter; gives the new state of the case.

    What was sent stays stored, as every report does; the consents to train on it and to tell peers of it end, so that
    no later decision of the desk brings it back. Others who sent the same flaw did not take theirs back: the earliest
    of its duplicates leads on in its place. Raises IllegalTransition for a closed one.
    """
    with store.write(REPORTER, "withdraw", now) as work:
        case = cases.read(work.cursor, report_id)
        status = lifecycle.step(Status(case["status"]), Trigger.WITHDRAW)
        lifecycle.check_closing(Trigger.WITHDRAW, Resolution.WITHDRAWN, reason="")
        after = {
            "status": str(status),
            "resolution": str(Resolution.WITHDRAWN),
            "closed_at": work.now,
        }
        # These first, so that the act itself is the last event of its command.
        linking.hand_over(work, report_id)
        consent.end(work, report_id)
        consent.end_sharing(work, report_id)
        return cases.change(work, cases.read(work.cursor, report_id), "report.withdrawn", after, {})


def end_training(store: Store, report_id: str, *, now: datetime | None = None) -> None:
    """Agree to no training on the report any more. It stands in the thread, so that the desk sees it."""
    _end(store, report_id, Kind.TRAINING_ENDED, consent.end, now)


def end_sharing(store: Store, report_id: str, *, now: datetime | None = None) -> None:
    """Agree no more that companies with similar products are told. It stands in the thread, too."""
    _end(store, report_id, Kind.SHARING_ENDED, consent.end_sharing, now)


def choose(store: Store, report_id: str, off: Kind, wanted: bool, *, now: datetime | None = None) -> None:
    """Whether the reporter has what `off` (MAIL_OFF, NAME_OFF) is about; the same choice again changes nothing.

    Raises Refused for having it again more than `MOST_CHANGES` times: whoever does not want it is never refused.
    """
    with store.write(REPORTER, "choose", now) as work:
        if bool(messages.without(work.cursor, off, [report_id])) == wanted:
            kind = AGAIN[off] if wanted else off
            made = "SELECT count(*) FROM messages WHERE report_id = ? AND kind = ?"
            if wanted and db.value(work.cursor, made, [report_id, str(kind)]) >= MOST_CHANGES:
                raise Refused("choice", f"is taken back {MOST_CHANGES} times at most")
            message_id = messages.record(work, report_id, kind, "", Direction.FROM_REPORTER)
            work.event("report.chosen", report_id, {"message_id": message_id, "kind": kind})


def _end(
    store: Store, report_id: str, kind: Kind, end: Callable[[Work, str], bool], now: datetime | None
) -> None:
    with store.write(REPORTER, "take_back_consent", now) as work:
        if end(work, report_id):  # twice is once
            messages.record(work, report_id, kind, "", Direction.FROM_REPORTER)
