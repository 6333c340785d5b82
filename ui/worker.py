"""What the background worker is doing, kept fresh without reloading the page."""

from __future__ import annotations

import streamlit as st

from triage_core.desk import boards
from ui import session
from ui.hostile import plain
from ui.words import counted


@st.fragment(run_every="5s")
def line(seen: session.Stamp) -> None:
    """One line: embedding n of m, up to date, or what went wrong.

    `seen` is the stamp of the page: when the store has moved on and the worker rests, the page is drawn again.
    """
    state = session.current().worker.state
    compared = session.read(boards.compared)
    if state.error:
        st.caption(f":material/error: Comparing reports failed and is tried again: {plain(state.error)}")
    elif state.working:
        st.progress(
            state.done / max(1, state.total),
            text=f"Comparing new reports: {state.done:,} of {state.total:,} conversations read",
        )
    elif compared.done < compared.total:
        st.caption(
            f":material/hourglass_top: {counted(compared.total - compared.done, 'report')} to be compared"
        )
    else:
        st.caption(f":material/done_all: Everything is compared: {counted(compared.total, 'report')}")
    if not state.working and seen != session.stamp():
        st.rerun()
