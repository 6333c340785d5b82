"""The role x command table: complete, least privilege, and a refusal that says who may."""

from __future__ import annotations

import pytest

from triage_core.access import MAY, Command, may, require
from triage_core.errors import NotAllowed
from triage_core.model import Actor, DeskRole


def actor(*roles: DeskRole) -> Actor:
    return Actor("a-1", "Robin", frozenset(roles))


COMMANDS_OF = {
    DeskRole.OPERATOR: "import_reports index verify backup manage_roles manage_keys manage_peers view_peers "
    "notify view_health view_trends",
    DeskRole.REVIEWER: "view_reports read_embargoed view_trends comment assess link unlink cannot_link move_in_cluster "
    "set_status ask_reporter claim second_look adjudicate write_answer approve_answer view_rewards propose_reward "
    "mark_known revoke_consent",
    DeskRole.POLICY_OWNER: "view_reports read_embargoed view_trends comment set_policy adjudicate approve_answer "
    "view_rewards propose_reward approve_reward pay_reward",
    DeskRole.ML_ENGINEER: "view_reports view_trends comment export_dataset revoke_consent",
    DeskRole.DISCLOSURE_LEAD: "view_reports read_embargoed view_trends comment propose_embargo end_embargo "
    "mark_known set_tlp share_advisory view_peers",
}


@pytest.mark.parametrize("role", DeskRole)
def test_each_role_may_give_exactly_its_commands(role: DeskRole) -> None:
    assert {str(one) for one in Command if may(actor(role), one)} == set(COMMANDS_OF[role].split())


def test_every_command_is_in_the_table_and_somebody_may_give_it() -> None:
    assert set(MAY) == set(Command)
    assert all(MAY.values())


@pytest.mark.parametrize("command", Command)
def test_nobody_without_a_role_may_do_anything(command: Command) -> None:
    with pytest.raises(NotAllowed, match="Robin is without a role"):
        require(actor(), command)


def test_roles_add_up() -> None:
    both = actor(DeskRole.OPERATOR, DeskRole.REVIEWER)
    require(both, Command.ASSESS)
    require(both, "import_reports")


def test_a_refusal_names_the_command_and_the_roles_that_may() -> None:
    with pytest.raises(NotAllowed) as caught:
        require(actor(DeskRole.ML_ENGINEER), Command.APPROVE_ANSWER)
    assert str(caught.value) == "approve_answer: is for reviewer or policy_owner; Robin is ml_engineer"


def test_an_unknown_command_is_a_bug() -> None:
    with pytest.raises(KeyError):
        require(actor(*DeskRole), "delete_everything")
