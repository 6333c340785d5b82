"""What the commands of the screens refuse is said with a label of the screen, never with the name of a field."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import modules
from triage_core.access import MAY
from triage_core.errors import Conflict, GateClosed, NotAllowed, Refused
from ui.refusals import LABEL, why

GIVEN = (
    "triage_core.advisories.adv", "triage_core.advisories.peers", "triage_core.cases", "triage_core.channel.consent",
    "triage_core.channel.messages", "triage_core.clusters.",
    "triage_core.desk.", "triage_core.disclosure.", "triage_core.exporters.", "triage_core.guidance.policy_drafts",
    "triage_core.importers.answers", "triage_core.lifecycle", "triage_core.rewards.",
)  # fmt: skip
"""The modules of the commands that screens give."""


def refused() -> Iterator[tuple[str, str]]:
    """Each field that one of them names, with the module."""
    kinds = {"Refused", *(kind.__name__ for kind in Refused.__subclasses__())}
    for name, module in modules().items():
        if name.startswith(GIVEN):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                    match node.args[0]:
                        case ast.Constant(value=str(field)):
                            yield field, name


def test_each_field_has_a_label_of_the_screen() -> None:
    found = set(refused())
    assert len(found) > 50
    assert [one for one in sorted(found) if one[0] not in {*LABEL, *MAY}] == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("better_answer", "at most 5 characters"), "Better answer: ` at most 5 characters `"),
        (Refused("note", "out_of_scope needs a reason"), "Note: ` Out of scope needs a reason `"),
        (NotAllowed("link", "is for reviewer"), "This act: ` is for reviewer `"),
        (Refused("canonical", "it is the first one"), "` it is the first one `"),
        (Conflict("version", "FR-1 was changed by test"), "` FR-1 was changed by test `"),
        (GateClosed("severity.csv row 3", "is not CSV"), "` severity.csv row 3: is not CSV `"),
    ],
)  # fmt: skip
def test_a_refusal_reads_as_the_screen_does(error: Refused, said: str) -> None:
    assert why(error) == said
