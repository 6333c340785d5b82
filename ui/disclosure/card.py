"""One embargo on the Disclosure page: where it stands, and what either side may do next.

Every widget's key carries the report and the version that is shown, and so does every command: what was meant
for one state of an embargo is never done to another.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.disclosure import disclosure, embargo_board, sharing
from triage_core.disclosure.embargo import is_active, is_lower, suggested_tlp
from triage_core.disclosure.embargo_machine import MAY_END, ExitReason, Party
from triage_core.model import DisclosureIntent, EmbargoState, Exploitation, Tlp
from ui import session
from ui.hostile import inline, plain
from ui.words import (
    EMBARGO,
    EXIT_REASON,
    EXPLOITATION,
    PARTY,
    TLP,
    badge,
    moment,
    severity_badge,
    span,
    state_badge,
)

MARKS = [Exploitation.PUBLIC_POC, Exploitation.ACTIVE]


def draw(report_id: str, now: datetime) -> None:
    """The card of the embargo of this report, which the address names."""
    row = session.read(embargo_board.one, report_id)
    if row is None:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Embargo of {plain(report_id)}", anchor=False, width="content")
            if st.button("Open the report", key=_key(row, "open"), icon=":material/rate_review:"):
                session.open_report(report_id)
            st.button("Close", key="close-embargo", on_click=session.pick, args=("embargo", None))
        _state(row, now)
        if not session.may(Command.PROPOSE_EMBARGO):
            st.info("Your role reads this; the disclosure lead acts on it.", icon=":material/visibility:")
            return
        end, known, label = st.columns(3, gap="large")
        with end:
            _end(row, now)
        with known:
            _known(row, now)
        with label:
            _tlp(row, now)


def _state(row: db.Row, now: datetime) -> None:
    marks = [
        badge("blue", EMBARGO[row["state"] or "none"]),
        state_badge(row["status"], row["resolution"]),
        severity_badge(row["severity"]),
        badge("gray", TLP[row["tlp"]]),
    ]
    if row["exploitation"] != Exploitation.NONE:
        marks.append(badge("red", EXPLOITATION[row["exploitation"]]))
    st.markdown(" ".join(marks))
    binding = row["binding_end"]
    if row["state"] == EmbargoState.EXITED:
        st.markdown(f"Over since **{moment(row['exited_at'])}**: {EXIT_REASON[row['exit_reason']]}.")
    elif binding and is_active(EmbargoState(row["state"]), binding, now):
        shared = " It is the earliest date of the linked duplicates." if binding != row["ends_at"] else ""
        st.markdown(f"In force until **{moment(binding)}**, {span(binding - now)} from now.{shared}")
    elif binding:
        st.markdown(f"Over since **{moment(binding)}**.")
    if row["proposed_end"]:
        st.markdown(f"{PARTY[row['proposed_by']]} proposes **{moment(row['proposed_end'])}** as the end.")
    if row["exploitation"] == Exploitation.ACTIVE and binding and binding > now:
        st.warning("Attacks are seen: it should end, so that people can be told.", icon=":material/warning:")


def _end(row: db.Row, now: datetime) -> None:
    """Answer, propose, end."""
    st.markdown("**The end**")
    if row["state"] == EmbargoState.EXITED:
        st.caption("An embargo that is over is not brought back.")
        return
    if row["proposed_end"]:
        theirs = row["proposed_by"] == Party.REPORTER
        with st.container(horizontal=True):
            if theirs:
                st.button("Accept", key=_key(row, "accept"), type="primary", on_click=_accept, args=(row,))
            st.button(
                "Refuse" if theirs else "Take ours back",
                key=_key(row, "reject"),
                on_click=_reject,
                args=(row,),
            )
    with st.form(_key(row, "propose"), border=False):
        day = st.date_input(
            "Another end", value=(row["binding_end"] or now + timedelta(days=30)).date(), key=_key(row, "day")
        )
        hour = st.time_input("Hour, UTC", value=time(12), key=_key(row, "hour"), step=3600)
        st.form_submit_button("Propose this end", icon=":material/event:", on_click=_propose, args=(row,))
    del day, hour  # read by the callback, when the form is sent
    if row["state"] in {EmbargoState.ACTIVE, EmbargoState.REVISE}:
        with st.form(_key(row, "terminate"), border=False):
            st.selectbox(
                "End it now, because",
                [str(reason) for reason in MAY_END[Party.COMPANY]],
                format_func=EXIT_REASON.__getitem__,
                key=_key(row, "reason"),
            )
            st.text_input("Note", key=_key(row, "note"), max_chars=500)
            st.form_submit_button(
                "End the embargo",
                icon=":material/lock_open:",
                on_click=_terminate,
                args=(row,),
            )
        st.caption("An end is for good. It obliges nobody to publish.")


def _known(row: db.Row, now: datetime) -> None:
    """Mark what has become known outside."""
    st.markdown("**What is known outside**")
    st.caption("A public flaw has no embargo from that moment, and this is not undone.")
    for mark in MARKS:
        done = list(Exploitation).index(Exploitation(row["exploitation"])) >= list(Exploitation).index(mark)
        st.button(
            "Mark as public" if mark is Exploitation.PUBLIC_POC else "Mark as attacked",
            key=_key(row, f"mark-{mark}"),
            icon=":material/public:" if mark is Exploitation.PUBLIC_POC else ":material/crisis_alert:",
            disabled=done and (mark is Exploitation.ACTIVE or row["state"] == EmbargoState.EXITED),
            on_click=_mark,
            args=(row, mark),
        )


def _tlp(row: db.Row, now: datetime) -> None:
    """Set the TLP label, with what the state suggests."""
    st.markdown("**TLP label**")
    terms = session.read(sharing.terms, row["report_id"], now)
    suggestion = suggested_tlp(terms, now, published=is_published(row))
    if suggestion:
        st.info(f"Suggested now: {TLP[suggestion]}", icon=":material/lightbulb:")
    with st.form(_key(row, "tlp-form"), border=False):
        labels = [str(label) for label in Tlp if label != row["tlp"]]
        st.selectbox(
            "Another label",
            labels,
            index=labels.index(suggestion) if suggestion else 0,
            format_func=TLP.__getitem__,
            key=_key(row, "tlp"),
        )
        st.text_input("Reason", key=_key(row, "tlp-reason"), max_chars=500)
        st.form_submit_button("Set the label", icon=":material/label:", on_click=_set_tlp, args=(row,))
    if terms.earlier_copy_held or is_active(terms.embargo, terms.ends_at, now):
        kept = sum(is_lower(label, terms.tlp) for label in Tlp)
        if kept:
            st.caption("No label is lowered under an active embargo.")


def is_published(row: db.Row) -> bool:
    """True when the flaw is known to the public, by a mark or by the reporter's word."""
    return (
        row["exploitation"] == Exploitation.PUBLIC_POC
        or row["exit_reason"] == ExitReason.PUBLIC
        or row["disclosure_intent"] == DisclosureIntent.ALREADY
    )


def _key(row: db.Row, name: str) -> str:
    return f"{name}-{row['report_id']}-{row['version'] or 0}-{row['case_version']}"


def _accept(row: db.Row) -> None:
    session.command(
        "The end is accepted",
        disclosure.accept,
        session.current().store,
        session.actor(),
        row["report_id"],
        seen_version=row["version"] or 0,
    )


def _reject(row: db.Row) -> None:
    session.command(
        "The proposal is gone; what was agreed stays",
        disclosure.reject,
        session.current().store,
        session.actor(),
        row["report_id"],
        seen_version=row["version"] or 0,
    )


def _propose(row: db.Row) -> None:
    day: date = st.session_state[_key(row, "day")]
    end = datetime.combine(day, st.session_state[_key(row, "hour")], UTC)
    opened = session.current()
    session.command(
        "The end is proposed",
        disclosure.propose,
        opened.store,
        opened.policy,
        session.actor(),
        row["report_id"],
        end,
        seen_version=row["version"] or 0,
    )


def _terminate(row: db.Row) -> None:
    session.command(
        "The embargo is over",
        disclosure.terminate,
        session.current().store,
        session.actor(),
        row["report_id"],
        ExitReason(st.session_state[_key(row, "reason")]),
        note=st.session_state[_key(row, "note")] or "",
        seen_version=row["version"] or 0,
    )


def _mark(row: db.Row, known: Exploitation) -> None:
    opened = session.current()
    session.command(
        "The flaw is marked",
        disclosure.mark,
        opened.store,
        opened.policy,
        session.actor(),
        row["report_id"],
        known,
        seen_version=row["case_version"],
    )


def _set_tlp(row: db.Row) -> None:
    session.command(
        "The label is set",
        disclosure.set_tlp,
        session.current().store,
        session.actor(),
        row["report_id"],
        Tlp(st.session_state[_key(row, "tlp")]),
        st.session_state[_key(row, "tlp-reason")] or "",
        seen_version=row["case_version"],
    )


def listing(rows: list[db.Row], now: datetime, key: str) -> None:
    """The embargoes as a table with a button each; every time has its hour and zone."""
    st.dataframe(
        {
            "open": [["Open"]] * len(rows),
            "report": [inline(row["report_id"]) for row in rows],
            "state": [EMBARGO[row["state"]] for row in rows],
            "ends": [moment(row["binding_end"]) if row["binding_end"] else "" for row in rows],
            "left": [span(row["binding_end"] - now) if _runs(row, now) else "" for row in rows],
            "proposed": [moment(row["proposed_end"]) if row["proposed_end"] else "" for row in rows],
            "by": [PARTY[row["proposed_by"]] for row in rows],
            "because": [EXIT_REASON[row["exit_reason"]] for row in rows],
            "product": [inline(row["platform"]) for row in rows],
            "tlp": [inline(row["tlp"]) for row in rows],
        },
        column_config={
            "open": st.column_config.ButtonColumn("", width=75, pinned=True, type="tertiary", key=key),
            "report": st.column_config.TextColumn("Report", width=80, pinned=True),
            "state": st.column_config.TextColumn("State", width=190),
            "ends": st.column_config.TextColumn("Ends", width=160),
            "left": st.column_config.TextColumn("Left", width=70),
            "proposed": st.column_config.TextColumn("Proposed end", width=160),
            "by": st.column_config.TextColumn("Proposed by", width=100),
            "because": st.column_config.TextColumn("Ended because", width=160),
            "product": st.column_config.TextColumn("Product", width=140),
            "tlp": st.column_config.TextColumn("TLP", width=110),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Embargoes that fit the choice, one a row, with a button that opens each",
    )


def _runs(row: db.Row, now: datetime) -> bool:
    return row["binding_end"] is not None and is_active(EmbargoState(row["state"]), row["binding_end"], now)
