"""The first question, whether a report is in scope: the one clause that is suggested, and what speaks for it."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from triage_core.guidance.policy import ClauseKind
from triage_core.index.suggestions import Suggestion
from triage_core.likeness.advice import Advice
from ui import decision, session
from ui.hostile import plain
from ui.words import badge, counted


def draw(found: Suggestion | None, report_id: str, version: int) -> None:
    """The suggested clause with its number, or a line that says that there is none."""
    st.subheader("In scope?", anchor=False)
    if found is None or found.clause is None:
        why = (
            "none is probable enough"
            if found and found.decisions
            else "nothing near enough, or what is near disagrees"
        )
        st.caption(f":material/help: No clause is suggested: {why}.")
        return
    clause = session.current().policy.clause(found.clause.value)
    inside = clause.kind is ClauseKind.IN_SCOPE
    mark = badge("green", "In scope") if inside else badge("gray", "Not in scope")
    with st.container(gap="xxsmall"):
        st.markdown(
            f"{mark} **{found.clause.probability:.0%}** {plain(f'{clause.clause_id} {clause.title}')}"
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if found.vote:
                st.caption(
                    f"{_reasons(found.vote)}. A share of their votes, not calibrated yet", width="content"
                )
            else:
                st.caption(
                    f"How probable it is, learned from {counted(found.decisions, 'decision')}",
                    width="content",
                )
            st.button(
                "Choose it" if inside else "Choose it, or press `0` to close by it",
                key=f"choose-{report_id}-{version}-{clause.clause_id}",  # the listener of keys reads it
                type="tertiary",
                icon=":material/add:",
                on_click=decision.choose_clause,
                args=(report_id, version, clause.clause_id),
            )


def _reasons(vote: Advice) -> LiteralString:
    reasons: list[LiteralString] = []
    if vote.decisions:
        reasons.append(f"{counted(vote.decisions, 'decision')} near by, the nearest {plain(vote.nearest_id)}")
    if vote.example:
        reasons.append(f"{vote.example:.2f} like the example in the guidance")
    return "; ".join(reasons)
