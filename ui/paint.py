"""Waiting, for the browser to paint what was sent: on the rest of a page it works several times as long.

The server sends while a page waits; without a pause what is above is drawn together with what comes later.
A pause of the server counts from what it sent, that of a browser from what it got: a busy one takes its time.
"""

from __future__ import annotations

import time

import streamlit as st

TEXT_S, FIRST_CHART_S = 0.05, 0.4
_CHARTS = "charts"
_ABOVE = "above"


def text() -> None:
    """Wait until a text that was sent just now is painted."""
    time.sleep(TEXT_S)


def before_first_chart() -> None:
    """Wait until what stands above the first chart of a session is painted.

    To load the chart library alone occupies the browser for most of a second; after that charts are drawn at once.
    """
    if _CHARTS not in st.session_state:
        st.session_state[_CHARTS] = True
        time.sleep(FIRST_CHART_S)


def before_the_rest() -> None:
    """End the first run of a session here; the browser asks for the rest when it has painted what stands above.

    Meanwhile the server answers for the parts of the page's code that the browser fetches for it.
    """
    if FIRST_CHART_S and _CHARTS not in st.session_state:
        st.fragment(_asked_for, run_every=FIRST_CHART_S)()
        st.stop()


def _asked_for() -> None:
    if _ABOVE in st.session_state:
        st.session_state[_CHARTS] = True
        st.rerun()
    st.session_state[_ABOVE] = True
    st.skeleton(height=300)
