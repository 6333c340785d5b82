"""The gate: which rule keeps a report in, in which order, and what a decision says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.making import NOON
from triage_core import embargo
from triage_core.embargo import Rule, Terms, Use
from triage_core.exporters import gate
from triage_core.exporters.gate import MEANING, Reason, Standing, Verdict
from triage_core.model import EmbargoState, Resolution, Tlp, TrainingConsent

HOUR = timedelta(hours=1)
FREE = Terms(EmbargoState.NONE, None, False, Tlp.AMBER_STRICT, TrainingConsent.ANY_SAFETY_TRAINING)
CONFIRMED = Standing(FREE, None, ("IN-1",))
EVERY = frozenset(Verdict)


@pytest.mark.parametrize(
    ("state", "ends_at", "active"),
    [
        (EmbargoState.NONE, None, False),
        (EmbargoState.PROPOSED, NOON + HOUR, False),
        (EmbargoState.ACTIVE, NOON + HOUR, True),
        (EmbargoState.ACTIVE, NOON, False),  # the end is the first free moment
        (EmbargoState.ACTIVE, None, True),  # nobody can say that it is over
        (EmbargoState.REVISE, NOON + HOUR, True),
        (EmbargoState.REVISE, NOON - HOUR, False),
        (EmbargoState.EXITED, NOON + HOUR, False),
    ],
)
def test_an_embargo_binds_until_its_end(state: EmbargoState, ends_at: object, active: bool) -> None:
    assert embargo.is_active(state, ends_at, NOON) is active  # type: ignore[arg-type]
    found = embargo.why_not(replace(FREE, embargo=state, ends_at=ends_at), Use.SAFETY_TRAINING, NOON)
    assert found is (Rule.ACTIVE_EMBARGO if active else None)


@pytest.mark.parametrize(
    ("consent", "refused"),
    [
        (TrainingConsent.NONE, set(Use)),
        (TrainingConsent.CLASSIFIER_ONLY, {Use.SAFETY_TRAINING, Use.BAD_USER_TRAINING}),
        (TrainingConsent.ANY_SAFETY_TRAINING, {Use.BAD_USER_TRAINING}),
        (TrainingConsent.SAFETY_AND_BAD_USER, set()),
    ],
)
def test_consent_covers_what_it_says(consent: TrainingConsent, refused: set[Use]) -> None:
    terms = replace(FREE, consent_training=consent)
    assert {use for use in Use if embargo.why_not(terms, use, NOON) is Rule.NO_CONSENT} == refused


def test_the_embargo_is_named_before_tlp_and_consent() -> None:
    held = replace(FREE, earlier_copy_held=True, tlp=Tlp.RED, consent_training=TrainingConsent.NONE)
    assert embargo.why_not(held, Use.SAFETY_TRAINING, NOON) is Rule.ACTIVE_EMBARGO
    red = replace(held, earlier_copy_held=False)
    assert embargo.why_not(red, Use.SAFETY_TRAINING, NOON) is Rule.TLP_RED


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(CONFIRMED, terms=replace(FREE, tlp=Tlp.RED), resolution=Resolution.SPAM), Reason.TLP_RED),
        (replace(CONFIRMED, resolution=Resolution.SPAM), Reason.SPAM),
        (replace(CONFIRMED, resolution=Resolution.WITHDRAWN, clauses=()), Reason.WITHDRAWN),
        (replace(CONFIRMED, resolution=Resolution.REROUTED, clauses=()), Reason.REROUTED),
        (replace(CONFIRMED, clauses=("IN-1", "RTE-2")), Reason.REROUTED),
        (replace(CONFIRMED, resolution=Resolution.DUPLICATE), Reason.LINKED_DUPLICATE),
        (replace(CONFIRMED, clauses=()), Reason.UNDECIDED),
        (replace(CONFIRMED, clauses=("EXP-1",)), Reason.UNDECIDED),  # it was closed and is open again
        (CONFIRMED, None),
    ],
)
def test_each_report_has_one_reason(standing: Standing, reason: Reason | None) -> None:
    assert gate.why_not(standing, Use.SAFETY_TRAINING, EVERY, NOON) is reason


@pytest.mark.parametrize(
    ("resolution", "clauses", "verdict"),
    [
        (None, ("IN-1",), Verdict.FLAW),
        (None, ("EXP-1", "IN-2"), Verdict.FLAW),
        (Resolution.RESOLVED_FIXED, ("IN-1",), Verdict.FLAW),
        (Resolution.RESOLVED_MITIGATED, ("IN-1",), Verdict.FLAW),
        (Resolution.ACCEPTED_RISK, ("IN-1",), Verdict.FLAW),
        (Resolution.EXPECTED_BEHAVIOUR, ("EXP-1",), Verdict.EXPECTED),
        (Resolution.EXPECTED_BEHAVIOUR, ("IN-1",), Verdict.EXPECTED),
        (Resolution.OUT_OF_SCOPE, ("OOS-1",), Verdict.OUT_OF_SCOPE),
        (Resolution.NOT_REPRODUCIBLE, ("IN-1",), Verdict.NOT_CONFIRMED),
        (Resolution.NOT_APPLICABLE, ("IN-1",), Verdict.NOT_CONFIRMED),
        (Resolution.RESOLVED_FIXED, (), None),
    ],
)
def test_what_a_decision_says(
    resolution: Resolution | None, clauses: tuple[str, ...], verdict: Verdict | None
) -> None:
    assert gate.verdict(resolution, clauses) is verdict


def test_a_profile_leaves_out_decisions_that_it_cannot_use() -> None:
    takes = EVERY - {Verdict.FLAW}
    assert gate.why_not(CONFIRMED, Use.SAFETY_TRAINING, takes, NOON) is Reason.NOT_FOR_PROFILE


def test_every_reason_is_explained() -> None:
    assert set(MEANING) == set(Reason)
    assert [str(rule) for rule in Rule] == [str(reason) for reason in Reason][: len(Rule)]
