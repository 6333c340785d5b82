"""What earlier decisions suggest for the report on the desk: read once, shown beside the decision, never filled in."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from triage_core.index.suggestions import Suggestion
from triage_core.likeness.advice import Guess
from ui import session
from ui.hostile import plain
from ui.words import HARM_LEVEL, SEVERITY, counted, severity_badge

_HELP = (
    "Learned from your own decisions, and tested on decisions that it has not seen. The number says how probable"
    " it is; below 50% nothing is said. Before that, what is nearest votes. A suggestion never decides."
)


def read(report_id: str, version: int) -> Suggestion | None:
    """The suggestion for this version of a report; None while there is none."""
    opened = session.current()
    # What cannot be told yet is not kept: the page is drawn again as soon as the worker is done.
    if opened.worker.state.working:
        return None
    policy = opened.policy
    basis = opened.suggestions.basis(policy)
    return _kept(str(opened.store.folder), policy.sha256, report_id, version, basis)


# Decisions on other reports may change it: it is given up by its age.
@st.cache_data(ttl=30, max_entries=2_000, show_spinner=False)
def _kept(
    folder: str, policy: str, report_id: str, version: int, basis: tuple[bool, int]
) -> Suggestion | None:
    opened = session.current()
    return opened.suggestions.suggest(opened.policy, report_id)


def draw(found: Suggestion | None) -> None:
    """Severity and harm, and the decided reports nearest to the one on the desk; nothing while there is none.

    The clause stands under the first question.
    """
    if found is None:
        return
    with st.container(border=True, gap="xsmall"):
        severity, harm = found.severity, found.harm
        st.markdown(":material/lightbulb: **Suggested**", help=_HELP)
        if severity or harm:
            st.markdown(f"{_severity_words(severity)} {_harm_words(harm)}")
            st.caption(_from(found))
        else:
            st.caption("No severity and no harm is probable enough to be suggested.")
        for near in found.nearest:
            cited = ", ".join(plain(name) for name in near.clauses)
            # In a word: Streamlit draws a caption at .6 of its ink, and a badge in one cannot be read.
            level = SEVERITY[near.severity or ""].lower()
            st.caption(f"**{near.likeness:.2f}** {plain(near.report_id)} decided {cited}, severity {level}")


def _from(found: Suggestion) -> LiteralString:
    if not found.level_decisions:
        return "A share of the votes of the nearest decisions and the guidance's examples, not calibrated yet"
    learned = f"From {counted(found.level_decisions, 'decision')}"
    return learned if found.decisions else f"{learned}, learned under the guidance before this"


def _severity_words(guess: Guess | None) -> LiteralString:
    return f"{severity_badge(guess.value)} {guess.probability:.0%}" if guess else ""


def _harm_words(guess: Guess | None) -> LiteralString:
    return f"Harm {HARM_LEVEL[guess.value]} {guess.probability:.0%}" if guess else ""
