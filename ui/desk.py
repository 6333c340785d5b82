"""What the buttons of the reviewer's screens do: each gives one command for the version that was shown."""

from __future__ import annotations

import streamlit as st

from triage_core import triage
from triage_core.boards import Pair
from ui import decision, session
from ui.hostile import plain
from ui.words import TRIGGER


def go(report_id: str | None) -> None:
    """Put another report on the desk; None: the first of the queue."""
    session.pick("report", report_id)


def save(report_id: str, version: int, next_id: str | None) -> None:
    """Save the decision that stands on screen, and go on."""
    opened = session.current()
    decided = decision.collect(opened.policy, report_id, version)
    arguments = (opened.store, opened.policy, session.actor(), report_id, decided)
    if session.command(f"{plain(report_id)} is decided", triage.assess, *arguments, seen_version=version):
        go(next_id)


def link(pair: Pair, score: float) -> bool:
    """Mark the later report of a pair as a duplicate."""
    opened, child = session.current(), pair.later
    return session.command(
        f"{plain(child.report_id)} is a duplicate of {plain(pair.target_id)}",
        triage.link,
        opened.store,
        session.actor(),
        child.report_id,
        pair.target_id,
        evidence={"score": score, "model_id": opened.settings.model},
        seen_version=child.version,
    )


def link_and_go_on(pair: Pair, score: float, next_id: str | None) -> None:
    if link(pair, score):
        go(next_id)


def keep_apart(one_id: str, other_id: str) -> None:
    """Record that two reports are not duplicates."""
    done = f"{plain(one_id)} and {plain(other_id)} are not duplicates"
    session.command(done, triage.keep_apart, session.current().store, session.actor(), one_id, other_id)


def unlink(report_id: str, version: int) -> None:
    """Take a duplicate link back."""
    arguments = (session.current().store, session.actor(), report_id)
    session.command(f"{plain(report_id)} stands alone again", triage.unlink, *arguments, seen_version=version)


def move(report_id: str, version: int, key: str) -> None:
    """Fire the trigger that was chosen in the menu `key`."""
    trigger = st.session_state[key]
    arguments = (session.current().store, session.actor(), report_id, trigger)
    session.command(
        f"{plain(report_id)}: {TRIGGER[trigger].lower()}", triage.move, *arguments, seen_version=version
    )
