"""What a severity hangs on: the single steps of one input that would give another level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from triage_core.guidance.policy import Policy
from triage_core.model import Severity, SeverityInputs


@dataclass(frozen=True, slots=True)
class Step:
    """One input a step lower or higher, and the level that the table gives then."""

    name: str
    value: StrEnum
    severity: Severity


def steps(policy: Policy, inputs: SeverityInputs) -> Sequence[Step]:
    """The steps that change the level, input by input and the lower one first; none where all leave it as it is."""
    level, found = policy.severity(inputs), list[Step]()
    for part in fields(inputs):
        value: StrEnum = getattr(inputs, part.name)
        scale: list[StrEnum] = list(type(value))
        at = scale.index(value)
        for other in [*scale[max(0, at - 1) : at], *scale[at + 1 : at + 2]]:
            changed: dict[str, Any] = {part.name: other}
            severity = policy.severity(replace(inputs, **changed))
            if severity is not level:
                found.append(Step(part.name, other, severity))
    return found
