"""Taking a reporter out of the datasets: whose rows a version holds, a second question, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core.access import Command
from triage_core.exporters import revoke
from triage_core.exporters.catalog import Built
from ui import session
from ui.hostile import inline, plain
from ui.words import counted

ASKED, DONE = "withdraw_from", "withdrawn"
MANY = 500
"""So many reporters can be chosen, those with most rows."""


def offer(built: Built) -> None:
    """A button on the card of a latest version."""
    st.button(
        "Take a reporter out",
        key=f"withdraw-{built.name}-{built.version}",
        icon=":material/person_remove:",
        disabled=not (session.may(Command.REVOKE_CONSENT) and session.may(Command.EXPORT_DATASET)),
        on_click=_open,
        args=(built,),
    )


def _open(built: Built) -> None:
    st.session_state.pop(DONE, None)
    st.session_state[ASKED] = built


def _close() -> None:
    st.session_state.pop(ASKED, None)
    st.session_state.pop(DONE, None)


def asked() -> None:
    """The dialog while one is open."""
    if ASKED in st.session_state:
        _dialog()


@st.dialog("Take a reporter out", icon=":material/person_remove:", on_dismiss=_close)
def _dialog() -> None:
    place = st.empty()
    if DONE not in st.session_state:
        with place.container():
            who = _chosen(st.session_state[ASKED])
        if who is not None:
            with st.spinner("Building the next versions without them"):
                session.command("The consent has ended", _take_out, who)
    if DONE in st.session_state:
        place.empty()
        _told(*st.session_state[DONE])


def _chosen(built: Built) -> str | None:
    """Who is to be taken out, once that is confirmed."""
    rows = _rows(built.manifest["content_sha256"], built)
    who = st.selectbox(
        "Reporter",
        list(rows)[:MANY],
        index=None,
        format_func=lambda name: f"{inline(name)}, {counted(rows[name], 'row')}",
        placeholder="Choose whose rows leave" if rows else "No row has a reporter with a name",
        key="withdraw_who",
    )
    if len(rows) > MANY:
        st.caption(f"The {MANY:,} with most rows; any other one is taken out by the command line.")
    st.caption(
        "Every dataset whose latest version holds rows of theirs gets a next version without them. Older versions stay,"
        " since a model may have been trained on them."
    )
    sure = st.checkbox(
        "They have taken their consent back, and only they can give it again", key="withdraw_sure"
    )
    pressed = st.button("Take them out", key="withdraw_do", type="primary", disabled=not (who and sure))
    return who if pressed else None


@st.cache_data(max_entries=20, show_spinner="Reading whose rows these are …")
def _rows(content_sha256: str, _built: Built) -> Mapping[str, int]:
    return revoke.reporters(_built)


def _take_out(who: str) -> None:
    opened, actor = session.current(), session.actor()
    ended, made = revoke.withdraw(opened.store, opened.policy, actor, actor, who)
    st.session_state[DONE] = who, ended, made


def _told(who: str, ended: Sequence[str], made: Sequence[Mapping[str, Any]]) -> None:
    st.markdown(f"The consent to training of {counted(len(ended), 'report')} of {plain(who)} has ended.")
    if not made:
        st.caption("No latest version of a dataset held rows of theirs: none was built.")
    for one in made:
        if "refused" in one:
            st.error(
                f"{plain(one['name'])} could not be built without them: {plain(one['refused'], 500)}",
                icon=":material/block:",
            )
            continue
        rows = one["rows"]["total"]
        st.markdown(
            f"**{plain(one['name'])} {plain(one['version'])}** {_gone_and_added(one)}; it holds {counted(rows, 'row')}"
        )


def _gone_and_added(account: Mapping[str, Any]) -> LiteralString:
    """What left since the version before, and what came in: often of the group in which theirs was the earliest."""
    diff = account["diff"]
    if diff is None:
        return "is built; the files of the version before are not here to compare"
    gone = f"{counted(diff['removed'], 'row')} gone since version {plain(account['parent'])}"
    return f"{gone}, {counted(diff['added'], 'row')} of others added" if diff["added"] else gone
