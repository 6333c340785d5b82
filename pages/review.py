"""Review: the queue, one conversation, and the decision on it."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, lifecycle, queries
from triage_core.access import Command
from triage_core.errors import NotFound
from triage_core.lifecycle import Trigger
from triage_core.model import Status
from ui import candidates, compare, decision, desk, empty, filters, queue, report_view, session
from ui.hostile import plain
from ui.words import TRIGGER

READINGS = ["Conversation", "Differing words", "Side by side"]
NOT_MOVES = {Trigger.TRIAGE, Trigger.ACCEPT, Trigger.CLOSE, Trigger.PASS_RETEST, Trigger.WITHDRAW}

now = session.now()
if not session.read(boards.figures, now).reports:
    empty.no_reports()
    st.stop()
left, middle, right = st.columns([24, 46, 30], gap="medium")
with left, st.popover("Filter the queue", icon=":material/filter_alt:", width="stretch"):
    chosen, sort = filters.draw()
ids = session.read(queries.queue, chosen, sort, queue.LONGEST)
report_id = session.picked("report") or (ids[0] if ids else "")
if not report_id:
    with middle:
        empty.nothing_found(chosen.words)
    st.stop()
with left:
    queue.draw(ids, report_id)
try:
    view = session.read(queries.report, report_id)
except NotFound:
    with middle:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
        st.button("Go to the first of the queue", on_click=desk.go, args=(None,))
    st.stop()
version = view.case["version"]
place = queue.place(ids, report_id)
is_duplicate = view.case["canonical_id"] is not None

may_decide = session.may(Command.ASSESS)
with right:
    candidate = candidates.draw(report_id, version, now)
    if is_duplicate:
        st.info(f"A duplicate of {plain(view.case['canonical_id'])}.", icon=":material/content_copy:")
        with st.container(horizontal=True):
            st.button("Open it", key="canonical", on_click=desk.go, args=(view.case["canonical_id"],))
            st.button(
                "Unlink",
                key=f"unlink-{report_id}-{version}",
                icon=":material/link_off:",
                disabled=not session.may(Command.UNLINK),
                on_click=desk.unlink,
                args=(report_id, version),
            )
    elif may_decide:
        st.subheader("Decision", anchor=False)
        decision.panel(session.current().policy, view)
    else:
        st.info("Your role reads reports; reviewers decide on them.", icon=":material/visibility:")

with middle:
    report_view.heading(view, now)
    reading = READINGS[0]
    if candidate:
        this = session.read(boards.briefs, (report_id,))[report_id]
        pair = boards.pair(this, candidate.brief)
        reading = st.segmented_control(
            f"Compare with {plain(candidate.brief.report_id)}",
            READINGS,
            default=READINGS[0],
            required=True,
            key="reading",
        )
    if reading == READINGS[0]:
        report_view.words(view)
    elif reading == READINGS[1]:
        compare.words(this, candidate.brief)
    else:
        compare.side_by_side(this, candidate.brief, f"side-{report_id}")
    report_view.history(view)

with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
    st.button(
        "Previous",
        icon=":material/arrow_back:",
        disabled=not place.before,
        on_click=desk.go,
        args=(place.before,),
    )
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        disabled=not place.after,
        on_click=desk.go,
        args=(place.after,),
    )
    if may_decide:
        st.button(
            "Save decision",
            key=f"save-{report_id}-{version}",
            type="primary",
            icon=":material/check:",
            disabled=is_duplicate,
            on_click=desk.save,
            args=(report_id, version, place.after),
        )
    if may_decide and candidate:
        stays = pair.later.report_id != report_id
        st.button(
            f"{plain(pair.later.report_id)} is a duplicate of {plain(pair.target_id)}",
            key=f"link-{report_id}-{version}-{candidate.brief.report_id}-{candidate.brief.version}",
            icon=":material/content_copy:",
            disabled=pair.later.canonical_id is not None or candidate.apart,
            on_click=desk.link_and_go_on,
            args=(pair, candidate.score, report_id if stays else place.after),
        )
        st.button(
            f"Not a duplicate of {plain(candidate.brief.report_id)}",
            key=f"apart-{report_id}-{version}-{candidate.brief.report_id}",
            icon=":material/call_split:",
            disabled=candidate.apart,
            on_click=desk.keep_apart,
            args=(report_id, candidate.brief.report_id),
        )
    moves = [
        trigger for trigger in lifecycle.allowed(Status(view.case["status"])) if trigger not in NOT_MOVES
    ]
    if session.may(Command.SET_STATUS) and moves and not is_duplicate:
        key = f"move-{report_id}-{version}"
        st.menu_button(
            "More",
            moves,
            key=key,
            format_func=TRIGGER.__getitem__,
            on_click=desk.move,
            args=(report_id, version, key),
        )
