"""One advisory: what the gate lets out now, how it stands with each peer, and what may be done next.

Every command carries the version that is shown: what was meant for one state of an advisory is never done to another.
What is typed has a key without it, so that a refused act can be given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

import streamlit as st

from triage_core.advisories import advising, advisory_board, peers
from triage_core.advisories.advisory import ADVISORY_TABLE, KNOWN, MAX_REASON, Standing, Step
from triage_core.advisories.advisory_board import Advisory, Side
from triage_core.disclosure.embargo import Rule
from triage_core.errors import NotFound
from ui import hostile, row_buttons, session
from ui.hostile import inline, plain
from ui.words import GENERALITY, HARM_TYPE, PRODUCT, STANDING, TLP, badge, moment, span

STAYS: Mapping[Rule, LiteralString] = {
    Rule.TLP_RED: "it is TLP:RED, for named people only",
    Rule.NO_CONSENT: "its reporter does not agree to sharing it with peers, or no more",
    Rule.NOT_FIXED: "its reporter agreed to sharing after the fix, so it waits for the fix and the end of the embargo",
}
"""What keeps the record from everybody, also from a peer that has accepted the embargo."""
RECORD: Mapping[Rule | None, LiteralString] = {
    None: "May be read",
    Rule.ACTIVE_EMBARGO: "When it accepts",
    Rule.TLP_RED: "TLP:RED",
    Rule.NO_CONSENT: "No consent",
    Rule.NOT_FIXED: "After the fix",
}
_MAY_BE_TAKEN_BACK = {str(source) for step, source, _ in ADVISORY_TABLE if step is Step.WITHDRAWN}


def draw(name: str, now: datetime) -> None:
    """The card of the advisory with this number, which the address names."""
    try:
        found = session.read(advisory_board.one, session.number(name), now)
    except NotFound:
        st.warning(f"There is no advisory {plain(name)}.", icon=":material/search_off:")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Advisory {found.advisory_id:,}", anchor=False, width="content")
            if st.button("Open the report", key=_key(found, "report"), icon=":material/rate_review:"):
                session.open_report(found.report_id)
            if st.button("Its embargo", key=_key(found, "embargo"), icon=":material/event:"):
                session.go("disclosure", embargo=found.report_id)
            st.button("Leave the card", key="close-advisory", on_click=session.pick, args=("advisory", None))
        _about(found, now)
        _gate(found)
        if found.suggested and not found.closed_at:
            _label(found)
        if found.sides:
            _sides(found)
        if not found.closed_at:
            tell, close = st.columns(2, gap="large")
            with tell:
                _tell(found)
            with close:
                _close(found)


def _about(found: Advisory, now: datetime) -> None:
    """What it is about, why it concerns others, and how long it may not be told."""
    state = badge("gray", "Closed") if found.closed_at else badge("blue", "Open")
    st.markdown(f"{state} {badge('gray', TLP[found.tlp])} **{plain(found.title)}**")
    if found.held and found.embargo_end:
        end = found.embargo_end
        st.markdown(f"Under embargo until **{moment(end)}**, {span(end - now)} from now.")
    elif found.held:
        st.markdown(
            "Under an embargo without an end: no peer is asked to accept that. Agree on an end first."
        )
    else:
        st.markdown("No embargo holds it.")
    reach = session.read(advising.generality, found.report_id)
    why = f"The flaw is assessed as {GENERALITY[reach].lower()}." if reach else "The flaw is not assessed."
    st.caption(
        f"About {plain(found.report_id)}. Opened {moment(found.opened_at)} by {plain(found.opened_by)}. {why}"
    )
    if found.note:
        hostile.show(found.note, key=f"why-{found.advisory_id}", label="Why it concerns others")
    if found.closed_at:
        st.caption(
            f"Closed {moment(found.closed_at)} by {plain(found.closed_by)}. What peers accepted binds them on."
        )
        hostile.show(found.reason, key=f"closed-{found.advisory_id}", label="Why it was closed")


def _gate(found: Advisory) -> None:
    """What may be shared now, and why not, in the words of the gate."""
    if found.closed_at:
        return
    if found.stub_rule:
        st.warning(f"Nothing may be told: {STAYS[found.stub_rule]}.", icon=":material/block:")
        return
    harms: LiteralString = ", ".join(HARM_TYPE[harm].lower() for harm in found.harm_types) or "none named"
    st.markdown(
        f":material/mark_email_read: **At once**, a peer that is told reads the title, the kinds of harm ({harms}),"
        " the TLP label and the end of the embargo."
    )
    if found.record_rule:
        told: LiteralString = f"stays here, whatever a peer accepts: {STAYS[found.record_rule]}."
    elif found.held:
        told = "may be read by each peer that has accepted the end that the embargo has now."
    else:
        told = "may be read by each peer that was told: no embargo holds it."
    icon: LiteralString = "lock" if found.record_rule else "lock_clock" if found.held else "lock_open"
    st.markdown(f":material/{icon}: **The record** {told}")


def _label(found: Advisory) -> None:
    """The embargo is over: which label the state of the flaw suggests, and where it is set."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"Suggested now: {TLP[found.suggested or '']}. Nothing sets a label but you.",
            icon=":material/lightbulb:",
        )
        if st.button("Set the label", key=_key(found, "label"), icon=":material/label:"):
            session.go("disclosure", embargo=found.report_id)


def _sides(found: Advisory) -> None:
    """How it stands with each peer, with a button that takes it back from one that has not accepted."""
    rows = {f"{side.peer_id} {side.name}": side for side in found.sides}
    key = f"back-{found.advisory_id}-{found.version}"
    back = {name: name for name, side in rows.items() if _may_be_taken_back(found, side)}
    # What is pressed is what the run before has drawn, and is given for that: so who was faster meanwhile is told.
    shown = st.session_state.setdefault("sides-shown", {})
    before, shown[found.advisory_id] = shown.get(found.advisory_id), (key, tuple(rows), found)
    if before and (name := row_buttons.pressed(*before[:2])):
        _withdraw(before[2], name.partition(" ")[0])
        st.rerun()
    button = {"back": [["Take back"] if name in back else [] for name in rows]} if back else {}
    st.dataframe(
        {
            **button,
            "peer": [inline(side.name) for side in rows.values()],
            "state": [STANDING[side.standing] for side in rows.values()],
            "until": [_moment(side.exchange.accepted_end) for side in rows.values()],
            "record": [_record(found, side) for side in rows.values()],
            "read": [_moment(side.exchange.read_at) for side in rows.values()],
            "product": [PRODUCT.get(side.exchange.status or "", "") for side in rows.values()],
            "note": [inline(side.exchange.note, 200) for side in rows.values()],
            "answered": [_moment(side.exchange.answered_at) for side in rows.values()],
        },
        column_config={
            **(
                {"back": st.column_config.ButtonColumn("", width=95, pinned=True, type="tertiary", key=key)}
                if button
                else {}
            ),
            "peer": st.column_config.TextColumn("Peer", width=140, pinned=True),
            "state": st.column_config.TextColumn("State", width=165),
            "until": st.column_config.TextColumn("Accepted until", width=160),
            "record": st.column_config.TextColumn("Record", width=120),
            "read": st.column_config.TextColumn("Read last", width=160),
            "product": st.column_config.TextColumn("Its product", width=140),
            "note": st.column_config.TextColumn("Note", width=220),
            "answered": st.column_config.TextColumn("Answered", width=160),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="The peers of this advisory, one a row, with a button that takes it back where that is possible",
    )
    if back:
        row_buttons.as_menu("Take back from a peer", key, tuple(rows), back)
    for side in rows.values():
        if inline(side.exchange.note) != side.exchange.note:
            name = f"note-{found.advisory_id}-{side.peer_id}"
            hostile.show(side.exchange.note, key=name, label=f"The note of {plain(side.name)}")


def _may_be_taken_back(found: Advisory, side: Side) -> bool:
    return not found.closed_at and side.exchange.state in _MAY_BE_TAKEN_BACK


def _record(found: Advisory, side: Side) -> LiteralString:
    """Whether a peer may read the record now; "" where it sees nothing of the advisory any more."""
    if found.closed_at or side.standing not in KNOWN:
        return ""
    return RECORD[side.rule]


def _moment(at: datetime | None) -> LiteralString:
    return moment(at) if at else ""


def _tell(found: Advisory) -> None:
    """The form that tells more peers."""
    st.markdown("**Tell peers**")
    if found.stub_rule:
        st.caption("Nobody can be told while the gate keeps it in.")
        return
    present = session.read(peers.active)
    told = {side.peer_id for side in found.sides if side.standing is not Standing.WITHDRAWN}
    names = [peer.name for peer in present if peer.peer_id not in told]
    if not present:
        st.caption("There are no peers to tell.")
        return
    if not names:
        st.caption("Every peer knows of it.")
        return
    with st.form(_key(found, "tell"), border=False):
        st.multiselect(
            "Peers", names, format_func=inline, key=_key(found, "names"), placeholder="Choose one or more"
        )
        st.form_submit_button(
            "Tell them", type="primary", icon=":material/campaign:", on_click=_tell_them, args=(found,)
        )
    st.caption("One with an address gets an e-mail that holds the number of the advisory and nothing else.")


def _close(found: Advisory) -> None:
    """The form that closes it."""
    st.markdown("**Close it**")
    with st.form(f"close-{found.advisory_id}", border=False):
        st.text_input("Reason", key=f"reason-{found.advisory_id}", max_chars=MAX_REASON)
        st.form_submit_button(
            "Close the advisory", icon=":material/block:", on_click=_close_it, args=(found,)
        )
    st.caption(
        "Peers do not read the reason. Nothing more is handed out, and what they accepted binds them on."
    )


def _key(found: Advisory, name: str) -> str:
    return f"{name}-{found.advisory_id}-{found.version}"


def _tell_them(found: Advisory) -> None:
    session.command(
        "They are told",
        advising.tell,
        session.current().store,
        session.actor(),
        found.advisory_id,
        st.session_state[_key(found, "names")] or [],
        seen_version=found.version,
    )


def _withdraw(found: Advisory, peer_id: str) -> None:
    session.command(
        "It is taken back: the peer sees it no more",
        advising.withdraw,
        session.current().store,
        session.actor(),
        found.advisory_id,
        peer_id,
        seen_version=found.version,
    )


def _close_it(found: Advisory) -> None:
    session.command(
        "The advisory is closed",
        advising.close,
        session.current().store,
        session.actor(),
        found.advisory_id,
        st.session_state[f"reason-{found.advisory_id}"] or "",
        seen_version=found.version,
    )
