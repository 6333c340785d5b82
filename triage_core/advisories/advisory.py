"""An advisory between the desk and one peer, as data and pure functions.

    none -> told -> accepted | declined        withdrawn: the peer sees it no more

The table says which steps there are. What a peer may be given is not stored: it follows from the ends that it has
accepted, the end that holds now, and the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from triage_core.desk.decision import check_text
from triage_core.disclosure.embargo import Rule
from triage_core.errors import IllegalTransition, Refused
from triage_core.model import Generality, ProductStatus

MAX_TITLE = 200
MAX_REASON = 1_000
REACHING = frozenset({Generality.RETARGETABLE, Generality.UNIVERSAL})
"""How far a flaw reaches that concerns others by itself."""


class Step(StrEnum):
    """What passes between the desk and a peer: the first two are the desk's acts, the others the peer's."""

    TOLD = "told"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    READ = "read"
    ANSWERED = "answered"


class State(StrEnum):
    """Where an advisory stands with a peer."""

    NONE = "none"
    TOLD = "told"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """What an advisory comes to between the desk and a peer, with what the embargo and time have made of it."""

    ASKED = "asked"  # it knows of it, and has not answered the embargo
    LATER_END = "later_end"  # it has accepted an earlier end than the one that holds now
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TOLD = "told"  # it knows of it, and no embargo is to be answered
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # the peer was ended: it has no key any more


KNOWN = frozenset(Standing) - {Standing.WITHDRAWN, Standing.ENDED}
"""What an advisory comes to with a peer that sees it now."""

_KNOWN_TO = (State.TOLD, State.ACCEPTED, State.DECLINED)

ADVISORY_TABLE: tuple[tuple[Step, State, State], ...] = (
    (Step.TOLD, State.NONE, State.TOLD),
    (Step.TOLD, State.WITHDRAWN, State.TOLD),
    (Step.ACCEPTED, State.TOLD, State.ACCEPTED),
    (Step.ACCEPTED, State.DECLINED, State.ACCEPTED),
    (Step.ACCEPTED, State.ACCEPTED, State.ACCEPTED),  # a later end
    (Step.DECLINED, State.TOLD, State.DECLINED),
    (Step.WITHDRAWN, State.TOLD, State.WITHDRAWN),
    (Step.WITHDRAWN, State.DECLINED, State.WITHDRAWN),
    *((Step.READ, state, state) for state in _KNOWN_TO),
    *((Step.ANSWERED, state, state) for state in _KNOWN_TO),
)

_STEPS = {(step, source): destination for step, source, destination in ADVISORY_TABLE}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What has passed with one peer. `accepted_end` is the latest end that it has accepted, until which it is bound.

    `status` and `note` are its last answer about its product; every moment is UTC, None where nothing happened.
    """

    state: State = State.NONE
    told_at: datetime | None = None
    accepted_at: datetime | None = None
    accepted_end: datetime | None = None
    read_at: datetime | None = None
    status: ProductStatus | None = None
    note: str = ""
    answered_at: datetime | None = None

    def has_accepted(self, end: datetime | None) -> bool:
        """True when an embargo that ends then is one that the peer has agreed to, or a shorter one."""
        return end is not None and self.accepted_end is not None and end <= self.accepted_end


def take(
    exchange: Exchange,
    step: Step,
    at: datetime,
    *,
    embargo_end: datetime | None = None,
    status: ProductStatus | None = None,
    note: str = "",
) -> Exchange:
    """The exchange after one more step; raises IllegalTransition when the table has no such step."""
    if (step, exchange.state) not in _STEPS:
        raise IllegalTransition("advisory", f"cannot be {step} once it is {exchange.state}")
    after = replace(exchange, state=_STEPS[step, exchange.state])
    match step:
        case Step.TOLD:
            return replace(after, told_at=at)
        case Step.ACCEPTED:
            return replace(after, accepted_at=at, accepted_end=embargo_end)
        case Step.READ:
            return replace(after, read_at=at)
        case Step.ANSWERED:
            return replace(after, status=status, note=note, answered_at=at)
        case _:
            return after


def exchange_of(rows: Iterable[Mapping[str, Any]]) -> Exchange:
    """What the stored steps with one peer come to; the rows oldest first."""
    exchange = Exchange()
    for row in rows:
        exchange = take(
            exchange,
            Step(row["step"]),
            row["done_at"],
            embargo_end=row["embargo_end"],
            status=ProductStatus(row["status"]) if row["status"] else None,
            note=row["note"],
        )
    return exchange


def standing_of(exchange: Exchange, *, must_accept: bool, ended: bool) -> Standing:
    """What an exchange comes to; `must_accept` says that an embargo runs whose present end is not accepted."""
    if ended:
        return Standing.ENDED
    if exchange.state is State.ACCEPTED:
        return Standing.LATER_END if must_accept else Standing.ACCEPTED
    if exchange.state is State.TOLD:
        return Standing.ASKED if must_accept else Standing.TOLD
    return Standing.DECLINED if exchange.state is State.DECLINED else Standing.WITHDRAWN


def check_title(title: str) -> None:
    """Return when this can be the title of an advisory; else raise Refused."""
    check_text("title", title, MAX_TITLE)
    if not title.strip() or not title.isprintable():
        raise Refused("title", "must be one line of words, without hidden characters")


def check_generality(generality: Generality | None, note: str) -> None:
    """Return when the flaw concerns others as it is assessed, or the note says why it does; else raise Refused."""
    check_text("note", note, MAX_REASON)
    if generality in REACHING or note.strip():
        return
    as_it_is = "is one instance only" if generality else "has not been assessed for how far it reaches"
    raise Refused("note", f"must say why peers are told of it: the flaw {as_it_is}")


WHY_NO_RECORD: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.ACTIVE_EMBARGO: "The record follows when you have accepted the embargo with the end that it has now.",
        Rule.TLP_RED: "The flaw is for named people only by now: nothing more is shared.",
        Rule.NO_CONSENT: "The record is not shared: whoever reported the flaw does not agree to that, or no more.",
        Rule.NOT_FIXED: (
            "Whoever reported the flaw agreed to sharing once it is fixed: the record follows after the fix and the"
            " embargo."
        ),
    }
)
"""What a peer is told where the gate keeps a record in."""
