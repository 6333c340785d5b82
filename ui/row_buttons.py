"""The row of a table that somebody presses: its own button for the mouse, a menu below the table for the keyboard.

A button in a cell hears no key: the table draws its cells on a canvas. The menu offers the same rows under the same
key, which names the snapshot that is shown: a row means a report only among those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

import streamlit as st

from ui.hostile import plain

_SHOWN = "rows-shown"


def pressed(key: str, ids: Sequence[str]) -> str | None:
    """The id of the row that was just pressed, in the table whose buttons have this key or in its menu."""
    click = st.session_state.get(key)
    if click is not None:
        return ids[click["row"]]
    only = (row for row in ids if st.session_state.get(_only_key(key, row)))
    return st.session_state.get(_menu_key(key)) or next(only, None)


def opened(key: str, ids: Sequence[str]) -> str | None:
    """As `pressed`, and also a row of the table as it stood there before: on a busy desk its rows change meanwhile.

    For what only opens something: that means the row which was seen, and decides nothing. One table of a page is
    told from the others by the first word of its key.
    """
    shown: dict[str, tuple[str, Sequence[str]]] = st.session_state.setdefault(_SHOWN, {})
    name = key.partition("-")[0]
    before, shown[name] = shown.get(name), (key, ids)
    return pressed(key, ids) or (pressed(*before) if before else None)


def as_menu(
    label: LiteralString, key: str, ids: Sequence[str], words: Mapping[str, str] | None = None
) -> None:
    """The buttons of the table with this key as one menu of its rows, or as a plain one for a single row.

    A row of a menu is named by its id, or by what `words` has for it, which begins with the id.
    """
    named = words or {}
    if len(ids) == 1:  # a menu of one row gives it no focus, so that no key presses it
        st.button(f"{label}: {plain(ids[0])}", key=_only_key(key, ids[0]), type="tertiary")
    elif ids:
        st.menu_button(
            label,
            list(ids),
            format_func=lambda row: plain(named.get(row, row), 80),
            key=_menu_key(key),
            type="tertiary",
        )


def _menu_key(key: str) -> str:
    return f"menu-{key}"


def _only_key(key: str, row: str) -> str:
    return f"only-{key}-{row}"
