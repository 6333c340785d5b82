"""What earlier decisions suggest for the report on the desk: shown beside the decision, never filled in."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from triage_core.index.suggestions import Guess
from ui import session
from ui.hostile import plain
from ui.words import HARM_LEVEL, counted, severity_badge

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
        clause, severity, harm = found.clause, found.severity, found.harm
        st.markdown(":material/lightbulb: **Suggested**", help=_HELP)
        if clause or severity or harm:
            st.markdown(f"{_clause_words(clause)} {_severity_words(severity)} {_harm_words(harm)}")
        else:
            st.caption("Nothing is probable enough to be suggested.")
        if found.decisions:
            st.caption(f"From {counted(found.decisions, 'decision')}")
        elif clause:
            st.caption("From the examples of the guidance and the nearest decisions; not calibrated yet")
        for near in found.nearest:
            cited = ", ".join(plain(name) for name in near.clauses)
            st.caption(
                f"**{near.likeness:.2f}** {plain(near.report_id)} decided {cited} {severity_badge(near.severity)}"
            )


def _clause_words(guess: Guess | None) -> LiteralString:
    return f"{plain(guess.value)} {guess.probability:.0%}" if guess else ""


def _severity_words(guess: Guess | None) -> LiteralString:
    return f"{severity_badge(guess.value)} {guess.probability:.0%}" if guess else ""


def _harm_words(guess: Guess | None) -> LiteralString:
    return f"{HARM_LEVEL[guess.value]} {guess.probability:.0%}" if guess else ""
