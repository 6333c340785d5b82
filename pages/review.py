"""Review: the queue, one conversation, and the decision on it."""

from __future__ import annotations

import streamlit as st

from triage_core import boards, lifecycle, queries, triage
from triage_core.access import Command
from triage_core.boards import Pair
from triage_core.errors import NotFound
from triage_core.lifecycle import Trigger
from ui import compare, decision, empty, filters, report_view, session
from ui.hostile import plain
from ui.words import RESOLUTION, SEVERITY_COLOUR, STATUS, TRIGGER

SIMILAR = 5
READINGS = ["Conversation", "Differing words", "Side by side"]
CLOSING = {Trigger.CLOSE, Trigger.PASS_RETEST, Trigger.WITHDRAW}


def go(report_id: str | None) -> None:
    session.pick("report", report_id)


def save(report_id: str, version: int, next_id: str | None) -> None:
    opened = session.current()
    decided = decision.collect(opened.policy, report_id, version)
    arguments = (opened.store, opened.policy, session.actor(), report_id, decided)
    if session.command(f"{plain(report_id)} is decided.", triage.assess, *arguments, seen_version=version):
        go(next_id)


def link(pair: Pair, score: float, next_id: str | None) -> None:
    opened, child = session.current(), pair.later
    evidence = {"score": score, "model_id": opened.settings.model}
    done = f"{plain(child.report_id)} is a duplicate of {plain(pair.target_id)}."
    arguments = (opened.store, session.actor(), child.report_id, pair.target_id)
    if session.command(done, triage.link, *arguments, evidence=evidence, seen_version=child.version):
        go(next_id)


def keep_apart(one_id: str, other_id: str) -> None:
    done = f"{plain(one_id)} and {plain(other_id)} stay apart."
    session.command(done, triage.keep_apart, session.current().store, session.actor(), one_id, other_id)


def unlink(report_id: str, version: int) -> None:
    done = f"{plain(report_id)} is on its own again."
    session.command(
        done, triage.unlink, session.current().store, session.actor(), report_id, seen_version=version
    )


def move(report_id: str, version: int, key: str) -> None:
    trigger = st.session_state[key]
    done = f"{plain(report_id)}: {TRIGGER[trigger].lower()}."
    arguments = (session.current().store, session.actor(), report_id, trigger)
    session.command(done, triage.move, *arguments, seen_version=version)


now = session.now()
queue_column, reading_column, panel_column = st.columns([24, 46, 30], gap="medium")
with queue_column, st.popover("Filter the queue", icon=":material/filter_alt:", width="stretch"):
    chosen, sort = filters.draw()
ids = session.read(queries.queue, chosen, sort)
report_id = session.picked("report") or (ids[0] if ids else "")
if not report_id:
    if session.read(boards.figures, now).reports:
        empty.nothing_found(chosen.words)
    else:
        empty.no_reports()
    st.stop()
try:
    view = session.read(queries.report, report_id)
except NotFound:
    st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
    st.button("Go to the first of the queue", on_click=go, args=(None,))
    st.stop()
