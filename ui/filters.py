"""The filters that Inbox and Review share; they live in the address, so that a view is a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core import queries
from triage_core.model import HarmType, Severity, Status
from triage_core.queries import Filter, Sort
from ui import session
from ui.hostile import inline
from ui.words import HARM_TYPE, SEVERITY, STATUS

PAGE = 25
MANY = 200  # products to choose from; the most frequent first
DEFAULTS: Mapping[str, Any] = {
    "words": "",
    "state": "to_decide",
    "severity": [],
    "harm": [],
    "product": [],
    "late": False,
}

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_decide": ("new", "needs_info", "triaged"),
    "in_work": ("accepted", "deferred", "fix_ready", "fixed", "retest"),
    "any": (),
}
_GROUP_LABELS: Mapping[str, LiteralString] = {
    "to_decide": "Waiting for a decision",
    "in_work": "Being worked on",
    "any": "Any state",
}
_STATE_LABELS = {**_GROUP_LABELS, **STATUS}
_SORTS: Mapping[str, LiteralString] = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.DUE: "Due first",
    Sort.PRIORITY: "Highest priority first",
    Sort.CLUSTER: "Largest cluster first",
}


def draw() -> tuple[Filter, Sort]:
    """Draw the filters side by side and give what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = st.text_input(
            "Words, or an id",
            key="words",
            bind="query-params",
            type="search",
            placeholder="Search",
            width=190,
            on_change=show_first_page,
        )
        state = st.selectbox(
            "State",
            [*_GROUPS, *(str(status) for status in Status)],
            format_func=_STATE_LABELS.__getitem__,
            key="state",
            bind="query-params",
            width=205,
            on_change=show_first_page,
        )
        severity = st.multiselect(
            "Severity",
            [str(level) for level in Severity],
            format_func=SEVERITY.__getitem__,
            key="severity",
            bind="query-params",
            placeholder="Any",
            width=150,
            on_change=show_first_page,
        )
        harm = st.multiselect(
            "Harm",
            [str(harm) for harm in HarmType],
            format_func=HARM_TYPE.__getitem__,
            key="harm",
            bind="query-params",
            placeholder="Any",
            width=150,
            on_change=show_first_page,
        )
        product = st.multiselect(
            "Product",
            session.read(queries.choices, "platform")[:MANY],
            format_func=inline,
            key="product",
            bind="query-params",
            placeholder="Any",
            width=150,
            on_change=show_first_page,
        )
        sort = st.selectbox(
            "Order",
            list(_SORTS),
            format_func=_SORTS.__getitem__,
            key="sort",
            bind="query-params",
            width=175,
            on_change=show_first_page,
        )
        late = st.toggle("Only late ones", key="late", bind="query-params", on_change=show_first_page)
    chosen = Filter(
        status=_GROUPS.get(state, (state,)),
        severity=severity,
        harm=harm,
        platform=product,
        words=words or "",
        late_at=session.now() if late else None,
    )
    return chosen, Sort(sort)


def active() -> int:
    """How many filters stand in the address; the order is not one."""
    return sum(key in st.query_params for key in DEFAULTS)


def clear() -> None:
    """Back to the default view; for a widget's callback."""
    st.session_state.update(DEFAULTS)
    show_first_page()


def search_everywhere() -> None:
    """Keep the words and drop every other filter; for a widget's callback."""
    st.session_state.update({**DEFAULTS, "words": st.session_state["words"], "state": "any"})
    show_first_page()


def show_first_page() -> None:
    st.session_state["page"] = 1
