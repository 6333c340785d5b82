"""A list at the side of a screen, of which the address names one: answers to write, second looks to give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import streamlit as st

from ui import session
from ui.hostile import plain

SHORT, TALL = 12, 640  # a longer list scrolls in so many pixels


def choose_one(
    title: LiteralString,
    field: LiteralString,
    names: Sequence[str],
    place: int,
    labels: Sequence[str],
    captions: Sequence[LiteralString],
) -> None:
    """Show what `names` stand for, the one at `place` (from 0) chosen; another one goes into the address as `field`."""
    # The key carries what is shown: a choice made in one list is never read as one of another.
    key = f"aside-{field}-{names[place]}-{'-'.join(names)}"
    with st.container(height="content" if len(names) <= SHORT else TALL, border=False):
        st.radio(
            title,
            names,
            index=place,
            format_func=lambda name: plain(labels[names.index(name)]),
            captions=captions,
            key=key,
            label_visibility="collapsed",
            on_change=_choose,
            args=(field, key),
        )


def _choose(field: str, key: str) -> None:
    session.pick(field, st.session_state[key])
