"""The reward rules: the states as a table, shares of duplicates, and what an amount may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import NOON, POLICY
from triage_core.channel.standing import Standing, tier
from triage_core.errors import IllegalTransition, Refused
from triage_core.guidance.policy import GRADED
from triage_core.model import Severity
from triage_core.rewards.reward_rules import (
    REWARD_TABLE,
    VALUED,
    Arrival,
    Entitlement,
    RewardKind,
    RewardState,
    RewardTrigger,
    Share,
    check_amount,
    check_settled,
    percent_share,
    reward_step,
    shares,
)

DAY = timedelta(days=1)
WHOLE = Share(1, 1, place=0)
SPLIT = POLICY.rewards.duplicates


def group(*days: float, reporters: str = "") -> list[Arrival]:
    who = list(reporters) or [None] * len(days)
    return [
        Arrival(f"FR-{n}", NOON + day * DAY, one) for n, (day, one) in enumerate(zip(days, who, strict=True))
    ]


def percents(severity: Severity, arrivals: list[Arrival]) -> list[str]:
    return [f"{share.in_percent.normalize():f}" for share in shares(SPLIT, severity, arrivals).values()]


@pytest.mark.parametrize("state", RewardState)
@pytest.mark.parametrize("trigger", RewardTrigger)
def test_a_reward_moves_along_its_table(state: RewardState, trigger: RewardTrigger) -> None:
    arrows = (
        "proposed approve approved, approved pay paid, paid reverse approved, proposed decline declined,"
        " approved decline declined"
    )
    table = {tuple(arrow.split()) for arrow in arrows.split(", ")}
    assert {(source, trigger, destination) for trigger, source, destination in REWARD_TABLE} == table
    destinations = [end for begin, word, end in table if (begin, word) == (state, trigger)]
    if destinations:
        assert [reward_step(state, trigger)] == destinations
    else:
        with pytest.raises(IllegalTransition, match=f"is {state}"):
            reward_step(state, trigger)


@pytest.mark.parametrize(
    ("severity", "days", "expected"),
    [
        (Severity.MEDIUM, (0,), ["100"]),
        (Severity.MEDIUM, (0, 3), ["50", "50"]),
        (Severity.HIGH, (0, 1, 7), ["33.34", "33.33", "33.33"]),
        (Severity.CRITICAL, (0, 7.01), ["100", "0"]),
        (Severity.LOW, (0, 1, 2, 3), ["100", "50", "20", "0"]),
        (Severity.LOW, (0, 8), ["100", "0"]),
    ],
)
def test_duplicates_share_by_the_published_rule(
    severity: Severity, days: tuple[float, ...], expected: list[str]
) -> None:
    assert percents(severity, group(*days)) == expected


def test_who_sends_the_same_flaw_again_counts_once() -> None:
    assert percents(Severity.HIGH, group(0, 1, 2, reporters="aab")) == ["50", "0", "50"]
    assert percents(Severity.LOW, group(0, 1, 2, reporters="aab")) == ["100", "0", "50"]
    assert percents(Severity.HIGH, group(0, 1)) == ["50", "50"]  # of the anonymous nobody knows


@given(
    st.sampled_from(GRADED),
    st.lists(st.floats(0, 20), min_size=1, max_size=30).map(sorted),
)
def test_shares_are_in_order_and_never_above_the_band(severity: Severity, days: list[float]) -> None:
    found = [share.in_percent for share in shares(SPLIT, severity, group(*days)).values()]
    assert len(found) == len(days)
    assert found == sorted(found, reverse=True)  # nobody later gets more
    assert found[0] > 0
    if severity.rank >= SPLIT.equal_from.rank:
        assert sum(found) == 100


@given(
    st.sampled_from([one for one in GRADED if one.rank >= SPLIT.equal_from.rank]),
    st.integers(0, 10**9),
    st.lists(st.tuples(st.floats(0, 20), st.sampled_from([None, "a", "b"])), min_size=1, max_size=200),
)
def test_equal_shares_come_to_the_band_exactly(
    severity: Severity, band: int, sent: list[tuple[float, str | None]]
) -> None:
    arrivals = [
        Arrival(f"FR-{n}", NOON + day * DAY, who)
        for n, (day, who) in enumerate(sorted(sent, key=lambda one: one[0]))
    ]
    found = shares(SPLIT, severity, arrivals).values()
    parts = [share.of(band) for share in found if share.parts]
    assert sum(parts) == band
    assert all(part == part.quantize(Decimal("0.01")) for part in parts)
    assert max(parts) - min(parts) <= Decimal("0.01")
    assert parts == sorted(parts, reverse=True)  # the odd cents go to the earliest


def test_a_band_of_100_among_three() -> None:
    found = shares(SPLIT, Severity.HIGH, group(0, 1, 2)).values()
    assert [str(share.of(100)) for share in found] == ["33.34", "33.33", "33.33"]


@given(st.integers(0, 10**9), st.integers(0, 100))
def test_a_percent_of_a_band_is_exact(band: int, part: int) -> None:
    assert percent_share(part).of(band) * 100 == band * part


def entitled(
    severity: Severity = Severity.HIGH, share: Share = WHOLE, given: dict[str, Decimal] | None = None
) -> Entitlement:
    band = POLICY.reward_band(severity)
    assert band
    return Entitlement(POLICY, severity, band, share, NOON + 7 * DAY, Decimal(band.maximum), given or {})


@pytest.mark.parametrize("kind", RewardKind)
def test_what_has_a_value_has_an_amount_and_nothing_else_has(kind: RewardKind) -> None:
    if kind in VALUED:
        assert check_amount(entitled(), kind, Decimal("3000.5")) == Decimal("3000.50")
        with pytest.raises(Refused, match="amount"):
            check_amount(entitled(), kind, None)
    else:
        assert check_amount(entitled(), kind, None) is None
        with pytest.raises(Refused, match="has no amount"):
            check_amount(entitled(), kind, Decimal(3000))


@pytest.mark.parametrize(
    "amount", ["0", "-1", "2499.99", "5000.01", "3000.001", "NaN", "Infinity", "1E+9", "1E+30", "9" * 40]
)
def test_an_amount_stays_within_the_band(amount: str) -> None:
    with pytest.raises(Refused, match="amount"):
        check_amount(entitled(), RewardKind.CASH, Decimal(amount))


@pytest.mark.parametrize(
    ("currency", "good", "bad", "why"),
    [
        ("JPY", "3000", "3000.5", "has no decimals in JPY"),
        ("KWD", "3000.125", "3000.1255", "has at most 3 decimals in KWD"),
        ("EUR", "3000.12", "3000.125", "has at most 2 decimals in EUR"),
        ("EUR", "3000.12", f"3000.{'0' * 40}1", "has at most 2 decimals in EUR"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(currency: str, good: str, bad: str, why: str) -> None:
    may = in_currency(entitled(), currency)
    assert str(check_amount(may, RewardKind.CASH, Decimal(good))) == good
    with pytest.raises(Refused, match=why):
        check_amount(may, RewardKind.CASH, Decimal(bad))


def in_currency(may: Entitlement, currency: str) -> Entitlement:
    paid = replace(POLICY.rewards, currency=currency)
    return replace(may, policy=replace(POLICY, rewards=paid))


@pytest.mark.parametrize(("decimals", "thirds"), [(0, "34 33 33"), (3, "33.334 33.333 33.333")])
def test_shares_come_in_the_smallest_coin(decimals: int, thirds: str) -> None:
    found = shares(SPLIT, Severity.HIGH, group(0, 1, 2)).values()
    assert [str(share.of(100, decimals)) for share in found] == thirds.split()
    assert str(percent_share(20).of(333, decimals)) == {0: "66", 3: "66.600"}[decimals]  # rounded down


def test_a_share_narrows_the_band() -> None:
    third = entitled(share=Share(1, 3, place=2))
    assert (third.least, third.most) == (Decimal("833.33"), Decimal("1666.66"))
    with pytest.raises(Refused, match=r"between 833.33 and 1,666.66 USD: 33.33% of the band of high"):
        check_amount(third, RewardKind.CASH, Decimal(3000))


@pytest.mark.parametrize(
    ("given", "left", "least"),
    [
        ({}, "2500", "1250"),
        ({"FR-1": 2500}, "2500", "1250"),
        ({"FR-1": 3000}, "2000", "1250"),
        ({"FR-1": 4000, "FR-3": 100}, "900", "900"),  # the rest may be given, below the minimum too
        ({"FR-1": 5000}, "0", "1250"),
        ({"FR-1": 9000}, "0", "1250"),
    ],
)
def test_what_the_others_have_left(given: dict[str, int], left: str, least: str) -> None:
    half = entitled(share=Share(1, 2, place=1), given={name: Decimal(one) for name, one in given.items()})
    assert (half.left, half.least, half.most) == (Decimal(left), Decimal(least), 2500)
    assert bool(half.used) == (half.left < half.most)


def test_who_has_what_of_the_band_is_told() -> None:
    half = entitled(share=Share(1, 2, place=1), given={"FR-1": Decimal(4000), "FR-3": Decimal(100)})
    assert half.used == (
        "of 5,000.00 USD for all reports of this flaw 4,100.00 stand already (FR-1: 4,000.00, FR-3: 100.00),"
        " so that 900.00 is left"
    )


def test_an_equal_share_waits_until_no_duplicate_can_change_it() -> None:
    with pytest.raises(Refused, match="09 Mar 2026 12:00 UTC"):
        check_settled(entitled(), RewardKind.CASH, NOON + 7 * DAY)
    check_settled(entitled(), RewardKind.CASH, NOON + 7.1 * DAY)
    check_settled(entitled(), RewardKind.PUBLIC_THANKS, NOON)
    check_settled(entitled(Severity.LOW), RewardKind.CASH, NOON)


# ------------------------------------------------------------------ standing


@pytest.mark.parametrize(
    ("standing", "signal", "name"),
    [
        (Standing(), None, None),
        (Standing(open=9), None, None),
        (Standing(valid=1), 1.0, "Known"),
        (Standing(valid=1, invalid=1), 0.5, "Known"),
        (Standing(valid=1, invalid=2), 1 / 3, None),
        (Standing(valid=5, duplicate=2, invalid=3), 0.6, "Trusted"),
        (Standing(valid=20, invalid=10), 2 / 3, "Trusted"),
        (Standing(valid=20, invalid=8), 20 / 28, "Partner"),
    ],
)
def test_a_tier_takes_flaws_and_signal(standing: Standing, signal: float | None, name: str | None) -> None:
    assert standing.signal == (None if signal is None else pytest.approx(signal))
    earned = tier(POLICY, standing)
    assert (earned.name if earned else None) == name
