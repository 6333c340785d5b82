"""The queue beside the conversation: what comes before and after, and where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from triage_core import boards
from ui import desk, session
from ui.hostile import plain
from ui.words import SEVERITY_COLOUR

LONGEST = 500
WINDOW = 15


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
    """The part of the queue around this report, a button for each."""
    stands = place(ids, report_id)
    many = "the first " if len(ids) == LONGEST else ""
    st.caption(
        f"{stands.number:,} of {many}{len(ids):,}" if stands.number else f"Not in this queue of {len(ids):,}"
    )
    start = min(max(0, stands.number - WINDOW // 2), max(0, len(ids) - WINDOW))
    shown = ids[start : start + WINDOW]
    briefs = session.read(boards.briefs, tuple(shown))
    for other_id in shown:
        brief = briefs[other_id]
        st.button(
            f":{SEVERITY_COLOUR[brief.severity or '']}[:material/circle:] {plain(other_id)} {plain(brief.excerpt, 60)}",
            key=f"queue-{other_id}",
            type="primary" if other_id == report_id else "tertiary",
            on_click=desk.go,
            args=(other_id,),
            width="stretch",
            wrap=False,
        )
