"""Who else is at the report on the desk, kept fresh without redrawing the page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from triage_core.desk import claims
from triage_core.errors import Conflict
from ui import session
from ui.hostile import plain
from ui.review import candidates
from ui.words import ago, badge, span


@st.fragment(run_every="5s")
def line(report_id: str, version: int, waits: bool) -> None:
    """One line: whose the report is, and whether somebody has changed it since `version` was drawn.

    Renews the person's own claim for as long as the page is open. A page that `waits` for the worker to
    compare the report is drawn again when that is done.
    """
    opened = session.current()
    now, me = opened.store.clock(), session.actor()
    with session.look() as cursor:
        found = claims.presence(cursor, report_id, now)
    if found.holder_id == me.actor_id:
        with suppress(Conflict):  # it ended between the two looks: the next one says so
            claims.heartbeat(opened.store, me, report_id)
        mark = badge("green", ":material/front_hand: Claimed by you")
    elif found.holder_id and found.expires_at:
        left = span(found.expires_at - now)
        mark = f"{badge('orange', ':material/front_hand: Claimed')} by {plain(found.holder_id)}, for {left}"
    else:
        mark = badge("gray", "Claimed by nobody")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{mark} · updated by {plain(found.updated_by)} {ago(found.updated_at, now)}", width="content"
        )
        if found.version != version:
            st.markdown(badge("red", ":material/sync_problem: Changed since you opened it"), width="content")
            if st.button("Show it", key=f"show-{report_id}-{found.version}", type="tertiary"):
                st.rerun()
    if waits and candidates.compared(report_id):
        st.rerun()
