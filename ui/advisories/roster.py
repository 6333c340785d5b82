"""The peers: who may be told, one that is added, its key shown once, and one that is ended after a question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.advisories import peers, steps
from ui import row_buttons, session
from ui.hostile import inline, plain
from ui.words import ago, counted, moment

NEW, ASKED = "peer_new", "peer_to_end"
"""Of this session: name and key of the peer just added, until somebody has them; the peer that is to be ended."""


def none_yet() -> None:
    """What stands where peers would be named, while none may be told."""
    theirs = session.whose(Command.MANAGE_PEERS)
    st.info(
        "There are no peers that may be told. "
        + ("The operator adds each, on this screen under Peers," if theirs else "Add each below,")
        + " with its name, and an address for its messages where it has one. The answer is its access key, which is"
        " shown once and goes to the peer.",
        icon=":material/group_add:",
    )


def draw(now: datetime) -> None:
    """All peers; for who may manage them, what adds one and what ends one."""
    rows = session.read(peers.listing)
    present = [row for row in rows if row["ended_at"] is None]
    ended = [row for row in rows if row["ended_at"] is not None]
    st.caption(
        "Peers are companies with similar products, which the disclosure lead may tell of a flaw."
        f" {counted(len(present), 'peer')} may be told{f', {len(ended):,} ended' if ended else ''}."
    )
    if not present:
        none_yet()
    if rows:
        _table([*present, *ended], now)
    if theirs := session.whose(Command.MANAGE_PEERS):
        st.caption(f":material/lock: Peers are added and ended here. {theirs}")
        return
    _form()
    if NEW in st.session_state:
        _show_key()
    elif ASKED in st.session_state:
        _ask()


def _table(rows: Sequence[db.Row], now: datetime) -> None:
    """One a row, with a button that ends each present one for who may do that."""
    named = {f"{row['peer_id']} {row['name']}": row for row in rows}
    present = {name: name for name, row in named.items() if row["ended_at"] is None}
    key = f"peer-{session.snapshot_key({name: int(name in present) for name in named})}"
    may_end = bool(present) and session.may(Command.MANAGE_PEERS)
    # Whoever was pressed is asked about by name, also when the rows have changed meanwhile.
    pressed = row_buttons.opened(key, tuple(named), elsewhere=True) if may_end else None
    if pressed in present:
        st.session_state[ASKED] = named[pressed]
    button = {"end": [["End"] if name in present else [] for name in named]} if may_end else {}
    st.dataframe(
        {
            **button,
            "peer": [inline(row["name"]) for row in rows],
            "state": [f"Ended {moment(at)}" if (at := row["ended_at"]) else "May be told" for row in rows],
            **_told(rows, now),
            "address": [inline(row["email"]) for row in rows],
            "added": [moment(row["added_at"]) for row in rows],
        },
        column_config={
            "end": st.column_config.ButtonColumn("", width=65, pinned=True, type="tertiary", key=key),
            "peer": st.column_config.TextColumn("Peer", width=170, pinned=True),
            "state": st.column_config.TextColumn("State", width=205),
            "told": st.column_config.TextColumn("Told of", width=75, alignment="right"),
            "acted": st.column_config.TextColumn("Last act", width=100),
            "address": st.column_config.TextColumn("E-mail address", width=230),
            "added": st.column_config.TextColumn("Added", width=165),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="The peers, one a row, those that may be told first, with a button that ends each of these",
    )
    if may_end:
        row_buttons.as_menu("End a peer", key, tuple(named), present)


def _told(rows: Sequence[db.Row], now: datetime) -> dict[str, list[str]]:
    """How many advisories each knows of, and its last act; nothing for who may not read all of them."""
    if not session.may(Command.SHARE_ADVISORY):
        return {}
    found = session.read(steps.dealings)
    dealt = [found.get(row["peer_id"], steps.Dealings(0, None)) for row in rows]
    return {
        "told": [f"{one.told:,}" for one in dealt],
        "acted": [ago(one.acted_at, now) if one.acted_at else "never" for one in dealt],
    }


def _form() -> None:
    """What adds a peer; what is typed stays when it is refused."""
    with st.form("peer", width=520):
        st.markdown("**Add a peer**")
        st.text_input(
            "Name", key="peer_name", max_chars=peers.MAX_NAME, placeholder="The company, as the desk calls it"
        )
        st.text_input(
            "E-mail address, if it has one",
            key="peer_email",
            max_chars=254,
            placeholder="security@example.org",
        )
        st.caption(
            "It gets the numbers of its advisories there, and no word of them. Without one it looks by itself."
        )
        st.form_submit_button("Add the peer", type="primary", icon=":material/group_add:", on_click=_add)


def _add() -> None:
    name, email = st.session_state["peer_name"].strip(), st.session_state["peer_email"].strip()
    keys: list[str] = []

    def give() -> None:
        keys.append(peers.add(session.current().store, session.actor(), name, email)[1])

    if session.command("The peer is added", give):
        st.session_state[NEW] = name, keys[0]
        st.session_state["peer_name"] = st.session_state["peer_email"] = ""


@st.dialog("The peer's access key", icon=":material/key:", dismissible=False)
def _show_key() -> None:
    """Until somebody says that they have it: a slip beside the dialog would lose it."""
    name, key = st.session_state[NEW]
    st.markdown(f"{plain(name)} may be told of advisories now. It reads them with this key:")
    st.code(key, language=None, wrap_lines=True)
    page = f"{session.current().settings.front.address}/peers"
    st.markdown(
        "**Copy it: it is shown only now.** We store nothing from which it could be read again. Give it to the peer by"
        f" a way that nobody else reads; there it is entered on our page {plain(page)}."
    )
    st.caption("A peer that has lost its key is ended and added again.")
    if st.button("I have copied it", key="peer_copied", type="primary", icon=":material/check:"):
        del st.session_state[NEW]
        st.rerun()


def _leave() -> None:
    st.session_state.pop(ASKED, None)


@st.dialog("End this peer?", icon=":material/group_remove:", on_dismiss=_leave)
def _ask() -> None:
    row = st.session_state[ASKED]
    st.markdown(
        f"The key of {plain(row['name'])} is dead at once: it reads nothing more and is sent nothing more. What it was"
        " told and answered stays here."
    )
    st.markdown(
        "This cannot be undone. Added again it has another key, and knows of no advisory until it is told."
    )
    with st.container(horizontal=True):
        if st.button("End the peer", key="peer_end", type="primary", icon=":material/group_remove:"):
            session.command(
                "The peer is ended", peers.end, session.current().store, session.actor(), row["peer_id"]
            )
            _leave()
            st.rerun()
        if st.button("Leave it", key="peer_leave"):
            _leave()
            st.rerun()
