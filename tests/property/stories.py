"""Long stories: four people and their reporters act on a handful of reports, in an order that a seed draws."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from tests.making import EVERYBODY, FLAW, POLICY, REVIEWER, Clock, make_report, open_store
from triage_core import cases, db
from triage_core.channel import consent, intake, messages, reporter, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.disclosure import disclosure
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo_machine import MAY_END, Party
from triage_core.errors import Refused
from triage_core.exporters import revoke
from triage_core.exporters.build import ExportRequest, build_changed
from triage_core.guidance import policies, policy
from triage_core.guidance.policy import Policy
from triage_core.lifecycle import STATUS_TABLE, Trigger
from triage_core.model import Actor, Channel, DeskRole, Exploitation, Resolution, Severity, Tlp
from triage_core.outgoing import outbox
from triage_core.rewards import batches, dismissals, entitlements, payments, rewards
from triage_core.rewards.reward_rules import RewardKind

LEAD = Actor("test:lena", "Lena", frozenset({DeskRole.DISCLOSURE_LEAD}))
OWNERS = [Actor(f"test:{name}", name, frozenset({DeskRole.POLICY_OWNER})) for name in ("olga", "otto")]
PROFILES = ("kto", "classifier", "prompt_only")
DECISIONS = (
    FLAW,
    FLAW,
    replace(FLAW, override=Severity.LOW, override_reason="a nuisance"),
    replace(FLAW, override=Severity.HIGH, override_reason="seen in use"),
    Decision(("OOS-1",), note="A sum."),
    Decision(("EXP-1",), note="It was asked for."),
)


def later(number: int) -> Policy:
    """Another version: longer targets, a shorter window for duplicates, other bands, a holiday, another zone."""
    text = POLICY.toml_text.replace(f'"{POLICY.version}"', f'"2027.{number}"')
    for old, new in (
        ("medium = 60\n", f"medium = {60 + 30 * number}\n"),
        ("default_days = 45", f"default_days = {45 - 10 * number}"),
        ("window_days = 7", f"window_days = {7 - number}"),
        ("maximum = 2500\n", f"maximum = {2500 - 100 * number}\n"),
        ('zone = "UTC"', 'zone = "Europe/Zurich"'),
        ("holidays = [", "holidays = [2026-03-09, "),
    ):
        assert old in text
        text = text.replace(old, new)
    return policy.parse(text, POLICY.severity_csv, POLICY.priority_csv)


class Story:
    """A store, its people, and the reports so far; `step` lets somebody act, or does the last act once more."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.clock = Clock()
        self.store = open_store(folder / "store", self.clock)
        self.policy = policies.publish(self.store, EVERYBODY, POLICY)
        self.out = folder / "out"
        self.draw = random.Random(seed)
        self.ids: list[str] = []
        self.keys: dict[str, ByKey] = {}
        self.done: Counter[str] = Counter()
        self.acts: list[Callable[[], object]] = [
            *[self.send] * 2, *[self.assess] * 4, *[self.link] * 4, *[self.unlink] * 2, *[self.move] * 7, self.ask,
            self.write, self.withdraw, *[self.propose] * 4, *[self.answer] * 5, self.terminate, self.mark, self.label,
            *[self.reward] * 4, *[self.approve] * 3, self.pay, self.send_list, self.pay_list,
            self.reverse, self.decline, self.revoke, *[self.build] * 2,
            *[self.undo] * 6, *[self.wait] * 3, self.publish, self.collect,
        ]  # fmt: skip
        outbox.collect(self.store, EVERYBODY, POLICY.clocks, (outbox.EMAIL,), 9)
        for _ in range(4):
            self.send()

    def step(self) -> str:
        act = self.draw.choice(self.acts)
        self.clock.forward(seconds=1)
        with self.attempt(act.__name__):
            act()
        return act.__name__

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        try:
            yield
        except Refused:
            self.done[f"{name} refused"] += 1
        else:
            self.done[name] += 1

    def one(self) -> str:
        return self.draw.choice(self.ids)

    def send(self) -> None:
        if len(self.ids) >= 9:
            return
        number = len(self.ids)
        words = f"SENTINEL{self.draw.randint(0, number)}WORDS" if number else "SENTINEL0WORDS"
        fields: dict[str, Any] = {
            "what_is_wrong": f"{words} is wrong",
            "contact": self.draw.choice(["", "ann@example.org", "bob@example.org", "@not an address"]),
            "credit_name": f"Name of {number}",
            "credit_wish": self.draw.choice(["named", "anonymous"]),
            "wants_reward": self.draw.random() < 0.8,
            "consent_training": self.draw.choice(["none", "classifier_only", "any_safety_training"]),
            "consent_share_peers": self.draw.choice(["no", "after_fix", "under_embargo"]),
        }
        if self.draw.random() < 0.5:
            fields |= {"disclosure_intent": "yes"}
            fields |= {"embargo_wish": self.moment(1, 90).isoformat()}
        report = reportformat.parse(make_report(words, **fields))
        receipt = intake.receive(
            self.store, self.policy, report, self.draw.choice([Channel.FORM, Channel.API])
        )
        self.ids.append(receipt.report_id)
        self.keys[receipt.report_id] = ByKey(str(receipt.tracking_key))

    def moment(self, least: int, most: int) -> Any:
        return self.clock.now + timedelta(days=self.draw.randint(least, most), hours=self.draw.randint(0, 23))

    def assess(self) -> None:
        decision = self.draw.choice(DECISIONS)
        if self.draw.random() < 0.08:
            decision = replace(decision, exploitation=self.draw.choice(list(Exploitation)))
        triage.assess(self.store, self.policy, REVIEWER, self.one(), decision)

    def link(self) -> None:
        canonical, child = sorted(self.draw.sample(self.ids, 2), key=self.ids.index)
        triage.link(self.store, REVIEWER, child, canonical, reason="One fix mends both.")

    def unlink(self) -> None:
        with self.store.read() as cursor:
            linked = [
                row["child_id"] for row in db.rows(cursor, "SELECT child_id FROM active_links ORDER BY ALL")
            ]
        triage.unlink(self.store, REVIEWER, self.draw.choice(linked or self.ids))

    def move(self) -> None:
        """One step of the status machine; mostly of a flaw that has become one."""
        with self.store.read() as cursor:
            where = {name: cases.read(cursor, name)["status"] for name in self.ids}
        far = [
            name for name, status in where.items() if status not in {"new", "triaged", "closed"}
        ] or self.ids
        name = self.draw.choice(far)
        skipped = {Trigger.WITHDRAW, Trigger.REVOKE, Trigger.CLOSE, Trigger.ACCEPT}
        legal = [each for each, source, _ in STATUS_TABLE if source == where[name] and each not in skipped]
        trigger = self.draw.choice(legal or [Trigger.TRIAGE])
        how = {"resolution": Resolution.RESOLVED_FIXED} if trigger is Trigger.PASS_RETEST else {}
        triage.move(self.store, REVIEWER, name, trigger, note="Tried ten times.", **how)

    def ask(self) -> None:
        messages.ask(self.store, REVIEWER, self.one(), "Which product was it?")

    def write(self) -> None:
        messages.answer(self.store, self.one(), "SENTINEL answer: the first one.")

    def withdraw(self) -> None:
        reporter.withdraw(self.store, self.one())

    def side(self, name: str) -> Any:
        return self.draw.choice([LEAD, self.keys[name]])

    def propose(self) -> None:
        name = self.one()
        disclosure.propose(self.store, self.policy, self.side(name), name, self.moment(1, 120))

    def answer(self) -> None:
        with self.store.read() as cursor:
            found = db.rows(
                cursor, "SELECT report_id FROM embargoes WHERE proposed_end IS NOT NULL ORDER BY ALL"
            )
        name = self.draw.choice([row["report_id"] for row in found] or self.ids)
        self.draw.choice([disclosure.accept, disclosure.reject])(self.store, self.side(name), name)

    def terminate(self) -> None:
        name = self.one()
        who = self.side(name)
        party = Party.COMPANY if who is LEAD else Party.REPORTER
        disclosure.terminate(self.store, who, name, MAY_END[party][-1], note="SENTINEL note")

    def mark(self) -> None:
        known = self.draw.choice([Exploitation.PUBLIC_POC, Exploitation.ACTIVE])
        disclosure.mark(self.store, self.policy, LEAD, self.one(), known, note="SENTINEL was seen")

    def label(self) -> None:
        disclosure.set_tlp(self.store, LEAD, self.one(), self.draw.choice(list(Tlp)), "so it is")

    def reward(self) -> None:
        name, kind = (
            self.one(),
            self.draw.choice([*[RewardKind.CASH] * 3, RewardKind.DONATION, RewardKind.PUBLIC_THANKS]),
        )
        with self.store.read() as cursor:
            may = entitlements.entitlement(cursor, self.policy, name)
        part = Decimal(self.draw.choice(["0.01", "0.5", "1"]))
        amount = (max(may.least, may.most * part)).quantize(Decimal("0.01"), ROUND_DOWN)
        who = self.draw.choice([REVIEWER, *OWNERS])
        money = None if kind is RewardKind.PUBLIC_THANKS else amount
        rewards.propose(self.store, self.policy, who, name, kind, money)

    def of_state(self, *states: str) -> int:
        with self.store.read() as cursor:
            found = rewards.board(cursor, states, size=100)[0]
        return self.draw.choice([row["reward_no"] for row in found] or [0])

    def approve(self) -> None:
        rewards.approve(self.store, self.policy, self.draw.choice(OWNERS), self.of_state("proposed"))

    def pay(self) -> None:
        rewards.pay(self.store, self.draw.choice(OWNERS), self.of_state("approved"), reference="bank 17")

    def send_list(self) -> None:
        with self.store.read() as cursor:
            found = [(row["reward_no"], row["dismissed"]) for row in payments.to_pay(cursor)]
        payments.send(self.store, self.draw.choice(OWNERS), dict(found[: self.draw.randint(0, 3)]))

    def pay_list(self) -> None:
        with self.store.read() as cursor:
            total, gone = batches.page(cursor)[1], dismissals.since(cursor)
        number, known = self.draw.randint(1, total or 1), list(map(str, gone.values()))
        payments.pay(
            self.store, self.draw.choice(OWNERS), number, knowing=known if self.draw.random() < 0.5 else ()
        )

    def reverse(self) -> None:
        rewards.reverse(self.store, self.draw.choice(OWNERS), self.of_state("paid"), "It came back.")

    def decline(self) -> None:
        number = self.of_state("proposed", "approved")
        rewards.decline(self.store, self.draw.choice(OWNERS), number, "It was paid by another team.")

    def revoke(self) -> None:
        if self.draw.random() < 0.5:
            consent.revoke(self.store, EVERYBODY, [self.one()])
        else:
            revoke.withdraw(self.store, self.policy, EVERYBODY, EVERYBODY, self.one())

    def build(self) -> None:
        profile = self.draw.choice(PROFILES)
        build_changed(self.store, self.policy, EVERYBODY, ExportRequest(profile, self.out, "jsonl", "rich"))

    def undo(self) -> None:
        undo(self.store, EVERYBODY, self.store.revision - self.draw.choice([0, 0, 0, 1, 1, 2, 3, 5, 8]))

    def wait(self) -> None:
        self.clock.forward(hours=self.draw.choice([1, 30, 30, 80, 200, 600]))
        if self.draw.random() < 0.5:
            disclosure.sweep(self.store, EVERYBODY)

    def publish(self) -> None:
        number = (
            int(self.policy.version.partition(".")[2]) + 1 if self.policy.version.startswith("2027") else 1
        )
        if number < 4:
            self.policy = policies.publish(self.store, EVERYBODY, later(number))

    def collect(self) -> None:
        outbox.collect(self.store, EVERYBODY, self.policy.clocks, (outbox.EMAIL,), 9)
