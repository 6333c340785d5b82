"""The steps that would change a severity, against the table itself."""

from __future__ import annotations

from dataclasses import replace

from tests.making import POLICY
from triage_core.guidance.severity_steps import steps
from triage_core.model import Harm, Severity, SeverityInputs

LEAST = next(iter(POLICY.severity_table))  # the lowest value of each input
NOTHING = SeverityInputs(*LEAST)


def test_each_step_is_one_input_one_step_away_and_gives_another_level() -> None:
    for key, level in POLICY.severity_table.items():
        inputs = SeverityInputs(*key)
        for step in steps(POLICY, inputs):
            changed = replace(inputs, **{step.name: step.value})
            assert POLICY.severity(changed) is step.severity is not level
            scale = list(type(step.value))
            assert abs(scale.index(step.value) - scale.index(getattr(inputs, step.name))) == 1


def test_no_step_that_matters_is_left_out() -> None:
    inputs = SeverityInputs(Harm.H2, *LEAST[1:])
    expected = {
        (Harm(f"H{n}"), POLICY.severity(replace(inputs, harm=Harm(f"H{n}"))))
        for n in (1, 3)
        if POLICY.severity(replace(inputs, harm=Harm(f"H{n}"))) is not POLICY.severity(inputs)
    }
    assert {(step.value, step.severity) for step in steps(POLICY, inputs) if step.name == "harm"} == expected


def test_the_ends_of_the_scales_have_one_neighbour() -> None:
    assert POLICY.severity(NOTHING) is Severity.NONE
    assert all(step.severity is not Severity.NONE for step in steps(POLICY, NOTHING))
    assert {step.value for step in steps(POLICY, NOTHING) if step.name == "harm"} <= {Harm.H1}
