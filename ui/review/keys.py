"""The reviewer's keys: what each does, and the listener that tells which was pressed before which report.

Streamlit's own shortcuts fire again while a key is held, and for buttons of the last run: 9 of 36
fast decisions met a report that was not on screen. This listener (assets/keys.js) ignores a held
key and what is typed into a field, and sends the report and the version that the heading showed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

import streamlit as st

from ui import components
from ui.review import seen
from ui.review.seen import Pairing, Seen

_WIDGET = "keys"
_HANDLED = "keys-handled"

Handlers = Mapping[str, Callable[[Seen], None]]


@dataclass(frozen=True, slots=True)
class Key:
    """A key: the name that the listener sends, how it is printed, and what it does."""

    name: str
    printed: LiteralString
    does: LiteralString


# Stable, since hands learn them. R and C belong to Streamlit.
KEYS: Sequence[Key] = (
    Key("j", "J", "Next report"),
    Key("k", "K", "Previous report"),
    Key("1", "1", "Harm H1: nuisance or policy breach"),
    Key("2", "2", "Harm H2: moderate"),
    Key("3", "3", "Harm H3: significant"),
    Key("4", "4", "Harm H4: severe"),
    Key("0", "0", "Close as expected or out of scope, by the clause chosen or else the one advised"),
    Key("up", "Up", "The candidate above"),
    Key("down", "Down", "The candidate below"),
    Key("d", "D", "Duplicate of the highlighted candidate"),
    Key("n", "N", "Not a duplicate of the highlighted candidate"),
    Key("s", "S", "Snooze until tomorrow"),
    Key("f", "F", "Ask for a second opinion: somebody else decides again, blind"),
    Key("l", "L", "Claim, or release your claim"),
    Key("u", "U", "Undo your own last decision"),
    Key("save", "Ctrl+Enter", "Save the decision with its note, also from within a field"),
    Key("h", "H", "These keys"),
)


def is_new() -> bool:
    """True in the first run after the person came from another page."""
    return _WIDGET not in st.session_state


def answer(handlers: Handlers) -> None:
    """Give each press that has not been handled to its handler, once and in order; before anything is drawn.

    Not in a callback: a message on screen lets a newer request end the run, and the next run goes on here.
    """
    for name, pressed in unhandled((st.session_state.get(_WIDGET) or {}).get("presses") or []):
        if handler := handlers.get(name):
            handler(pressed)


def listen(shown: Seen, candidates: Sequence[Pairing], handlers: Handlers) -> None:
    """Mount the listener for what this run has drawn; what it hears is answered by the next run."""
    components.served("keys")(
        key=_WIDGET,
        data={
            "report": shown.report_id,
            "version": shown.version,
            "shown": shown.offered(),
            "candidates": [seen.offer(pairing) for pairing in candidates],
            "handled": st.session_state.get(_HANDLED, 0),
            "keys": [key.name for key in KEYS if key.name in handlers or key.name in ("up", "down")],
        },
        height=1,
        on_presses_change=lambda: None,  # declares the name of the state
    )


def unhandled(presses: Sequence[object]) -> Iterator[tuple[str, Seen]]:
    """Each press that was not handled yet, with what it saw, in order; it counts as handled from then on."""
    for press in presses:
        match press:
            case {"n": int(number), "key": str(name)} if number > st.session_state.get(_HANDLED, 0):
                st.session_state[_HANDLED] = number
                if pressed := seen.from_press(press):
                    yield name, pressed


@st.dialog("Keys", width="medium")
def explain() -> None:
    """The table of keys, over the page."""
    st.dataframe(
        {"key": [key.printed for key in KEYS], "does": [key.does for key in KEYS]},
        column_config={
            "key": st.column_config.TextColumn("Key", width=110),
            "does": st.column_config.TextColumn("What it does", width=590),
        },
        hide_index=True,
        height="content",
        alt="The keys of the review screen and what each does",
    )
    st.caption(
        "A held key counts once. A key acts on the report and the version that you see: when somebody was"
        " faster, nothing changes and you are told who it was."
    )
