"""The queue beside the conversation: what comes before and after, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import streamlit as st

from triage_core import boards
from triage_core.boards import Brief
from ui import desk, session
from ui.hostile import plain
from ui.words import next_due, severity_badge, state_label

LONGEST = 500
WINDOW = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report stands in the queue; `number` counts from 1 and is 0 for a report outside it."""

    number: int
    before: str | None
    after: str | None


def place(ids: Sequence[str], report_id: str) -> Place:
    """The neighbours of a report; for one outside the queue, what follows is its first."""
    if report_id not in ids:
        return Place(0, None, ids[0] if ids else None)
    at = ids.index(report_id)
    return Place(
        at + 1, ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else ids[0] if at else None
    )


def draw(ids: Sequence[str], report_id: str) -> None:
    """The part of the queue around this report; choosing another one puts it on the desk."""
    stands = place(ids, report_id)
    many = "the first " if len(ids) == LONGEST else ""
    st.caption(
        f"{stands.number:,} of {many}{len(ids):,}" if stands.number else f"Not in this queue of {len(ids):,}"
    )
    start = min(max(0, stands.number - WINDOW // 2), max(0, len(ids) - WINDOW))
    shown = tuple(ids[start : start + WINDOW])
    if not shown:
        return
    briefs = session.read(boards.briefs, shown)
    # The key carries what is shown: a choice made in one queue is never read as one of another.
    key = f"queue-{report_id}-{'-'.join(shown)}"
    st.radio(
        "Queue",
        shown,
        index=shown.index(report_id) if report_id in shown else None,
        format_func=lambda other_id: _label(briefs[other_id]),
        captions=[_caption(briefs[other_id]) for other_id in shown],
        key=key,
        label_visibility="collapsed",
        on_change=_choose,
        args=(key,),
    )


def _choose(key: str) -> None:
    desk.go(st.session_state[key])


def _caption(brief: Brief) -> LiteralString:
    """Its first clock and its first words."""
    due = next_due(brief.next_due, session.now())
    return f"{due}: {plain(brief.excerpt, 33)}" if due else plain(brief.excerpt, 33)


def _label(brief: Brief) -> LiteralString:
    assessed = f" {severity_badge(brief.severity)}" if brief.severity else ""
    return f"{plain(brief.report_id)} {state_label(brief.status, brief.resolution)}{assessed}"
