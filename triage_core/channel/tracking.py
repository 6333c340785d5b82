"""What a reporter sees of the own report: state, next step and its date, messages, embargo, reward, closure.

Read with the tracking key, of which only the hash is stored. Nothing here tells anything of another
report: a duplicate's reason is worded anew, and what a reviewer wrote is shown only when it repeats
nothing of the earlier report.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from triage_core import cases, currencies, db, lifecycle
from triage_core.channel import intake, messages, promises
from triage_core.channel.messages import Kind
from triage_core.desk import activity, linking
from triage_core.disclosure import embargo
from triage_core.guidance import policies
from triage_core.guidance.policy import Clause, Policy
from triage_core.lifecycle import Trigger
from triage_core.model import (
    EmbargoState,
    PeerConsent,
    Resolution,
    Status,
    TrainingConsent,
    Turn,
    TurnRole,
)

REMINDED_TURNS = 20  # by which a reporter knows the report again
REMINDED = 1_000  # characters of each
SHARED_WORDS = 4  # so many words in a row that only the other report has count as its content

STATES: Mapping[Status, str] = MappingProxyType(
    {
        Status.NEW: "Received, and waiting to be read",
        Status.NEEDS_INFO: "Waiting for your answer",
        Status.TRIAGED: "Read, and being decided on",
        Status.ACCEPTED: "Accepted as a flaw",
        Status.DEFERRED: "Accepted as a flaw, to be fixed later",
        Status.FIX_READY: "A fix is ready",
        Status.FIXED: "A fix is in place",
        Status.RETEST: "The fix is being tested",
        Status.CLOSED: "Closed",
    }
)
BACK = "With us again, and being decided on"  # new once more, after a question or a decision taken back
CLOSED_AS: Mapping[Resolution, str] = MappingProxyType(
    {
        Resolution.RESOLVED_FIXED: "Fixed: we tested again and it does not happen any more",
        Resolution.RESOLVED_MITIGATED: "Made less likely or less harmful; it may still happen",
        Resolution.ACCEPTED_RISK: "A flaw that we know and accept for now",
        Resolution.DUPLICATE: "We knew it from an earlier report",
        Resolution.EXPECTED_BEHAVIOUR: "The system did what it is meant to do",
        Resolution.OUT_OF_SCOPE: "Outside what this policy covers",
        Resolution.NOT_REPRODUCIBLE: "We tried and could not make it happen",
        Resolution.NOT_APPLICABLE: "Not a report of a flaw in our AI systems",
        Resolution.SPAM: "Not taken for a report",
        Resolution.WITHDRAWN: "You withdrew it",
        Resolution.REROUTED: "It belongs with somebody else, to whom it must go",
    }
)
_STEPS: Mapping[Status, str] = MappingProxyType(
    {
        Status.NEW: "We decide whether this is a flaw that we must mend.",
        Status.NEEDS_INFO: "You answer our question below, and we go on. Without an answer we decide by what we have.",
        Status.TRIAGED: "We decide whether this is a flaw that we must mend.",
        Status.ACCEPTED: "We prepare a fix.",
        Status.DEFERRED: "We come back to it and prepare a fix.",
        Status.FIX_READY: "We put the fix in place.",
        Status.FIXED: "We test whether the fix holds.",
        Status.RETEST: "We test whether the fix holds, and tell you.",
        Status.CLOSED: "Nothing more is planned. You may still write to us below.",
    }
)
STILL_WAITING: Mapping[Resolution, str] = MappingProxyType(
    {
        Resolution.RESOLVED_FIXED: "Systems like this one may have the same flaw, and no fix yet.",
        Resolution.RESOLVED_MITIGATED: "It may still happen.",
        Resolution.ACCEPTED_RISK: "The flaw is there, and stays for now.",
        Resolution.DUPLICATE: "The earlier report of the same flaw is worked on.",
        Resolution.NOT_REPRODUCIBLE: "That we could not make it happen does not show that nobody can.",
        Resolution.WITHDRAWN: "Nobody has found that it is no flaw, and others may be hurt by it.",
        Resolution.REROUTED: "Those to whom it must go need the time.",
    }
)
"""Why the waiting period of a closed report goes on; for one that is no flaw (`NO_FLAW`) there is no reason."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The embargo: `ends_at` binds while `active`; `proposed_end` waits for the other side's answer.

    The end that binds is the earliest of all linked duplicates. `version` is what an answer has seen.
    `asked`: it runs or is proposed, and the report is not closed as no flaw: so the reporter is asked to keep to
    it. `why` says why that goes on after the closing.
    """

    state: EmbargoState
    active: bool
    ends_at: datetime | None
    proposed_end: datetime | None
    proposed_by: str
    exited_at: datetime | None
    exit_reason: str
    version: int
    asked: bool
    why: str


@dataclass(frozen=True, slots=True)
class Closure:
    """Why a report is closed: `reason` is a person's words, "" without any; the clauses are those cited."""

    resolution: Resolution
    words: str
    at: datetime | None
    clauses: tuple[Clause, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What the reporter sent, as a reminder: the product, what is wrong, and the first of the `count` turns, cut."""

    product: str
    what_is_wrong: str
    turns: tuple[Turn, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """One report as its reporter sees it. `next_due` is None where no date is promised.

    `contact` says where news would go; it is not shown, since whoever holds the key need not know it. `credit` is the
    name for the thanks page, "" where none was wished for.
    """

    report_id: str
    received_at: datetime
    policy_version: str
    zone: str
    status: Status
    state: str
    next_step: str
    next_due: datetime | None
    late: bool
    question: str
    messages: tuple[db.Row, ...]
    history: tuple[tuple[datetime, str], ...]
    embargo: Waiting | None
    rewards: tuple[db.Row, ...]
    closure: Closure | None
    may_withdraw: bool
    sent: Sent
    training: TrainingConsent
    sharing: PeerConsent
    contact: str
    wants_mail: bool
    credit: str
    wants_name: bool


def find(cursor: db.Cursor, key: str) -> str | None:
    """The report of a tracking key; None for any other text. Takes as long for either."""
    digest = intake.tracking_hash(key)
    row = db.row(cursor, "SELECT key_sha256, report_id FROM tracking_keys WHERE key_sha256 = ?", [digest])
    known = row or {"key_sha256": "0" * 64, "report_id": ""}
    same = hmac.compare_digest(str(known["key_sha256"]), digest)
    return str(known["report_id"]) if same else None


def view(cursor: db.Cursor, report_id: str, now: datetime) -> Tracked:
    """What the reporter of this report sees at `now`."""
    report = db.row(
        cursor,
        "SELECT report_id, received_at, policy_version, platform, what_is_wrong, turns, body,"
        " coalesce(w.contact, '') AS contact"
        " FROM reports LEFT JOIN reporters w USING (reporter_id) WHERE report_id = ?",
        [report_id],
    )
    case = db.row(cursor, "SELECT * FROM cases WHERE report_id = ?", [report_id])
    assert report is not None, "a tracking key names a report that is stored"
    assert case is not None, "every report has a case"
    policy = policies.version(cursor, report["policy_version"])
    status = Status(case["status"])
    thread = messages.thread(cursor, report_id)
    asked = messages.open_question(thread)
    step, due = _next(cursor, case, status)
    events = activity.history(cursor, report_id)
    return Tracked(
        report_id=report_id,
        received_at=report["received_at"],
        policy_version=report["policy_version"],
        zone=policy.clocks.zone,
        status=status,
        state=BACK if status is Status.NEW and case["first_response_at"] else STATES[status],
        next_step=step,
        next_due=due,
        late=due is not None and due < now,
        question=asked["text"] if asked else "",
        messages=tuple(thread),
        history=_history(report["received_at"], events),
        embargo=_embargo(cursor, case, now),
        rewards=_rewards(cursor, report_id),
        closure=_closure(cursor, policy, case, events) if status is Status.CLOSED else None,
        may_withdraw=Trigger.WITHDRAW in lifecycle.allowed(status),
        sent=_sent(report),
        training=TrainingConsent(case["consent_training"]),
        sharing=PeerConsent(case["consent_share_peers"]),
        contact=report["contact"],
        wants_mail=not messages.without(cursor, Kind.MAIL_OFF, [report_id]),
        credit=promises.credit(json.loads(report["body"])),
        wants_name=not messages.without(cursor, Kind.NAME_OFF, [report_id]),
    )


def _sent(report: Mapping[str, Any]) -> Sent:
    turns = tuple(
        Turn(TurnRole(turn["role"]), _cut(turn["content"])) for turn in report["turns"][:REMINDED_TURNS]
    )
    return Sent(report["platform"], report["what_is_wrong"], turns, len(report["turns"]))


def _cut(content: str) -> str:
    return content if len(content) <= REMINDED else f"{content[:REMINDED]} …"


def _next(cursor: db.Cursor, case: db.Row, status: Status) -> tuple[str, datetime | None]:
    """The next step in words, and by when it is promised."""
    if status is Status.NEW and case["first_response_at"] is None:
        return "A person reads it and gives you a first answer.", case["response_due"]
    if case["resolution"] == Resolution.DUPLICATE and _is_open(cursor, case["canonical_id"]):
        return "We go on with the earlier report, whose state stands below.", None
    decided = status in (Status.ACCEPTED, Status.DEFERRED, Status.FIX_READY, Status.FIXED, Status.RETEST)
    if status is Status.CLOSED:
        return _STEPS[status], None
    return _STEPS[status], case["fix_due"] if decided else case["triage_due"]


def _history(received_at: datetime, events: Sequence[activity.Event]) -> tuple[tuple[datetime, str], ...]:
    words = {**STATES, Status.NEW: BACK}  # no event leads to a first "new"
    moved = [
        (event.done_at, words[Status(event.after["status"])]) for event in events if "status" in event.after
    ]
    return ((received_at, "Received"), *moved)


def _embargo(cursor: db.Cursor, case: db.Row, now: datetime) -> Waiting | None:
    row = db.row(cursor, "SELECT * FROM embargo_terms WHERE report_id = ?", [case["report_id"]])
    if row is None or row["state"] == EmbargoState.NONE:
        return None
    state = EmbargoState(row["state"])
    # A duplicate waits for the flaw that it tells of: what has become of that counts, once it is closed too.
    closed = cases.closed_as(cursor, case["report_id"]) or case["resolution"]
    active = embargo.is_active(state, row["binding_end"], now)
    asked = (active or state is EmbargoState.PROPOSED) and closed not in lifecycle.NO_FLAW
    return Waiting(
        state=state,
        active=active,
        ends_at=row["binding_end"],
        proposed_end=row["proposed_end"],
        proposed_by=row["proposed_by"],
        exited_at=row["exited_at"],
        exit_reason=row["exit_reason"],
        version=row["version"],
        asked=asked,
        why=STILL_WAITING[Resolution(closed)] if closed and asked else "",
    )


def _rewards(cursor: db.Cursor, report_id: str) -> tuple[db.Row, ...]:
    """What was decided, oldest first; a proposal that nobody has approved yet promises nothing.

    Only why one was declined is written for the reporter: a reference of a payment is the desk's.
    """
    found = db.rows(
        cursor,
        "SELECT kind, amount, currency, state,"
        " CASE WHEN state = 'approved' THEN approved_at ELSE done_at END AS done_at,"
        " CASE WHEN state = 'declined' THEN reason ELSE '' END AS reason"
        " FROM present_rewards LEFT JOIN reward_approvals USING (reward_no)"
        " WHERE report_id = ? AND state IN ('approved', 'paid', 'declined') ORDER BY reward_no",
        [report_id],
    )
    return tuple(
        row | {"amount": row["amount"] and currencies.fitted(row["amount"], row["currency"])} for row in found
    )


def _closure(cursor: db.Cursor, policy: Policy, case: db.Row, events: Sequence[activity.Event]) -> Closure:
    resolution = Resolution(case["resolution"])
    if resolution is Resolution.DUPLICATE:
        return Closure(resolution, CLOSED_AS[resolution], case["closed_at"], (), _duplicate(cursor, case))
    closing = next((e for e in reversed(events) if e.after.get("status") == Status.CLOSED), None)
    reason = str(closing.data.get("note", "")) if closing else ""
    clauses: tuple[Clause, ...] = ()
    made = "SELECT clauses, note, policy_version FROM assessments WHERE assessment_id = ? AND resolution IS NOT NULL"
    if resolution is not Resolution.WITHDRAWN and (cited := db.row(cursor, made, [case["assessment_id"]])):
        under = policy if cited["policy_version"] == policy.version else None
        under = under or policies.version(cursor, cited["policy_version"])
        clauses = tuple(under.clause(name) for name in cited["clauses"])
        reason = reason or cited["note"]
    return Closure(resolution, CLOSED_AS[resolution], case["closed_at"], clauses, reason)


def _duplicate(cursor: db.Cursor, case: db.Row) -> str:
    """Why a report is a duplicate, in words that tell nothing of the earlier one."""
    made = linking.first_link_of(cursor, case["report_id"])
    if made is None:
        return ""
    own, leading = _told(cursor, case["report_id"]), _told(cursor, case["canonical_id"])
    waits = leading["status"] == Status.NEEDS_INFO  # for somebody else's answer
    state = "waiting for an answer" if waits else STATES[Status(leading["status"])].lower()
    if leading["resolution"]:
        state += f". {CLOSED_AS[Resolution(leading['resolution'])]}"
    words = [
        "Somebody reported the same flaw, brought about by the same means, before you did."
        f" That report leads on; its state: {state}."
    ]
    reason = made["reason"]
    for other in (leading, _told(cursor, made["canonical_id"])):  # the link may have been moved on since
        reason = without_other(reason, _said(own), [*_said(other), other["external_id"] or ""])
    if reason:
        words.append(f"The reviewer's reason: {reason}")
    return " ".join(words)


def _is_open(cursor: db.Cursor, report_id: str) -> bool:
    return bool(_told(cursor, report_id)["status"] != Status.CLOSED)


def _told(cursor: db.Cursor, report_id: str) -> db.Row:
    """A report that a link names, with its state."""
    texts = (
        "SELECT r.*, c.status, c.resolution FROM reports r JOIN cases c USING (report_id) WHERE report_id = ?"
    )
    found = db.row(cursor, texts, [report_id])
    assert found is not None, "a link names two stored reports"
    return found


def without_other(reason: str, own: Sequence[str], other: Sequence[str]) -> str:
    """A reviewer's reason for the reporter of a duplicate; "" when it tells of the other report.

    It does when it shares four words in a row with the other report that the own one has not. Numbers
    and names of reports are taken out.
    """
    for name in filter(None, [other[-1]] if other else []):
        reason = reason.replace(name, "the earlier report")
    reason = re.sub(r"\bFR-\d+\b", "the earlier report", reason).strip()
    told = _runs([reason]) & _runs(other)
    return "" if told - _runs(own) else reason


def _runs(texts: Sequence[str]) -> set[tuple[str, ...]]:
    found = set()
    for text in texts:
        words = re.findall(r"\w+", text.casefold())
        found |= {tuple(words[at : at + SHARED_WORDS]) for at in range(len(words) - SHARED_WORDS + 1)}
    return found


def _said(report: Mapping[str, Any]) -> list[str]:
    return [report["what_is_wrong"], *(turn["content"] for turn in report["turns"])]
