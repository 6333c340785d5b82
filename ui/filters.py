"""The filters that Inbox and Review share; they live in the address, so that a view is a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core import queries
from triage_core.model import HarmType, Severity, Status
from triage_core.queries import Filter, Only, Sort
from ui import session
from ui.hostile import inline
from ui.words import HARM_TYPE, SEVERITY, STATUS

PAGE = 25
MANY = 200  # products to choose from; the most frequent first
DEFAULTS: Mapping[str, Any] = {
    "words": "",
    "state": "to_decide",
    "only": "all",
    "severity": [],
    "harm": [],
    "product": [],
}
KEPT: Mapping[str, Any] = {**DEFAULTS, "sort": str(Sort.NEWEST)}  # by a view; an order alone is no filter

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_decide": ("new", "needs_info", "triaged"),
    "in_work": ("accepted", "deferred", "fix_ready", "fixed", "retest"),
    "open": queries.OPEN_STATES,
    "any": (),
}
_GROUP_LABELS: Mapping[str, LiteralString] = {
    "to_decide": "Waiting for a decision",
    "in_work": "Being worked on",
    "open": "Any open state",
    "any": "Any state",
}
_STATE_LABELS = {**_GROUP_LABELS, **STATUS}
_ONLY_LABELS: Mapping[str, LiteralString] = {
    "all": "All of them",
    Only.MINE: "Mine",
    Only.LATE: "Late",
    Only.BREACHING: "Late or due within 24 h",
    Only.EMBARGO: "Embargo ends within 7 days",
    Only.SNOOZED: "Snoozed",
}
_SORTS: Mapping[str, LiteralString] = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.DUE: "Due first",
    Sort.PRIORITY: "Highest priority first",
    Sort.CLUSTER: "Largest cluster first",
}
_LABELS: Mapping[str, Mapping[str, str]] = {
    "state": _STATE_LABELS,
    "only": _ONLY_LABELS,
    "severity": SEVERITY,
    "harm": HARM_TYPE,
    "sort": _SORTS,
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
        only = st.selectbox(
            "Which of them",
            list(_ONLY_LABELS),
            format_func=_ONLY_LABELS.__getitem__,
            key="only",
            bind="query-params",
            width=190,
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
    return asked(
        {"words": words, "state": state, "only": only, "severity": severity, "harm": harm, "product": product}
    ), Sort(sort)


def asked(values: Mapping[str, Any]) -> Filter:
    """The filter that these values of the widgets ask for; what is left out stands at its default."""
    value = {**DEFAULTS, **values}
    only = None if value["only"] == "all" else Only(value["only"])
    # Who looks for words, or at every state, looks at what is snoozed too.
    everything = only is None and (value["words"] or value["state"] == "any")
    return Filter(
        status=_GROUPS.get(value["state"], (value["state"],)),
        severity=value["severity"],
        harm=value["harm"],
        platform=value["product"],
        words=value["words"] or "",
        only=only,
        at=None if everything else session.now(),
        who=session.actor().actor_id if only is Only.MINE else "",
    )


def standing() -> dict[str, Any]:
    """The values of the widgets that differ from their defaults: what a view keeps."""
    return {
        name: st.session_state[name]
        for name, default in KEPT.items()
        if name in st.session_state and st.session_state[name] != default
    }


def address(values: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The query parameters under which the widgets show these values: the address holds labels."""
    return {
        name: [_shown(name, one) for one in value] if isinstance(value, list) else _shown(name, value)
        for name, value in values.items()
    }


def _shown(name: str, value: str) -> str:
    return inline(value) if name == "product" else _LABELS.get(name, {}).get(value, value)


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
