"""What is not well, in words: what it is, what to do, and the command that does it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import LiteralString

from triage_core.health import Health, Messages
from triage_core.outgoing.outbox import EMAIL, WEBHOOK
from triage_core.runtime import Step
from triage_core.unwell import Ill, Level, Subject
from ui.hostile import plain
from ui.words import ago, badge, counted, span

SUBJECT: Mapping[Subject, LiteralString] = {
    Subject.INTAKE: "Intake",
    Subject.COMPARING: "Comparing",
    Subject.MESSAGES: "Messages",
    Subject.RECORD: "Record",
    Subject.DISK: "Disk",
}
ICON: Mapping[Subject, LiteralString] = {
    Subject.INTAKE: ":material/move_to_inbox:",
    Subject.COMPARING: ":material/compare:",
    Subject.MESSAGES: ":material/outgoing_mail:",
    Subject.RECORD: ":material/link:",
    Subject.DISK: ":material/hard_drive:",
}
WELL: LiteralString = badge("green", ":material/check: Well")
OFF: LiteralString = badge("gray", "Off")
BY_HAND: LiteralString = badge("gray", "By hand")
LEVEL: Mapping[Level, LiteralString] = {
    Level.WATCH: badge("orange", ":material/visibility: See to it"),
    Level.ILL: badge("red", ":material/error: Not well"),
}
DOES: Mapping[Step, LiteralString] = {
    Step.REST: "It rests, and looks for new reports every two seconds.",
    Step.EMBARGOES: "It notes which embargoes have ended.",
    Step.COMPARE: "It compares reports.",
    Step.NAME: "It names clusters.",
    Step.LEARN: "It learns from decisions what to suggest.",
    Step.AUDIT: "It audits the clusters.",
}
CHANNEL: Mapping[str, LiteralString] = {EMAIL: "e-mail", WEBHOOK: "webhook"}
READIES: LiteralString = "It gets ready to compare: it loads the model, and what was compared before."
_LOST: LiteralString = "Acknowledged work may be missing, or somebody changed the store."
_RESTORE: LiteralString = (
    "End the server, keep the folder as it is for a later look, and put the last backup back whole."
)
DO: Mapping[Ill, LiteralString] = {
    Ill.FRONT_SILENT: "Look at what the server printed, and start it again. Nothing that was accepted is lost.",
    Ill.JOURNAL_STUCK: "They are on the disk, in the journal, and are taken in by themselves once the cause is gone."
    " Look at the disk first; end the server only then.",
    Ill.WORKER_STOPPED: "Look at what the server printed, and start it again. Reports keep coming in meanwhile;"
    " what is not compared is compared then.",
    Ill.COMPARING_FAILS: "It is tried again every 20 seconds. Look at the model's settings and at what the server"
    " printed; reviewers can decide meanwhile.",
    Ill.GIVEN_UP: "Mend the cause, then send them again:",
    Ill.ROUNDS_STOPPED: "Look at what the server printed, and start it again. What waits is kept.",
    Ill.ROUNDS_LATE: "The mail server or the webhook may be slow. If it stays so, start the server again; what waits"
    " is kept.",
    Ill.MESSAGES_LATE: "They are tried again by themselves, 12 times at most. Look at the mail server or the webhook.",
    Ill.NO_CHANNEL: "Set a mail server or a webhook, as they had when they were written, and start the server again.",
    Ill.ANCHOR_AHEAD: _RESTORE,
    Ill.ANCHOR_DIFFERS: _RESTORE,
    Ill.ANCHOR_MISSING: "Look who removed it. The next event writes a new one, which can show only what comes after it:"
    " compare the head with that of a backup.",
    Ill.ANCHOR_UNREADABLE: "Look who may read and write the file, and what its last line is.",
    Ill.ANCHOR_BEHIND: "The file may not be writable, or the disk is full. The next event puts it right.",
    Ill.VERIFY_FAILED: f"{_RESTORE} To look once more:",
    Ill.VERIFY_DUE: "It reads every event and every report, and takes minutes for a million:",
    Ill.DISK_FULL: "Make room now: without it no report can be accepted. Old versions of datasets can be retired.",
    Ill.DISK_LOW: "Make room. Old versions of datasets can be retired:",
}
_COMMAND: Mapping[Ill, LiteralString] = {
    Ill.GIVEN_UP: "notify send --failed",
    Ill.VERIFY_DUE: "verify",
    Ill.VERIFY_FAILED: "verify",
    Ill.DISK_LOW: "datasets list",
    Ill.DISK_FULL: "datasets list",
}


def command_for(ill: Ill, folder: Path) -> str:
    """The command that `DO` speaks of, for a code block; "" where it names none."""
    words = _COMMAND.get(ill)
    return f"python -m triage_core {words} --store {shlex.quote(str(folder))}" if words else ""


def ill_words(ill: Ill, seen: Health) -> LiteralString:
    """One sentence: what is not well."""
    messages, record = seen.messages, seen.record
    match ill:
        case Ill.FRONT_SILENT:
            return "The public form does not answer: nobody can report."
        case Ill.JOURNAL_STUCK:
            waiting = counted(seen.intake.waiting, "accepted report")
            return f"The database does not take in {waiting}: {plain(seen.intake.error)}."
        case Ill.WORKER_STOPPED:
            return (
                "The worker has stopped: nothing new is compared, and no end of an embargo is written down."
            )
        case Ill.COMPARING_FAILS:
            return (
                f"The worker fails: {plain(failure.why if (failure := seen.comparing.last_failure) else '')}."
            )
        case Ill.GIVEN_UP:
            return f"{counted(messages.failed, 'message')} given up after all tries.{outbox_errors(messages)}"
        case Ill.ROUNDS_STOPPED:
            return "No round of messages is made: nothing goes out."
        case Ill.ROUNDS_LATE:
            return (
                f"The last round of messages began {lasting(messages.looked_at, seen.at)} ago, not a minute."
            )
        case Ill.MESSAGES_LATE:
            return (
                f"The oldest has waited for {lasting(messages.oldest_at, seen.at)}.{outbox_errors(messages)}"
            )
        case Ill.NO_CHANNEL:
            return f"Messages that wait ({messages.waiting:,}) go nowhere, because no channel is set."
        case Ill.ANCHOR_AHEAD:
            return f"The anchor file knows of more than the {record.events:,} events that the store holds. {_LOST}"
        case Ill.ANCHOR_DIFFERS:
            return f"The anchor file names another event than the store holds. {_LOST}"
        case Ill.ANCHOR_MISSING:
            return "The anchor file is missing: nothing outside the database tells what it should hold."
        case Ill.ANCHOR_UNREADABLE:
            return "The anchor file cannot be read: nothing outside the database tells what it should hold."
        case Ill.ANCHOR_BEHIND:
            return f"The anchor file has lacked the last events for {lasting(record.behind_since, seen.at)}."
        case Ill.VERIFY_FAILED:
            return f"The last verification found: {plain(record.verified.wrong if record.verified else '', 300)}."
        case Ill.VERIFY_DUE if record.verified:
            return f"The store was verified {ago(record.verified.at, seen.at)}, and once a month is a good habit."
        case Ill.VERIFY_DUE:
            return "The store has never been verified as a whole."
        case Ill.DISK_FULL:
            return f"The disk of the store is all but full: {bytes_words(seen.disk.free)} are free."
        case Ill.DISK_LOW:
            return f"The disk of the store fills up: {bytes_words(seen.disk.free)} are free."


def outbox_errors(messages: Messages) -> LiteralString:
    """Why messages wait or were given up, the most frequent reason first; "" where none is known."""
    return "".join(f" Tried in vain ({number:,}): {plain(error)}." for error, number in messages.errors)


def lasting(at: datetime | None, now: datetime) -> LiteralString:
    return span(now - at) if at else "some time"


def bytes_words(number: int) -> LiteralString:
    """Bytes in a unit that leaves few digits."""
    if number < 2**20:
        return f"{number / 2**10:,.0f} KiB"
    return f"{number / 2**20:,.0f} MiB" if number < 2**30 else f"{number / 2**30:,.1f} GiB"
