"""The row of a table that somebody presses: its own button for the mouse, a menu below the table for the keyboard.

A button in a cell hears no key: the table draws its cells on a canvas. Its key names the snapshot that is shown, since
it tells the number of a row. The menu tells the id, so that its key names the ids alone: a menu that somebody has open
stays open while its rows change in what they say, and closes only when they are other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

import streamlit as st

from ui import components
from ui.hostile import plain

_SHOWN = "rows-shown"
_OPENINGS = "rows-opened"


def pressed(key: str, ids: Sequence[str]) -> str | None:
    """The id of the row that was just pressed, in the table whose buttons have this key or in its menu."""
    click = st.session_state.get(key)
    if click is not None:
        return ids[click["row"]]
    menu = _menu_key(key, ids)
    only = (row for row in ids if st.session_state.get(_only_key(menu, row)))
    return st.session_state.get(menu) or next(only, None)


def opened(key: str, ids: Sequence[str], *, elsewhere: bool = False) -> str | None:
    """As `pressed`, and also a row of the table as it stood there before: on a busy desk its rows change meanwhile.

    For what only opens something: that means the row which was seen, and decides nothing. One table of a page is
    told from the others by the first word of its key. What is opened comes into view, unless that is `elsewhere`.
    """
    shown: dict[str, tuple[str, Sequence[str]]] = st.session_state.setdefault(_SHOWN, {})
    name = key.partition("-")[0]
    before, shown[name] = shown.get(name), (key, ids)
    row = pressed(key, ids) or (pressed(*before) if before else None)
    if row and not elsewhere:
        bring()
    return row


def bring() -> None:
    """Let `into_view` bring what it heads into view in the next run."""
    st.session_state[_OPENINGS] = st.session_state.get(_OPENINGS, 0) + 1


def into_view() -> None:
    """Stands at the head of the card of a row that was opened: it may be drawn far from the row that was pressed."""
    if opening := st.session_state.get(_OPENINGS):
        components.served("arrive")(key="arrive", data={"opening": opening}, height=1)


def as_menu(
    label: LiteralString, key: str, ids: Sequence[str], words: Mapping[str, str] | None = None
) -> None:
    """The buttons of the table with this key as one menu of its rows, or as a plain one for a single row.

    A row of a menu is named by its id, or by what `words` has for it, which begins with the id; where words are given,
    rows without any have no button.
    """
    menu = _menu_key(key, ids)
    named = words if words is not None else {row: row for row in ids}
    rows = [row for row in ids if row in named]
    if len(rows) == 1:  # one press of a key rather than two
        st.button(f"{label}: {plain(rows[0])}", key=_only_key(menu, rows[0]), type="tertiary")
    elif rows:
        st.menu_button(
            label,
            rows,
            format_func=lambda row: plain(named[row], 80),
            key=menu,
            type="tertiary",
        )


def _menu_key(key: str, ids: Sequence[str]) -> str:
    return f"menu-{key.partition('-')[0]}-{'-'.join(ids)}"


def _only_key(menu: str, row: str) -> str:
    return f"only-{row}-{menu}"
