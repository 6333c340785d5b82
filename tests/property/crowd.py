"""People who give random commands to one store and keep what they were told: for the judges of test_state_machine."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from tests.making import FLAW, POLICY, REVIEWER
from triage_core import cases, db
from triage_core.clusters import cluster_work
from triage_core.desk import answers, bulk, claims, looks, preferred, second_look, triage
from triage_core.desk.bulk import Outcome
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.errors import Refused
from triage_core.lifecycle import STATUS_TABLE, Trigger
from triage_core.likeness.axes import Axis
from triage_core.model import Actor, Severity
from triage_core.store import Store

THREADS, STEPS, REPORTS = 8, 50, 6
START = threading.Barrier(THREADS)
PEOPLE = tuple(Actor(f"test:{number}", f"Person {number}", REVIEWER.roles) for number in range(THREADS))
POLICY_OF_TEST = replace(POLICY, second_look_share=0.5)
NAMES = [f"FR-{number}" for number in range(1, REPORTS + 1)]
# No model runs here, so they stay: by axis, members by the name of their cluster.
CLUSTERS = {
    axis: {f"A-{first}": NAMES[first - 1 : last] for first, last in spans}
    for axis, spans in {
        Axis.WHOLE: ((1, 3), (4, 5), (6, 6)),
        Axis.TECHNIQUE: ((1, 2), (3, 4), (5, 6)),
        Axis.REQUEST: ((1, 3), (4, 4), (5, 5), (6, 6)),
    }.items()
}
DECISIONS = (
    FLAW,
    replace(FLAW, override=Severity.CRITICAL, override_reason="seen in use"),
    replace(FLAW, better_answer="No."),
    Decision(("OOS-1",)),
    Decision(("EXP-1",)),
)
MOVES = tuple(trigger for trigger in Trigger if trigger not in {Trigger.WITHDRAW, Trigger.PASS_RETEST})
ACTS: dict[str, Callable[..., Any]] = {
    "confirm": cluster_work.confirm,
    "split": cluster_work.split,
    "move_member": cluster_work.move,
    "merge": cluster_work.merge,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one thread was told of one command on one report: that it is done, or the refusal.

    `seen` is the version that it compared; `changed` says whether the answer showed a version beyond it.
    """

    actor: str
    command: str
    report_id: str
    seen: int | None
    refused: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What one thread was told of a command on many reports; `of` is the batch that it took back."""

    actor: str
    command: str
    outcome: Outcome
    of: int | None = None


class Person:
    """One thread: draws a command, gives it, and keeps what it was told."""

    def __init__(self, store: Store, number: int, seed: int) -> None:
        self.store, self.me = store, PEOPLE[number]
        self.draw = random.Random(seed * 1_000 + number)
        self.told: list[Told] = []
        self.batches: list[Batch] = []
        self.faults: list[BaseException] = []

    def run(self) -> None:
        once: list[Callable[[], None]] = [
            self.keep_apart, *(partial(self.regroup, act) for act in ACTS), self.link, self.assess, self.snooze,
            self.unlink, self.move, self.claim, self.release, self.assign, self.undo, self.look_again,
            self.better_answer, self.bulk, self.accept, self.assess_cluster, self.take_back,
        ]  # fmt: skip
        often = [
            self.assess,
            self.move,
            self.undo,
            *[self.link] * 3,
            *[self.unlink] * 2,
            *[self.look_again] * 3,
            *[self.better_answer] * 3,
            *(partial(self.regroup, act) for act in ACTS),
        ]
        try:
            START.wait()
            # Among them, all begin with every rule: what others forbid later has then been done once.
            for rule in once[PEOPLE.index(self.me) :: THREADS]:
                for _ in range(4):
                    rule()
                    if not self.told or self.told[-1].refused is None:
                        break
            for _ in range(STEPS):
                self.draw.choice([*once, *often])()
        except BaseException as fault:
            self.faults.append(fault)

    def give(
        self, name: str, report_id: str, command: Callable[..., Any], *arguments: Any, seen: int | None = None
    ) -> None:
        compared = {} if seen is None else {"seen_version": seen}
        try:
            found = command(self.store, *arguments, **compared)
        except Refused as refusal:
            self.told.append(Told(self.me.actor_id, name, report_id, seen, str(refusal), False))
        else:
            # What was done already is done, also for who comes late and saw another version.
            changed = seen is None or (found["version"] > seen and found["updated_by"] == self.me.actor_id)
            self.told.append(Told(self.me.actor_id, name, report_id, seen, None, changed))

    def version(self, report_id: str) -> int:
        return self.versions([report_id])[report_id]

    def versions(self, report_ids: Sequence[str]) -> dict[str, int]:
        with self.store.read() as cursor:
            return {name: cases.read(cursor, name)["version"] for name in report_ids}

    def one(self) -> str:
        return self.draw.choice(NAMES)

    def now_and_then(self) -> bool:
        """Whether to try anything, most of which is refused."""
        return self.draw.random() < 0.3

    def assess(self) -> None:
        name = self.one()
        decision, seen = self.draw.choice(DECISIONS), self.version(name)
        self.give("assess", name, triage.assess, POLICY_OF_TEST, self.me, name, decision, seen=seen)

    def link(self) -> None:
        canonical, child = (
            (self.one(), self.one()) if self.now_and_then() else sorted(self.draw.sample(NAMES, 2))
        )
        seen = self.version(child)
        self.give("link", child, triage.link, self.me, child, canonical, seen=seen)

    def unlink(self) -> None:
        with self.store.read() as cursor:
            linked = [
                row["child_id"] for row in db.rows(cursor, "SELECT child_id FROM active_links ORDER BY ALL")
            ]
        child = self.one() if self.now_and_then() or not linked else self.draw.choice(linked)
        self.give("unlink", child, triage.unlink, self.me, child, seen=self.version(child))

    def keep_apart(self) -> None:
        self.give("keep_apart", "", triage.keep_apart, self.me, *self.draw.sample(NAMES, 2))

    def move(self) -> None:
        name = self.one()
        with self.store.read() as cursor:
            case = cases.read(cursor, name)
        legal = [
            trigger for trigger, source, _ in STATUS_TABLE if source == case["status"] and trigger in MOVES
        ]
        trigger = self.draw.choice(MOVES if self.now_and_then() else legal)
        self.give("move", name, triage.move, self.me, name, trigger, seen=case["version"])

    def claim(self) -> None:
        self.give("claim", "", claims.claim, self.me, self.one())

    def release(self) -> None:
        self.give("release", "", claims.release, self.me, self.one())

    def assign(self) -> None:
        name = self.one()
        who = self.draw.choice((None, *PEOPLE))
        self.give("assign", name, claims.assign, self.me, name, who, seen=self.version(name))

    def undo(self) -> None:
        last = self.store.revision
        self.give("undo", "", undo, self.me, self.draw.randint(max(1, last - 12), last))

    def snooze(self) -> None:
        name = self.one()
        until = self.draw.choice((None, *(self.store.clock() + timedelta(days=days) for days in (1, 3, 400))))
        self.give("snooze", name, claims.snooze, self.me, name, until, seen=self.version(name))

    def look_again(self) -> None:
        """The furthest step that there is to take: adjudicate, else answer, else ask."""
        with self.store.read() as cursor:
            disputes = looks.disputes(cursor) if self.draw.random() < 0.6 else []
            mine = looks.mine(cursor, self.me.actor_id) if not disputes else []
        if disputes:
            one = self.draw.choice(disputes)
            arguments = (POLICY_OF_TEST, self.me, one.look_id, self.draw.choice(DECISIONS))
            self.give("adjudicate", one.report_id, second_look.adjudicate, *arguments, seen=one.version)
        elif mine:
            look_id, decision = (
                self.draw.choice(mine)["look_id"],
                self.draw.choice((FLAW, Decision(("OOS-1",)))),
            )
            self.give("answer", "", second_look.answer, self.me, look_id, decision)
        else:
            self.give("ask", "", second_look.ask, self.me, self.one())

    def better_answer(self) -> None:
        with self.store.read() as cursor:
            held = preferred.of_reports(cursor, NAMES)
        waiting = [
            name
            for name, answer in held.items()
            if self.me.actor_id != answer.written_by and not (answer.approved_by or answer.returned_by)
        ]
        name = self.one() if self.now_and_then() or not waiting else self.draw.choice(waiting)
        act = self.draw.choice(("write", "approve", "send_back")) if name in held else "write"
        if act == "write":
            words = self.draw.choice(("No.", "Never.", "Ask your bank."))
            self.give(act, "", answers.write, self.me, name, words)
        elif act == "approve":
            self.give(act, "", answers.approve, self.me, name, held[name].answer_id)
        else:
            self.give(act, "", answers.send_back, self.me, name, held[name].answer_id, "too short")

    def regroup(self, act: str) -> None:
        """Say something of a cluster on one axis."""
        axis = self.draw.choice(list(Axis))
        one, other = self.draw.sample(sorted(CLUSTERS[axis]), 2)
        members = CLUSTERS[axis][one]
        some = self.draw.sample(members, self.draw.randint(1, len(members)))
        more = {"move_member": (some, other), "merge": (other,)}.get(act, (some,))
        self.give(act, "", ACTS[act], self.me, axis, one, *more)

    def many(
        self, name: str, command: Callable[..., Outcome], *arguments: Any, of: int | None = None
    ) -> Outcome:
        found = command(self.store, *arguments)
        if found.done:
            self.told.append(Told(self.me.actor_id, name, "", None, None, False))
        self.batches.append(Batch(self.me.actor_id, name, found, of))
        return found

    def alike(self, name: str, seen: dict[str, int], found: Outcome) -> None:
        """Each report of the list was assessed in the version that was seen, or skipped."""
        for report_id in found.done:
            self.told.append(Told(self.me.actor_id, name, report_id, seen[report_id], None, True))
        for skipped in found.skipped:
            report_id = skipped.report_id
            self.told.append(Told(self.me.actor_id, name, report_id, seen[report_id], skipped.why, False))

    def bulk(self) -> None:
        seen = self.versions(self.draw.sample(NAMES, 3))
        arguments = (POLICY_OF_TEST, self.me, seen, self.draw.choice(DECISIONS))
        self.alike("bulk", seen, self.many("bulk", bulk.assess, *arguments))

    def assess_cluster(self) -> None:
        cluster, members = self.draw.choice(sorted(CLUSTERS[Axis.TECHNIQUE].items()))
        seen = self.versions(members)
        arguments = (POLICY_OF_TEST, self.me, Axis.TECHNIQUE, cluster, seen, self.draw.choice(DECISIONS))
        self.alike("assess_cluster", seen, self.many("assess_cluster", cluster_work.assess, *arguments))

    def accept(self) -> None:
        cluster = self.draw.choice(("A-1", "A-4"))
        seen = self.versions(CLUSTERS[Axis.WHOLE][cluster])
        decision = self.draw.choice((None, *DECISIONS))
        self.many("accept", cluster_work.accept, POLICY_OF_TEST, self.me, cluster, seen, decision)

    def take_back(self) -> None:
        """Undo a decision on many: one of long ago, or the one just made, before somebody is in the way."""
        if not self.batches or self.draw.random() < 0.5:
            self.bulk()
        numbers = [one.outcome.batch for one in self.batches if one.outcome.batch]
        if numbers:
            batch = numbers[-1] if self.draw.random() < 0.7 else self.draw.choice(numbers)
            self.many("undo_batch", bulk.undo_batch, self.me, batch, of=batch)
