"""The views of the inbox: ours and one's own, each a link with the number of its reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core import queries, views
from triage_core.queries import Only, Sort
from ui import filters, session
from ui.hostile import plain

PAGE = "pages/inbox.py"
# The label of a view, and the values of the filters that differ from their defaults.
VIEWS: Mapping[LiteralString, Mapping[str, Any]] = {
    ":material/inbox: To decide": {},
    ":material/fiber_new: New": {"state": "new"},
    ":material/person: Mine": {"state": "open", "only": Only.MINE},
    ":material/alarm: Breaching": {"state": "open", "only": Only.BREACHING, "sort": Sort.DUE},
    ":material/lock_clock: Embargo ends soon": {"state": "any", "only": Only.EMBARGO},
    ":material/snooze: Snoozed": {"state": "open", "only": Only.SNOOZED},
    ":material/folder_open: All open": {"state": "open"},
}


def draw() -> None:
    """Our views, one's own, and what keeps the filters that stand as a view."""
    standing = filters.standing()
    own = {view.name: view.filters for view in session.read(views.of, session.actor())}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, values in VIEWS.items():
            _link(label, values, values == standing)
        for name, values in own.items():
            _link(f":material/bookmark: {plain(name)}", values, values == standing)
        _keep(standing, own)


def _link(label: LiteralString, values: Mapping[str, Any], here: bool) -> None:
    # Words are looked for in every conversation: too dear to be counted for a link alone.
    count = "" if values.get("words") else f" {session.read(queries.count, filters.asked(values)):,}"
    role = {"role": st.query_params["role"]} if "role" in st.query_params else {}
    st.page_link(
        PAGE,
        label=f"**{label}{count}**" if here else f"{label}{count}",
        icon="",
        help="",
        query_params={**role, **filters.address(values)},
    )


def _keep(standing: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    with st.popover("", icon=":material/bookmark_add:", help="Views of your own"):
        st.text_input("Keep these filters as", key="view_name", max_chars=views.LONGEST_NAME)
        st.button("Keep", key="keep_view", type="primary", on_click=_save, args=(dict(standing),))
        if own:
            st.selectbox("Forget a view", list(own), index=None, format_func=str, key="view_gone")
            st.button("Forget", key="forget_view", on_click=_remove)


def _save(standing: Mapping[str, Any]) -> None:
    store, name = session.current().store, st.session_state["view_name"]
    if session.command("The view is kept", views.save, store, session.actor(), name, standing):
        st.session_state["view_name"] = ""


def _remove() -> None:
    if name := st.session_state["view_gone"]:
        session.command("The view is forgotten", views.remove, session.current().store, session.actor(), name)
