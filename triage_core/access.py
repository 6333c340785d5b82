"""Who may do what: one table of commands and the desk roles that may give them.

Least privilege: reading the reports is for those who decide on them or learn from them; the
operator keeps the installation alive without reading what people sent. A rule that two
different persons must act (an answer, a reward) belongs to the command, not to this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from triage_core.errors import NotAllowed
from triage_core.model import Actor, DeskRole


class Command(StrEnum):
    IMPORT_REPORTS = "import_reports"
    INDEX = "index"
    VERIFY = "verify"
    BACKUP = "backup"
    MANAGE_ROLES = "manage_roles"
    MANAGE_KEYS = "manage_keys"
    MANAGE_PEERS = "manage_peers"
    VIEW_PEERS = "view_peers"
    NOTIFY = "notify"
    VIEW_HEALTH = "view_health"
    VIEW_REPORTS = "view_reports"
    READ_EMBARGOED = "read_embargoed"
    VIEW_TRENDS = "view_trends"
    COMMENT = "comment"
    ASSESS = "assess"
    LINK = "link"
    UNLINK = "unlink"
    CANNOT_LINK = "cannot_link"
    MOVE_IN_CLUSTER = "move_in_cluster"
    SET_STATUS = "set_status"
    ASK_REPORTER = "ask_reporter"
    CLAIM = "claim"
    SECOND_LOOK = "second_look"
    ADJUDICATE = "adjudicate"
    WRITE_ANSWER = "write_answer"
    APPROVE_ANSWER = "approve_answer"
    VIEW_REWARDS = "view_rewards"
    PROPOSE_REWARD = "propose_reward"
    APPROVE_REWARD = "approve_reward"
    PAY_REWARD = "pay_reward"
    SET_POLICY = "set_policy"
    PROPOSE_EMBARGO = "propose_embargo"
    END_EMBARGO = "end_embargo"
    MARK_KNOWN = "mark_known"
    SET_TLP = "set_tlp"
    SHARE_ADVISORY = "share_advisory"
    EXPORT_DATASET = "export_dataset"
    REVOKE_CONSENT = "revoke_consent"


_REVIEWER = frozenset({DeskRole.REVIEWER})
_OPERATOR = frozenset({DeskRole.OPERATOR})
_POLICY_OWNER = frozenset({DeskRole.POLICY_OWNER})
_DISCLOSURE_LEAD = frozenset({DeskRole.DISCLOSURE_LEAD})
_READERS = frozenset(DeskRole) - _OPERATOR

MAY: Mapping[str, frozenset[DeskRole]] = MappingProxyType(
    {
        Command.IMPORT_REPORTS: _OPERATOR,
        Command.INDEX: _OPERATOR,
        Command.VERIFY: _OPERATOR,
        Command.BACKUP: _OPERATOR,
        Command.MANAGE_ROLES: _OPERATOR,
        Command.MANAGE_KEYS: _OPERATOR,
        Command.MANAGE_PEERS: _OPERATOR,
        Command.VIEW_PEERS: _OPERATOR | _DISCLOSURE_LEAD,
        Command.NOTIFY: _OPERATOR,
        Command.VIEW_HEALTH: _OPERATOR,
        Command.VIEW_REPORTS: _READERS,
        # Nothing goes to somebody new while an embargo runs: only to those who decide on the report, its answer,
        # its reward or its end.
        Command.READ_EMBARGOED: _REVIEWER | _POLICY_OWNER | _DISCLOSURE_LEAD,
        Command.VIEW_TRENDS: frozenset(DeskRole),
        Command.COMMENT: _READERS,
        Command.ASSESS: _REVIEWER,
        Command.LINK: _REVIEWER,
        Command.UNLINK: _REVIEWER,
        Command.CANNOT_LINK: _REVIEWER,
        Command.MOVE_IN_CLUSTER: _REVIEWER,
        Command.SET_STATUS: _REVIEWER,
        Command.ASK_REPORTER: _REVIEWER,
        Command.CLAIM: _REVIEWER,
        Command.SECOND_LOOK: _REVIEWER,
        Command.ADJUDICATE: _REVIEWER | _POLICY_OWNER,
        Command.WRITE_ANSWER: _REVIEWER,
        Command.APPROVE_ANSWER: _REVIEWER | _POLICY_OWNER,
        Command.VIEW_REWARDS: _REVIEWER | _POLICY_OWNER,
        Command.PROPOSE_REWARD: _REVIEWER | _POLICY_OWNER,
        Command.APPROVE_REWARD: _POLICY_OWNER,
        Command.PAY_REWARD: _POLICY_OWNER,
        Command.SET_POLICY: _POLICY_OWNER,
        Command.PROPOSE_EMBARGO: _DISCLOSURE_LEAD,
        Command.END_EMBARGO: _DISCLOSURE_LEAD,
        Command.MARK_KNOWN: _REVIEWER | _DISCLOSURE_LEAD,
        Command.SET_TLP: _DISCLOSURE_LEAD,
        Command.SHARE_ADVISORY: _DISCLOSURE_LEAD,
        Command.EXPORT_DATASET: frozenset({DeskRole.ML_ENGINEER}),
        Command.REVOKE_CONSENT: _REVIEWER | frozenset({DeskRole.ML_ENGINEER}),
    }
)


def may(actor: Actor, command: str) -> bool:
    """True when one of the actor's roles may give the command.

    `command` is a `Command` or its value; an unknown one is a bug and raises KeyError.
    """
    return not MAY[command].isdisjoint(actor.roles)


def require(actor: Actor, command: str) -> None:
    """Return when the actor may give the command; else raise NotAllowed naming the roles that may.

    `command` is a `Command` or its value; an unknown one is a bug and raises KeyError.
    """
    if not may(actor, command):
        raise NotAllowed(
            str(command),
            f"is for {_names(MAY[command])}; {actor.name} is {_names(actor.roles) or 'without a role'}",
        )


def _names(roles: frozenset[DeskRole]) -> str:
    return " or ".join(role.value for role in DeskRole if role in roles)
