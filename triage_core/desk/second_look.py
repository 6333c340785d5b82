"""Second looks as commands: ask for one, answer one blind, and decide where two people differ.

The answer is an assessment of its own that leaves the case alone. When it agrees with the first decision
(the same clauses, the same level, the same resolution) the look is settled; else the report waits for a
third person, whose decision becomes the case's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from triage_core import access, cases, db
from triage_core.access import Command
from triage_core.desk import agreement, assessments, looks, triage
from triage_core.desk.decision import Decision, check
from triage_core.desk.looks import Reason
from triage_core.errors import Conflict, Refused
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.model import Actor, Exploitation
from triage_core.store import Store


def ask(
    store: Store,
    actor: Actor,
    report_id: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> int:
    """Ask that somebody else decides on a report again, blind; gives the number of the look.

    Asking twice, or where the draw has asked already, is asking once. Raises Refused for a report
    without a decision of its own, Conflict when it was changed since `seen_version`.
    """
    access.require(actor, Command.SECOND_LOOK)
    with store.write(actor, Command.SECOND_LOOK, now) as work:
        case = cases.read(work.cursor, report_id, seen_version)
        if case["canonical_id"]:
            raise Refused(
                "report", f"{report_id} is a duplicate of {case['canonical_id']}: ask about that one"
            )
        first_id = case["assessment_id"]
        if first_id is None:
            raise Refused(
                "report", f"nobody has decided on {report_id} yet, so there is nothing to look at again"
            )
        look = looks.at(work.cursor, first_id)
        if look is None:
            look_id = looks.add(work, report_id, first_id, Reason.ASKED, wanted=False)
            look = looks.read(work.cursor, look_id)
        if not look["wanted"]:
            looks.change(work, look, "look.asked", {"wanted": True}, {})
        return int(look["look_id"])


def answer(
    store: Store, actor: Actor, look_id: int, decision: Decision, *, now: datetime | None = None
) -> dict[str, Any]:
    """Decide on the report of a look, under the policy version of its first decision; gives the assessment.

    The case stays as it is. Answering twice is answering once. Raises NotAllowed for whoever has decided on
    the report or asked, Conflict when somebody else has answered or the first decision no longer stands.
    """
    access.require(actor, Command.SECOND_LOOK)
    for name in ("better_answer", "consent", "exploitation"):
        if getattr(decision, name):
            raise Refused(
                name, "a second look gives clauses, a level and a note; the rest belongs to the case"
            )
    with store.write(actor, Command.SECOND_LOOK, now) as work:
        look = looks.read(work.cursor, look_id)
        if look["second_by"] == actor.actor_id:
            return _assessment(work.cursor, look["second_id"])
        looks.require_open(work.cursor, look)
        if look["second_by"]:
            raise Conflict("look", f"{look['second_by']} has answered second look {look_id} already")
        parties = looks.deciders(work.cursor, look["report_id"]) | {look["asked_by"]}
        looks.require_apart(actor.actor_id, look, parties)
        policy = policies.version(work.cursor, look["policy_version"])
        check(policy, decision)
        # Exploitation is seen on the case and no matter of opinion here; the priority follows from it there.
        second = assessments.record(
            work, policy, look["report_id"], decision, Exploitation.NONE, look_id=look_id
        )
        first = looks.judgement(_assessment(work.cursor, look["first_id"]))
        alike = agreement.alike(first, looks.judgement(second))
        after = {"second_id": second["assessment_id"], "agreement": alike}
        looks.change(work, look, "look.answered", after, {})
        return second


def adjudicate(
    store: Store,
    policy: Policy,
    actor: Actor,
    look_id: int,
    decision: Decision,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Decide where two people differ; gives the new state of the case, whose decision this becomes.

    Raises NotAllowed for the two, Conflict when nothing waits for an adjudication (any more).
    """
    access.require(actor, Command.ADJUDICATE)
    check(policy, decision)
    with store.write(actor, Command.ADJUDICATE, now) as work:
        look = looks.read(work.cursor, look_id)
        looks.require_open(work.cursor, look)
        if look["second_id"] is None:
            raise Conflict("look", f"second look {look_id} has no answer yet")
        looks.require_apart(actor.actor_id, look, {look["first_by"], look["second_by"]})
        return triage.assess_within(work, policy, look["report_id"], decision, seen_version, settles=look_id)


def _assessment(cursor: db.Cursor, assessment_id: int) -> dict[str, Any]:
    found = db.row(cursor, "SELECT * FROM assessments WHERE assessment_id = ?", [assessment_id])
    assert found is not None, "a look names assessments that are there"
    return found
