"""Every kind of event that the code can write is undoable or says why not, and has a name on screen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.architecture.source import modules
from triage_core.advisories.advisory import Step
from triage_core.desk import activity, undoable
from ui.event_words import EVENTS

# Function -> where its argument of the kind stands.
WRITERS = {"event": 0, "change": 2}
CONSTANTS = {"UNDONE": activity.UNDONE}
# These pass a kind on: either their callers are looked at as well, or the kinds are worked out from what happens.
ALSO_THROUGH = {
    "triage_core.advisories.steps",
    "triage_core.cases",
    "triage_core.desk.looks",
    "triage_core.disclosure.embargoes",
    "triage_core.rewards.batches",
    "triage_core.rewards.rewards",
}
WORKED_OUT = {f"reward.{state}" for state in ("approved", "paid", "declined")} | {
    f"advisory.{step}" for step in Step
}
BY_NAME = re.compile(r"(?:embargo|reward)\.[a-z]+")


def written(tree: ast.AST) -> Iterator[str]:
    """The kinds of the calls work.event(kind, ...), cases.change(work, case, kind, ...) and looks.change(...)."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        receiver, place = ast.unparse(node.func.value), WRITERS.get(node.func.attr)
        if place is None or receiver not in {"work", "self._work", "cases", "looks"}:
            continue
        match node.args[place]:
            case ast.Constant(value=str() as kind):
                yield kind
            case ast.Name(id=name) if name in CONSTANTS:
                yield CONSTANTS[name]
            case other:
                yield f"?{ast.unparse(other)}"


@cache
def kinds() -> set[str]:
    found = {
        kind
        for name, module in modules().items()
        for kind in written(module.tree)
        if not (kind == "?kind" and name in ALSO_THROUGH)
    } | WORKED_OUT
    found |= {
        node.value
        for name in (
            "triage_core.disclosure.disclosure",
            "triage_core.disclosure.embargoes",
            "triage_core.rewards.payments",
            "triage_core.rewards.rewards",
        )
        for node in ast.walk(modules()[name].tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and BY_NAME.fullmatch(node.value)
    }
    assert not [kind for kind in found if kind.startswith("?")], "name the kind where the event is written"
    return found


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_kind_is_undoable_or_says_why_not(kind: str) -> None:
    assert (kind in undoable.UNDOABLE) != (kind in undoable.WHY_NOT)


def test_nothing_is_undoable_that_nobody_writes() -> None:
    assert undoable.UNDOABLE | undoable.WHY_NOT.keys() <= kinds()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_kind_has_a_name_on_screen(kind: str) -> None:
    assert kind in EVENTS


def test_no_kind_goes_unseen() -> None:
    """The eyes of this check, and that it looks where events are written."""
    lines = (
        'work.event("a.b", x, {})',
        'self._work.event("a.c", x, {})',
        'cases.change(work, case, "c.d", after, {})',
        "looks.change(work, look, UNDONE, {}, {})",
    )
    assert list(written(ast.parse("\n".join(lines)))) == ["a.b", "a.c", "c.d", "event.undone"]
    assert list(written(ast.parse("work.event(name, x, {})"))) == ["?name"]
    assert {
        "report.received",
        "report.assessed",
        "look.answered",
        "dataset.built",
        "cluster.merged",
    } <= kinds()
