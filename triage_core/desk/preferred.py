"""Better answers in the store: the one in force, who wrote and who approved it, and what waits for either.

An answer is never changed: each step (written, approved, taken back) is a row, and the latest holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triage_core import db
from triage_core.disclosure.embargo import SUFFICIENT, Use
from triage_core.queries import EXCERPT_OF_R
from triage_core.store import Work

_USED = ("resolved_fixed", "resolved_mitigated", "accepted_risk", "out_of_scope")
_COLUMNS = "answer_id, content, turn, written_by, approved_by, returned_by, coalesce(returned_why, '') AS returned_why"
_WANTED = (
    " FROM cases c JOIN reports r USING (report_id) LEFT JOIN present_answers p USING (report_id)"
    " WHERE c.assessment_id IS NOT NULL AND c.canonical_id IS NULL"
    " AND (c.resolution IS NULL OR list_contains($used, c.resolution))"
    " AND list_contains($agreed, c.consent_training) AND "
)
_MISSING = "(coalesce(p.content, '') = '' OR (p.approved_by IS NULL AND p.written_by = $me))"
_DRAFTS = "p.content <> '' AND p.approved_by IS NULL AND p.returned_by IS NULL AND p.written_by <> $me"


@dataclass(frozen=True, slots=True)
class Answer:
    """A better answer as it stands: `turn` counts from 1, None for the answer at the end of the conversation.

    `approved_by` is None for a draft, `returned_by` for one that nobody sent back to its writer.
    """

    answer_id: int
    content: str
    turn: int | None
    written_by: str
    approved_by: str | None
    returned_by: str | None = None
    returned_why: str = ""

    @property
    def by_two(self) -> bool:
        """Whether somebody else than its writer approved it."""
        return self.approved_by is not None and self.approved_by != self.written_by

    def same(self, other: Answer | None) -> bool:
        """Whether both say the same, with the same people behind it."""
        return other is not None and all(
            getattr(self, name) == getattr(other, name)
            for name in ("content", "turn", "written_by", "approved_by", "returned_by", "returned_why")
        )


NONE = Answer(0, "", None, "", None)


def in_force(cursor: db.Cursor, report_id: str, until: int | None = None) -> Answer:
    """The answer that holds, or held when number `until` was the last one; `NONE` where there is none."""
    found = db.row(
        cursor,
        f"SELECT {_COLUMNS} FROM better_answers WHERE report_id = $report"
        " AND answer_id <= coalesce($until, answer_id) ORDER BY answer_id DESC LIMIT 1",
        {"report": report_id, "until": until},
    )
    return Answer(**found) if found and found["content"] else NONE


def turns_meant(cursor: db.Cursor) -> dict[str, int]:
    """By report the turn (from 1) that its approved better answer stands in for, where it names one."""
    found = db.rows(
        cursor,
        "SELECT report_id, turn FROM present_answers"
        " WHERE content <> '' AND approved_by IS NOT NULL AND turn IS NOT NULL",
    )
    return {row["report_id"]: row["turn"] for row in found}


def of_reports(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, Answer]:
    """The answers in force by report; reports without one are left out."""
    found = db.rows(
        cursor,
        f"SELECT report_id, {_COLUMNS} FROM present_answers"
        " WHERE content <> '' AND report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row.pop("report_id"): Answer(**row) for row in found}


def add(work: Work, report_id: str, answer: Answer) -> int:
    """Store the next state of a report's answer; gives its number. The event is the command's."""
    number = work.next_id("better_answers", "answer_id")
    row: dict[str, Any] = {
        "answer_id": number,
        "report_id": report_id,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "content": answer.content,
        "turn": answer.turn,
        "written_by": answer.written_by,
        "approved_by": answer.approved_by,
        "returned_by": answer.returned_by,
        "returned_why": answer.returned_why,
    }
    db.insert(work.cursor, "better_answers", [row])
    work.say("better_answers", row)
    return number


@dataclass(frozen=True, slots=True)
class Counts:
    """Reports that could teach a better answer: `missing` one (or with one's own draft), `drafts` of others."""

    missing: int
    drafts: int


def counts(cursor: db.Cursor, actor_id: str) -> Counts:
    """How much there is to write and to approve for this person."""
    values = _values(actor_id)
    found = [db.value(cursor, f"SELECT count(*){_WANTED}{part}", values) for part in (_MISSING, _DRAFTS)]
    return Counts(*found)


def missing(cursor: db.Cursor, actor_id: str, limit: int = 50) -> list[db.Row]:
    """Reports without an answer, or with a draft of this person's: flaws and out-of-scope ones that may be trained on.

    What was sent back to this person first, then the most severe, then the oldest.
    """
    return _list(cursor, _MISSING, actor_id, limit)


def drafts(cursor: db.Cursor, actor_id: str, limit: int = 50) -> list[db.Row]:
    """Reports whose answer somebody else has written and nobody has approved, in the same order."""
    return _list(cursor, _DRAFTS, actor_id, limit)


def _list(cursor: db.Cursor, part: str, actor_id: str, limit: int) -> list[db.Row]:
    return db.rows(
        cursor,
        f"SELECT c.report_id, c.severity, p.returned_by, {EXCERPT_OF_R}{_WANTED}{part}"
        " ORDER BY p.returned_by IS NULL, array_position(['critical', 'high', 'medium', 'low'], c.severity), c.seq"
        " LIMIT $limit",
        {**_values(actor_id), "limit": limit},
    )


def _values(actor_id: str) -> dict[str, Any]:
    agreed = [str(consent) for consent in SUFFICIENT[Use.SAFETY_TRAINING]]
    return {"me": actor_id, "used": list(_USED), "agreed": agreed}
