"""Vultron's embargo transitions as a table, what each step does to the dates, and 10,000 random paths."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.making import POLICY
from triage_core.disclosure.embargo import is_active
from triage_core.disclosure.embargo_machine import (
    EMBARGO_TABLE,
    IN_FORCE,
    Embargo,
    EmbargoTrigger,
    ExitReason,
    Opening,
    Party,
    accept,
    bar,
    check_end,
    embargo_allowed,
    embargo_step,
    follow,
    latest_end,
    offer,
    opening,
    reject,
    settle,
    terminate,
)
from triage_core.errors import IllegalTransition, Refused
from triage_core.guidance.policy import Policy, parse
from triage_core.model import EmbargoState, Exploitation, Severity

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NAIVE = datetime(2026, 3, 2, 9, 30)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return POLICY


# Vultron's embargo management process, arrow by arrow: N none, P proposed, A active, R revise, X exited.
VULTRON = """
    N-propose-P P-propose-P P-accept-A P-reject-N A-revise-R R-revise-R R-accept-A R-reject-A
    A-terminate-X R-terminate-X
"""
LETTERS = dict(zip("NPARX", EmbargoState, strict=True))


def test_the_table_is_vultrons() -> None:
    drawn = {tuple(arrow.split("-")) for arrow in VULTRON.split()}
    assert {(LETTERS[a], EmbargoTrigger(word), LETTERS[b]) for a, word, b in drawn} == {
        (source, trigger, destination) for trigger, source, destination in EMBARGO_TABLE
    }
    assert len(drawn) == len(EMBARGO_TABLE)


@pytest.mark.parametrize("state", EmbargoState)
@pytest.mark.parametrize("trigger", EmbargoTrigger)
def test_embargo_step(state: EmbargoState, trigger: EmbargoTrigger) -> None:
    if trigger in embargo_allowed(state):
        assert (trigger, state, embargo_step(state, trigger)) in EMBARGO_TABLE
    else:
        with pytest.raises(IllegalTransition, match=f"{state} has no step {trigger}"):
            embargo_step(state, trigger)


def test_a_revision_never_interrupts_an_embargo_and_an_exit_is_final() -> None:
    for trigger, source, destination in EMBARGO_TABLE:
        if source in IN_FORCE:
            assert destination in IN_FORCE or trigger is EmbargoTrigger.TERMINATE
    assert embargo_allowed(EmbargoState.EXITED) == ()


def test_the_published_default_counts_as_accepted(policy: Policy) -> None:
    opened = opening(policy, None, Exploitation.NONE, NOW, None)
    assert opened.state is EmbargoState.ACTIVE
    assert opened.active_end == NOW + timedelta(days=45)
    assert opened.proposed_end is None


def test_a_shorter_wish_is_active_and_ours_becomes_the_revision(policy: Policy) -> None:
    wish = NOW + timedelta(days=3)
    opened = opening(policy, Severity.HIGH, Exploitation.NONE, NOW, wish)
    assert opened.state is EmbargoState.REVISE
    assert (opened.active_end, opened.proposed_end) == (wish, NOW + timedelta(days=14))
    assert opened.proposed_by is Party.COMPANY


def test_a_longer_wish_is_the_revision_and_stops_at_the_cap(policy: Policy) -> None:
    opened = opening(policy, None, Exploitation.NONE, NOW, NOW + timedelta(days=60))
    assert opened.state is EmbargoState.REVISE
    assert (opened.active_end, opened.proposed_end) == (NOW + timedelta(days=45), NOW + timedelta(days=60))
    assert opened.proposed_by is Party.REPORTER
    far = opening(policy, None, Exploitation.NONE, NOW, datetime.max.replace(tzinfo=UTC))
    assert far.proposed_end == NOW + timedelta(days=180)


def test_a_wish_beyond_a_cap_that_equals_ours_adds_no_revision(policy: Policy) -> None:
    text = policy.toml_text.replace("cap_days = 180", "cap_days = 45")
    capped = parse(text, policy.severity_csv, policy.priority_csv)
    opened = opening(capped, None, Exploitation.NONE, NOW, NOW + timedelta(days=60))
    assert opened.state is EmbargoState.ACTIVE


def test_a_wish_that_has_passed_leaves_ours_as_a_proposal(policy: Policy) -> None:
    opened = opening(policy, None, Exploitation.NONE, NOW, NOW)
    assert opened.state is EmbargoState.PROPOSED
    assert (opened.active_end, opened.proposed_end) == (None, NOW + timedelta(days=45))


@pytest.mark.parametrize("exploitation", [Exploitation.PUBLIC_POC, Exploitation.ACTIVE])
def test_no_embargo_starts_once_an_exploit_is_public_or_seen(
    policy: Policy, exploitation: Exploitation
) -> None:
    opened = opening(policy, None, exploitation, NOW, NOW + timedelta(days=9))
    assert opened == Opening(())
    assert opened.state is EmbargoState.NONE


@pytest.mark.parametrize("bar", [{"public": True}, {"fix_deployed": True}])
def test_no_embargo_starts_on_a_public_or_fixed_flaw(policy: Policy, bar: dict[str, bool]) -> None:
    assert opening(policy, None, Exploitation.NONE, NOW, None, **bar) == Opening(())


def test_ends_are_utc_whatever_zone_the_wish_names(policy: Policy) -> None:
    east = timezone(timedelta(hours=9))
    wish = datetime(2026, 3, 5, 1, 0, tzinfo=east)
    opened = opening(policy, None, Exploitation.NONE, NOW, wish)
    assert opened.active_end == datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
    assert opened.active_end is not None
    assert opened.active_end.tzinfo is UTC


def test_naive_date_times_are_refused_by_name(policy: Policy) -> None:
    with pytest.raises(Refused, match="now: must be a date-time with a time zone"):
        opening(policy, None, Exploitation.NONE, NAIVE, None)
    with pytest.raises(Refused, match="embargo_wish: must"):
        opening(policy, None, Exploitation.NONE, NOW, NAIVE)


def test_an_extension_never_passes_the_cap_counted_from_the_opening(policy: Policy) -> None:
    later = NOW + timedelta(days=100)
    last = latest_end(policy, NOW)
    assert check_end(policy, NOW, later, last) == NOW + timedelta(days=180)
    with pytest.raises(Refused, match="180 days in all"):
        check_end(policy, NOW, later, last + timedelta(seconds=1))
    with pytest.raises(Refused, match="in the future"):
        check_end(policy, NOW, later, later)


# ------------------------------------------------------------------ acts

FRESH = Embargo(NOW)
ACTIVE = Embargo(NOW, EmbargoState.ACTIVE, ends_at=NOW + 45 * DAY)
ASKED = replace(ACTIVE, state=EmbargoState.REVISE, proposed_end=NOW + 60 * DAY, proposed_by=Party.REPORTER)
PROPOSED = Embargo(NOW, EmbargoState.PROPOSED, proposed_end=NOW + 20 * DAY, proposed_by=Party.COMPANY)
OVER = replace(ACTIVE, state=EmbargoState.EXITED, exited_at=NOW, exit_reason=ExitReason.OTHER)
OF_STATE = {one.state: one for one in (FRESH, PROPOSED, ACTIVE, ASKED, OVER)}

ACTS: dict[EmbargoTrigger, Callable[[Embargo], Embargo]] = {
    EmbargoTrigger.PROPOSE: lambda one: offer(POLICY, one, Party.COMPANY, NOW + 30 * DAY, NOW, ""),
    EmbargoTrigger.REVISE: lambda one: offer(POLICY, one, Party.COMPANY, NOW + 30 * DAY, NOW, ""),
    EmbargoTrigger.ACCEPT: lambda one: accept(
        one, Party.COMPANY if one.proposed_by is Party.REPORTER else Party.REPORTER, NOW, ""
    ),
    EmbargoTrigger.REJECT: lambda one: reject(one, NOW),
    EmbargoTrigger.TERMINATE: lambda one: terminate(one, ExitReason.OTHER, NOW),
}


@pytest.mark.parametrize("state", EmbargoState)
@pytest.mark.parametrize("trigger", EmbargoTrigger)
def test_an_act_leads_where_the_table_says_and_nowhere_else(
    state: EmbargoState, trigger: EmbargoTrigger
) -> None:
    act = ACTS[trigger]
    if trigger in embargo_allowed(state):
        assert act(OF_STATE[state]).state is embargo_step(state, trigger)
    elif trigger in {EmbargoTrigger.PROPOSE, EmbargoTrigger.REVISE} and state is not EmbargoState.EXITED:
        assert act(OF_STATE[state]).state in {EmbargoState.PROPOSED, EmbargoState.REVISE}  # by the other word
    else:
        with pytest.raises(IllegalTransition):
            act(OF_STATE[state])


def test_a_revision_leaves_the_end_in_force_until_the_other_side_accepts() -> None:
    asked = offer(POLICY, ACTIVE, Party.REPORTER, NOW + 60 * DAY, NOW, "")
    assert (asked.ends_at, asked.proposed_end) == (NOW + 45 * DAY, NOW + 60 * DAY)
    with pytest.raises(Refused, match="by the other side"):
        accept(asked, Party.REPORTER, NOW, "")
    agreed = accept(asked, Party.COMPANY, NOW, "")
    assert (agreed.state, agreed.ends_at, agreed.proposed_end) == (EmbargoState.ACTIVE, NOW + 60 * DAY, None)
    assert reject(asked, NOW) == ACTIVE


def test_the_cap_counts_from_the_day_the_report_came_in_however_late_one_agrees() -> None:
    with pytest.raises(Refused, match="180 days in all"):
        offer(POLICY, FRESH, Party.COMPANY, NOW + 181 * DAY, NOW + 100 * DAY, "")
    with pytest.raises(Refused, match="180 days in all"):
        offer(POLICY, ACTIVE, Party.REPORTER, NOW + 181 * DAY, NOW, "")


def test_the_end_in_force_is_no_new_proposal() -> None:
    with pytest.raises(Refused, match="in force already"):
        offer(POLICY, ACTIVE, Party.REPORTER, NOW + 45 * DAY, NOW, "")


@pytest.mark.parametrize(
    ("news", "word"),
    [
        ({"exploitation": Exploitation.PUBLIC_POC}, "public"),
        ({"exploitation": Exploitation.NONE, "public": True}, "public"),
        ({"exploitation": Exploitation.ACTIVE}, "attacks"),
        ({"exploitation": Exploitation.NONE, "fix_deployed": True}, "fix"),
    ],
)
def test_what_is_known_or_fixed_gets_no_new_embargo(news: dict[str, object], word: str) -> None:
    barred = bar(**news)  # type: ignore[arg-type]
    assert word in barred
    with pytest.raises(Refused, match="no new embargo"):
        offer(POLICY, FRESH, Party.REPORTER, NOW + DAY, NOW, barred)
    with pytest.raises(Refused, match="no new embargo"):
        accept(PROPOSED, Party.REPORTER, NOW, barred)
    assert offer(POLICY, ACTIVE, Party.REPORTER, NOW + DAY, NOW, barred).in_force  # what runs may be revised
    assert bar(Exploitation.NONE) == ""


def test_an_end_that_is_reached_needs_no_act() -> None:
    later = NOW + 45 * DAY
    over = settle(ASKED, later)
    assert (over.state, over.exited_at, over.exit_reason) == (
        EmbargoState.EXITED,
        later,
        ExitReason.END_REACHED,
    )
    assert over.proposed_end is None
    assert settle(ASKED, later - DAY) == ASKED
    with pytest.raises(IllegalTransition):
        accept(ASKED, Party.COMPANY, later, "")  # an embargo that is over is not brought back
    assert settle(over, later + DAY) == over


def test_a_proposal_lapses_when_its_own_end_passes() -> None:
    assert settle(PROPOSED, NOW + 20 * DAY).state is EmbargoState.NONE
    shorter = replace(ASKED, proposed_end=NOW + 2 * DAY)
    assert settle(shorter, NOW + 2 * DAY) == ACTIVE


# ------------------------------------------------------------------ news


def test_a_public_flaw_ends_it_at_once_and_drops_a_proposal() -> None:
    over = follow(POLICY, ASKED, Severity.LOW, Exploitation.PUBLIC_POC, NOW + DAY)
    assert (over.state, over.exited_at, over.exit_reason) == (
        EmbargoState.EXITED,
        NOW + DAY,
        ExitReason.PUBLIC,
    )
    for known in (Exploitation.PUBLIC_POC, Exploitation.ACTIVE):
        assert follow(POLICY, PROPOSED, None, known, NOW) == FRESH


@pytest.mark.parametrize(
    ("severity", "exploitation", "days"),
    [
        (Severity.HIGH, Exploitation.NONE, 14),
        (Severity.CRITICAL, Exploitation.NONE, 7),
        (Severity.LOW, Exploitation.ACTIVE, 7),
    ],
)
def test_a_shorter_wait_is_our_proposal_and_interrupts_nothing(
    severity: Severity, exploitation: Exploitation, days: int
) -> None:
    later = NOW + 3 * DAY
    found = follow(POLICY, ACTIVE, severity, exploitation, later)
    assert (found.state, found.ends_at) == (EmbargoState.REVISE, ACTIVE.ends_at)
    assert (found.proposed_end, found.proposed_by) == (later + days * DAY, Party.COMPANY)
    assert follow(POLICY, found, severity, exploitation, later + DAY) == found  # said once


def test_news_that_shorten_nothing_change_nothing() -> None:
    assert follow(POLICY, ACTIVE, Severity.MEDIUM, Exploitation.NONE, NOW + DAY) == ACTIVE
    assert follow(POLICY, ACTIVE, Severity.CRITICAL, Exploitation.NONE, NOW + 40 * DAY) == ACTIVE
    assert follow(POLICY, OVER, Severity.CRITICAL, Exploitation.PUBLIC_POC, NOW) == OVER
    assert follow(POLICY, FRESH, Severity.CRITICAL, Exploitation.NONE, NOW) == FRESH


def test_the_reporters_proposal_is_not_pushed_aside() -> None:
    assert follow(POLICY, ASKED, Severity.CRITICAL, Exploitation.ACTIVE, NOW + DAY) == ASKED


def test_a_higher_severity_shortens_our_own_proposal() -> None:
    found = follow(POLICY, PROPOSED, Severity.CRITICAL, Exploitation.NONE, NOW)
    assert (found.state, found.proposed_end) == (EmbargoState.PROPOSED, NOW + 7 * DAY)


# ------------------------------------------------------------------ paths


def random_act(draw: random.Random, embargo: Embargo, now: datetime) -> Embargo:
    by, barred = draw.choice(list(Party)), draw.choice(["", "", "", "the flaw is public"])
    end = draw.choice([now, NOW]) + timedelta(hours=draw.randint(-100, 24 * 400))
    act = draw.randrange(7)
    if act <= 2:
        return offer(POLICY, embargo, by, end, now, barred)
    if act == 3:
        return accept(embargo, by, now, barred)
    if act == 4:
        return reject(embargo, now)
    if act == 5 and draw.random() < 0.2:
        return terminate(embargo, draw.choice(list(ExitReason)), now)
    known = draw.choices(list(Exploitation), (8, 1, 1))[0]
    return follow(POLICY, embargo, draw.choice([None, *Severity]), known, now)


def test_no_path_of_ten_thousand_leads_to_an_endless_embargo() -> None:
    draw = random.Random(20260302)
    last = NOW + POLICY.waiting.cap_days * DAY
    reached: set[EmbargoState] = set()
    agreed = extended = 0
    for _ in range(10_000):
        now, spans = NOW, 0
        wish = draw.choice([None, NOW + timedelta(hours=draw.randint(-10, 24 * 300))])
        begun = opening(POLICY, None, Exploitation.NONE, NOW, wish)
        embargo = Embargo(NOW, begun.state, begun.active_end, begun.proposed_end, begun.proposed_by)
        if draw.random() < 0.5:
            embargo = Embargo(NOW)  # an imported report begins with none
        bound = is_active(embargo.state, embargo.ends_at, now)
        spans += bound
        for _ in range(draw.randint(1, 25)):
            now += timedelta(hours=draw.choice([0, 1, 30, 24 * 12]))
            before = embargo
            try:
                embargo = random_act(draw, embargo, now)
            except Refused:
                embargo = settle(embargo, now)
            reached.add(embargo.state)
            for end in (embargo.ends_at, embargo.proposed_end):
                assert end is None or end <= last
            assert not embargo.in_force or embargo.ends_at is not None
            assert (embargo.state in {EmbargoState.PROPOSED, EmbargoState.REVISE}) == (
                embargo.proposed_end is not None
            )
            assert (embargo.proposed_end is None) == (embargo.proposed_by is None)
            if before.state is EmbargoState.EXITED:
                assert embargo == before  # an exit is for good
            binds = is_active(embargo.state, embargo.ends_at, now)
            if bound and not binds:
                # Nothing but its exit interrupts it.
                assert settle(embargo, now).state is EmbargoState.EXITED
            agreed += binds and not bound
            extended += binds and before.ends_at is not None and embargo.ends_at > before.ends_at  # type: ignore[operator]
            spans += binds and not bound
            bound = binds
        assert spans <= 1  # at most one embargo is ever active
        assert not is_active(embargo.state, embargo.ends_at, last)
    assert reached == set(EmbargoState)
    assert agreed > 100
    assert extended > 100
