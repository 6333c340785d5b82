"""One embargo on the Disclosure page: where it stands, and what either side may do next.

Every widget's key carries the report and the version that is shown, and so does every command: what was meant
for one state of an embargo is never done to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import LiteralString

import streamlit as st

from triage_core import cases, db
from triage_core.access import Command
from triage_core.disclosure import disclosure, embargo_board, embargoes, sharing
from triage_core.disclosure.embargo import is_active, is_held, is_lower, suggested_tlp
from triage_core.disclosure.embargo_machine import IN_FORCE, MAY_END, ExitReason, Party
from triage_core.lifecycle import NO_FLAW
from triage_core.model import EmbargoState, Exploitation, Tlp
from ui import advise, session
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

MARKS: Mapping[Exploitation, tuple[LiteralString, LiteralString, LiteralString]] = {
    Exploitation.PUBLIC_POC: (
        "Mark as public",
        "It is public",
        "An embargo on it ends at this moment. What was bound by it is free, so that is not undone.",
    ),
    Exploitation.ACTIVE: (
        "Mark as attacked",
        "It is attacked",
        "Under an embargo, the shorter waiting period of the policy is proposed. Ending it at once stays with you.",
    ),
}


def draw(report_id: str, now: datetime) -> None:
    """The card of the embargo of this report, which the address names."""
    found = session.read(embargo_board.one, report_id)
    if found is None:
        st.warning(f"There is no report {plain(report_id)}.", icon=":material/search_off:")
        return
    row = _settled(found, now)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(f"Embargo of {plain(report_id)}", anchor=False, width="content")
            if st.button("Open the report", key=_key(row, "open"), icon=":material/rate_review:"):
                session.open_report(report_id)
            advise.way(report_id)
            st.button("Close", key="close-embargo", on_click=session.pick, args=("embargo", None))
        _state(row, now)
        if not session.may(Command.PROPOSE_EMBARGO):
            st.info("Your role reads this; the disclosure lead acts on it.", icon=":material/visibility:")
            return
        end, known, label = st.columns(3, gap="large")
        with end:
            _end(row, now)
        with known:
            _known(row)
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
    by_itself = row["exit_reason"] in {"", ExitReason.END_REACHED}
    linked = by_itself and (row["exited_at"] or binding) != row["ends_at"]
    shared = " It is the earliest date of the linked duplicates." if linked else ""
    if row["state"] == EmbargoState.EXITED:
        st.markdown(f"Over since **{moment(row['exited_at'])}**: {EXIT_REASON[row['exit_reason']]}.{shared}")
    elif not _in_force(row):
        st.markdown("No embargo is in force.")
    elif binding:
        st.markdown(f"In force until **{moment(binding)}**, {span(binding - now)} from now.{shared}")
    else:
        st.markdown("In force, and no end is set.")
    if row["proposed_end"]:
        st.markdown(f"{PARTY[row['proposed_by']]} proposes **{moment(row['proposed_end'])}** as the end.")
    if row["exploitation"] == Exploitation.ACTIVE and _in_force(row):
        st.warning("Attacks are seen: it should end, so that people can be told.", icon=":material/warning:")
    if _in_force(row) and row["resolution"] and session.read(cases.closed_as, row["report_id"]) in NO_FLAW:
        st.caption("Closed as no flaw: its reporter is told that we do not ask them to wait, and may end it.")


def _end(row: db.Row, now: datetime) -> None:
    """Answer, propose, end."""
    st.markdown("**The end**")
    if row["state"] == EmbargoState.EXITED:
        st.caption("An embargo that is over is not brought back.")
        return
    barred = "" if _in_force(row) else session.read(embargoes.barred, row["report_id"])
    if row["proposed_end"]:
        theirs = row["proposed_by"] == Party.REPORTER
        with st.container(horizontal=True):
            if theirs and not barred:
                st.button("Accept", key=_key(row, "accept"), type="primary", on_click=_accept, args=(row,))
            st.button(
                "Refuse" if theirs else "Take ours back",
                key=_key(row, "reject"),
                on_click=_reject,
                args=(row,),
            )
    if barred:
        st.caption("No new embargo: the flaw, or a duplicate of it, is public, attacked or fixed.")
        return
    with st.form(_key(row, "propose"), border=False):
        day = st.date_input(
            "Another end" if _in_force(row) else "End",
            value=(row["binding_end"] or now + timedelta(days=30)).date(),
            key=_key(row, "day"),
            format="YYYY-MM-DD",
        )
        hour = st.time_input("Hour, UTC", value=time(12), key=_key(row, "hour"), step=3600)
        st.form_submit_button("Propose this end", icon=":material/event:", on_click=_propose, args=(row,))
    del day, hour  # read by the callback, when the form is sent
    if _in_force(row):
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


def _known(row: db.Row) -> None:
    """Mark what has become known outside; in two steps, since one slip would end an embargo for good."""
    st.markdown("**What is known outside**")
    for mark, (label, sure, effect) in MARKS.items():
        icon = ":material/public:" if mark is Exploitation.PUBLIC_POC else ":material/crisis_alert:"
        done = list(Exploitation).index(Exploitation(row["exploitation"])) >= list(Exploitation).index(mark)
        marked = done and (mark is Exploitation.ACTIVE or not _in_force(row))
        with (
            st.popover(label, icon=icon, disabled=marked),
            st.form(_key(row, f"mark-{mark}"), border=False),
        ):
            st.caption(effect)
            st.text_input("Where it was seen", key=_key(row, f"seen-{mark}"), max_chars=500)
            st.form_submit_button(sure, disabled=marked, on_click=_mark, args=(row, mark))


def _tlp(row: db.Row, now: datetime) -> None:
    """Set the TLP label, with what the state suggests."""
    st.markdown("**TLP label**")
    terms = session.read(sharing.terms, row["report_id"], now)
    suggestion = suggested_tlp(terms, now, published=embargo_board.is_published(row))
    if suggestion:
        st.info(f"Suggested now: {TLP[suggestion]}", icon=":material/lightbulb:")
    held = is_held(terms, now)
    if held:
        st.caption("No label is lowered under an active embargo, its own or that of an earlier report.")
    labels = [str(label) for label in Tlp if label != terms.tlp and not (held and is_lower(label, terms.tlp))]
    if not labels:
        return
    with st.form(_key(row, "tlp-form"), border=False):
        st.selectbox(
            "Another label",
            labels,
            index=labels.index(suggestion) if suggestion else 0,
            format_func=TLP.__getitem__,
            key=_key(row, "tlp"),
        )
        st.text_input("Reason", key=_key(row, "tlp-reason"), max_chars=500)
        st.form_submit_button("Set the label", icon=":material/label:", on_click=_set_tlp, args=(row,))


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
        note=st.session_state[_key(row, f"seen-{known}")] or "",
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


def listing(found: list[db.Row], now: datetime, key: str) -> None:
    """The embargoes as a table with a button each; every time has its hour and zone."""
    rows = [_settled(row, now) for row in found]
    ends = [row["exited_at"] or (row["binding_end"] if _in_force(row) else None) for row in rows]
    because = [EXIT_REASON[row["exit_reason"]] for row in rows]
    st.dataframe(
        {
            "open": [["Open"]] * len(rows),
            "report": [inline(row["report_id"]) for row in rows],
            "state": [EMBARGO[row["state"]] for row in rows],
            "ends": [moment(end) if end else "" for end in ends],
            "left": [span(end - now) if end and end > now else "" for end in ends],
            "proposed": [moment(row["proposed_end"]) if row["proposed_end"] else "" for row in rows],
            "by": [PARTY[row["proposed_by"]] for row in rows],
            "because": because,
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
            "because": st.column_config.TextColumn("Ended because", width=160) if any(because) else None,
            "product": st.column_config.TextColumn("Product", width=140),
            "tlp": st.column_config.TextColumn("TLP", width=130),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Embargoes that fit the choice, one a row, with a button that opens each",
    )


def _settled(row: db.Row, now: datetime) -> db.Row:
    """The row with what time alone has made of it: the date of a duplicate ends an embargo that says it is in force."""
    binding = row["binding_end"]
    if not _in_force(row) or is_active(EmbargoState(row["state"]), binding, now):
        return row
    return {**row, "state": EmbargoState.EXITED, "exited_at": binding, "exit_reason": ExitReason.END_REACHED}


def _in_force(row: db.Row) -> bool:
    return row["state"] in IN_FORCE
