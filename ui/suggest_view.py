"""What earlier decisions suggest for the report on the desk: shown beside the decision, never filled in."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from triage_core.suggestions import Guess
from ui import session
from ui.hostile import plain
from ui.words import counted, severity_badge

_HELP = (
    "Learned from your own decisions, and tested on decisions that it has not seen. The number says how probable"
    " it is; below 50% nothing is said. A suggestion never decides."
)


def draw(report_id: str) -> None:
    """The suggestion with the decided reports nearest to this one; one line while there is none."""
    opened = session.current()
    if opened.worker.state.working:
        return
    found = opened.suggestions.suggest(opened.policy, report_id)
    if found is None:
        return
    with st.container(border=True, gap="xsmall"):
        clause = f"{plain(found.clause.value)} {_share(found.clause)}" if found.clause else ""
        severity = (
            f"{severity_badge(found.severity.value)} {_share(found.severity)}" if found.severity else ""
        )
        harm = f"harm {plain(found.harm.value)} {_share(found.harm)}" if found.harm else ""
        unsure = "" if found.clause or found.severity or found.harm else "nothing, for want of certainty"
        st.markdown(f":material/lightbulb: Suggested: {clause} {severity} {harm} {unsure}", help=_HELP)
        if found.decisions:
            st.caption(f"From {counted(found.decisions, 'decision')}")
        elif found.clause:
            st.caption("From the examples of the guidance and the nearest decisions; not calibrated yet")
        for near in found.nearest:
            cited = ", ".join(plain(name) for name in near.clauses)
            st.caption(
                f"**{near.likeness:.2f}** {plain(near.report_id)} decided {cited} {severity_badge(near.severity)}"
            )


def _share(guess: Guess) -> LiteralString:
    return f"{guess.probability:.0%}"
