"""The operation on rewards: what waits for a decision or its payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core import currencies
from triage_core.operations.base import Emit
from triage_core.rewards import dismissals, rewards
from triage_core.rewards.reward_rules import RewardState
from triage_core.runtime import Runtime

NAMES = ("reward_no", "report_id", "state", "kind", "currency", "severity", "proposed_by", "batch_no")


def listing(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every reward that is proposed or to be paid, with what became of its flaw since; the latest act first."""
    states = [str(RewardState.PROPOSED), str(RewardState.APPROVED)]
    with runtime.store.read() as cursor:
        total = rewards.board(cursor, states, size=1)[1]
        found = rewards.board(cursor, states, size=total)[0]
        gone = dismissals.since(cursor)
    return [
        {
            **{name: row[name] for name in NAMES},
            "amount": None
            if row["amount"] is None
            else str(currencies.fitted(row["amount"], row["currency"])),
            "changed_at": row["done_at"].isoformat(),
            "dismissed": str(gone[row["reward_no"]]) if row["reward_no"] in gone else None,
        }
        for row in found
    ]
