"""The status machine and the embargo machine, row by row, and the rules for dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from triage_core.errors import IllegalTransition, Refused
from triage_core.lifecycle import (
    EMBARGO_TABLE,
    IN_FORCE,
    OPEN,
    STATUS_TABLE,
    EmbargoTrigger,
    Opening,
    Proposer,
    Trigger,
    allowed,
    canonical_of,
    check_closing,
    check_end,
    embargo_allowed,
    embargo_step,
    is_regression,
    latest_end,
    merge_ends,
    opening,
    step,
)
from triage_core.model import EmbargoState, Exploitation, Resolution, Severity, Status
from triage_core.policy import Policy, load, parse

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NAIVE = datetime(2026, 3, 2, 9, 30)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(Path(__file__).parents[2] / "data")


# ------------------------------------------------------------------ status


def test_status_machine_has_exactly_the_steps_of_the_domain() -> None:
    arrows = {(str(source), str(destination)) for _, source, destination in STATUS_TABLE}
    drawn = """
        new needs_info, needs_info new, new triaged, new closed, triaged accepted, triaged closed,
        accepted deferred, deferred accepted, accepted triaged, accepted fix_ready,
        fix_ready fixed, fixed retest, retest closed, retest accepted, closed triaged
    """
    withdrawals = {(str(status), "closed") for status in OPEN}
    assert arrows == {tuple(arrow.split()) for arrow in drawn.split(",")} | withdrawals


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("trigger", Trigger)
def test_step_takes_what_is_allowed_and_refuses_the_rest(status: Status, trigger: Trigger) -> None:
    if trigger in allowed(status):
        assert (trigger, status, step(status, trigger)) in STATUS_TABLE
    else:
        with pytest.raises(IllegalTransition, match=f"{status} has no step {trigger}"):
            step(status, trigger)


def test_no_trigger_has_two_destinations_from_one_status() -> None:
    assert len({(trigger, source) for trigger, source, _ in STATUS_TABLE}) == len(STATUS_TABLE)
    assert len({(trigger, source) for trigger, source, _ in EMBARGO_TABLE}) == len(EMBARGO_TABLE)


def test_an_acceptance_can_be_taken_back_and_decided_again() -> None:
    assert step(step(Status.DEFERRED, Trigger.RESUME), Trigger.REVOKE) is Status.TRIAGED


def test_the_path_of_a_flaw_that_gets_fixed_comes_back_and_is_reopened() -> None:
    status = Status.NEW
    for trigger in (
        "ask_reporter",
        "end_wait",
        "triage",
        "accept",
        "finish_fix",
        "deploy_fix",
        "start_retest",
    ):
        status = step(status, Trigger(trigger))
    assert step(status, Trigger.FAIL_RETEST) is Status.ACCEPTED
    status = step(status, Trigger.PASS_RETEST)
    assert (status, step(status, Trigger.REOPEN)) == (Status.CLOSED, Status.TRIAGED)


@pytest.mark.parametrize(
    ("resolution", "missing"),
    [
        (Resolution.DUPLICATE, "canonical"),
        (Resolution.EXPECTED_BEHAVIOUR, "clause"),
        (Resolution.OUT_OF_SCOPE, "clause"),
        (Resolution.NOT_REPRODUCIBLE, "reproduction_log"),
    ],
)
def test_what_a_resolution_requires(resolution: Resolution, missing: str) -> None:
    with pytest.raises(Refused) as caught:
        check_closing(Trigger.CLOSE, resolution, reason="said")
    assert caught.value.field == missing
    shown = {"canonical": "FR-1", "clauses": ("EXP-1",), "reproduction_log": "0 of 10"}
    check_closing(Trigger.CLOSE, resolution, reason="said", **shown)  # type: ignore[arg-type]


@pytest.mark.parametrize("resolution", [Resolution.SPAM, Resolution.ACCEPTED_RISK, Resolution.REROUTED])
def test_every_rejection_has_a_reason(resolution: Resolution) -> None:
    check_closing(Trigger.CLOSE, resolution, reason="said")
    with pytest.raises(Refused, match="reason"):
        check_closing(Trigger.CLOSE, resolution, reason="  ")


@pytest.mark.parametrize(
    ("trigger", "resolution"),
    [
        (Trigger.CLOSE, Resolution.RESOLVED_FIXED),
        (Trigger.CLOSE, Resolution.WITHDRAWN),
        (Trigger.WITHDRAW, Resolution.SPAM),
        (Trigger.PASS_RETEST, Resolution.ACCEPTED_RISK),
        (Trigger.ACCEPT, Resolution.RESOLVED_FIXED),
    ],
)
def test_a_trigger_closes_only_with_its_own_resolutions(trigger: Trigger, resolution: Resolution) -> None:
    with pytest.raises(Refused) as caught:
        check_closing(trigger, resolution, reason="said", clauses=("IN-1",))
    assert caught.value.field == "resolution"


def test_a_withdrawal_needs_no_reason_and_a_fix_needs_no_evidence() -> None:
    check_closing(Trigger.WITHDRAW, Resolution.WITHDRAWN, reason="")
    check_closing(Trigger.PASS_RETEST, Resolution.RESOLVED_MITIGATED, reason="said")


def test_the_canonical_report_is_the_one_submitted_first() -> None:
    east = timezone(timedelta(hours=3))
    times = {"FR-1": NOW, "FR-2": (NOW - timedelta(minutes=1)).astimezone(east), "FR-3": NOW}
    assert canonical_of(times) == "FR-2"
    assert canonical_of({"FR-3": NOW, "FR-1": NOW}) == "FR-1"
    with pytest.raises(Refused, match="submitted_at"):
        canonical_of({"FR-1": NAIVE})


def test_a_report_after_the_fix_is_a_regression() -> None:
    assert is_regression(NOW, NOW - timedelta(days=1))
    assert not is_regression(NOW, NOW + timedelta(days=1))
    assert not is_regression(NOW, None)


# ------------------------------------------------------------------ embargo


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
    assert opened.proposed_by is Proposer.COMPANY


def test_a_longer_wish_is_the_revision_and_stops_at_the_cap(policy: Policy) -> None:
    opened = opening(policy, None, Exploitation.NONE, NOW, NOW + timedelta(days=60))
    assert opened.state is EmbargoState.REVISE
    assert (opened.active_end, opened.proposed_end) == (NOW + timedelta(days=45), NOW + timedelta(days=60))
    assert opened.proposed_by is Proposer.REPORTER
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
    with pytest.raises(Refused, match="embargo_end: must"):
        merge_ends([NOW, NAIVE])


def test_an_extension_never_passes_the_cap_counted_from_the_opening(policy: Policy) -> None:
    later = NOW + timedelta(days=100)
    last = latest_end(policy, NOW)
    assert check_end(policy, NOW, later, last) == NOW + timedelta(days=180)
    with pytest.raises(Refused, match="180 days in all"):
        check_end(policy, NOW, later, last + timedelta(seconds=1))
    with pytest.raises(Refused, match="in the future"):
        check_end(policy, NOW, later, later)


def test_merged_duplicates_take_the_earliest_end() -> None:
    assert merge_ends([NOW + timedelta(days=2), NOW, NOW + timedelta(days=1)]) == NOW
    assert merge_ends([]) is None
