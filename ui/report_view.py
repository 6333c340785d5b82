"""One report as a reviewer reads it: state, clocks, embargo, what the reporter says, what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

import streamlit as st

from triage_core.desk import activity, assessments
from triage_core.disclosure.embargo_machine import IN_FORCE
from triage_core.model import EmbargoState
from triage_core.queries import ReportView
from ui import event_words, hostile, session
from ui.hostile import inline, plain
from ui.words import (
    CHANNEL,
    CONSENT,
    HARM_TYPE,
    INTENT,
    PEER_CONSENT,
    PRIORITY,
    ago,
    badge,
    clock,
    counted,
    moment,
    severity_badge,
    span,
    state_badge,
)

ROWS = 12
"""The history shows so many rows at once, and scrolls when there are more."""
SAID: Mapping[object, LiteralString] = {"yes": "yes", "no": "no", True: "yes", False: "no"}


def heading(view: ReportView, now: datetime) -> None:
    """Id, state, clocks, embargo, and where the report comes from."""
    report, case = view.report, view.case
    beside = st.container(horizontal=True, vertical_alignment="center", gap="small")
    # The keys read this anchor: it says of which version the text below was drawn.
    beside.header(
        plain(report["report_id"]), anchor=f"on-desk-{report['report_id']}-{case['version']}", width="content"
    )
    marks = [state_badge(case["status"], case["resolution"]), severity_badge(case["severity"])]
    if case["priority"]:
        marks.append(badge("gray", PRIORITY[case["priority"]]))
    is_open = case["status"] != "closed"
    marks.append(clock("Response", case["response_due"], case["first_response_at"], is_open, now))
    marks.append(clock("Triage", case["triage_due"], case["triaged_at"], is_open, now))
    marks.append(
        clock("Fix", case["fix_due"], None, case["status"] in {"accepted", "deferred", "retest"}, now)
    )
    beside.markdown(" ".join(mark for mark in marks if mark), width="content")
    if view.embargo:
        _embargo(view.embargo, now)
    parts = [plain(" ".join(report[name] for name in ("platform", "model", "model_version") if report[name]))]
    parts += [f"received {ago(report['received_at'], now)} {CHANNEL[report['channel']]}"]
    if report["external_id"]:
        parts.append(f"known outside as {plain(report['external_id'])}")
    st.caption(" · ".join(part for part in parts if part))


def _embargo(embargo: Mapping[str, Any], now: datetime) -> None:
    ends, proposed = embargo["binding_end"], embargo["proposed_end"]
    if embargo["state"] in IN_FORCE and ends:
        left = f"{span(ends - now)} left" if ends > now else "its end has passed"
        st.markdown(f":material/lock_clock: Under embargo until **{moment(ends)}** ({left})")
    elif embargo["state"] == EmbargoState.EXITED:
        st.markdown(":material/lock_open: The embargo has ended")
    if proposed:
        st.caption(f"Another end is proposed: {moment(proposed)}")


def words(view: ReportView) -> None:
    """The conversation, and the reporter's own view of it."""
    report_id, body = view.report["report_id"], view.body
    hostile.conversation(view.turns, key=f"turn-{report_id}")
    st.subheader("What the reporter says", anchor=False)
    for name, label in (
        ("what_is_wrong", "**What is wrong**"),
        ("expected", "**What was expected**"),
        ("actual", "**What came instead**"),
    ):
        if body.get(name):
            hostile.show(body[name], key=f"{name}-{report_id}", label=label)


def reporters_view(view: ReportView) -> None:
    """How bad it is in the reporter's own eyes, to be read beside the reviewer's inputs and kept apart from them."""
    body, report, case = view.body, view.report, view.case
    harms = ", ".join(HARM_TYPE[harm] for harm in report["harm_types"])
    facts = [f"Harm: {harms or 'not said'}", f"{INTENT[report['disclosure_intent']]}"]
    if body.get("tries"):
        facts.append(f"worked {body.get('successes') or 0:,} of {body['tries']:,} times")
    for name, words in (("real_world_harm", "harm has happened"), ("malicious_use", "used with ill intent")):
        if body.get(name) in SAID:
            facts.append(f"{words}: {SAID[body[name]]}")
    if body.get("other_systems_tried"):
        tried = [
            f"{other['platform']} {other.get('model', '')}: {other['worked']}"
            for other in body["other_systems_tried"]
        ]
        facts.append(f"tried elsewhere: {plain('; '.join(tried), 400)}")
    if body.get("policy_clause_claimed"):
        facts.append(f"claims {plain(body['policy_clause_claimed'])}")
    with st.container(border=True, gap="xsmall"):
        st.caption(":material/person: **The reporter's view**")
        st.markdown(" · ".join(facts))
        st.caption(
            f":material/handshake: Consent: {CONSENT[case['consent_training']]},"
            f" shared {PEER_CONSENT[case['consent_share_peers']]}"
        )


def history(view: ReportView) -> None:
    """Every event that concerns the report, newest first, with the old and the new value of all that it changed."""
    events = view.history[::-1]
    title = f"History, {counted(len(events), 'event')}"
    history = st.expander(title, icon=":material/history:", on_change="rerun", key="history")
    if not history.open:
        return
    made = session.read(assessments.numbered, event_words.assessments(events))
    with history:
        st.dataframe(
            {
                "when": [moment(event.done_at) for event in events],
                "of": [inline(event.subject) for event in events],
                "what": [inline(event_words.what(event)) for event in events],
                "changes": [inline(event_words.line(event, made), event_words.LONG) for event in events],
                "who": [inline(event.actor_id) for event in events],
            },
            column_config={
                "when": st.column_config.TextColumn("When", width=150),
                "of": st.column_config.TextColumn("Of", width=75),
                "what": st.column_config.TextColumn("What", width=150),
                "changes": st.column_config.TextColumn("Changes", width="large"),
                "who": st.column_config.TextColumn("Who", width=120),
            },
            hide_index=True,
            height="content" if len(events) <= ROWS else 440,
            alt="Events that concern this report, newest first",
        )
        if len(events) > activity.ELSEWHERE:
            st.caption("Of what is filed under other reports, only the latest is listed; Activity has all.")
