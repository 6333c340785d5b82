"""Duplicates: pairs that are probably one flaw, and the links in force."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.access import Command
from triage_core.desk import boards
from triage_core.desk.boards import Brief
from ui import compare, empty, links, paging, session, worker
from ui.hostile import plain
from ui.words import BASIS, ago, counted, moment, severity_badge, state_badge

SIZE = 25
VIEWS = ["Suggested", "In force"]


def about(brief: Brief) -> LiteralString:
    """Id, state, severity and age of one side."""
    marks = f"{state_badge(brief.status, brief.resolution)} {severity_badge(brief.severity)}"
    return f"{plain(brief.report_id)} {marks} {ago(brief.received_at, now)}"


now = session.now()
st.title("Duplicates", anchor=False)
if session.read(queries.is_empty):
    empty.no_reports()
    st.stop()
view = st.segmented_control(
    "View",
    VIEWS,
    default=VIEWS[0],
    required=True,
    key="links",
    bind="query-params",
    label_visibility="collapsed",
)

if view == VIEWS[0]:
    may_link, may_part = session.may(Command.LINK), session.may(Command.CANNOT_LINK)
    worker.line(session.stamp())
    total = session.read(boards.suggestions, 1, 1)[1]
    if not total:
        worker.none_suggested()
        st.stop()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"{counted(total, 'pair')}, surest first. The test of a duplicate: **would one fix resolve both?**",
            width="content",
        )
        page = paging.choose(total, SIZE, "pairs")
    for suggestion in session.read(boards.suggestions, page, SIZE)[0]:
        pair = suggestion.pair
        key = f"{pair.later.report_id}-{pair.later.version}-{pair.earlier.report_id}"
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{suggestion.score:.2f}** {BASIS[suggestion.basis]}: {about(pair.later)}"
                    f" :material/arrow_forward: {about(pair.earlier)}",
                    width="stretch",
                )
                with st.container(horizontal=True, width="content"):
                    st.button(
                        "Mark as duplicate",
                        key=f"link-{key}",
                        type="primary",
                        icon=":material/content_copy:",
                        disabled=not may_link,
                        help=session.whose(Command.LINK),
                        on_click=links.link,
                        args=(pair, suggestion.score),
                    )
                    st.button(
                        "Not a duplicate",
                        key=f"apart-{key}",
                        icon=":material/call_split:",
                        disabled=not may_part,
                        help=session.whose(Command.CANNOT_LINK),
                        on_click=links.keep_apart,
                        args=(pair.later.report_id, pair.earlier.report_id),
                    )
                    if st.button("Open", key=f"open-{key}", icon=":material/rate_review:"):
                        session.open_report(pair.later.report_id)
            if pair.target_id != pair.earlier.report_id:
                st.caption(
                    f"{plain(pair.earlier.report_id)} is itself a duplicate of {plain(pair.target_id)}."
                )
            compare.words(pair.earlier, pair.later)
            with st.container(horizontal=True, gap="medium"):
                why = st.toggle(
                    "Why", key=f"why-{key}", help="The probability, and what speaks for and against."
                )
                full = st.toggle("Both texts in full", key=f"full-{key}")
            if why:
                compare.reasons(pair.later.report_id, pair.earlier.report_id)
            if full:
                compare.side_by_side(pair.earlier, pair.later, f"side-{key}")
else:
    may_unlink = session.may(Command.UNLINK)
    total = session.read(boards.links, 1, 1)[1]
    if not total:
        st.info("No report is marked as a duplicate yet. Links made here or on Review are listed here.")
        st.stop()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"{counted(total, 'link')} in force, newest first. Unlinking gives a report its earlier state back.",
            width="content",
        )
        page = paging.choose(total, SIZE, "linked")
    for link in session.read(boards.links, page, SIZE)[0]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            score = "" if link["score"] is None else f" · likeness {link['score']:.2f}"
            st.markdown(
                f"{plain(link['child_id'])} is a duplicate of {plain(link['canonical_id'])}"
                f" · {moment(link['done_at'])} by {plain(link['actor_id'])}{score}  \n{plain(link['excerpt'], 120)}",
                width="stretch",
            )
            with st.container(horizontal=True, width="content"):
                st.button(
                    "Unlink",
                    key=f"unlink-{link['child_id']}-{link['version']}",
                    icon=":material/link_off:",
                    disabled=not may_unlink,
                    help=session.whose(Command.UNLINK),
                    on_click=links.unlink,
                    args=(link["child_id"], link["version"]),
                )
                if st.button("Open", key=f"open-{link['child_id']}", icon=":material/rate_review:"):
                    session.open_report(link["child_id"])
