"""What becomes of a report afterwards, told to those who sent it: fix, reward, waiting period, training set.

Everything that a reporter is told by itself passes `messages.tell`, and holds facts of ours only:
never a word of a prompt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from triage_core import currencies, db
from triage_core.channel import messages
from triage_core.channel.messages import Kind
from triage_core.lifecycle import fix_deployed
from triage_core.model import Resolution, Status
from triage_core.rewards.reward_rules import RewardState
from triage_core.store import Work

_OF_REWARD: Mapping[RewardState, Kind] = MappingProxyType(
    {
        RewardState.APPROVED: Kind.REWARD_APPROVED,
        RewardState.PAID: Kind.REWARD_PAID,
        RewardState.DECLINED: Kind.REWARD_DECLINED,
    }
)


def reward_moved(
    work: Work, reward: Mapping[str, Any], before: RewardState, state: RewardState, reason: str
) -> None:
    """A reward is approved, paid or declined, or that was undone or reversed: its reporter is told which.

    Of a mere proposal nobody is told. `reward` has report_id, kind, amount (None where the kind has none)
    and currency.
    """
    kind = Kind.REWARD_UNPAID if before is RewardState.PAID else _OF_REWARD.get(state)
    if kind is Kind.REWARD_PAID and reward["amount"] is None:
        kind = Kind.REWARD_GIVEN
    if kind is None and before in _OF_REWARD:
        kind = Kind.REWARD_REOPENED
    if kind is None:
        return
    what = str(reward["kind"]).replace("_", " ")
    if reward["amount"] is not None:
        what += f", {currencies.money_words(reward['amount'], reward['currency'])} {reward['currency']}"
    values = {"reason": reason} if kind is Kind.REWARD_DECLINED else {"reward": what}
    messages.tell(work, _with_key(work, [str(reward["report_id"])]), kind, values)


def embargo_changed(work: Work, report_id: str, kind: Kind, end: datetime) -> None:
    """The waiting period of a report has another end (EMBARGO_CHANGED), or a proposed one is there, refused or gone."""
    messages.tell(work, _with_key(work, [report_id]), kind, {"end": f"{end:%Y-%m-%d %H:%M} UTC"})


def fix_moved(work: Work, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """A fix is in the hands of users, or what was said of one holds no longer: the whole duplicate group is told.

    `before` and `after` are the case of the canonical report.
    """
    was, now = (_has_fix(case) for case in (before, after))
    if was == now:
        return
    group = db.rows(
        work.cursor,
        "SELECT c.report_id FROM cases c JOIN reports r USING (report_id) WHERE (c.report_id = $root OR"
        " c.canonical_id = $root) AND c.report_id IN (SELECT report_id FROM tracking_keys) ORDER BY r.seq",
        {"root": after["report_id"]},
    )
    kind = Kind.FIX_MARKED if now else Kind.FIX_REOPENED
    messages.tell(work, [member["report_id"] for member in group], kind)


def _has_fix(case: Mapping[str, Any]) -> bool:
    resolution = Resolution(case["resolution"]) if case["resolution"] else None
    return fix_deployed(Status(case["status"]), resolution)


def trained(work: Work, report_ids: Sequence[str] | pa.ChunkedArray, dataset: str, version: str) -> int:
    """A version of a dataset holds these reports: those who sent one by a public door are told; gives their number.

    Reports from the company's own files have nobody to be told.
    """
    found = _with_key(work, report_ids)
    values = {"dataset": dataset, "version": version}
    messages.tell(work, found, Kind.TRAINED_VERSION, values)
    return len(found)


_LEFT = (
    "SELECT report_id FROM messages JOIN cases USING (report_id) WHERE kind IN ($held, $left)"
    " AND (params ->> 'dataset') = $dataset"
    " AND (NOT list_contains($sufficient, consent_training) OR resolution = 'withdrawn')"
    " AND report_id NOT IN (SELECT report_id FROM used) GROUP BY report_id"
    " HAVING arg_max(kind, message_id) = $held ORDER BY report_id"
)


def left(work: Work, used: pa.ChunkedArray, sufficient: Collection[str], dataset: str, version: str) -> int:
    """A version of a dataset was built of `used` and no others: those who were told that it holds their report, and
    have withdrawn it or agree to none of `sufficient` any more, are told that it left; gives their number.

    What leaves for another reason may come back, and is no news.
    """
    values = {"dataset": dataset, "version": version}
    with db.registered(work.cursor, "used", pa.table({"report_id": used})):
        found = db.rows(
            work.cursor,
            _LEFT,
            {
                "held": str(Kind.TRAINED_VERSION),
                "left": str(Kind.LEFT_VERSION),
                "sufficient": list(map(str, sufficient)),
                "dataset": dataset,
            },
        )
    messages.tell(work, [one["report_id"] for one in found], Kind.LEFT_VERSION, values)
    return len(found)


def _with_key(work: Work, report_ids: Sequence[str] | pa.ChunkedArray) -> list[str]:
    """Those of the reports that somebody holds a tracking key of."""
    with db.registered(work.cursor, "asked_for", pa.table({"report_id": report_ids})):
        found = db.rows(
            work.cursor,
            "SELECT DISTINCT report_id FROM tracking_keys WHERE report_id IN (SELECT report_id FROM asked_for)"
            " ORDER BY report_id",
        )
    return [one["report_id"] for one in found]
