"""The queue beside the conversation: what comes before and after, and where one is.

A session keeps the queue that it has read for `FRESH`: rows stay where hands and eyes left them, a
decided report can be gone back to, and a busy desk does not sort the store anew at every key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import streamlit as st

from triage_core import queries
from triage_core.desk.boards import Brief
from triage_core.queries import Filter, Sort
from ui import session
from ui.hostile import plain
from ui.review.place import put
from ui.words import SEVERITY, next_due, state_label

LONGEST = 500
WINDOW, BEFORE = 12, 2
FRESH = timedelta(minutes=1)
_KEPT, _SHOWN = "queue-kept", "queue-shown"


@dataclass(frozen=True, slots=True)
class _Kept:
    """The queue as it was read: for which filter and order, when, and its ids."""

    asked: tuple[Filter, Sort]
    read_at: datetime
    ids: tuple[str, ...]


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


def ids(chosen: Filter, sort: Sort) -> tuple[str, ...]:
    """The queue of this session, read again when it is older than `FRESH` or another one is asked for."""
    now = session.current().store.clock()
    kept: _Kept | None = st.session_state.get(_KEPT)
    if kept is None or kept.asked != (chosen, sort) or now - kept.read_at > FRESH:
        kept = _Kept((chosen, sort), now, tuple(session.read(queries.queue, chosen, sort, LONGEST)))
        st.session_state[_KEPT] = kept
    return kept.ids


def kept() -> tuple[str, ...]:
    """The queue as the session holds it, for callbacks; empty before the first run."""
    found: _Kept | None = st.session_state.get(_KEPT)
    return found.ids if found else ()


def forget() -> None:
    """Read the queue anew at the next run."""
    st.session_state.pop(_KEPT, None)


def window(ids: Sequence[str], report_id: str) -> tuple[str, ...]:
    """The part of the queue that is shown: it stays for as long as the report is in it, else begins just before it."""
    shown: tuple[str, ...] = st.session_state.get(_SHOWN, ())
    if report_id in shown:
        start = place(ids, shown[0]).number - 1
        if tuple(ids[start : start + WINDOW]) == shown:
            return shown
    start = min(max(0, place(ids, report_id).number - 1 - BEFORE), max(0, len(ids) - WINDOW))
    return tuple(ids[start : start + WINDOW])


def draw(ids: Sequence[str], report_id: str, briefs: Mapping[str, Brief]) -> None:
    """The part of the queue around this report; choosing another one puts it on the desk."""
    stands = place(ids, report_id)
    many = "the first " if len(ids) == LONGEST else ""
    st.caption(
        f"{stands.number:,} of {many}{len(ids):,}" if stands.number else f"Not in this queue of {len(ids):,}"
    )
    shown = st.session_state[_SHOWN] = window(ids, report_id)
    if not shown:
        return
    # The key carries what is shown: a choice made in one queue is never read as one of another.
    key = f"queue-{'-'.join(shown)}"
    st.session_state[key] = report_id if report_id in shown else None
    st.radio(
        "Queue",
        shown,
        format_func=plain,
        captions=[_caption(briefs[other_id]) for other_id in shown],
        key=key,
        label_visibility="collapsed",
        on_change=_choose,
        args=(key,),
    )


def _choose(key: str) -> None:
    put(st.session_state[key])


def _caption(brief: Brief) -> LiteralString:
    """Its state, first clock and first words: not in the label, by which the browser tells a choice from others."""
    assessed = f", {SEVERITY[brief.severity].lower()}" if brief.severity else ""
    due = next_due(brief.next_due, session.now())
    told = f"{state_label(brief.status, brief.resolution)}{assessed}{f', {due}' if due else ''}"
    return f"{told}: {plain(brief.excerpt, 23)}"
