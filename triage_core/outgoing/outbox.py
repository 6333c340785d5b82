"""The outbox: what is to be sent out, kept in the store until it has gone.

`collect` looks for what happened since it last looked and moves its mark on in the same transaction,
so that nothing is missed or written twice, whenever the process dies. `send_due` sends first and notes it
afterwards: a message is sent at least once, and always with the same key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from triage_core import access, audit, db, queries
from triage_core.access import Command
from triage_core.advisories import advisory_board, peers
from triage_core.advisories.advisory import Step
from triage_core.channel import messages
from triage_core.channel.messages import Kind
from triage_core.desk import deadlines, looks
from triage_core.disclosure import embargoes
from triage_core.guidance.clocks import Clocks
from triage_core.model import Actor, Severity
from triage_core.outgoing import notices
from triage_core.outgoing.delivery import Undelivered, is_address
from triage_core.outgoing.notices import Message, Notice, part
from triage_core.queries import Filter, Only
from triage_core.rewards import bounty
from triage_core.store import Store, Work

MOST_ATTEMPTS = 12
LONGEST_WAIT = timedelta(hours=6)
BATCH = 50
EMAIL, WEBHOOK = "email", "webhook"

Deliver = Callable[[str, Message, str | None], None]
"""(channel, message, address of the reporter or peer, or None for the desk); raises Undelivered."""


class Stopped(Exception):
    """Raised by a `Deliver` that is to stop: the message stays as it was, and the round ends."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a round did: messages handed over, and those that wait for another try or were given up."""

    sent: int = 0
    again: int = 0
    failed: int = 0


def collect(
    store: Store,
    actor: Actor,
    clocks: Clocks,
    channels: tuple[str, ...],
    digest_hour: int | None,
    now: datetime | None = None,
) -> int:
    """Put what is new into the outbox, for each of the channels; gives the number of messages.

    The first time it only marks where the store stands. Doing it again adds nothing. `digest_hour` is one of
    the desk's zone; the digest comes on its working days.
    """
    access.require(actor, Command.NOTIFY)
    with store.write(actor, Command.NOTIFY, now) as work:
        mark = db.row(work.cursor, "SELECT * FROM outbox_mark")
        here = _here(work)
        if mark is None:
            db.insert(work.cursor, "outbox_mark", [here])
            return 0
        found = [*_alerts(work, mark), *_digest(work, clocks, digest_hour)]
        rows = [row for one in found for row in _for_channels(work, one, channels)]
        if EMAIL in channels:
            rows += [
                _row(work, f"{key}@{EMAIL}", EMAIL, kind, facts)
                for key, kind, facts in (*_news(work, mark), *_advisories(work, mark), *_changes(work, mark))
            ]
        rows = _unknown(work.cursor, rows)
        db.insert(work.cursor, "outbox", rows)
        work.cursor.execute(
            "UPDATE outbox_mark SET looked_at = ?, message_id = ?, assessment_id = ?",
            [db.naive(work.now), here["message_id"], here["assessment_id"]],
        )
        for row in rows:
            work.event("notice.queued", row["message_key"], {"channel": row["channel"], "kind": row["kind"]})
        return len(rows)


def send_due(
    store: Store, actor: Actor, deliver: Deliver, channels: tuple[str, ...], now: datetime | None = None
) -> Sent:
    """Send what is due by these channels, at most `BATCH` messages; each outcome is a transaction of its own."""
    access.require(actor, Command.NOTIFY)
    at = now or store.clock()
    with store.read() as cursor:
        due = db.rows(
            cursor,
            "SELECT message_key, channel, kind, facts, attempts FROM outbox WHERE state = 'waiting' AND next_at <= ?"
            " AND list_contains(?, channel) ORDER BY next_at, made_at, message_key LIMIT ?",
            [db.naive(at), list(channels), BATCH],
        )
    outcomes = [_send(store, actor, deliver, row, now) for row in due]
    return Sent(outcomes.count("sent"), outcomes.count("waiting"), outcomes.count("failed"))


def again(store: Store, actor: Actor, now: datetime | None = None) -> int:
    """Let everything that was given up wait again; gives the number of messages."""
    access.require(actor, Command.NOTIFY)
    with store.write(actor, Command.NOTIFY, now) as work:
        found = db.rows(
            work.cursor,
            "SELECT message_key, channel, kind FROM outbox WHERE state = 'failed' ORDER BY message_key",
        )
        work.cursor.execute(
            "UPDATE outbox SET state = 'waiting', attempts = 0, next_at = ? WHERE state = 'failed'",
            [db.naive(work.now)],
        )
        for row in found:
            work.event("notice.queued", row.pop("message_key"), row)
        return len(found)


def counts(cursor: db.Cursor) -> dict[str, int]:
    """How many messages wait, were sent, and were given up."""
    found = db.rows(cursor, "SELECT state, count(*) AS n FROM outbox GROUP BY state")
    by_state = {row["state"]: row["n"] for row in found}
    return {state: by_state.get(state, 0) for state in ("waiting", "sent", "failed")}


def wait(attempts: int) -> timedelta:
    """How long after so many failed attempts the next one is made: 1, 2, 4 ... minutes, at most six hours."""
    return min(timedelta(minutes=2 ** (attempts - 1)), LONGEST_WAIT)


def _send(store: Store, actor: Actor, deliver: Deliver, row: db.Row, now: datetime | None) -> str:
    key, kind, facts = row["message_key"], Notice(row["kind"]), json.loads(row["facts"])
    attempts = row["attempts"] + 1
    try:
        message = notices.message(key, kind, facts)
        to = None
        if kind is Notice.NEWS or kind in notices.FOR_PEERS:
            with store.read() as cursor:
                news = kind is Notice.NEWS
                to = _address(cursor, facts["report"]) if news else peers.address(cursor, facts["peer"])
            if to is None:
                raise Undelivered("whoever is told has no address any more, or wants no mail", for_good=True)
        deliver(row["channel"], message, to)
    except Undelivered as error:
        state, why = "failed" if error.for_good or attempts >= MOST_ATTEMPTS else "waiting", str(error)
    else:
        state, why = "sent", ""
    with store.write(actor, Command.NOTIFY, now) as work:
        work.cursor.execute(
            "UPDATE outbox SET state = ?, attempts = ?, next_at = ?, done_at = ?, error = ? WHERE message_key = ?",
            [
                state,
                attempts,
                db.naive(work.now + wait(attempts)),
                None if state == "waiting" else db.naive(work.now),
                why,
                key,
            ],
        )
        if state == "sent":
            work.event("notice.sent", key, {"channel": row["channel"], "attempts": attempts})
        elif state == "failed":
            work.event("notice.failed", key, {"channel": row["channel"], "attempts": attempts, "why": why})
    return state


def _here(work: Work) -> dict[str, Any]:
    newest = "SELECT coalesce(max({0}), 0) FROM {1}"
    return {
        "looked_at": work.now,
        "message_id": db.value(work.cursor, newest.format("message_id", "messages")),
        "assessment_id": db.value(work.cursor, newest.format("assessment_id", "assessments")),
    }


_Found = tuple[str, Notice, dict[str, Any]]


def _alerts(work: Work, mark: Mapping[str, Any]) -> list[_Found]:
    """What the desk is told at once, each with its key."""
    found: list[_Found] = []
    critical = db.rows(
        work.cursor,
        "SELECT DISTINCT report_id FROM assessments WHERE assessment_id > ? AND severity = ? AND look_id IS NULL"
        " ORDER BY report_id",
        [mark["assessment_id"], str(Severity.CRITICAL)],
    )
    if critical:
        key = f"critical:{mark['assessment_id']}"
        found.append(
            (key, Notice.CRITICAL, {"critical": part([(row["report_id"], None) for row in critical])})
        )
    missed = deadlines.between(work.cursor, mark["looked_at"], work.now)
    if missed:
        key = f"missed:{mark['looked_at'].isoformat()}"
        found.append((key, Notice.CLOCK_MISSED, {"missed": part(missed)}))
    for one in embargoes.reminders(work.cursor, work.now, (1,)):
        key = f"embargo:{one['report_id']}:{one['binding_end'].isoformat()}"
        facts = {"ending": part([(one["report_id"], one["binding_end"])])}
        found.append((key, Notice.EMBARGO_ENDS, facts))
    return found


def _digest(work: Work, clocks: Clocks, hour: int | None) -> list[_Found]:
    local = work.now.astimezone(ZoneInfo(clocks.zone))
    if hour is None or local.hour < hour or not clocks.is_working(local.date()):
        return []
    key = f"digest:{local.date().isoformat()}"
    known = "SELECT count(*) FROM outbox WHERE kind = ? AND starts_with(message_key, ?)"
    if db.value(work.cursor, known, [str(Notice.DIGEST), f"{key}@"]):
        return []
    last = db.value(work.cursor, "SELECT max(made_at) FROM outbox WHERE kind = ?", [str(Notice.DIGEST)])
    return [(key, Notice.DIGEST, digest(work.cursor, clocks, work.now, last or work.now - timedelta(days=1)))]


def digest(cursor: db.Cursor, clocks: Clocks, now: datetime, since: datetime) -> dict[str, Any]:
    """The facts of a digest at `now`: what is new since `since`, due by the end of the desk's day, missed, ending."""
    zone = ZoneInfo(clocks.zone)
    day = now.astimezone(zone).date()
    midnight = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    late = Filter(only=Only.LATE, at=now)
    overdue = queries.inbox(cursor, late, queries.Sort.DUE, 1, notices.LISTED)
    ending = embargoes.reminders(cursor, now)
    wrote = Filter(only=Only.WROTE, at=now)
    written = queries.inbox(cursor, wrote, queries.Sort.OLDEST, 1, notices.LISTED)
    waiting = looks.counts(cursor, "")
    new = "SELECT report_id, received_at FROM reports WHERE received_at > ? AND received_at <= ? ORDER BY seq"
    arrived = db.rows(cursor, new, [db.naive(since), db.naive(now)])
    return {
        "day": day.isoformat(),
        "new": part([(row["report_id"], row["received_at"]) for row in arrived]),
        "due_today": part(deadlines.between(cursor, now, midnight)),
        "breached": part(
            [(row["report_id"], row["next_due"]) for row in overdue], queries.count(cursor, late)
        ),
        "bounty_late": part(list(bounty.late(cursor, now))),
        "wrote": part([(row["report_id"], None) for row in written], queries.count(cursor, wrote)),
        "embargo_1": part([(one["report_id"], one["binding_end"]) for one in ending if one["days"] == 1]),
        "embargo_7": part([(one["report_id"], one["binding_end"]) for one in ending if one["days"] == 7]),
        "second_looks": part([], waiting.waiting),
        "disputes": part([], waiting.disputed),
    }


# What moves a report and is its reporter's own act is no news to that reporter.
_OWN_ACTS = ("report.withdrawn", "report.answered")
_NEWS = (
    "SELECT report_id, max(message_id) AS message, max(event) AS event, any_value(w.contact) AS contact FROM ("
    " SELECT report_id, message_id, NULL AS event FROM messages WHERE message_id > $message AND direction = $direction"
    " UNION ALL SELECT subject, NULL, seq FROM events WHERE done_at > $since AND done_at <= $now"
    " AND contains(data, '\"status\":') AND NOT list_contains($own, kind))"
    " JOIN reports r USING (report_id) JOIN reporters w USING (reporter_id) SEMI JOIN tracking_keys USING (report_id)"
    " GROUP BY report_id ORDER BY message, event"
)


def _news(work: Work, mark: Mapping[str, Any]) -> list[_Found]:
    """One message to each reporter with an address to whom we wrote since the mark, or whose report has moved on."""
    found = db.rows(
        work.cursor,
        _NEWS,
        {
            "message": mark["message_id"],
            "direction": str(messages.Direction.TO_REPORTER),
            "since": db.naive(mark["looked_at"]),
            "now": db.naive(work.now),
            "own": list(_OWN_ACTS),
        },
    )
    silent = messages.without(work.cursor, Kind.MAIL_OFF, [row["report_id"] for row in found])
    return [
        (
            f"news:{row['report_id']}:{row['message'] or 'e' + str(row['event'])}",
            Notice.NEWS,
            {"report": row["report_id"]},
        )
        for row in found
        if is_address(row["contact"]) and row["report_id"] not in silent
    ]


def _advisories(work: Work, mark: Mapping[str, Any]) -> list[_Found]:
    """One message to each peer with an address for each advisory that it was told since the mark."""
    found = db.rows(
        work.cursor,
        "SELECT step_id, advisory_id, peer_id FROM advisory_steps JOIN active_peers USING (peer_id) WHERE step = ?"
        " AND email <> '' AND advisory_steps.done_at > ? AND advisory_steps.done_at <= ? ORDER BY step_id",
        [str(Step.TOLD), db.naive(mark["looked_at"]), db.naive(work.now)],
    )
    return [
        (
            f"advisory:{row['step_id']}",
            Notice.ADVISORY,
            {"advisory": row["advisory_id"], "peer": row["peer_id"]},
        )
        for row in found
    ]


def _changes(work: Work, mark: Mapping[str, Any]) -> Iterator[_Found]:
    """One message to each peer with an address for each change of what it was told that it would not look for."""
    changed = advisory_board.changed(work.cursor, mark["looked_at"], work.now)
    for peer in peers.active(work.cursor) if changed else ():
        for told in advisory_board.told_to(work.cursor, peer, work.now) if peer.email else ():
            if told.advisory_id in changed and told.change:
                key = f"advisory:{told.advisory_id}:{peer.peer_id}:{told.change}"
                yield key, Notice.ADVISORY_CHANGED, {"advisory": told.advisory_id, "peer": peer.peer_id}


def _address(cursor: db.Cursor, report_id: str) -> str | None:
    """The contact of the report's reporter where it is an e-mail address, a tracking key was given out, and mail is
    wanted."""
    contact = db.value(
        cursor,
        "SELECT w.contact FROM reports r JOIN reporters w USING (reporter_id) WHERE r.report_id = ?"
        " AND r.report_id IN (SELECT report_id FROM tracking_keys)",
        [report_id],
    )
    if not contact or messages.without(cursor, Kind.MAIL_OFF, [report_id]):
        return None
    return contact if is_address(contact) else None


def _for_channels(work: Work, found: _Found, channels: tuple[str, ...]) -> list[dict[str, Any]]:
    key, kind, facts = found
    return [_row(work, f"{key}@{channel}", channel, kind, facts) for channel in channels]


def _row(work: Work, key: str, channel: str, kind: Notice, facts: Mapping[str, Any]) -> dict[str, Any]:
    notices.check(facts)
    return {
        "message_key": key,
        "channel": channel,
        "kind": str(kind),
        "facts": audit.encode(facts),
        "made_at": work.now,
        "state": "waiting",
        "attempts": 0,
        "next_at": work.now,
        "done_at": None,
        "error": "",
    }


def _unknown(cursor: db.Cursor, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the rows that are not in the outbox yet."""
    keys = [row["message_key"] for row in rows]
    known = db.rows(cursor, "SELECT message_key FROM outbox WHERE message_key IN (SELECT unnest(?))", [keys])
    in_it = {row["message_key"] for row in known}
    return [row for row in rows if row["message_key"] not in in_it]
