"""What the rewards of a flaw come to: those of a report within its share, those of all reports within the band."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from triage_core import db
from triage_core.errors import Conflict, Refused
from triage_core.guidance.policy import Policy
from triage_core.rewards.entitlements import entitlement, standing
from triage_core.rewards.reward_rules import Entitlement


def check(
    cursor: db.Cursor,
    may: Entitlement,
    report_id: str,
    amount: Decimal | None,
    reward_no: int = 0,
    *,
    knowing: Collection[str],
) -> dict[str, str]:
    """What is known of an amount beyond what is left, for the event; nothing for a reward without an amount.

    Raises Refused when the rewards of the report, this one among them, would come to more than its share of the
    band, and Conflict when they would come to more than what the others have left of it, unless `knowing` has that
    sentence.
    """
    if amount is None:
        return {}
    own = _own(cursor, report_id, reward_no)
    if own + amount > may.most:
        raise Refused(
            "amount", f"with {may.shown(own)} that stand already it is more than {may.shown(may.most)} in all"
        )
    if own + amount <= may.left:
        return {}
    if may.used not in knowing:
        raise Conflict("reward", f"{may.used}. Give no more than that, or go on knowingly")
    return {"beyond": may.used}


def beyond(cursor: db.Cursor, in_force: Policy, reward: db.Row) -> str:
    """Why a proposal is more than what the other reports of the flaw have left, in a sentence; "" where it is not.

    "" too where the report may get nothing any more, which its approval says.
    """
    try:
        may = entitlement(cursor, in_force, reward["report_id"])
    except Refused:
        return ""
    own = _own(cursor, reward["report_id"], reward["reward_no"])
    return may.used if reward["amount"] is not None and own + reward["amount"] > may.left else ""


def _own(cursor: db.Cursor, report_id: str, reward_no: int) -> Decimal:
    """What the rewards of a report that have an amount come to, but for this one."""
    return sum(standing(cursor, [report_id], but=reward_no).values(), Decimal(0))
