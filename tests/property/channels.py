"""A walk through the channel: whatever both sides do with four reports, in whatever order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.making import EVERYBODY, FLAW, POLICY, Clock, make_report
from triage_core.channel import intake, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.disclosure import disclosure
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo_machine import MAY_END, Party
from triage_core.disclosure.withheld import Desk
from triage_core.errors import Refused
from triage_core.lifecycle import Trigger
from triage_core.model import Channel, Exploitation, Tlp
from triage_core.store import Store

CLOCK = Clock()
NUMBERS = st.integers(0, 3)
WISHES = st.lists(st.sampled_from([None, 1, 20, 100]), min_size=4, max_size=4)
SIDES = st.sampled_from(list(Party))


class Channels(RuleBasedStateMachine):
    """Four reports of which the last has the very words of the first, in a store that other runs share."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.desk = Desk(store)  # one for the whole walk, as a server has

    @initialize(wishes=WISHES)
    def receive(self, wishes: list[int | None]) -> None:
        self.start = self.store.revision
        self.words = [f"SENTINEL{self.start:06d}{number % 3}END" for number in range(4)]
        self.ids, self.keys = [], []
        for words, wish in zip(self.words, wishes, strict=True):
            line = make_report(
                words,
                consent_training="any_safety_training",
                consent_share_peers="under_embargo",
                what_is_wrong=f"It said {words}",
            )
            if wish:
                line["embargo_wish"] = (CLOCK.now + timedelta(days=wish)).isoformat()
            receipt = intake.receive(self.store, POLICY, reportformat.parse(line), Channel.FORM)
            self.ids.append(receipt.report_id)
            self.keys.append(ByKey(str(receipt.tracking_key)))

    def give(self, command: Any, *arguments: Any, **more: Any) -> None:
        with suppress(Refused):
            command(self.store, *arguments, **more)

    def who(self, side: Party, number: int) -> Any:
        return EVERYBODY if side is Party.COMPANY else self.keys[number]

    @rule(side=SIDES, number=NUMBERS, days=st.integers(1, 170))
    def propose(self, side: Party, number: int, days: int) -> None:
        end = CLOCK.now + timedelta(days=days)
        self.give(disclosure.propose, POLICY, self.who(side, number), self.ids[number], end)

    @rule(side=SIDES, number=NUMBERS, act=st.sampled_from([disclosure.accept, disclosure.reject]))
    def answer(self, side: Party, number: int, act: Any) -> None:
        self.give(act, self.who(side, number), self.ids[number])

    @rule(side=SIDES, number=NUMBERS)
    def terminate(self, side: Party, number: int) -> None:
        self.give(
            disclosure.terminate, self.who(side, number), self.ids[number], MAY_END[side][-1], note="done"
        )

    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        self.give(disclosure.release, self.keys[number], self.ids[number])

    @rule(number=NUMBERS, known=st.sampled_from([Exploitation.PUBLIC_POC, Exploitation.ACTIVE]))
    def mark(self, number: int, known: Exploitation) -> None:
        self.give(disclosure.mark, POLICY, EVERYBODY, self.ids[number], known)

    @rule(number=NUMBERS, label=st.sampled_from(list(Tlp)))
    def label(self, number: int, label: Tlp) -> None:
        self.give(disclosure.set_tlp, EVERYBODY, self.ids[number], label, "so it is")

    @rule(number=NUMBERS)
    def assess(self, number: int) -> None:
        words = self.words[number]
        decision = replace(FLAW, better_answer=f"Rather not. {words}", note=f"It does say {words}")
        self.give(triage.assess, POLICY, EVERYBODY, self.ids[number], decision)

    @rule(number=NUMBERS)
    def dismiss(self, number: int) -> None:
        self.give(triage.assess, POLICY, EVERYBODY, self.ids[number], Decision(("OOS-1",), note="A sum."))

    @rule(number=NUMBERS, trigger=st.sampled_from([Trigger.FINISH_FIX, Trigger.DEPLOY_FIX]))
    def fix(self, number: int, trigger: Trigger) -> None:
        self.give(triage.move, EVERYBODY, self.ids[number], trigger)

    @rule(child=NUMBERS, canonical=NUMBERS)
    def link(self, child: int, canonical: int) -> None:
        self.give(triage.link, EVERYBODY, self.ids[child], self.ids[canonical])

    @rule(child=NUMBERS)
    def unlink(self, child: int) -> None:
        self.give(triage.unlink, EVERYBODY, self.ids[child])

    @rule(ago=st.integers(0, 4))
    def undo(self, ago: int) -> None:
        if self.store.revision - ago > self.start:
            self.give(undo, EVERYBODY, self.store.revision - ago)

    @rule(days=st.sampled_from([1, 5, 30]), swept=st.booleans())
    def wait(self, days: int, swept: bool) -> None:
        CLOCK.forward(days=days)
        if swept:
            disclosure.sweep(self.store, EVERYBODY)
