"""Advisories: what peers were told of a flaw that may be theirs as well, who waits for whom, and who the peers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.advisories import advisory_board, peers
from triage_core.advisories.advisory_board import Show
from ui import empty, paging, row_buttons, session
from ui.advisories import card, listing, opening, roster
from ui.hostile import inline

SIZE = 25
ADVISORIES, PEERS = "advisories", "peers"
PARTS: Mapping[str, LiteralString] = {ADVISORIES: "Advisories", PEERS: "Peers"}
SHOWN: Mapping[str, LiteralString] = {
    Show.OPEN: "Open",
    Show.UNTOLD: "Nobody told",
    Show.ASKED: "Not answered",
    Show.LATER_END: "Later end to accept",
    Show.DECLINED: "Declined",
    Show.ANSWERED: "Product known",
    Show.LABEL: "Label suggested",
    Show.CLOSED: "Closed",
}
ABOUT: Mapping[str, LiteralString] = {
    Show.OPEN: "Not closed yet.",
    Show.ASKED: "A peer was told, and has neither accepted nor declined the embargo.",
    Show.LATER_END: "The embargo ends later than a peer has accepted: it is handed nothing before it accepts that.",
    Show.LABEL: "The flaw is fixed or public and its embargo is over: a lower TLP label may be set on Disclosure.",
}
NOTHING: Mapping[str, LiteralString] = {
    Show.OPEN: "No advisory is open. One is opened from the card of a report on Disclosure, with “Tell peers”.",
    Show.UNTOLD: "Each open advisory has been told to a peer.",
    Show.ASKED: "No peer that was told owes an answer to an embargo.",
    Show.LATER_END: "No peer has a later end to accept.",
    Show.DECLINED: "No peer has declined.",
    Show.ANSWERED: "No peer has said how its product stands.",
    Show.LABEL: "No open advisory has a label that may be lowered.",
    Show.CLOSED: "No advisory has been closed yet.",
}


def show_first_page() -> None:
    st.session_state["advisories"] = 1


now = session.now()
st.title("Advisories", anchor=False)
shares = session.may(Command.SHARE_ADVISORY)
part = st.segmented_control(
    "Part",
    list(PARTS) if shares else [PEERS],
    default=ADVISORIES if shares else PEERS,
    required=True,
    format_func=PARTS.__getitem__,
    key="advisories-part",
    bind="query-params",
    label_visibility="collapsed",
)
if part == PEERS:
    roster.draw(now)
    st.stop()
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
known = session.read(peers.listing)
if not any(row["ended_at"] is None for row in known):
    roster.none_yet()
head = st.container()
with st.container(horizontal=True):
    shown = st.segmented_control(
        "Show",
        [str(show) for show in Show],
        default=str(Show.OPEN),
        required=True,
        format_func=SHOWN.__getitem__,
        key="stands",
        bind="query-params",
        on_change=show_first_page,
    )
    names = st.multiselect(
        "Peer",
        list(dict.fromkeys(row["name"] for row in known)),
        format_func=inline,
        key="peer",
        bind="query-params",
        placeholder="Any",
        width=260,
        on_change=show_first_page,
    )
number = int(st.session_state.get("advisories", 1) or 1)
board = session.read(advisory_board.board, Show(shown), now, tuple(names), number, SIZE)
with head, st.grid(4, gap="small", min_column_width=180):
    for show, about in ABOUT.items():
        st.metric(SHOWN[show], f"{board.counts[Show(show)]:,}", border=True, height="stretch", help=about)
picked, about_report = session.picked("advisory"), session.picked("about")
if picked or about_report:
    row_buttons.into_view()
if picked:
    card.draw(picked, now)
elif about_report:
    opening.draw(about_report, now)

total = board.counts[Show(shown)]
if not total:
    st.info(
        "No advisory that these peers were told of is among these." if names else NOTHING[shown],
        icon=":material/campaign:",
    )
    st.stop()
table = st.container()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    beside = st.container(horizontal=True, vertical_alignment="center", width="content")
    noun: LiteralString = "advisory, the newest first" if total == 1 else "advisories, the newest first"
    beside.caption(f"{total:,} {noun}. Every hour is UTC.", width="content")
    # An address tells the page to the buttons below the rows, after these were read.
    if paging.choose(total, SIZE, "advisories") != number:
        st.rerun()
# The key carries the snapshot: a row number means an advisory only among the rows that were shown.
rows = {str(one.advisory_id): one for one in board.rows}
key = f"advisory-{session.snapshot_key({name: one.version for name, one in rows.items()})}"
if name := row_buttons.opened(key, tuple(rows)):
    session.pick("about", None)
    session.pick("advisory", name)
    st.rerun()
with table:
    listing.draw(board.rows, now, key)
with beside:
    row_buttons.as_menu("Open an advisory", key, tuple(rows))
