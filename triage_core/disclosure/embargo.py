"""The gate that every export, share, page and API asks before a report leaves the desk.

It refuses by default: what a rule does not allow stays in. A refusal names its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from triage_core import access
from triage_core.access import Command
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.model import (
    Actor,
    EmbargoState,
    HarmType,
    PeerConsent,
    Tlp,
    TrainingConsent,
)


class Use(StrEnum):
    """What a report would be taken for: every door by which it may leave the desk."""

    CLASSIFIER_TRAINING = "classifier_training"
    SAFETY_TRAINING = "safety_training"
    BAD_USER_TRAINING = "bad_user_training"
    READING_TO_DECIDE = "reading_to_decide"
    READING_TO_TRAIN = "reading_to_train"
    PEER_STUB = "peer_stub"
    PEER_RECORD = "peer_record"
    PUBLIC = "public"  # a public page, and an API that answers strangers


class Rule(StrEnum):
    """Why a report may not be taken; in the order in which the gate asks."""

    ACTIVE_EMBARGO = "active_embargo"
    TLP_RED = "tlp_red"
    NO_CONSENT = "no_consent"
    NOT_FIXED = "not_fixed"
    TLP_NOT_CLEAR = "tlp_not_clear"


MEANING: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.ACTIVE_EMBARGO: "it is under an active embargo, which whoever asks has not accepted",
        Rule.TLP_RED: "it is TLP:RED, for named people only",
        Rule.NO_CONSENT: "the reporter has not agreed to this use",
        Rule.NOT_FIXED: "the reporter agreed to sharing after the fix, and no fix is deployed",
        Rule.TLP_NOT_CLEAR: "only what is TLP:CLEAR is for everybody",
    }
)


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
    consent_share_peers: PeerConsent = PeerConsent.NO
    fix_deployed: bool = False


def is_active(state: EmbargoState, ends_at: datetime | None, now: datetime) -> bool:
    """True while an embargo binds: accepted, and its end is not reached.

    An accepted embargo without an end binds too, as nobody can say that it is over. A pending
    proposal does not bind before it is accepted; a pending revision leaves the old end in force.
    """
    return state in IN_FORCE and (ends_at is None or now < ends_at)


def is_held(terms: Terms, now: datetime) -> bool:
    """True while an active embargo holds the report: its own, or that of one that tells the same."""
    return terms.earlier_copy_held or is_active(terms.embargo, terms.ends_at, now)


def why_not(terms: Terms, use: Use, now: datetime, *, recipient_accepted: bool = False) -> Rule | None:
    """The first rule that forbids this use of a report at `now`, or None where it may be taken.

    An embargo also holds for later copies and duplicates of the report, since they tell the same; it
    does not hold for earlier ones, or anybody could lock up a known flaw by sending it again. A peer
    who has accepted the embargo (`recipient_accepted`) takes part in it. TLP:RED is for named people
    only, hence for those who decide and for nobody else.
    """
    if use is Use.READING_TO_DECIDE:
        return None
    held = is_held(terms, now)
    takes_part = use is Use.PEER_STUB or (use is Use.PEER_RECORD and recipient_accepted)
    if held and not takes_part:
        return Rule.ACTIVE_EMBARGO
    if terms.tlp is Tlp.RED:
        return Rule.TLP_RED
    if use in SUFFICIENT:
        return None if terms.consent_training in SUFFICIENT[use] else Rule.NO_CONSENT
    if use is Use.PEER_RECORD:
        return _peer_consent(terms, held)
    if use is Use.PUBLIC:
        return None if terms.tlp is Tlp.CLEAR else Rule.TLP_NOT_CLEAR
    return None


def _peer_consent(terms: Terms, held: bool) -> Rule | None:
    if terms.consent_share_peers is PeerConsent.NO:
        return Rule.NO_CONSENT
    if terms.consent_share_peers is PeerConsent.AFTER_FIX and (held or not terms.fix_deployed):
        return Rule.NOT_FIXED
    return None


def reading(actor: Actor) -> Use:
    """For what this person reads a conversation on screen.

    Those who decide on reports take part in every embargo; those who learn from them do not.
    """
    decides = access.may(actor, Command.READ_EMBARGOED)
    return Use.READING_TO_DECIDE if decides else Use.READING_TO_TRAIN


@dataclass(frozen=True, slots=True)
class Stub:
    """What may be told of a flaw whose report may not: our own title, the harm, when it may be told in full."""

    title: str
    harm_types: tuple[HarmType, ...]
    embargo_end: datetime | None
    tlp: Tlp


def suggested_tlp(terms: Terms, now: datetime, *, published: bool) -> Tlp | None:
    """The label that the state of the flaw suggests, when it is a lower one than it has; None otherwise.

    AMBER+STRICT until it is fixed, GREEN when it is fixed and the embargo is over, CLEAR when it is
    published. A person lowers it, nothing else does.
    """
    over = not is_held(terms, now)
    if published and over:
        label = Tlp.CLEAR
    elif terms.fix_deployed and over:
        label = Tlp.GREEN
    else:
        return None
    return label if is_lower(label, terms.tlp) else None


def is_lower(new: Tlp, old: Tlp) -> bool:
    """True when `new` lets more people know than `old`."""
    order = list(Tlp)
    return order.index(new) > order.index(old)
