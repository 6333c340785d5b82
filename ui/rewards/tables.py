"""The tables of the Rewards page: each gives the names of its rows, its columns, and how many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core import db, queries
from triage_core.channel import standing
from triage_core.guidance.policy import Policy
from triage_core.rewards import batches, bounty, dismissals, rewards
from triage_core.rewards.reward_rules import RewardState
from ui import filters, session
from ui.charts import percent
from ui.hostile import inline, plain
from ui.rewards import card
from ui.spending import LATE, LEDGER, SPENT
from ui.words import REWARD_KIND, REWARD_STATE, SEVERITY, moment, next_due

VIEWS: Mapping[str, LiteralString] = {
    "waiting": "To propose",
    "open": "To decide and to pay",
    "late": LATE,
    "ledger": LEDGER,
    "batches": "Payment batches",
    "reporters": "Reporters",
}
NOTHING: Mapping[str, LiteralString] = {
    "waiting": "No confirmed flaw waits for a reward that its reporter asked for.",
    "open": "No reward waits for a decision or for its payment. Confirmed flaws are under “To propose”.",
    "late": "No reward that a reporter asked for waits longer than the policy promises.",
    "ledger": "No reward has been proposed yet. Confirmed flaws whose reporters ask for one are under “To propose”.",
    "batches": "No list for payment has been sent yet. What is approved is sent from “To decide and to pay”.",
    "reporters": "Nobody who gave a contact has sent a report yet.",
}
COUNTS: Mapping[str, LiteralString] = {
    "waiting": "report",
    "open": "reward",
    "late": "report",
    "ledger": "reward",
    "batches": "payment list",
    "reporters": "reporter",
}
ORDER: Mapping[str, LiteralString] = {
    "waiting": ", the longest triaged first, with duplicates of the same flaw; declined or thanked for, last",
    "open": ", the latest change first",
    "late": ", the latest first",
    "ledger": ", the latest change first",
    "batches": ", the latest first",
    "reporters": "",
}
MENU: Mapping[str, LiteralString] = {
    "waiting": "Propose a reward",
    "open": "Open a reward",
    "late": "Open a reward",
    "ledger": "Open a reward",
    "batches": "Open a batch",
}
_DECIDED = {RewardState.APPROVED, RewardState.PAID, RewardState.DECLINED}
Table = tuple[tuple[str, ...], dict[str, Any], int]


def _waiting(policy: Policy, number: int, size: int) -> Table:
    found, total = session.read(rewards.candidates, number, size)
    so_far = [_so_far(row) for row in found]
    cells = {
        "Report": [inline(row["report_id"]) for row in found],
        "Severity": [SEVERITY[row["severity"]] for row in found],
        "Duplicate of": [inline(row["canonical_id"] or "") for row in found],
        **({"So far": so_far} if any(so_far) else {}),
        "Received": [moment(row["received_at"]) for row in found],
        "Bounty due": _due(["" if _DECIDED & set(row["states"]) else row["report_id"] for row in found]),
    }
    return tuple(str(row["report_id"]) for row in found), cells, total


def _so_far(row: db.Row) -> str:
    """What a report has been given or denied already, which does not stand in the way of a reward of value."""
    pairs = zip(row["kinds"], row["states"], strict=True)
    return ", ".join(f"{REWARD_KIND[kind]} {REWARD_STATE[state].lower()}" for kind, state in pairs)


def _open(policy: Policy, number: int, size: int) -> Table:
    return _rewards([str(RewardState.PROPOSED), str(RewardState.APPROVED)], number, size)


def _late(policy: Policy, number: int, size: int) -> Table:
    asked = st.multiselect(
        "Product",
        filters.products(),
        format_func=inline,
        key="product",
        bind="query-params",
        placeholder="Any",
        width=320,
        on_change=_show_first_page,
    )
    late = session.read(bounty.late, session.now(), tuple(asked))
    ids = tuple(name for name, _ in late[(number - 1) * size : number * size])
    briefs, waiting = session.read(queries.briefs, ids), session.read(rewards.proposed, ids)
    cells = {
        "Report": [inline(name) for name in ids],
        "Product": [inline(briefs[name]["platform"]) for name in ids],
        "Reward": [f"Proposed, {waiting[name]:,}" if name in waiting else "Not proposed yet" for name in ids],
        "Bounty due": _due(list(ids)),
    }
    return tuple(str(waiting.get(name, name)) for name in ids), cells, len(late)


def _show_first_page() -> None:
    st.session_state["rewards"] = 1


def _ledger(policy: Policy, number: int, size: int) -> Table:
    spent, month = session.picked("spent"), session.picked("month")
    if not (spent in SPENT and month):
        return _rewards([], number, size)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{SPENT[spent]}, in {plain(month)} only.", width="content")
        st.button("Show all", icon=":material/close:", on_click=_show_all)
    return _rewards([spent], number, size, month)


def _show_all() -> None:
    for name in ("spent", "month"):
        session.pick(name, None)


def _rewards(states: list[str], number: int, size: int, month: str = "") -> Table:
    found, total = session.read(rewards.board, states, number, size, month)
    names = tuple(str(row["reward_no"]) for row in found)
    gone = session.read(dismissals.since)
    said = [inline(str(gone.get(row["reward_no"], ""))) for row in found]
    cells = {
        "Reward": list(names),
        "Report": [inline(row["report_id"]) for row in found],
        "State": [REWARD_STATE[row["state"]] for row in found],
        **_batch([row["batch_no"] for row in found]),
        **({"Decided since": said} if any(said) else {}),
        "Kind": [REWARD_KIND[row["kind"]] for row in found],
        "Amount": [card.amount_words(row) for row in found],
        "Severity": [SEVERITY[row["severity"]] for row in found],
        "Proposed by": [inline(row["proposed_by"]) for row in found],
        "Changed": [moment(row["done_at"]) for row in found],
        "Bounty due": _due(
            [row["report_id"] if row["state"] == RewardState.PROPOSED else "" for row in found]
        ),
    }
    return names, cells, total


def _batch(numbers: list[int | None]) -> dict[str, list[str]]:
    """The column of the payment batches, where any of the rewards is in one."""
    return {"Batch": [str(number or "") for number in numbers]} if any(numbers) else {}


def _batches(policy: Policy, number: int, size: int) -> Table:
    found, total = session.read(batches.page, number, size)
    cells = {
        "Batch": [str(row["batch_no"]) for row in found],
        "Sent": [moment(row["done_at"]) for row in found],
        "By": [inline(row["actor_id"]) for row in found],
        "Rewards": [f"{row['rewards']:,}" for row in found],
        "To be paid": [f"{row['waiting']:,}" for row in found],
        "Taken back": [f"{row['back']:,}" for row in found],
    }
    return tuple(str(row["batch_no"]) for row in found), cells, total


def _due(report_ids: list[str]) -> list[LiteralString]:
    """By when a reward is promised, for a table; "" for a clock that runs no more."""
    dates, now = session.read(bounty.due, tuple(report_ids)), session.now()
    return [next_due(dates.get(name), now) for name in report_ids]


def _reporters(policy: Policy, number: int, size: int) -> Table:
    people, total = session.read(standing.board, number, size)
    tiers = [standing.tier(policy, one.standing) for one in people]
    cells = {
        "Reporter": [inline(one.reporter_id) for one in people],
        "Credit name": [inline(one.credit_name) for one in people],
        "Confirmed": [f"{one.standing.valid:,}" for one in people],
        "Duplicates": [f"{one.standing.duplicate:,}" for one in people],
        "No flaw": [f"{one.standing.invalid:,}" for one in people],
        "Open": [f"{one.standing.open:,}" for one in people],
        "Signal": [percent(one.standing.signal) for one in people],
        "Tier": [inline(tier.name) if tier else "" for tier in tiers],
        "May send so many times as often": [f"{tier.rate_factor:,}" if tier else "1" for tier in tiers],
        "Early access": ["Yes" if tier and tier.early_access else "" for tier in tiers],
    }
    return tuple(one.reporter_id for one in people), cells, total


READ: Mapping[str, Callable[[Policy, int, int], Table]] = {
    "waiting": _waiting,
    "open": _open,
    "late": _late,
    "ledger": _ledger,
    "batches": _batches,
    "reporters": _reporters,
}
