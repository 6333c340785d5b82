"""What a screen says when there is nothing to show: always what to do next."""

from __future__ import annotations

from collections.abc import Set
from typing import LiteralString

import streamlit as st

from triage_core.model import DeskRole
from ui import filters
from ui.words import ROLE


def no_reports() -> None:
    """The store is empty: three ways to get reports in."""
    with st.container(border=True):
        st.subheader("No reports yet", anchor=False)
        st.markdown("Reports come in through three doors. Any of them fills this screen within seconds.")
        doors = st.grid(3, min_column_width=260, gap="medium")
        with doors.cell():
            st.markdown(":material/edit_note: **Send one yourself** with the form that the public sees.")
            st.link_button("Open the report form", "/report", icon=":material/open_in_new:")
        with doors.cell():
            st.markdown(
                ":material/upload_file: **Import** what you have as JSONL or CSV, also while this runs:"
            )
            st.code("python -m triage_core import FILE", language=None, wrap_lines=True)
        with doors.cell():
            st.markdown(":material/science: **Look around with demo reports** on an empty store:")
            st.code("python -m triage_core serve --demo", language=None, wrap_lines=True)


def nothing_found(words: str) -> None:
    """There are reports, and none fits the filters."""
    with st.container(border=True):
        if words:
            st.markdown(
                "**No report fits these filters.** The words were looked for in the chosen states only."
            )
        elif filters.active():
            st.markdown("**No report fits these filters.**")
        else:
            st.markdown("**Everything is decided.** No report waits for a decision.")
        with st.container(horizontal=True):
            if words:
                st.button(
                    "Search in all reports", icon=":material/search:", on_click=filters.search_everywhere
                )
            if filters.active():
                st.button("Clear all filters", icon=":material/filter_alt_off:", on_click=filters.clear)
            else:
                st.button(
                    "Show reports in any state", icon=":material/inbox:", on_click=filters.search_everywhere
                )


def not_for(role: DeskRole, title: LiteralString, roles: Set[DeskRole]) -> None:
    """The screen of this title is for other `roles` than that of the person who has followed a link to it."""
    st.title(title, anchor=False)
    others = " or ".join(ROLE[other] for other in DeskRole if other in roles)
    st.info(
        f"This screen is for another role: {others}. You act as {ROLE[role]}; the screens of that role are above.",
        icon=":material/lock:",
    )
