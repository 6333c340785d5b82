"""The way from a report to the advisory about its flaw, for who may open one."""

from __future__ import annotations

import streamlit as st

from triage_core.access import Command
from triage_core.advisories import advising, advisory_board
from triage_core.advisories.advisory import REACHING
from ui import session


def way(report_id: str) -> None:
    """A button to the open advisory about this flaw, or else to the form that opens one."""
    if not session.may(Command.SHARE_ADVISORY):
        return
    number = session.read(advisory_board.open_of, report_id)
    label = f"Advisory {number:,}" if number else "Tell peers"
    if st.button(label, key=f"advise-{report_id}", icon=":material/campaign:"):
        asked = {"advisory": str(number)} if number else {"about": report_id}
        session.go("advisories", **asked)


def where_it_reaches(report_id: str) -> None:
    """The same, of a flaw that is assessed as one that concerns others."""
    if session.may(Command.SHARE_ADVISORY) and session.read(advising.generality, report_id) in REACHING:
        way(report_id)
