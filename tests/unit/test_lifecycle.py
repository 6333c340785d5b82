"""The status machine, row by row, and the rules for closing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from triage_core.errors import IllegalTransition, Refused
from triage_core.lifecycle import (
    OPEN,
    STATUS_TABLE,
    Trigger,
    allowed,
    check_closing,
    step,
)
from triage_core.model import Resolution, Status

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NAIVE = datetime(2026, 3, 2, 9, 30)


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
