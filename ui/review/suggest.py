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


def levels(found: Suggestion | None) -> None:
    """Severity and harm in one line, to stand above the inputs; nothing while there is no suggestion.

    The clause stands under the first question.
    """
    if found and (found.severity or found.harm):
        st.markdown(
            f":material/lightbulb: Suggested {_severity_words(found.severity)} {_harm_words(found.harm)}",
            help=_HELP,
            width="content",
        )
    elif found:
        st.caption(
            ":material/lightbulb: No level is probable enough to be suggested.", help=_HELP, width="content"
        )


def nearest(found: Suggestion | None) -> None:
    """What severity and harm are suggested from, and the decided reports nearest to the one on the desk."""
    if found is None or not (found.severity or found.harm or found.nearest):
        return
    with st.container(border=True, gap="xsmall"):
        st.caption(":material/lightbulb: **Suggested from**")
        if found.severity or found.harm:
            st.caption(_from(found))
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
