"""The bar at the foot of Review: move on, save, judge the highlighted candidate, other moves of the case."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, lifecycle
from triage_core.access import Command
from triage_core.lifecycle import Trigger
from triage_core.model import Status
from triage_core.queries import ReportView
from ui import desk, session
from ui.candidates import Candidate
from ui.hostile import plain
from ui.queue import Place
from ui.words import TRIGGER

# These come about by a decision or by what the reporter does.
NOT_MOVES = {Trigger.TRIAGE, Trigger.ACCEPT, Trigger.CLOSE, Trigger.PASS_RETEST, Trigger.WITHDRAW}


def bar(view: ReportView, place: Place, candidate: Candidate | None) -> None:
    """Draw the buttons that the role and the state of the case allow."""
    may_decide = session.may(Command.ASSESS)
    with st.container(horizontal=True, vertical_alignment="center"):
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
            _save(view, place)
        if may_decide and candidate:
            _judge(view, place, candidate)
        if session.may(Command.SET_STATUS):
            _more(view)


def _save(view: ReportView, place: Place) -> None:
    report_id, version = view.report["report_id"], view.case["version"]
    st.button(
        "Save decision",
        key=f"save-{report_id}-{version}",
        type="primary",
        icon=":material/check:",
        disabled=view.case["canonical_id"] is not None,
        on_click=desk.save,
        args=(report_id, version, place.after),
    )


def _judge(view: ReportView, place: Place, candidate: Candidate) -> None:
    """The later of the two becomes the duplicate: that may be the one on the desk or the candidate."""
    report_id, other = view.report["report_id"], candidate.brief
    pair = boards.pair(session.read(boards.briefs, (report_id,))[report_id], other)
    stays = pair.later.report_id != report_id
    st.button(
        f"{plain(pair.later.report_id)} is a duplicate of {plain(pair.target_id)}",
        key=f"link-{report_id}-{view.case['version']}-{other.report_id}-{other.version}",
        icon=":material/content_copy:",
        disabled=pair.later.canonical_id is not None or candidate.apart,
        on_click=desk.link_and_go_on,
        args=(pair, candidate.score, report_id if stays else place.after),
    )
    st.button(
        f"Not a duplicate of {plain(other.report_id)}",
        key=f"apart-{report_id}-{view.case['version']}-{other.report_id}",
        icon=":material/call_split:",
        disabled=candidate.apart,
        on_click=desk.keep_apart,
        args=(report_id, other.report_id),
    )


def _more(view: ReportView) -> None:
    report_id, version = view.report["report_id"], view.case["version"]
    allowed = lifecycle.allowed(Status(view.case["status"]))
    moves = [trigger for trigger in allowed if trigger not in NOT_MOVES]
    if not moves or view.case["canonical_id"]:
        return
    key = f"move-{report_id}-{version}"
    st.menu_button(
        "More",
        moves,
        key=key,
        format_func=TRIGGER.__getitem__,
        on_click=desk.move,
        args=(report_id, version, key),
    )
