"""Second looks in the store: the draw, which ones are open and for whom, and what two people decided apart.

A look is a row that `change` updates together with its event, as a case is. What a second reviewer
reads comes from `blind`, which takes nothing of the first decision out of the store.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from triage_core import cases, db
from triage_core.desk import assessments
from triage_core.desk.agreement import Judgement, Pair
from triage_core.errors import Conflict, NotAllowed, NotFound
from triage_core.guidance.policy import Policy
from triage_core.model import Exploitation, Severity
from triage_core.queries import EXCERPT_OF_R, ReportView
from triage_core.store import Work
from triage_core.text import turns_of

Randomness = Callable[[int], bytes]


class Reason(StrEnum):
    """Why a decision is looked at again."""

    DRAWN = "drawn"
    CRITICAL = "critical"
    ASKED = "asked"


def draw(
    work: Work,
    policy: Policy,
    report_id: str,
    first_id: int,
    severity: Severity,
    randomness: Randomness = secrets.token_bytes,
) -> dict[str, Any]:
    """What a decision's event says of its second look: {"drawn": {look_id, reason}}, or {} without one.

    Every critical decision has a look, and so has the share of the policy; `severity` is the gravest that the
    decision knows of, so that no override takes it out. The lot hangs on the report
    and a key of the store: nobody can foresee it, and deciding again draws the same lot.
    """
    if severity is Severity.CRITICAL:
        reason = Reason.CRITICAL
    elif lot(_key(work, randomness), report_id) < policy.second_look_share:
        reason = Reason.DRAWN
    else:
        return {}
    look_id = add(work, report_id, first_id, reason, wanted=True)
    return {"drawn": {"look_id": look_id, "reason": str(reason)}}


def lot(key: str, report_id: str) -> float:
    """The lot of a report, from 0 to below 1: evenly spread, always the same, unknown without the key."""
    digest = hmac.digest(bytes.fromhex(key), report_id.encode(), hashlib.sha256)
    return int.from_bytes(digest[:6], "big") / 2**48


def _key(work: Work, randomness: Randomness) -> str:
    """The key of the draw, made on first use. It stays out of the events: they are shown to people."""
    found = db.value(work.cursor, "SELECT draw_key FROM draw_key")
    if found is None:
        found = randomness(32).hex()
        db.insert(work.cursor, "draw_key", [{"draw_key": found}])
    return str(found)


def add(work: Work, report_id: str, first_id: int, reason: Reason, *, wanted: bool) -> int:
    """A new look at a decision; gives its number."""
    look_id = work.next_id("second_looks", "look_id")
    row = {
        "look_id": look_id,
        "report_id": report_id,
        "first_id": first_id,
        "reason": str(reason),
        "asked_at": work.now,
        "asked_by": work.actor.actor_id,
        "wanted": wanted,
    }
    db.insert(work.cursor, "second_looks", [row])
    return look_id


def read(cursor: db.Cursor, look_id: int) -> db.Row:
    """A look as it stands, with `first_by` and `second_by`, the people of its decisions. Raises NotFound."""
    found = db.row(
        cursor,
        "SELECT l.*, f.actor_id AS first_by, f.policy_version, s.actor_id AS second_by FROM second_looks l"
        " JOIN assessments f ON f.assessment_id = l.first_id"
        " LEFT JOIN assessments s ON s.assessment_id = l.second_id WHERE l.look_id = ?",
        [look_id],
    )
    if found is None:
        raise NotFound("look", f"there is no second look {look_id}")
    return found


def at(cursor: db.Cursor, first_id: int) -> db.Row | None:
    """The look at this decision, or None."""
    found = db.value(cursor, "SELECT look_id FROM second_looks WHERE first_id = ?", [first_id])
    return read(cursor, found) if found else None


def change(
    work: Work, look: Mapping[str, Any], kind: str, after: Mapping[str, Any], details: Mapping[str, Any]
) -> None:
    """Update a look and write the event with both states; `details` hold more for the event."""
    before = {name: look[name] for name in after}
    marks = ", ".join(f"{name} = ?" for name in after)
    work.cursor.execute(
        f"UPDATE second_looks SET {marks} WHERE look_id = ?", [*after.values(), look["look_id"]]
    )
    sides = {"before": before, "after": dict(after)}
    work.event(kind, look["report_id"], {"look_id": look["look_id"], **sides, **details})


def require_open(cursor: db.Cursor, look: Mapping[str, Any]) -> None:
    """Return while the look's first decision stands and is not settled; else raise Conflict saying what holds."""
    if db.value(cursor, "SELECT count(*) FROM open_looks WHERE look_id = ?", [look["look_id"]]):
        return
    if look["agreement"] == 1:
        why = f"the two decisions agree, of {look['first_by']} and {look['second_by']}"
    else:
        # The latest word on the decision of the case, its link, or whether a second one is wanted.
        ended = db.row(
            cursor,
            "SELECT done_at, actor_id FROM events WHERE subject = ?"
            " AND regexp_matches(data, '\"(assessment_id|canonical_id|wanted)\":') ORDER BY seq DESC LIMIT 1",
            [look["report_id"]],
        )
        assert ended is not None, "a look stands beside the event of its first decision"
        what = "the first decision no longer stands" if look["wanted"] else "it is not wanted any more"
        why = f"{what}, since {cases.by(ended)}"
    raise Conflict("look", f"second look {look['look_id']} is over: {why}")


def require_apart(actor_id: str, look: Mapping[str, Any], parties: set[str]) -> None:
    """Return unless this person is one of the `parties`; else raise NotAllowed."""
    if actor_id in parties:
        raise NotAllowed("look", f"{look['report_id']} needs somebody else: {actor_id} has a part in it")


def deciders(cursor: db.Cursor, report_id: str) -> set[str]:
    """Everybody who has decided on the case of a report, at whatever time."""
    found = db.rows(
        cursor,
        "SELECT DISTINCT actor_id FROM assessments WHERE report_id = ? AND look_id IS NULL",
        [report_id],
    )
    return {row["actor_id"] for row in found}


def require_undisputed(cursor: db.Cursor, case: Mapping[str, Any]) -> None:
    """Return unless two people differ about this case: then raise Conflict, since only a third decides."""
    if case["assessment_id"] is None:
        return  # the usual case, at no cost: nobody has decided yet
    found = db.value(
        cursor,
        "SELECT look_id FROM open_looks WHERE first_id = ? AND second_id IS NOT NULL",
        [case["assessment_id"]],
    )
    if found:
        name = case["report_id"]
        raise Conflict("report", f"two people differ about {name}: a third adjudicates second look {found}")


@dataclass(frozen=True, slots=True)
class Counts:
    """Open looks: those that `mine` may answer, all that wait for an answer, and those to adjudicate."""

    mine: int
    waiting: int
    disputed: int


# Nobody looks at a report again on whose case they have decided, or whose first decision made them ask.
_MINE = (
    "l.second_id IS NULL AND l.asked_by <> $who AND NOT EXISTS (SELECT 1 FROM assessments a"
    " WHERE a.report_id = l.report_id AND a.actor_id = $who AND a.look_id IS NULL)"
)


def counts(cursor: db.Cursor, actor_id: str) -> Counts:
    """How many looks are open, for this person and in all."""
    found = db.row(
        cursor,
        f"SELECT count(*) FILTER ({_MINE}) AS mine, count(*) FILTER (l.second_id IS NULL) AS waiting,"
        " count(*) FILTER (l.second_id IS NOT NULL) AS disputed FROM open_looks l",
        {"who": actor_id},
    )
    assert found is not None
    return Counts(**found)


def mine(cursor: db.Cursor, actor_id: str, limit: int = 100) -> list[db.Row]:
    """The looks that this person may answer, the longest waiting first, each with the policy version to answer by.

    Neither the reason of a look nor an order by it: both would tell of the first decision.
    """
    return db.rows(
        cursor,
        "SELECT l.look_id, l.report_id, l.asked_at, f.policy_version,"
        f" {EXCERPT_OF_R}"
        " FROM open_looks l JOIN reports r USING (report_id) JOIN assessments f ON f.assessment_id = l.first_id"
        f" WHERE {_MINE} ORDER BY l.asked_at, l.look_id LIMIT $limit",
        {"who": actor_id, "limit": limit},
    )


def blind(cursor: db.Cursor, report_id: str) -> ReportView:
    """A report as it came in, without anything that was decided: no state, severity, clock, link or history."""
    found = db.row(cursor, "SELECT * FROM reports WHERE report_id = ?", [report_id])
    if found is None:
        raise NotFound("report", f"there is no report {report_id!r}")
    turns = turns_of(found.pop("turns"))
    body = json.loads(found.pop("body"))
    case = {
        "report_id": report_id,
        "exploitation": str(Exploitation.NONE),
        "consent_training": body.get("consent_training", "none"),
        "consent_share_peers": body.get("consent_share_peers", "after_fix"),
    }
    return ReportView(found, turns, body, case, None, None, "", [])


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two decisions on one report that differ, and the version of its case."""

    look_id: int
    report_id: str
    version: int
    asked_at: datetime
    agreement: float
    first: db.Row
    second: db.Row


def disputes(cursor: db.Cursor, page: int = 1, size: int = 25) -> list[Dispute]:
    """One page of what waits for adjudication, the lowest agreement first."""
    found = db.rows(
        cursor,
        "SELECT look_id, report_id, version, asked_at, agreement, first_id, second_id FROM open_looks"
        " WHERE second_id IS NOT NULL ORDER BY agreement, asked_at, look_id LIMIT ? OFFSET ?",
        [size, (page - 1) * size],
    )
    ids = [row[side] for row in found for side in ("first_id", "second_id")]
    by_id = assessments.numbered(cursor, ids)
    return [
        Dispute(first=by_id[row.pop("first_id")], second=by_id[row.pop("second_id")], **row) for row in found
    ]


def pairs(cursor: db.Cursor, condition: str = "true", values: Mapping[str, Any] | None = None) -> list[Pair]:
    """What each two people decided apart, alike ones together; a `condition` over c (cases) and s (the second of both
    decisions) narrows them.

    A look counts from its answer on, whatever becomes of the case: nobody mends the figure by deciding again.
    """
    found = db.rows(
        cursor,
        "SELECT f.actor_id AS one, list_sort(f.clauses) AS one_clauses, f.severity AS one_severity,"
        " f.resolution AS one_resolution, s.actor_id AS other, list_sort(s.clauses) AS other_clauses,"
        " s.severity AS other_severity, s.resolution AS other_resolution, count(*) AS n"
        " FROM second_looks l JOIN assessments f ON f.assessment_id = l.first_id"
        " JOIN assessments s ON s.assessment_id = l.second_id"
        " JOIN cases c ON c.report_id = l.report_id"
        f" WHERE {condition} GROUP BY ALL ORDER BY ALL",
        values or {},
    )
    return [Pair(_judgement(row, "one"), _judgement(row, "other"), row["n"]) for row in found]


def _judgement(row: Mapping[str, Any], side: str) -> Judgement:
    clauses = frozenset(row[f"{side}_clauses"])
    return Judgement(row[side], clauses, Severity(row[f"{side}_severity"]), row[f"{side}_resolution"])


def judgement(assessment: Mapping[str, Any]) -> Judgement:
    """An assessment as something to compare."""
    severity, clauses = Severity(assessment["severity"]), frozenset(assessment["clauses"])
    return Judgement(assessment["actor_id"], clauses, severity, assessment["resolution"])
