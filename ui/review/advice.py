"""The first question, whether a report is in scope: the clause that probably holds, and why."""

from __future__ import annotations

import streamlit as st

from triage_core.guidance.policy import ClauseKind
from triage_core.likeness.advice import Advice
from ui import decision, session
from ui.hostile import plain
from ui.words import badge, counted


def read(report_id: str, version: int) -> Advice | None:
    """The advice for this version of a report; None when the likeness is unsure or not there yet."""
    opened = session.current()
    # What cannot be told yet is not kept: the page is drawn again as soon as the worker is done.
    if opened.worker.state.working or not opened.advice.is_ready(opened.policy):
        return None
    return _kept(str(opened.store.folder), opened.policy.sha256, report_id, version)


# Decisions on other reports may change it: it is given up by its age.
@st.cache_data(ttl="30s", max_entries=2_000, show_spinner=False)
def _kept(folder: str, policy: str, report_id: str, version: int) -> Advice | None:
    opened = session.current()
    return opened.advice.advise(opened.policy, report_id)


def draw(advice: Advice | None, report_id: str, version: int) -> None:
    """The advised clause with its share of the votes, or a line that says that there is none."""
    st.subheader("In scope?", anchor=False)
    if advice is None:
        st.caption(":material/help: No clause is suggested: nothing near enough, or what is near disagrees.")
        return
    clause = session.current().policy.clause(advice.clause_id)
    inside = clause.kind is ClauseKind.IN_SCOPE
    mark = badge("green", "In scope") if inside else badge("gray", "Not in scope")
    reasons = []
    if advice.decisions:
        reasons.append(
            f"{counted(advice.decisions, 'decision')} near by, the nearest {plain(advice.nearest_id)}"
        )
    if advice.example:
        reasons.append(f"{advice.example:.2f} like the example in the guidance")
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{mark} **{advice.share:.0%}** {plain(f'{clause.clause_id} {clause.title}')}")
        st.caption("; ".join(reasons))
        st.button(
            "Choose it" if inside else "Choose it, or press `0` to close by it",
            key=f"choose-{report_id}-{version}-{clause.clause_id}",  # the listener of keys reads it
            type="tertiary",
            icon=":material/add:",
            on_click=decision.choose_clause,
            args=(report_id, version, advice.clause_id),
        )
