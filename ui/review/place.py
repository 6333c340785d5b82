"""Which report is on the desk of this session: kept here, and named in the address so that it is a link.

Every request of a browser carries its address, and one that left before the last change reached the browser
carries an old one: on a busy machine many seconds late. So an address moves the desk only where the browser
says that the person has gone there, and never by what a key press or a click happens to carry.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui import session

_PARAMETER = "report"
_STATE = "desk"


def put(report_id: str) -> None:
    """Put a report on the desk and name it in the address; "": whichever is the first of the queue."""
    # The address of this request may be an old one, so it is no reason to leave the browser's as it is.
    if report_id != on_desk() or not session.picked(_PARAMETER):
        st.session_state[_STATE] = report_id
        session.pick(_PARAMETER, report_id or None)


def on_desk() -> str:
    """The report on the desk; "" before one was put there."""
    return str(st.session_state.get(_STATE, ""))


def settle(arrived: bool) -> str:
    """Give the report on the desk, which is the one that the address names where the person has gone there.

    That is so when they have `arrived` from elsewhere, and when they go back or forward in the browser.
    """
    if arrived or _through_history():
        st.session_state[_STATE] = session.picked(_PARAMETER)
    return on_desk()


def _through_history() -> bool:
    """True in a run that the browser has asked for since its person went back or forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
