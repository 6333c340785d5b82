"""The reports most like the one on the desk, and the one of them that is highlighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import streamlit as st

from triage_core.desk import boards
from triage_core.desk.boards import Brief
from triage_core.errors import NotFound
from triage_core.index.close_reading import SUGGEST
from triage_core.index.indexing import Neighbour
from ui import session
from ui.hostile import plain
from ui.review.seen import Pairing
from ui.words import ago, state_label

SIMILAR = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A report like the one on the desk; `apart`: a reviewer has said that it is no duplicate."""

    brief: Brief
    score: float
    apart: bool
    pairing: Pairing


@dataclass(frozen=True, slots=True)
class Candidates:
    """All of them by id, best first; `None` in place of them while the report has not been compared."""

    found: Mapping[str, Candidate] | None

    @property
    def pairings(self) -> list[Pairing]:
        return [candidate.pairing for candidate in (self.found or {}).values()]


def read(this: Brief, neighbours: Sequence[Neighbour] | None, briefs: Mapping[str, Brief]) -> Candidates:
    """The reports like one, with what linking each to it would do."""
    if neighbours is None:
        return Candidates(None)
    apart = session.read(boards.kept_apart, this.report_id)
    found = {}
    for neighbour in neighbours:
        if other := briefs.get(neighbour.report_id):
            pair = boards.pair(this, other)
            pairing = Pairing(
                other.report_id, pair.later.report_id, pair.later.version, pair.target_id, neighbour.score
            )
            found[other.report_id] = Candidate(other, neighbour.score, other.report_id in apart, pairing)
    return Candidates(found)


def heading() -> None:
    st.subheader(
        "Same fix as another?",
        anchor=False,
        help="The number is the likeness, from 0 to 1. Keys: Up and Down.",
        width="content",
    )


def draw(candidates: Candidates, report_id: str, version: int, now: datetime) -> Candidate | None:
    """List them and give the highlighted one; None when there is none."""
    if candidates.found is None:
        st.caption(":material/hourglass_top: This report has not been compared yet; the worker is on it.")
        return None
    if not candidates.found:
        st.caption("There is no other report yet.")
        return None
    found = candidates.found
    if all(candidate.score < SUGGEST for candidate in found.values()):
        st.caption(":material/info: None of them is near enough to be suggested as a duplicate.")
    chosen = st.radio(
        "Candidate",
        list(found),
        format_func=plain,
        captions=[_caption(candidate, now) for candidate in found.values()],
        key=f"candidate-{report_id}-{version}",
        label_visibility="collapsed",
    )
    return found[chosen]


def compared(report_id: str) -> bool:
    """True when the worker has compared this report, and is not at work now: it may hold the vectors."""
    return not session.current().worker.state.working and session.read(boards.is_placed, report_id)


def similar(report_id: str) -> list[Neighbour] | None:
    """The reports most like one, best first; None until it has been compared.

    Kept a while, since beyond some thousand reports each answer is a reading of its own.
    """
    if not compared(report_id):
        return None
    try:
        return _kept_similar(str(session.current().store.folder), report_id)
    except NotFound:
        return None


@st.cache_data(ttl=30, max_entries=2_000, show_spinner=False)
def _kept_similar(folder: str, report_id: str) -> list[Neighbour]:
    return session.current().likeness.similar(report_id, SIMILAR)


def _caption(candidate: Candidate, now: datetime) -> LiteralString:
    """All that may change; the label is the choice's name, and one renamed would fall back to the first."""
    brief = candidate.brief
    standing = state_label(brief.status, brief.resolution)
    of = f" of {plain(brief.canonical_id)}" if brief.canonical_id else ""
    apart = " · **not a duplicate**" if candidate.apart else ""
    told = f"**{candidate.score:.2f}** {standing}{of}, {ago(brief.received_at, now)}{apart}"
    return f"{told}: {plain(brief.excerpt, 26)}"
