"""Guidance gaps: clusters that no clause explains, how each clause fares, and how suggestions do."""

from __future__ import annotations

import streamlit as st

from triage_core import queries
from triage_core.guidance import clause_figures
from triage_core.index import suggestion_facts
from ui import empty, session
from ui.guidance import gaps

opened = session.current()
st.title("Guidance gaps", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
if report_id := session.picked("report"):
    session.open_report(report_id)
st.subheader("What no clause explains", anchor=False)
if opened.worker.state.working:
    st.caption(":material/hourglass_top: New reports are being compared; the gaps appear when that is done.")
else:
    gaps.gaps(gaps.find(opened.policy))
st.subheader("Clauses", anchor=False)
gaps.clauses(session.read(clause_figures.by_clause), opened.policy)
st.subheader("How suggestions do", anchor=False)
gaps.tests(session.read(suggestion_facts.tests))
