"""The gate that every export, share, page and API asks before a report leaves the desk.

It refuses by default: what a rule does not allow stays in. A refusal names its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from triage_core.lifecycle import IN_FORCE
from triage_core.model import EmbargoState, Tlp, TrainingConsent


class Use(StrEnum):
    """What a report would be taken for."""

    CLASSIFIER_TRAINING = "classifier_training"
    SAFETY_TRAINING = "safety_training"
    BAD_USER_TRAINING = "bad_user_training"


class Rule(StrEnum):
    """Why a report may not be taken; in the order in which the gate asks."""

    ACTIVE_EMBARGO = "active_embargo"
    TLP_RED = "tlp_red"
    NO_CONSENT = "no_consent"


SUFFICIENT: Mapping[Use, frozenset[TrainingConsent]] = MappingProxyType(
    {
        Use.CLASSIFIER_TRAINING: frozenset(TrainingConsent) - {TrainingConsent.NONE},
        Use.SAFETY_TRAINING: frozenset(
            {TrainingConsent.ANY_SAFETY_TRAINING, TrainingConsent.SAFETY_AND_BAD_USER}
        ),
        Use.BAD_USER_TRAINING: frozenset({TrainingConsent.SAFETY_AND_BAD_USER}),
    }
)
"""The consents of a reporter that cover each use."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms the desk holds one report, at one moment.

    `ends_at` is the end that binds, None where none was set. `earlier_copy_held` says that a report
    which came in before with the same conversation is itself under an active embargo.
    """

    embargo: EmbargoState
    ends_at: datetime | None
    earlier_copy_held: bool
    tlp: Tlp
    consent_training: TrainingConsent


def is_active(state: EmbargoState, ends_at: datetime | None, now: datetime) -> bool:
    """True while an embargo binds: accepted, and its end is not reached.

    An accepted embargo without an end binds too, as nobody can say that it is over. A pending
    proposal does not bind before it is accepted; a pending revision leaves the old end in force.
    """
    return state in IN_FORCE and (ends_at is None or now < ends_at)


def why_not(terms: Terms, use: Use, now: datetime) -> Rule | None:
    """The first rule that forbids this use of a report at `now`, or None where it may be taken.

    An embargo also holds for later copies of the report, since they tell the same; it does not hold
    for earlier ones, or anybody could lock up a known flaw by sending it again. TLP:RED is for named
    people only, hence for no data set.
    """
    if terms.earlier_copy_held or is_active(terms.embargo, terms.ends_at, now):
        return Rule.ACTIVE_EMBARGO
    if terms.tlp is Tlp.RED:
        return Rule.TLP_RED
    if terms.consent_training not in SUFFICIENT[use]:
        return Rule.NO_CONSENT
    return None
