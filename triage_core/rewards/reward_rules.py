"""The rules of rewards as data and pure functions: kinds, states, shares of duplicates, what an amount may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from triage_core import currencies
from triage_core.errors import IllegalTransition, Refused
from triage_core.guidance.policy import DuplicateSplit, Policy, RewardBand
from triage_core.model import Severity


class RewardKind(StrEnum):
    CASH = "cash"
    CREDITS = "credits"
    ACCESS_UPGRADE = "access_upgrade"
    MODEL_IMPROVED_NOTE = "model_improved_note"
    DONATION = "donation"
    PUBLIC_THANKS = "public_thanks"


VALUED = frozenset({RewardKind.CASH, RewardKind.CREDITS, RewardKind.DONATION})
"""The kinds that have an amount, in the currency of the policy and within its band."""
SPENT = frozenset({RewardKind.CASH, RewardKind.DONATION})
"""The kinds that leave as money and count against the budget."""


class RewardState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"  # or given, where it is no money
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # the proposal was undone


class RewardTrigger(StrEnum):
    APPROVE = "approve"
    PAY = "pay"
    DECLINE = "decline"
    REVERSE = "reverse"  # it was noted as paid by mistake


REWARD_TABLE: tuple[tuple[RewardTrigger, RewardState, RewardState], ...] = (
    (RewardTrigger.APPROVE, RewardState.PROPOSED, RewardState.APPROVED),
    (RewardTrigger.PAY, RewardState.APPROVED, RewardState.PAID),
    (RewardTrigger.DECLINE, RewardState.PROPOSED, RewardState.DECLINED),
    (RewardTrigger.DECLINE, RewardState.APPROVED, RewardState.DECLINED),
    (RewardTrigger.REVERSE, RewardState.PAID, RewardState.APPROVED),
)
STANDING = (RewardState.PROPOSED, RewardState.APPROVED, RewardState.PAID)
"""The states of a reward that stands in the way of another of its kind for the same report."""

_STEPS = {(trigger, source): destination for trigger, source, destination in REWARD_TABLE}


def reward_step(state: RewardState, trigger: RewardTrigger) -> RewardState:
    """The state of a reward after the trigger; raises IllegalTransition when the table has no such step."""
    if (trigger, state) not in _STEPS:
        raise IllegalTransition("reward", f"is {state}, and has no step {trigger} from there")
    return _STEPS[trigger, state]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One report of a duplicate group; `reporter_id` is None for an anonymous one."""

    report_id: str
    received_at: datetime
    reporter_id: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A report's part of its band: `parts` of `whole`, at its `place` (from 0) among those that share equally.

    A percent has the place behind all others: it is rounded down.
    """

    parts: int
    whole: int
    place: int

    def of(self, units: int, decimals: int = 2) -> Decimal:
        """Its part of whole units of a currency with so many decimals.

        What equal shares leave over is given out in single coins of the smallest kind, the earliest report first, so
        that together they come to the sum exactly.
        """
        coins, over = divmod(units * 10**decimals * self.parts, self.whole)
        return Decimal(coins + (self.place < over)).scaleb(-decimals)

    @property
    def in_percent(self) -> Decimal:
        """For words: in cents of a percent, which come to 100 together where they share equally."""
        return self.of(100)


def percent_share(parts: int) -> Share:
    """So many percent of the band."""
    return Share(parts, 100, place=100)


NO_SHARE = percent_share(0)


def shares(split: DuplicateSplit, severity: Severity, arrivals: Sequence[Arrival]) -> dict[str, Share]:
    """The part of its band that each report of a group gets; where they share equally, all of it together.

    `arrivals` are in the order in which they came in, the canonical report first. Whoever comes later
    than the window gets nothing, and whoever sends the same flaw again counts once.
    """
    window = arrivals[0].received_at + timedelta(days=split.window_days)
    seen: set[str] = set()
    counted = []
    for one in arrivals:
        if one.received_at <= window and (one.reporter_id is None or one.reporter_id not in seen):
            counted.append(one.report_id)
            seen |= {one.reporter_id} if one.reporter_id else set()
    if severity.rank >= split.equal_from.rank:
        by_place = [Share(1, len(counted), place) for place in range(len(counted))]
    else:
        by_place = [percent_share(part) for part in split.percent]
    # By percent, fewer or more may have come than the policy pays.
    got = dict(zip(counted, by_place, strict=False))
    return {one.report_id: got.get(one.report_id, NO_SHARE) for one in arrivals}


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the policy of the day of receipt gives for a report, as far as it is known now.

    `settled_at` is when no further duplicate can change the share. `together` is what the shares of all reports of
    the flaw come to, and `given` what stands for each of the others, in the same currency.
    """

    policy: Policy
    severity: Severity
    band: RewardBand
    share: Share
    settled_at: datetime
    together: Decimal
    given: Mapping[str, Decimal]

    @property
    def currency(self) -> str:
        return self.policy.rewards.currency

    def shown(self, amount: Decimal) -> str:
        """An amount in the currency of the policy, in words."""
        return currencies.money_words(amount, self.currency)

    @property
    def least(self) -> Decimal:
        """The minimum of the share, or the rest where less is left."""
        share = self.share.of(self.band.minimum, currencies.decimals(self.currency))
        return self.left if 0 < self.left < share else share

    @property
    def most(self) -> Decimal:
        return self.share.of(self.band.maximum, currencies.decimals(self.currency))

    @property
    def left(self) -> Decimal:
        """What is left for this report by what stands for the others: its share at most."""
        return min(self.most, max(Decimal(0), self.together - sum(self.given.values())))

    @property
    def used(self) -> str:
        """Whose rewards have left less than its share, in a sentence; "" while the whole of it is left."""
        if self.left == self.most:
            return ""
        stands = ", ".join(f"{report}: {self.shown(amount)}" for report, amount in self.given.items())
        return (
            f"of {self.shown(self.together)} {self.currency} for all reports of this flaw"
            f" {self.shown(sum(self.given.values(), Decimal(0)))} stand already ({stands}),"
            f" so that {self.shown(self.left)} is left"
        )


def check_amount(entitlement: Entitlement, kind: RewardKind, amount: Decimal | None) -> Decimal | None:
    """The amount with the decimals of its currency, None for a kind without one.

    Raises Refused naming what the policy gives.
    """
    policy, currency = entitlement.policy, entitlement.currency
    shown, decimals = entitlement.shown, currencies.decimals(currency)
    if kind is not RewardKind.CASH and kind not in policy.rewards.non_cash:
        raise Refused("kind", f"policy {policy.version} does not give {kind}")
    if kind not in VALUED:
        if amount is not None:
            raise Refused("amount", f"{kind} has no amount")
        return None
    if amount is None or not amount.is_finite() or amount <= 0:
        raise Refused("amount", f"must be a number above 0, in {currency}")
    if not entitlement.least <= amount <= entitlement.most:
        raise Refused(
            "amount",
            f"must lie between {shown(entitlement.least)} and {shown(entitlement.most)} {currency}:"
            f" {entitlement.share.in_percent.normalize():f}% of the band of {entitlement.severity}"
            f" in policy {policy.version}",
        )
    # After the band: of a number with more digits than fit `quantize` raises.
    coins = amount.quantize(Decimal(1).scaleb(-decimals))
    if coins != amount:
        raise Refused("amount", f"has {f'at most {decimals}' if decimals else 'no'} decimals in {currency}")
    return coins


def check_settled(entitlement: Entitlement, kind: RewardKind, now: datetime) -> None:
    """Return when no further duplicate can change what an equal share comes to; else raise Refused naming the day."""
    split = entitlement.policy.rewards.duplicates
    if (
        kind in VALUED
        and entitlement.severity.rank >= split.equal_from.rank
        and now <= entitlement.settled_at
    ):
        raise Refused(
            "reward",
            f"duplicates that come in until {entitlement.settled_at:%d %b %Y %H:%M} UTC share it: approve it then",
        )
