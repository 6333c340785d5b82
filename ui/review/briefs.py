"""A line about each report on the page: its words are read once a session, its state anew with every change.

What a reporter wrote never changes, and reading it costs ten times what the state of its case costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import streamlit as st

from triage_core.desk import boards
from triage_core.desk.boards import Brief
from ui import session

_KEPT = "briefs"
_MOST = 500  # reports whose words a session holds


def read(report_ids: Iterable[str]) -> Mapping[str, Brief]:
    """These reports by id, with their present state; those that do not exist are left out."""
    wanted = tuple(dict.fromkeys(report_ids))
    # What is withheld from somebody today is not so tomorrow, nor from the next person.
    kept: dict[str, Brief] = st.session_state.get(_KEPT, {}) if session.reads_all() else {}
    if len(kept) > _MOST:
        kept = {}
    if new := tuple(report_id for report_id in wanted if report_id not in kept):
        kept = kept | session.read(boards.briefs, new)
    if session.reads_all():
        st.session_state[_KEPT] = kept
    states = session.read(boards.standings, wanted)
    return {
        report_id: replace(kept[report_id], **states[report_id]) for report_id in wanted if report_id in kept
    }
