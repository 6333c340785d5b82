"""What stands beside the report on the desk, read together: for this one, and ahead for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from triage_core import queries
from triage_core.channel import messages
from triage_core.desk.boards import Brief
from triage_core.errors import NotFound
from triage_core.index.suggestions import Suggestion
from ui import session
from ui.review import briefs, candidates, queue, suggest
from ui.review.candidates import Candidates

_DRAWN = "drawn"


def is_new(report_id: str, version: int) -> bool:
    """True in the first run that shows this version of a report after another."""
    before, st.session_state[_DRAWN] = st.session_state.get(_DRAWN), (report_id, version)
    return before != (report_id, version)


@dataclass(frozen=True, slots=True)
class Beside:
    """The line of the report itself, the reports like it, and for who decides what is suggested."""

    this: Brief
    similar: Candidates
    suggested: Suggestion | None

    @property
    def clause(self) -> str:
        """The suggested clause; "" for none."""
        return self.suggested.clause.value if self.suggested and self.suggested.clause else ""


def read(report_id: str, version: int, decides: bool) -> Beside:
    """All of it for this version of a report."""
    neighbours = candidates.similar(report_id)
    lines = briefs.read((report_id, *(near.report_id for near in neighbours or ())))
    # Its state may be newer than what was drawn of it: a press is for what was drawn.
    this = replace(lines[report_id], version=version)
    return Beside(
        this,
        candidates.read(this, neighbours, lines),
        suggest.read(report_id, version) if decides else None,
    )


def read_ahead(ids: Sequence[str], report_id: str, decides: bool) -> None:
    """Read what a page with this report of the queue will ask for, so that it is answered from memory then.

    Called when the page before it is drawn and its reader reads: the next press waits for the drawing alone.
    """
    with suppress(NotFound):
        view = session.read(queries.report, report_id)
        briefs.read((*queue.window(ids, report_id), report_id))
        read(report_id, view.case["version"], decides)
        session.read(messages.thread, report_id)
