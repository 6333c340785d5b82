"""What the tests of Review share: its buttons, and a decision that is entered."""

from __future__ import annotations

import re

from triage_core.model import Actor, DeskRole

SEVERE = {
    "harm": "H3",
    "exposure": "other",
    "generality": "retargetable",
    "reliability": "reliable",
    "uplift": "yes",
}


ME = Actor("demo:reviewer", "Demo person", frozenset({DeskRole.REVIEWER}))


def press(screen, label: str):
    return button(screen, label).click().run()


def button(screen, label: str):
    """The button of these words; the key before them is printed as code."""
    (found,) = [one for one in screen.button if re.sub(r"^`[\w+]+` ", "", one.label) == label]
    return found


def decide(screen, report_id: str, version: int, clause: str, **inputs: str):
    screen.multiselect(key=f"clauses-{report_id}-{version}").select(clause).run()
    for name, level in inputs.items():
        screen.get_by_key(f"{name}-{report_id}-{version}").set_value(level)
    return screen.run()
