"""The gate: which rule keeps a report in, in which order, and what a decision says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.making import NOON
from triage_core.disclosure import embargo
from triage_core.disclosure.embargo import Rule, Terms, Use
from triage_core.exporters import gate
from triage_core.exporters.gate import MEANING, Reason, Standing, Verdict
from triage_core.model import (
    Actor,
    DeskRole,
    EmbargoState,
    PeerConsent,
    Resolution,
    Tlp,
    TrainingConsent,
)

HOUR = timedelta(hours=1)
FREE = Terms(EmbargoState.NONE, None, False, Tlp.AMBER_STRICT, TrainingConsent.ANY_SAFETY_TRAINING)
CONFIRMED = Standing(FREE, None, ("IN-1",))
EVERY = frozenset(Verdict)
TRAINING = set(embargo.SUFFICIENT)


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
        (TrainingConsent.NONE, TRAINING),
        (TrainingConsent.CLASSIFIER_ONLY, {Use.SAFETY_TRAINING, Use.BAD_USER_TRAINING}),
        (TrainingConsent.ANY_SAFETY_TRAINING, {Use.BAD_USER_TRAINING}),
        (TrainingConsent.SAFETY_AND_BAD_USER, set()),
    ],
)
def test_consent_covers_what_it_says(consent: TrainingConsent, refused: set[Use]) -> None:
    terms = replace(FREE, consent_training=consent)
    assert {use for use in TRAINING if embargo.why_not(terms, use, NOON) is Rule.NO_CONSENT} == refused


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
        (replace(CONFIRMED, disputed=True), Reason.DISPUTED),
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
    assert set(embargo.MEANING) == set(Rule)
    asked = [Rule.ACTIVE_EMBARGO, Rule.TLP_RED, Rule.NO_CONSENT]  # what the gate can answer to a data set
    assert [str(reason) for reason in Reason][: len(asked)] == [str(rule) for rule in asked]


# ------------------------------------------------------------------ the other doors

SHARED = replace(
    FREE,
    tlp=Tlp.CLEAR,
    consent_training=TrainingConsent.SAFETY_AND_BAD_USER,
    consent_share_peers=PeerConsent.UNDER_EMBARGO,
    fix_deployed=True,
)
UNDER_EMBARGO = replace(SHARED, embargo=EmbargoState.ACTIVE, ends_at=NOON + HOUR)
COPY = replace(SHARED, earlier_copy_held=True)


@pytest.mark.parametrize("use", Use)
def test_an_active_embargo_closes_every_door_but_the_desks_own_and_the_stub(use: Use) -> None:
    for held in (UNDER_EMBARGO, COPY, replace(UNDER_EMBARGO, ends_at=None)):
        open_to = {Use.READING_TO_DECIDE, Use.PEER_STUB}
        assert embargo.why_not(held, use, NOON) is (None if use in open_to else Rule.ACTIVE_EMBARGO)
    assert embargo.why_not(SHARED, use, NOON) is None


@pytest.mark.parametrize("use", Use)
def test_red_is_for_those_who_decide(use: Use) -> None:
    found = embargo.why_not(replace(SHARED, tlp=Tlp.RED), use, NOON)
    assert found is (None if use is Use.READING_TO_DECIDE else Rule.TLP_RED)


@pytest.mark.parametrize("label", [label for label in Tlp if label not in {Tlp.RED, Tlp.CLEAR}])
def test_only_clear_is_for_everybody(label: Tlp) -> None:
    assert embargo.why_not(replace(SHARED, tlp=label), Use.PUBLIC, NOON) is Rule.TLP_NOT_CLEAR


@pytest.mark.parametrize(
    ("consent", "held", "fixed", "rule"),
    [
        (PeerConsent.UNDER_EMBARGO, True, False, None),
        (PeerConsent.UNDER_EMBARGO, False, False, None),
        (PeerConsent.AFTER_FIX, True, True, Rule.NOT_FIXED),
        (PeerConsent.AFTER_FIX, False, False, Rule.NOT_FIXED),
        (PeerConsent.AFTER_FIX, False, True, None),
        (PeerConsent.NO, False, True, Rule.NO_CONSENT),
        (PeerConsent.NO, True, True, Rule.NO_CONSENT),
    ],
)
def test_a_peer_gets_the_record_by_consent_and_only_after_accepting(
    consent: PeerConsent, held: bool, fixed: bool, rule: Rule | None
) -> None:
    terms = replace(UNDER_EMBARGO if held else SHARED, consent_share_peers=consent, fix_deployed=fixed)
    assert embargo.why_not(terms, Use.PEER_RECORD, NOON, recipient_accepted=True) is rule
    refused = Rule.ACTIVE_EMBARGO if held else rule
    assert embargo.why_not(terms, Use.PEER_RECORD, NOON) is refused


def test_who_reads_to_decide_and_who_to_learn() -> None:
    def reads(*roles: DeskRole) -> Use:
        return embargo.reading(Actor("test:a", "A", frozenset(roles)))

    for role in (DeskRole.REVIEWER, DeskRole.POLICY_OWNER, DeskRole.DISCLOSURE_LEAD):
        assert reads(role) is reads(role, DeskRole.ML_ENGINEER) is Use.READING_TO_DECIDE
    for role in (DeskRole.ML_ENGINEER, DeskRole.OPERATOR):
        assert reads(role) is Use.READING_TO_TRAIN
    assert reads() is Use.READING_TO_TRAIN


@pytest.mark.parametrize(
    ("terms", "published", "label"),
    [
        (replace(SHARED, tlp=Tlp.AMBER_STRICT), False, Tlp.GREEN),
        (replace(SHARED, tlp=Tlp.AMBER_STRICT), True, Tlp.CLEAR),
        (replace(SHARED, tlp=Tlp.AMBER_STRICT, fix_deployed=False), True, Tlp.CLEAR),
        (replace(SHARED, tlp=Tlp.AMBER_STRICT, fix_deployed=False), False, None),
        (replace(UNDER_EMBARGO, tlp=Tlp.AMBER_STRICT), True, None),
        (replace(COPY, tlp=Tlp.AMBER_STRICT), True, None),
        (replace(SHARED, tlp=Tlp.GREEN), False, None),
    ],
)
def test_a_lower_label_is_suggested_when_the_flaw_is_fixed_or_published(
    terms: Terms, published: bool, label: Tlp | None
) -> None:
    assert embargo.suggested_tlp(terms, NOON, published=published) is label
