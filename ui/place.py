"""Which report is on the desk of this session: kept here, and named in the address so that it is a link."""

from __future__ import annotations

import time

import streamlit as st

from ui import session

_PARAMETER = "report"
_STATE = "desk"
_LATE = 3.0  # seconds in which a browser may still send the address that it had before


def put(report_id: str) -> None:
    """Put a report on the desk; "": whichever is the first of the queue."""
    if report_id != on_desk():
        st.session_state[_STATE] = (report_id, on_desk(), time.monotonic())
    if session.picked(_PARAMETER) != report_id:
        session.pick(_PARAMETER, report_id or None)


def on_desk() -> str:
    """The report on the desk; "" before one was put there."""
    report_id: str = st.session_state.get(_STATE, ("", "", 0.0))[0]
    return report_id


def settle(arrived: bool) -> str:
    """Take over what the address names and give the report on the desk; "" when it names none.

    A request that left the browser just before the desk changed names the report before it: that one is
    not gone back to, unless the person has `arrived` from elsewhere.
    """
    named = session.picked(_PARAMETER)
    report_id, before, since = st.session_state.get(_STATE, ("", "", 0.0))
    late = not arrived and named == before and time.monotonic() - since < _LATE
    if named != report_id and not late:
        st.session_state[_STATE] = (named, report_id, 0.0)
    return on_desk()
