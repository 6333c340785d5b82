"""Rewards: proposed, approved by a second person, paid or declined, each state a row that stays.

What a report may get follows from the policy of the day on which it came in, never from a later one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from triage_core import access, db
from triage_core.access import Command
from triage_core.desk import activity
from triage_core.desk.activity import Event
from triage_core.desk.decision import check_text
from triage_core.errors import Conflict, NotAllowed, NotFound, Refused
from triage_core.guidance import policies
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.outgoing import follow_through
from triage_core.rewards import batches, dismissals, spending, sums
from triage_core.rewards.dismissals import Dismissal
from triage_core.rewards.entitlements import CONFIRMED, entitlement, without_share
from triage_core.rewards.reward_rules import (
    STANDING,
    VALUED,
    RewardKind,
    RewardState,
    RewardTrigger,
    check_amount,
    check_settled,
    reward_step,
)
from triage_core.store import Store, Work


def propose(
    store: Store,
    policy: Policy,
    actor: Actor,
    report_id: str,
    kind: RewardKind,
    amount: Decimal | None = None,
    *,
    reason: str = "",
    knowing: Collection[str] = (),
    now: datetime | None = None,
) -> int:
    """Propose a reward for a confirmed flaw; gives its number.

    Money and credits have an amount within the report's share of its band. Raises Refused naming what the
    policy gives, Conflict while another reward of this kind stands for the report, or where those of the other
    reports of the flaw have left less than the amount, unless that is among the sentences of `knowing`.
    """
    access.require(actor, Command.PROPOSE_REWARD)
    check_text("reason", reason)
    with store.write(actor, Command.PROPOSE_REWARD, now) as work:
        may = entitlement(work.cursor, policy, report_id)
        amount = check_amount(may, kind, amount)
        known = sums.check(work.cursor, may, report_id, amount, knowing=knowing)
        _require_none_standing(work.cursor, report_id, kind)
        number = work.next_id("rewards", "reward_id")
        row = {
            "reward_id": number,
            "reward_no": number,
            "report_id": report_id,
            "done_at": work.now,
            "actor_id": actor.actor_id,
            "kind": str(kind),
            "amount": amount,
            "currency": may.policy.rewards.currency,
            "state": str(RewardState.PROPOSED),
            "policy_version": may.policy.version,
            "reason": reason,
            "severity": str(may.severity),
            "share": may.share.in_percent,
            "version": 1,
        }
        db.insert(work.cursor, "rewards", [row])
        told = {"reward_no": number, "kind": str(kind), "amount": None if amount is None else str(amount)}
        _event(work, "reward.proposed", row, None, {**told, "currency": row["currency"], **known})
        return number


def approve(
    store: Store,
    policy: Policy,
    actor: Actor,
    reward_no: int,
    *,
    knowing: Collection[str] = (),
    seen_version: int | None = None,
    now: datetime | None = None,
) -> None:
    """Approve a proposal of somebody else's.

    Asks again what the report may get, since a duplicate may have come or the severity changed. Raises
    NotAllowed for whoever proposed it, Refused while further duplicates may come that share equally, and
    Conflict where the report became a duplicate since, or the rewards of the other reports of the flaw have left
    less than the amount, unless that is among the sentences of `knowing`.
    """
    access.require(actor, Command.APPROVE_REWARD)
    with store.write(actor, Command.APPROVE_REWARD, now) as work:
        found = read(work.cursor, reward_no, seen_version)
        _require_second_person(work.cursor, actor, reward_no)
        after = reward_step(RewardState(found["state"]), RewardTrigger.APPROVE)
        found, known = _ask_again(work, policy, found, knowing=knowing)
        gone = dismissals.since(work.cursor).get(reward_no)
        known |= _dismissed(gone, RewardTrigger.APPROVE, knowing)
        _move(work, "reward.approved", found, after, "", **known)


def pay(
    store: Store,
    actor: Actor,
    reward_no: int,
    *,
    reference: str = "",
    knowing: Collection[str] = (),
    seen_version: int | None = None,
    seen_batch: int | None = None,
    now: datetime | None = None,
) -> None:
    """Say that an approved reward was paid or given; `reference` finds the payment again.

    Raises Conflict where the flaw was dismissed or lowered since the approval, unless that is among the sentences of
    `knowing`: a promise was made to the reporter, and the event keeps what was known. Beside a `seen_version` also
    where it is not in the payment batch `seen_batch` (None: in any): what is paid by hand and goes out in a list is
    paid twice.
    """
    access.require(actor, Command.PAY_REWARD)
    with store.write(actor, Command.PAY_REWARD, now) as work:
        if seen_version is not None and batches.number(work.cursor, reward_no) != seen_batch:
            raise Conflict(
                "version",
                f"reward {reward_no} was put into a payment batch or taken from one while you looked at it",
            )
        gone = dismissals.since(work.cursor).get(reward_no)
        settle(work, reward_no, RewardTrigger.PAY, reference, seen_version, gone=gone, knowing=knowing)


def reverse(
    store: Store,
    actor: Actor,
    reward_no: int,
    reason: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> None:
    """Say with a reason that a reward was noted as paid by mistake: it is approved and to be paid again.

    What the figures of its month say stays; those of the present month have the reversal. Where it is in a
    payment batch, it stays there.
    """
    if not reason.strip():
        raise Refused("reason", "a payment is reversed with a reason")
    access.require(actor, Command.PAY_REWARD)
    check_text("reason", reason)
    with store.write(actor, Command.PAY_REWARD, now) as work:
        found = read(work.cursor, reward_no, seen_version)
        after = reward_step(RewardState(found["state"]), RewardTrigger.REVERSE)
        _move(work, "reward.reversed", found, after, reason)


def decline(
    store: Store,
    actor: Actor,
    reward_no: int,
    reason: str,
    *,
    seen_version: int | None = None,
    now: datetime | None = None,
) -> None:
    """Decline a reward that is not paid yet, with a reason that the reporter can read.

    Raises Conflict for one that went out in a payment batch: whoever pays it knows nothing of this.
    """
    if not reason.strip():
        raise Refused("reason", "a reward is declined with a reason that the reporter can read")
    access.require(actor, Command.APPROVE_REWARD)
    with store.write(actor, Command.APPROVE_REWARD, now) as work:
        batch_no = batches.number(work.cursor, reward_no)
        if batch_no is not None:
            raise Conflict(
                "reward",
                f"reward {reward_no} went out in payment batch {batch_no}: take it back from there first",
            )
        gone = dismissals.since(work.cursor).get(reward_no)
        settle(work, reward_no, RewardTrigger.DECLINE, reason, seen_version, gone=gone, knowing=[str(gone)])


def read(cursor: db.Cursor, reward_no: int, seen_version: int | None = None) -> db.Row:
    """A reward as it stands. Raises NotFound, and Conflict when the version differs from the one seen."""
    found = db.row(cursor, "SELECT * FROM present_rewards WHERE reward_no = ?", [reward_no])
    if found is None:
        raise NotFound("reward", f"there is no reward {reward_no}")
    if seen_version is not None and seen_version != found["version"]:
        raise Conflict(
            "version", f"reward {reward_no} was changed by {found['actor_id']} while you looked at it"
        )
    return found


def of_report(cursor: db.Cursor, report_id: str) -> list[db.Row]:
    """The rewards of a report as they stand, by number, but for withdrawn proposals."""
    return db.rows(
        cursor,
        "SELECT * FROM present_rewards WHERE report_id = ? AND state <> 'withdrawn' ORDER BY reward_no",
        [report_id],
    )


def proposed(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, int]:
    """The number of the reward that is proposed and not decided on, by report."""
    found = db.rows(
        cursor,
        "SELECT report_id, min(reward_no) AS reward_no FROM present_rewards WHERE state = 'proposed'"
        " AND report_id IN (SELECT unnest(?)) GROUP BY report_id",
        [list(report_ids)],
    )
    return {row["report_id"]: row["reward_no"] for row in found}


def board(
    cursor: db.Cursor, states: Sequence[str] = (), page: int = 1, size: int = 25, month: str = ""
) -> tuple[list[db.Row], int]:
    """Rewards in these states (none: all), the latest act first, and their count.

    Each with who proposed it and the payment batch that it is in.

    With a `month`, as "2026-11", only those that `spend_by_month` counts in it as paid or as approved, by `states`.
    """
    where = "list_contains($states, p.state)" if states else "p.state <> 'withdrawn'"
    values: dict[str, Any] = {"states": list(states)} if states else {}
    if month:
        where, values = spending.in_month(cursor, states, month)
    found = db.rows(
        cursor,
        "SELECT p.*, f.actor_id AS proposed_by, f.done_at AS proposed_at, s.batch_no FROM present_rewards p"
        " JOIN rewards f ON f.reward_id = p.reward_no LEFT JOIN sent_rewards s ON s.reward_no = p.reward_no"
        f" WHERE {where}"
        " ORDER BY p.done_at DESC, p.reward_no DESC LIMIT $size OFFSET $offset",
        {**values, "size": size, "offset": (page - 1) * size},
    )
    return found, int(db.value(cursor, f"SELECT count(*) FROM present_rewards p WHERE {where}", values))


def candidates(cursor: db.Cursor, page: int = 1, size: int = 25) -> tuple[list[db.Row], int]:
    """Confirmed flaws, and duplicates of them with a share, whose reporter asks for a reward of value and has none.

    `kinds` and `states` are of what there is all the same, in order: a reward that was declined, or one without an
    amount. Those that have nothing first, the longest triaged first; `severity` is that of the canonical report.
    """
    condition = (
        " FROM cases o JOIN reports r USING (report_id)"
        " JOIN cases c ON c.report_id = coalesce(o.canonical_id, o.report_id)"
        " LEFT JOIN (SELECT report_id,"
        " list(kind ORDER BY reward_no) AS kinds, list(state ORDER BY reward_no) AS states,"
        " bool_or(list_contains($standing, state) AND list_contains($valued, kind)) AS has_value"
        " FROM present_rewards WHERE state <> 'withdrawn' GROUP BY report_id) g USING (report_id)"
        f" WHERE {CONFIRMED} AND c.severity NOT IN ('', 'none') AND r.wants_reward"
        " AND NOT coalesce(g.has_value, false)"
    )
    values = {"standing": [str(state) for state in STANDING], "valued": [str(kind) for kind in VALUED]}
    linked = db.rows(cursor, f"SELECT o.report_id{condition} AND o.canonical_id IS NOT NULL", values)
    values["nothing"] = list(without_share(cursor, [row["report_id"] for row in linked]))
    condition += " AND o.report_id NOT IN (SELECT unnest($nothing))"
    found = db.rows(
        cursor,
        "SELECT o.report_id, o.canonical_id, c.severity, r.received_at,"
        " coalesce(c.triaged_at, o.triaged_at) AS triaged_at, coalesce(g.kinds, []) AS kinds,"
        " coalesce(g.states, []) AS states"
        f"{condition} ORDER BY g.kinds IS NOT NULL, triaged_at, r.seq LIMIT $size OFFSET $offset",
        {**values, "size": size, "offset": (page - 1) * size},
    )
    return found, int(db.value(cursor, f"SELECT count(*){condition}", values))


def in_the_way(cursor: db.Cursor, event: Event, later: Sequence[Event]) -> Event | None:
    """The later act on the same reward because of which `event` cannot be taken back, or None."""
    acts = [other for other in later if other.data.get("reward_no") == event.data["reward_no"]]
    number = event.data["reward_no"]
    present = {"reward": read(cursor, number)["state"], batches.FIELD: batches.number(cursor, number)}
    left = {name: activity.value_after(name, event, acts, present) for name in present}
    return None if left == present else acts[-1]


def take_back(work: Work, event: Event) -> None:
    """Give a reward the state, or the payment batch, again that it had before `event`.

    A proposal that is taken back is withdrawn.
    """
    found = read(work.cursor, event.data["reward_no"])
    if batches.FIELD in event.before:
        batches.put(work, found, activity.UNDONE, event.before[batches.FIELD], undone=event.seq)
        return
    after = RewardState(event.before["reward"] or RewardState.WITHDRAWN)
    if found["state"] not in STANDING and after in STANDING:
        _require_none_standing(work.cursor, found["report_id"], found["kind"])
    if after is RewardState.APPROVED:
        _require_second_person(work.cursor, work.actor, found["reward_no"])
        found, _ = _ask_again(work, policies.in_force(work.cursor), found, knowing=())
    _move(work, activity.UNDONE, found, after, f"undo of event {event.seq}", undone=event.seq)


def _dismissed(gone: Dismissal | None, trigger: RewardTrigger, knowing: Collection[str]) -> dict[str, str]:
    """What became of the flaw since, for the event; raises Conflict where there is something and it is not known."""
    if gone and str(gone) not in knowing:
        raise Conflict("reward", f"{gone}: {trigger} it knowingly, or decline it with a reason")
    return {"dismissed": str(gone)} if gone else {}


def settle(
    work: Work,
    reward_no: int,
    trigger: RewardTrigger,
    reason: str,
    seen_version: int | None = None,
    *,
    gone: Dismissal | None,
    knowing: Collection[str],
) -> None:
    """Pay or decline a reward as a part of a running command; raises as `pay` and `decline` do.

    `gone` is what `dismissals.since` has of it: asked once for many rewards.
    """
    check_text("reason", reason)
    found = read(work.cursor, reward_no, seen_version)
    after = reward_step(RewardState(found["state"]), trigger)
    known = _dismissed(gone, trigger, knowing)
    _move(work, f"reward.{after}", found, after, reason, **known)


def _move(work: Work, kind: str, found: db.Row, after: RewardState, reason: str, **details: Any) -> None:
    """The next row of a reward, and its event."""
    row = {
        **found,
        "reward_id": work.next_id("rewards", "reward_id"),
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "state": str(after),
        "reason": reason,
        "version": found["version"] + 1,
    }
    db.insert(work.cursor, "rewards", [row])
    # Told first, so that the act itself is the last event of its command.
    follow_through.reward_moved(work, row, RewardState(found["state"]), after, reason)
    _event(work, kind, row, found["state"], {"reward_no": found["reward_no"], **details})


def _event(work: Work, kind: str, row: db.Row, before: str | None, details: dict[str, Any]) -> None:
    states = {"before": {"reward": before}, "after": {"reward": row["state"]}}
    work.event(kind, row["report_id"], {**states, **details})


def _ask_again(
    work: Work, policy: Policy, reward: db.Row, *, knowing: Collection[str]
) -> tuple[db.Row, dict[str, str]]:
    """The reward with the severity and the share by which it is approved now, and what is known, for the event.

    Raises Refused unless the report may still get this: a duplicate may have come, or the severity changed.
    """
    kind = RewardKind(reward["kind"])
    may = entitlement(work.cursor, policy, reward["report_id"])
    check_amount(may, kind, reward["amount"])
    check_settled(may, kind, work.now)
    known = sums.check(
        work.cursor, may, reward["report_id"], reward["amount"], reward["reward_no"], knowing=knowing
    )
    return {**reward, "severity": str(may.severity), "share": may.share.in_percent}, known


def _require_second_person(cursor: db.Cursor, actor: Actor, reward_no: int) -> None:
    proposer = db.value(cursor, "SELECT actor_id FROM rewards WHERE reward_id = ?", [reward_no])
    if proposer == actor.actor_id:
        raise NotAllowed(
            "approve_reward", "whoever proposed a reward does not approve it: a second person does"
        )


def _require_none_standing(cursor: db.Cursor, report_id: str, kind: str) -> None:
    standing = db.row(
        cursor,
        "SELECT reward_no, state FROM present_rewards WHERE report_id = ? AND kind = ? AND list_contains(?, state)",
        [report_id, str(kind), [str(state) for state in STANDING]],
    )
    if standing:
        raise Conflict("kind", f"reward {standing['reward_no']} of this kind is {standing['state']} already")
