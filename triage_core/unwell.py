"""What is not well in a look at the installation: the rules, as a table and one function over the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from triage_core.health import Anchored, Comparing, Disk, Health, Intake, Messages, Record

VERIFY_EVERY = timedelta(days=30)
ROUND_LATE = timedelta(minutes=30)  # a round of slow messages takes a while
MESSAGE_LATE = timedelta(hours=1)
ANCHOR_LATE = timedelta(minutes=1)
LOW_BYTES, LOW_SHARE, FULL_BYTES = 20 * 2**30, 0.1, 2**30


class Subject(StrEnum):
    INTAKE = "intake"
    COMPARING = "comparing"
    MESSAGES = "messages"
    RECORD = "record"
    DISK = "disk"


class Level(IntEnum):
    """WATCH: see to it in the next days. ILL: something is lost, or does not work, until somebody acts."""

    WATCH = 1
    ILL = 2


class Ill(StrEnum):
    FRONT_SILENT = "front_silent"
    JOURNAL_STUCK = "journal_stuck"
    WORKER_STOPPED = "worker_stopped"
    COMPARING_FAILS = "comparing_fails"
    GIVEN_UP = "given_up"
    ROUNDS_STOPPED = "rounds_stopped"
    ROUNDS_LATE = "rounds_late"
    MESSAGES_LATE = "messages_late"
    NO_CHANNEL = "no_channel"
    ANCHOR_AHEAD = "anchor_ahead"
    ANCHOR_DIFFERS = "anchor_differs"
    ANCHOR_MISSING = "anchor_missing"
    ANCHOR_UNREADABLE = "anchor_unreadable"
    ANCHOR_BEHIND = "anchor_behind"
    VERIFY_FAILED = "verify_failed"
    VERIFY_DUE = "verify_due"
    DISK_FULL = "disk_full"
    DISK_LOW = "disk_low"


ABOUT: Mapping[Ill, tuple[Subject, Level]] = {
    Ill.FRONT_SILENT: (Subject.INTAKE, Level.ILL),
    Ill.JOURNAL_STUCK: (Subject.INTAKE, Level.ILL),
    Ill.WORKER_STOPPED: (Subject.COMPARING, Level.ILL),
    Ill.COMPARING_FAILS: (Subject.COMPARING, Level.ILL),
    Ill.GIVEN_UP: (Subject.MESSAGES, Level.ILL),
    Ill.ROUNDS_STOPPED: (Subject.MESSAGES, Level.ILL),
    Ill.ROUNDS_LATE: (Subject.MESSAGES, Level.WATCH),
    Ill.MESSAGES_LATE: (Subject.MESSAGES, Level.WATCH),
    Ill.NO_CHANNEL: (Subject.MESSAGES, Level.WATCH),
    Ill.ANCHOR_AHEAD: (Subject.RECORD, Level.ILL),
    Ill.ANCHOR_DIFFERS: (Subject.RECORD, Level.ILL),
    Ill.ANCHOR_MISSING: (Subject.RECORD, Level.ILL),
    Ill.ANCHOR_UNREADABLE: (Subject.RECORD, Level.ILL),
    Ill.ANCHOR_BEHIND: (Subject.RECORD, Level.ILL),
    Ill.VERIFY_FAILED: (Subject.RECORD, Level.ILL),
    Ill.VERIFY_DUE: (Subject.RECORD, Level.WATCH),
    Ill.DISK_FULL: (Subject.DISK, Level.ILL),
    Ill.DISK_LOW: (Subject.DISK, Level.WATCH),
}
_ANCHORED = {
    Anchored.AHEAD: Ill.ANCHOR_AHEAD,
    Anchored.DIFFERS: Ill.ANCHOR_DIFFERS,
    Anchored.MISSING: Ill.ANCHOR_MISSING,
    Anchored.UNREADABLE: Ill.ANCHOR_UNREADABLE,
}


def ills(seen: Health, front_answers: bool) -> list[Ill]:
    """What is not well, by subject and in the order of `Ill`."""
    return [
        *_of_intake(seen.intake, front_answers),
        *_of_comparing(seen.comparing),
        *_of_messages(seen.messages, seen.at),
        *_of_record(seen.record, seen.at),
        *_of_disk(seen.disk),
    ]


def _of_intake(intake: Intake, front_answers: bool) -> Iterator[Ill]:
    if not front_answers:
        yield Ill.FRONT_SILENT
    if intake.error:
        yield Ill.JOURNAL_STUCK


def _of_comparing(comparing: Comparing) -> Iterator[Ill]:
    if not comparing.is_running:
        yield Ill.WORKER_STOPPED
    elif comparing.state.error:
        yield Ill.COMPARING_FAILS


def _of_messages(messages: Messages, now: datetime) -> Iterator[Ill]:
    if messages.failed:
        yield Ill.GIVEN_UP
    if not messages.channels:
        if messages.waiting:
            yield Ill.NO_CHANNEL
        return
    if not messages.is_running:
        yield Ill.ROUNDS_STOPPED
    elif messages.looked_at and now - messages.looked_at > ROUND_LATE:
        yield Ill.ROUNDS_LATE
    if messages.oldest_at and now - messages.oldest_at > MESSAGE_LATE:
        yield Ill.MESSAGES_LATE


def _of_record(record: Record, now: datetime) -> Iterator[Ill]:
    if record.anchored in _ANCHORED:
        yield _ANCHORED[record.anchored]
    elif record.behind_since and now - record.behind_since > ANCHOR_LATE:
        yield Ill.ANCHOR_BEHIND
    last = record.verified
    if last and last.wrong:
        yield Ill.VERIFY_FAILED
    elif (since := last.at if last else record.began_at) and now - since > VERIFY_EVERY:
        yield Ill.VERIFY_DUE


def _of_disk(disk: Disk) -> Iterator[Ill]:
    if disk.free < FULL_BYTES:
        yield Ill.DISK_FULL
    elif disk.free < min(LOW_BYTES, LOW_SHARE * disk.size):
        yield Ill.DISK_LOW
