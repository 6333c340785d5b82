"""What the background worker is doing, kept fresh without reloading the page."""

from __future__ import annotations

import streamlit as st

from triage_core.desk import boards
from ui import session
from ui.hostile import plain
from ui.words import STAGE, counted


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
        read = f"{state.done:,} of {state.total:,} {STAGE[state.what]}" if state.total else "getting ready"
        st.progress(state.done / max(1, state.total), text=f"Comparing new reports: {read}")
    elif compared.done < compared.total:
        st.caption(
            f":material/hourglass_top: {counted(compared.total - compared.done, 'report')} to be compared"
        )
    else:
        st.caption(f":material/done_all: Everything is compared: {counted(compared.total, 'conversation')}")
    if not state.working and seen != session.stamp():
        st.rerun()


def none_alike() -> None:
    """Said where there is no cluster."""
    if not _still_comparing():
        st.info(
            "No two reports are alike in this way so far. Clusters appear here as soon as some are.",
            icon=":material/bubble_chart:",
        )


def none_suggested() -> None:
    """Said where there is no pair to judge."""
    if not _still_comparing():
        st.info(
            "No pair waits for a judgement. When reports come in that are like earlier ones, they are suggested here.",
            icon=":material/done_all:",
        )


def comparing() -> bool:
    """True while nobody can know yet what is alike."""
    compared = session.read(boards.compared)
    return session.current().worker.state.working or compared.done < compared.total


def _still_comparing() -> bool:
    """Says so, and is True, while nobody can know yet what is alike."""
    if waits := comparing():
        st.info(
            "Reports are still being compared. What is alike appears here as soon as it is found.",
            icon=":material/hourglass_top:",
        )
    return waits
