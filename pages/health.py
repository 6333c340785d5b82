"""Health: was anything lost, does everything work, and what to do where it does not."""

from __future__ import annotations

import streamlit as st

from triage_core.errors import StoreError
from triage_core.unwell import ills
from ui import session
from ui.health import cards, front, tables

st.title("Health", anchor=False)


@st.fragment(run_every="10s")
def draw() -> None:
    try:
        seen = session.health()
    except StoreError as error:
        cards.unreadable(error)
        return
    public = session.current().settings.front
    found = ills(seen, front.answers(public.host))
    cards.verdict(seen, found)
    with st.grid(3, gap="small", min_column_width=320):
        cards.intake(seen, found, public.address)
        cards.comparing(seen, found)
        cards.messages(seen, found)
        cards.record(seen, found)
        cards.backups(seen)
        cards.disk(seen, found)
    with st.grid(2, gap="medium", min_column_width=320) as grid:
        with grid.cell():
            tables.imports(seen)
        with grid.cell():
            tables.keys(seen)


draw()
