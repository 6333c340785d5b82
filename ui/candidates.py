"""The reports most like the one on the desk, and the one of them that is highlighted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import streamlit as st

from triage_core import boards
from triage_core.boards import Brief
from triage_core.close_reading import SUGGEST
from ui import session
from ui.hostile import plain
from ui.words import ago, state_label

SIMILAR = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A report like the one on the desk; `apart`: a reviewer has said that it is no duplicate."""

    brief: Brief
    score: float
    apart: bool


def draw(report_id: str, version: int, now: datetime) -> Candidate | None:
    """List the most similar reports and give the highlighted one; None when there is none."""
    st.subheader("Most similar", anchor=False, help="The number is the likeness, from 0 to 1.")
    neighbours = session.similar(report_id, SIMILAR)
    if neighbours is None:
        st.caption(":material/hourglass_top: This report has not been compared yet; the worker is on it.")
        return None
    briefs = session.read(boards.briefs, tuple(neighbour.report_id for neighbour in neighbours))
    if not briefs:
        st.caption("There is no other report yet.")
        return None
    apart = session.read(boards.kept_apart, report_id)
    found = {
        neighbour.report_id: Candidate(
            briefs[neighbour.report_id], neighbour.score, neighbour.report_id in apart
        )
        for neighbour in neighbours
    }
    if all(candidate.score < SUGGEST for candidate in found.values()):
        st.caption(":material/info: None of them is near enough to be suggested as a duplicate.")
    chosen = st.radio(
        "Candidate",
        list(found),
        format_func=lambda other_id: _label(found[other_id], now),
        captions=[plain(candidate.brief.excerpt, 46) for candidate in found.values()],
        key=f"candidate-{report_id}-{version}",
        label_visibility="collapsed",
    )
    return found[chosen]


def _label(candidate: Candidate, now: datetime) -> LiteralString:
    brief = candidate.brief
    standing = state_label(brief.status, brief.resolution)
    of = f" of {plain(brief.canonical_id)}" if brief.canonical_id else ""
    apart = " · **not a duplicate**" if candidate.apart else ""
    return f"**{candidate.score:.2f}** {plain(brief.report_id)} {standing}{of}, {ago(brief.received_at, now)}{apart}"
