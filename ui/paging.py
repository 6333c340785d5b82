"""Pages of a long list, with every page in reach."""

from __future__ import annotations

import streamlit as st

# Five buttons and the two arrows, in pixels. Streamlit gives fewer than five pages a width that holds just them, finds
# it too narrow for five, and leaves out all but one or two: of two pages the second could not be pressed.
ROOM = 240
FEW = 5


def choose(total: int, size: int, key: str, *, most: int = FEW, linked: bool = True) -> int:
    """The page that is chosen, from 1, of `total` things in pages of `size`.

    `most` buttons are drawn at most. When `linked`, the page is part of the address.
    """
    pages = max(1, -(-total // size))
    return st.pagination(
        pages,
        key=key,
        bind="query-params" if linked else None,
        max_visible_pages=most,
        width="content" if pages == 1 or pages >= FEW else ROOM,
    )
