"""What desk and reporter have written to each other, and the question that a reviewer may add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core.access import Command
from triage_core.channel import messages
from triage_core.channel.messages import Direction
from triage_core.queries import ReportView
from ui import decision, hostile, session
from ui.hostile import plain
from ui.words import ago, counted

_SIDES: Mapping[str, LiteralString] = {
    Direction.TO_REPORTER: ":material/support_agent: **To the reporter**",
    Direction.FROM_REPORTER: ":material/person: **From the reporter**",
}


def draw(view: ReportView) -> None:
    """All messages, oldest first, and for who may ask a field for a question."""
    report_id, version = view.report["report_id"], view.case["version"]
    found = session.read(messages.thread, report_id)
    waits = messages.open_question(found) is not None
    title = counted(len(found), "message") if found else "none yet"
    asks = session.may(Command.ASK_REPORTER)
    if asks:
        decision.start(view)  # a question that is not sent yet is a part of the draft
    begun = asks and st.session_state[decision.field(report_id, version, "question")]
    shown = st.expander(
        f"Messages with the reporter, {title}",
        icon=":material/forum:",
        expanded=bool(found or begun),
        on_change="rerun",
        key=f"messages-{report_id}",
    )
    if not shown.open:  # most reports have none: their field is not drawn anew with each
        return
    with shown:
        for message in found:
            _message(message, report_id)
        if waits:
            st.caption(":material/hourglass_top: The last question is not answered yet.")
        if asks:
            _question(report_id, version)


def _message(message: Mapping[str, Any], report_id: str) -> None:
    by_desk = message["direction"] == Direction.TO_REPORTER
    who = f" · {plain(message['actor_id'])}" if by_desk else ""
    st.caption(f"{_SIDES[message['direction']]} · {ago(message['done_at'], session.now())}{who}")
    hostile.show(message["text"], key=f"message-{report_id}-{message['message_id']}")


def _question(report_id: str, version: int) -> None:
    key = decision.field(report_id, version, "question")
    st.text_area(
        "Ask the reporter",
        key=key,
        on_change=decision.keep,
        args=(report_id, version),
        height=80,
        placeholder="A question; it is read on the tracking page, by nobody but the reporter",
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Send the question",
            key=f"ask-{report_id}-{version}",
            icon=":material/send:",
            on_click=_ask,
            args=(report_id, version, key),
        )


def _ask(report_id: str, version: int, key: str) -> None:
    text = st.session_state[key]
    done = f"The reporter of {plain(report_id)} is asked"
    if session.command(
        done, messages.ask, session.current().store, session.actor(), report_id, text, seen_version=version
    ):
        st.session_state[key] = ""
        decision.keep(report_id, version)
