"""The words of the product as types: enums and frozen records, no behaviour beyond their own.

The enums' values are what is stored, exchanged and shown; DOMAIN words, lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class TurnRole(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class HarmType(StrEnum):
    PSYCHOLOGICAL_HARM = "psychological_harm"
    FINANCIAL_HARM = "financial_harm"
    REPUTATIONAL_HARM = "reputational_harm"
    PHYSICAL_HARM = "physical_harm"
    RIGHTS_VIOLATIONS = "rights_violations"
    DISCRIMINATION = "discrimination"
    MISINFORMATION = "misinformation"
    OTHER = "other"
    NOT_SURE = "not_sure"


class DisclosureIntent(StrEnum):
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    ALREADY = "already"


class CreditWish(StrEnum):
    NAMED = "named"
    HANDLE = "handle"
    ANONYMOUS = "anonymous"


class Worked(StrEnum):
    YES = "yes"
    NO = "no"
    UNTESTED = "untested"


class Tristate(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class TrainingConsent(StrEnum):
    NONE = "none"
    CLASSIFIER_ONLY = "classifier_only"
    ANY_SAFETY_TRAINING = "any_safety_training"
    SAFETY_AND_BAD_USER = "safety_and_bad_user"  # also for a model that plays the attacker


class PeerConsent(StrEnum):
    NO = "no"
    AFTER_FIX = "after_fix"
    UNDER_EMBARGO = "under_embargo"


class Channel(StrEnum):
    """The door through which a report came in."""

    FORM = "form"
    API = "api"
    IMPORT = "import"


class ProductStatus(StrEnum):
    """What is known of a product and a flaw, in the words of CSAF."""

    UNDER_INVESTIGATION = "under_investigation"
    KNOWN_AFFECTED = "known_affected"
    KNOWN_NOT_AFFECTED = "known_not_affected"
    FIXED = "fixed"


class Status(StrEnum):
    NEW = "new"
    NEEDS_INFO = "needs_info"
    TRIAGED = "triaged"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FIX_READY = "fix_ready"
    FIXED = "fixed"
    RETEST = "retest"
    CLOSED = "closed"


class Resolution(StrEnum):
    """Why a closed report is closed; exactly one."""

    RESOLVED_FIXED = "resolved_fixed"
    RESOLVED_MITIGATED = "resolved_mitigated"
    ACCEPTED_RISK = "accepted_risk"
    DUPLICATE = "duplicate"
    EXPECTED_BEHAVIOUR = "expected_behaviour"
    OUT_OF_SCOPE = "out_of_scope"
    NOT_REPRODUCIBLE = "not_reproducible"
    NOT_APPLICABLE = "not_applicable"
    SPAM = "spam"
    WITHDRAWN = "withdrawn"
    REROUTED = "rerouted"


class Severity(StrEnum):
    """Ordered from least to most; compare by `rank`."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Harm(StrEnum):
    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"
    H4 = "H4"


class Exposure(StrEnum):
    SELF = "self"
    OTHER = "other"
    MASS = "mass"


class Generality(StrEnum):
    INSTANCE = "instance"
    RETARGETABLE = "retargetable"
    UNIVERSAL = "universal"


class Reliability(StrEnum):
    RARE = "rare"
    INTERMITTENT = "intermittent"
    RELIABLE = "reliable"


class Uplift(StrEnum):
    NO = "no"
    YES = "yes"


class Exploitation(StrEnum):
    NONE = "none"
    PUBLIC_POC = "public_poc"
    ACTIVE = "active"


class Priority(StrEnum):
    CLOSE = "close"
    DEFER = "defer"
    SCHEDULED = "scheduled"
    OUT_OF_CYCLE = "out_of_cycle"
    IMMEDIATE = "immediate"

    @property
    def rank(self) -> int:
        return list(Priority).index(self)


class Tlp(StrEnum):
    RED = "RED"
    AMBER_STRICT = "AMBER+STRICT"
    AMBER = "AMBER"
    GREEN = "GREEN"
    CLEAR = "CLEAR"


class EmbargoState(StrEnum):
    NONE = "none"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REVISE = "revise"
    EXITED = "exited"


class DeskRole(StrEnum):
    """What a person may be on the company's side of the channel."""

    REVIEWER = "reviewer"
    POLICY_OWNER = "policy_owner"
    ML_ENGINEER = "ml_engineer"
    DISCLOSURE_LEAD = "disclosure_lead"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: `actor_id` is stable and goes into every event."""

    actor_id: str
    name: str
    roles: frozenset[DeskRole]


@dataclass(frozen=True, slots=True)
class Turn:
    role: TurnRole
    content: str


@dataclass(frozen=True, slots=True)
class System:
    """The AI system on which the flaw was seen; empty strings where the reporter did not say."""

    platform: str
    model: str = ""
    version: str = ""
    access_method: str = ""


@dataclass(frozen=True, slots=True)
class OtherSystem:
    platform: str
    model: str = ""
    worked: Worked = Worked.UNTESTED


@dataclass(frozen=True, slots=True)
class FlawReport:
    """One validated submission (`flaw-report/1`). Optional text is "" when absent.

    `extra` holds fields of an imported line that the format does not know: nothing accepted is
    lost, and nothing unknown is trusted.
    """

    turns: tuple[Turn, ...]
    system: tuple[System, ...] = ()
    what_is_wrong: str = ""
    harm_types: tuple[HarmType, ...] = (HarmType.NOT_SURE,)
    disclosure_intent: DisclosureIntent = DisclosureIntent.UNDECIDED
    illegal_minor_content: bool = False
    external_id: str | None = None
    submitted_at: datetime | None = None
    contact: str = ""
    credit_name: str = ""
    credit_wish: CreditWish = CreditWish.ANONYMOUS
    expected: str = ""
    actual: str = ""
    tries: int | None = None
    successes: int | None = None
    other_systems_tried: tuple[OtherSystem, ...] = ()
    real_world_harm: Tristate = Tristate.UNKNOWN
    malicious_use: Tristate = Tristate.UNKNOWN
    session_id: str = ""
    policy_clause_claimed: str = ""
    planned_date: datetime | None = None
    embargo_wish: datetime | None = None
    consent_training: TrainingConsent = TrainingConsent.NONE
    consent_share_peers: PeerConsent = PeerConsent.AFTER_FIX
    wants_reward: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeverityInputs:
    """The five inputs of the severity function (policy.py)."""

    harm: Harm
    exposure: Exposure
    generality: Generality
    reliability: Reliability
    uplift: Uplift
