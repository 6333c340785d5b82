"""The form that opens an advisory about the flaw of a report, and tells peers of it at once."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import streamlit as st

from triage_core import cases
from triage_core.advisories import advising, advisory_board, peers
from triage_core.advisories.advisory import MAX_REASON, MAX_TITLE, REACHING
from triage_core.advisories.advisory_board import Advisory
from triage_core.disclosure import embargo, holdings
from triage_core.disclosure.embargo import Use
from triage_core.errors import NotFound
from triage_core.model import Generality
from ui import session
from ui.hostile import inline, plain
from ui.words import GENERALITY, HARM_TYPE, TLP, moment


def draw(name: str, now: datetime) -> None:
    """The form about the report that the address names, or about its canonical report where it is a duplicate."""
    try:
        case = session.read(cases.read, name)
        report_id = case["canonical_id"] or name
        case = session.read(cases.read, report_id)
    except NotFound:
        st.warning(f"There is no report {plain(name)}.", icon=":material/search_off:")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Tell peers of {plain(report_id)}", anchor=False, width="content")
            if st.button("Open the report", key=f"open-{report_id}", icon=":material/rate_review:"):
                session.open_report(report_id)
            st.button("Leave the form", key="close-about", on_click=session.pick, args=("about", None))
        if report_id != name:
            st.caption(
                f"{plain(name)} is a duplicate of it: an advisory is about the first report of a flaw."
            )
        if number := session.read(advisory_board.open_of, report_id):
            st.info(f"Advisory {number:,} about this flaw is open.", icon=":material/campaign:")
            st.button("Open it", key=f"open-advisory-{number}", on_click=_show, args=(number,))
            return
        held = session.read(holdings.of, (report_id,), now)[report_id]
        if rule := embargo.why_not(held.terms, Use.PEER_STUB, now):
            st.warning(f"Nothing may be told: {embargo.MEANING[rule]}.", icon=":material/block:")
            return
        harms: LiteralString = ", ".join(HARM_TYPE[harm].lower() for harm in held.harm_types) or "none named"
        end: LiteralString = f"embargo until {moment(held.end)}" if held.end else "no embargo"
        st.markdown(
            f"Before a peer has agreed to anything it reads your title, and: kinds of harm ({harms}),"
            f" {TLP[held.terms.tlp]}, {end}."
        )
        _form(report_id, case["version"], session.read(advising.generality, report_id))


def _form(report_id: str, version: int, reach: Generality | None) -> None:
    """Title, why it concerns others, and whom to tell; what is typed stays when it is refused."""
    names = [peer.name for peer in session.read(peers.active)]
    with st.form(f"about-{report_id}", border=False):
        st.text_input(
            "Title", key=f"title-{report_id}", max_chars=MAX_TITLE,
            placeholder="One line, in words of your own",
        )  # fmt: skip
        st.caption(
            "It repeats nothing of the report, and names none: whoever is told reads it before accepting the embargo."
        )
        said: LiteralString = f"as {GENERALITY[reach].lower()}" if reach else "for how far it reaches"
        st.text_area(
            "Why it concerns others" if reach not in REACHING else "Note, if you like",
            key=f"note-{report_id}", max_chars=MAX_REASON, height=80,
        )  # fmt: skip
        st.caption(f"The flaw is {'' if reach else 'not '}assessed {said}. The note stays at the desk.")
        if names:
            st.multiselect(
                "Peers to tell at once", names, format_func=inline, key=f"tell-{report_id}",
                placeholder="None: they can be told later",
            )  # fmt: skip
        st.form_submit_button(
            "Open the advisory",
            type="primary",
            icon=":material/campaign:",
            on_click=_open,
            args=(report_id, version),
        )


def _show(number: int) -> None:
    session.pick("about", None)
    session.pick("advisory", str(number))


def _open(report_id: str, version: int) -> None:
    state = st.session_state
    opened: list[Advisory] = []

    def give() -> None:
        opened.append(
            advising.open_advisory(
                session.current().store,
                session.actor(),
                report_id,
                state[f"title-{report_id}"] or "",
                state[f"note-{report_id}"] or "",
                state.get(f"tell-{report_id}") or [],
                seen_version=version,
            )
        )

    if session.command("The advisory is open", give):
        _show(opened[0].advisory_id)
