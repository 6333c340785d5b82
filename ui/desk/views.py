"""The views of the inbox: ours and one's own, each one press away, with the number of its reports.

A view is nothing but values of the filters. Those stand in the address, so that a view is a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import looks, views
from triage_core.queries import Only, Sort
from ui import filters, session
from ui.hostile import plain

# Icon, label and hint of a view, and the values of the filters that differ from their defaults.
VIEWS: tuple[tuple[LiteralString, LiteralString, LiteralString, Mapping[str, Any]], ...] = (
    (":material/inbox:", "To decide", "What waits for a decision", {}),
    (":material/fiber_new:", "New", "What nobody has begun with", {"state": "new"}),
    (
        ":material/person:",
        "Mine",
        "Your tasks, and what you hold a claim on",
        {"state": "open", "only": Only.MINE},
    ),
    (
        ":material/alarm:",
        "Breaching",
        "A clock has run out or does within 24 hours: answer, triage, fix or bounty",
        {"state": "any", "only": Only.BREACHING, "sort": Sort.DUE},
    ),
    (
        ":material/mark_unread_chat_alt:",
        "Reporter wrote",
        "An answer, a question or an objection that nobody has acted on, closed reports included",
        {"state": "any", "only": Only.WROTE},
    ),
    (
        ":material/lock_clock:",
        "Embargo ends soon",
        "Within 7 days",
        {"state": "any", "only": Only.EMBARGO},
    ),
    (
        ":material/snooze:",
        "Snoozed",
        "Out of the lists until they wake; their clocks run on",
        {"state": "open", "only": Only.SNOOZED},
    ),
    (":material/folder_open:", "All open", "Every report that is not closed", {"state": "open"}),
)


def draw() -> None:
    """Our views, one's own, and what keeps the filters that stand as a view."""
    standing = filters.standing()
    own = {view.name: filters.known(view.filters) for view in session.keep(views.of, session.actor())}
    counts = _counts([*(values for *_, values in VIEWS), *own.values()])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for icon, label, hint, values in VIEWS:
            _view(label, icon, values, values == standing, next(counts), hint)
        _second_look()
        for name, values in own.items():
            _view(plain(name), ":material/bookmark:", values, values == standing, next(counts))
        _keep(standing, own)


def _counts(asked: Sequence[Mapping[str, Any]]) -> Iterator[int | None]:
    """How many reports each of these views finds, in one question."""
    # Words are looked for in every conversation: too dear to be counted for a button alone.
    counted = [values for values in asked if not values.get("words")]
    found = iter(session.keep(queries.counts_of, [filters.asked(values) for values in counted]))
    return (next(found) if values in counted else None for values in asked)


def _second_look() -> None:
    """A view elsewhere: a list with severity and state would tell the second reviewer what the first has decided."""
    if not session.may(Command.SECOND_LOOK):
        return
    waiting = session.read(looks.counts, session.actor().actor_id).mine
    if st.button(f"Needs second look {waiting:,}", icon=":material/visibility_lock:", key="view-second-look"):
        st.switch_page("pages/second_look.py")


def _view(
    label: LiteralString,
    icon: LiteralString,
    values: Mapping[str, Any],
    stands: bool,
    count: int | None,
    hint: LiteralString = "",
) -> None:
    told = "" if count is None else f" {count:,}"
    st.button(
        f"{label}{told}",
        icon=icon,
        key=f"view-{label}",
        type="primary" if stands else "secondary",
        help=hint,
        on_click=filters.show,
        args=(values,),
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
