"""What people do in the demo: one line of its files is one act, done by the product's own command at a past moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from triage_core import db
from triage_core.advisories import advising, advisory_board, answering, peers
from triage_core.advisories.advisory_board import Told
from triage_core.channel import messages, reporter
from triage_core.desk import answers, assessments, claims, looks, preferred, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.disclosure import disclosure
from triage_core.disclosure.disclosure import ByKey, Who
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.errors import Refused
from triage_core.guidance.policy import Policy
from triage_core.lifecycle import Trigger
from triage_core.model import (
    Actor,
    DeskRole,
    Exploitation,
    Exposure,
    Generality,
    Harm,
    ProductStatus,
    Reliability,
    Resolution,
    SeverityInputs,
    Tlp,
    Uplift,
)
from triage_core.rewards import batches, payments, rewards
from triage_core.rewards.reward_rules import RewardKind
from triage_core.store import Store

_ROLES = {
    "mara": DeskRole.REVIEWER,
    "jonas": DeskRole.REVIEWER,
    "ade": DeskRole.REVIEWER,
    "nora": DeskRole.POLICY_OWNER,
    "ruth": DeskRole.DISCLOSURE_LEAD,
    "iris": DeskRole.OPERATOR,
}
CAST: Mapping[str, Actor] = MappingProxyType(
    {name: Actor(f"demo:{name}", name.title(), frozenset({role})) for name, role in _ROLES.items()}
)
"""The people of the desk by the name in the files; who else acts there is a reporter, or a peer by its name."""
VISITOR = Actor("demo:reviewer", "Demo person", frozenset({DeskRole.REVIEWER}))
"""Whoever looks at the demo, as the banner says who that is."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the acts are done: `ids` by the name in the files, and a tracking key by id for the public doors.

    `peer_keys` by name are those of the peers that were added here: nobody else has them, so that a start that goes
    on where another was cut short leaves the acts of peers out.
    """

    store: Store
    policy: Policy
    ids: Mapping[str, str]
    keys: Mapping[str, str]
    peer_keys: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Act:
    """One line at its moment: `who` is a person of the desk, or the holder of the report's tracking key."""

    store: Store
    policy: Policy
    ids: Mapping[str, str]
    peer_keys: dict[str, str]
    who: Who
    report_id: str
    line: Mapping[str, Any]
    at: datetime

    @property
    def actor(self) -> Actor:
        assert isinstance(self.who, Actor), "an act of the desk"
        return self.who

    @property
    def note(self) -> str:
        return str(self.line.get("note", ""))

    @property
    def end(self) -> datetime:
        """When something ends, which stands in days after the report came in."""
        return self.at + timedelta(days=self.line["end_days"], hours=-self.line["after_hours"])


def perform(scene: Scene, line: Mapping[str, Any], at: datetime) -> None:
    """Do what a line says at its moment, by the product's own command.

    What the policy of this installation refuses is left out, with what follows from it: it need not be the one that
    the demo was written for.
    """
    report_id = scene.ids[line["external_id"]]
    who = CAST.get(line["by"]) or ByKey(scene.keys.get(report_id, ""))
    name = line.get("act") or ("link" if "duplicate_of" in line else "decide")
    try:
        _ACTS[name](_Act(scene.store, scene.policy, scene.ids, scene.peer_keys, who, report_id, line, at))
    except Refused:
        return


def _decision(line: Mapping[str, Any]) -> Decision:
    inputs = None
    if line.get("harm"):
        inputs = SeverityInputs(
            Harm(line["harm"]),
            Exposure(line["exposure"]),
            Generality(line["generality"]),
            Reliability(line["reliability"]),
            Uplift(line["uplift"]),
        )
    resolution = line.get("resolution")
    return Decision(
        clauses=tuple(line["clauses"]),
        inputs=inputs,
        resolution=Resolution(resolution) if resolution else None,
        note=line.get("note", ""),
        better_answer=line.get("better_answer", ""),
        reproduction_log=line.get("reproduction_log", ""),
    )


def _decide(act: _Act) -> None:
    triage.assess(act.store, act.policy, act.actor, act.report_id, _decision(act.line), now=act.at)


def _link(act: _Act) -> None:
    canonical = act.ids[act.line["duplicate_of"]]
    triage.link(act.store, act.actor, act.report_id, canonical, reason=act.note, now=act.at)


def _approve_answer(act: _Act) -> None:
    with act.store.read() as cursor:
        number = preferred.in_force(cursor, act.report_id).answer_id
    answers.approve(act.store, act.actor, act.report_id, number, now=act.at)


def _move(act: _Act) -> None:
    resolution = act.line.get("resolution")
    triage.move(
        act.store,
        act.actor,
        act.report_id,
        Trigger(act.line["act"]),
        resolution=Resolution(resolution) if resolution else None,
        note=act.note,
        now=act.at,
    )


def _answer_look(act: _Act) -> None:
    look_id = _look(act)
    if look_id:
        second_look.answer(act.store, act.actor, look_id, _decision(act.line), now=act.at)


def _answer_looks(act: _Act) -> None:
    """All that wait for this person, each as it was decided at first: who knows what the lot has drawn?"""
    with act.store.read() as cursor:
        waiting = [looks.read(cursor, look["look_id"]) for look in looks.mine(cursor, act.actor.actor_id)]
        first = assessments.numbered(cursor, [look["first_id"] for look in waiting])
    for look in waiting:
        decision = _decision({**first[look["first_id"]], "note": ""})
        second_look.answer(act.store, act.actor, look["look_id"], decision, now=act.at)


def _adjudicate(act: _Act) -> None:
    look_id = _look(act)
    if look_id:
        second_look.adjudicate(act.store, act.policy, act.actor, look_id, _decision(act.line), now=act.at)


def _look(act: _Act) -> int | None:
    """The number of the open second look at the report."""
    with act.store.read() as cursor:
        found: int | None = db.value(
            cursor, "SELECT look_id FROM open_looks WHERE report_id = ?", [act.report_id]
        )
    return found


def _propose_embargo(act: _Act) -> None:
    disclosure.propose(act.store, act.policy, act.who, act.report_id, act.end, note=act.note, now=act.at)


def _end_embargo(act: _Act) -> None:
    reason = ExitReason(act.line["reason"])
    disclosure.terminate(act.store, act.who, act.report_id, reason, note=act.note, now=act.at)


def _mark_known(act: _Act) -> None:
    known = Exploitation(act.line["known"])
    disclosure.mark(act.store, act.policy, act.actor, act.report_id, known, note=act.note, now=act.at)


def _propose_reward(act: _Act) -> None:
    amount = act.line.get("amount")
    rewards.propose(
        act.store,
        act.policy,
        act.actor,
        act.report_id,
        RewardKind(act.line["kind"]),
        Decimal(amount) if amount else None,
        reason=act.note,
        now=act.at,
    )


def _reward(act: _Act) -> int:
    """The number of the report's reward."""
    with act.store.read() as cursor:
        found = rewards.of_report(cursor, act.report_id)
    if not found:
        raise Refused("reward", "none was proposed")
    return int(found[-1]["reward_no"])


def _pay_batch(act: _Act) -> None:
    """Of the batch that the report's reward is in."""
    with act.store.read() as cursor:
        batch_no = batches.number(cursor, _reward(act))
    if batch_no is not None:
        payments.pay(act.store, act.actor, batch_no, reference=act.note, now=act.at)


def _add_peer(act: _Act) -> None:
    name = act.line["peer"]
    _, act.peer_keys[name] = peers.add(act.store, act.actor, name, now=act.at)


def _advise(act: _Act) -> None:
    title, names = act.line["title"], act.line["peers"]
    advising.open_advisory(act.store, act.actor, act.report_id, title, act.note, names, now=act.at)


def _advisory(act: _Act) -> int:
    """The number of the open advisory about the report's flaw."""
    with act.store.read() as cursor:
        found = advisory_board.open_of(cursor, act.report_id)
    if found is None:
        raise Refused("advisory", "none is open")
    return found


def _told(act: _Act) -> Told:
    """The advisory as the peer that acts sees it."""
    number = _advisory(act)
    with act.store.read() as cursor:
        return advisory_board.told(cursor, peers.named(cursor, act.line["by"]), number, act.at)


def _accept_advisory(act: _Act) -> None:
    told = _told(act)
    end = told.stub.embargo_end if told.stub else None
    answering.accept(act.store, _peer_key(act), told.advisory_id, end, now=act.at)


def _answer_advisory(act: _Act) -> None:
    status = ProductStatus(act.line["product"])
    answering.answer(act.store, _peer_key(act), _advisory(act), status, act.note, now=act.at)


def _peer_key(act: _Act) -> str:
    return act.peer_keys.get(act.line["by"], "")


_Do = Callable[[_Act], object]
_ACTS: Mapping[str, _Do] = MappingProxyType(
    {
        **dict.fromkeys(map(str, Trigger), _move),
        "decide": _decide,
        "link": _link,
        "approve_answer": _approve_answer,
        "ask_look": lambda a: second_look.ask(a.store, a.actor, a.report_id, now=a.at),
        "answer_look": _answer_look,
        "answer_looks": _answer_looks,
        "adjudicate": _adjudicate,
        "ask": lambda a: messages.ask(a.store, a.actor, a.report_id, a.note, now=a.at),
        "answer": lambda a: messages.answer(a.store, a.report_id, a.note, now=a.at),
        "assign": lambda a: claims.assign(a.store, a.actor, a.report_id, VISITOR, now=a.at),
        "snooze": lambda a: claims.snooze(a.store, a.actor, a.report_id, a.end, now=a.at),
        "withdraw": lambda a: reporter.withdraw(a.store, a.report_id, now=a.at),
        "propose_embargo": _propose_embargo,
        "accept_embargo": lambda a: disclosure.accept(a.store, a.who, a.report_id, now=a.at),
        "reject_embargo": lambda a: disclosure.reject(a.store, a.who, a.report_id, note=a.note, now=a.at),
        "end_embargo": _end_embargo,
        "mark_known": _mark_known,
        "set_tlp": lambda a: disclosure.set_tlp(
            a.store,
            a.actor,
            a.report_id,
            Tlp(a.line["label"]),
            a.note,
            now=a.at,
        ),
        "propose_reward": _propose_reward,
        "approve_reward": lambda a: rewards.approve(a.store, a.policy, a.actor, _reward(a), now=a.at),
        "decline_reward": lambda a: rewards.decline(a.store, a.actor, _reward(a), a.note, now=a.at),
        "pay_reward": lambda a: rewards.pay(a.store, a.actor, _reward(a), reference=a.note, now=a.at),
        "send_batch": lambda a: payments.send(a.store, a.actor, now=a.at),
        "pay_batch": _pay_batch,
        "add_peer": _add_peer,
        "advise": _advise,
        "accept_advisory": _accept_advisory,
        "decline_advisory": lambda a: answering.decline(a.store, _peer_key(a), _advisory(a), now=a.at),
        "read_advisory": lambda a: answering.read(a.store, _peer_key(a), _advisory(a), now=a.at),
        "answer_advisory": _answer_advisory,
        "close_advisory": lambda a: advising.close(a.store, a.actor, _advisory(a), a.note, now=a.at),
    }
)
"""Every act of the files. What a trigger of the status machine names is the step of that name."""
