"""The only door for untrusted text on screen: it is shown as text, and what it hides is shown too.

Streamlit loads the images that Markdown names, and most of its elements read Markdown: a report
shown through one of those would tell its sender who opened it and when. `st.code` does not, nor do
the cells of a data frame and the options of a select box, for which `inline` makes the string.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import LiteralString

import streamlit as st

from triage_core.model import Turn, TurnRole
from triage_core.text import HiddenKind, hidden_characters, reveal

LONG_TEXT = 3_000

ROLES: Mapping[TurnRole, tuple[LiteralString, LiteralString]] = {
    TurnRole.SYSTEM: (":material/settings:", "System"),
    TurnRole.USER: (":material/person:", "User"),
    TurnRole.ASSISTANT: (":material/smart_toy:", "Assistant"),
    TurnRole.TOOL: (":material/build:", "Tool"),
}
_KINDS = {
    HiddenKind.TAG: "tag",
    HiddenKind.BIDI: "text direction",
    HiddenKind.ZERO_WIDTH: "zero-width",
    HiddenKind.VARIATION: "variation selector",
    HiddenKind.CONTROL: "control",
    HiddenKind.SURROGATE: "surrogate",
}


def show(text: str, *, key: str, label: LiteralString = "") -> None:
    """One untrusted text in full, wrapped, with hidden characters written out and counted below.

    `label` is our own Markdown, never a reporter's. A text over `LONG_TEXT` characters is cut, with
    a switch to see all of it; `key` tells that switch from others on the page.
    """
    if label:
        st.caption(label)
    if not text:
        st.caption("Empty")
        return
    whole = True
    if len(text) > LONG_TEXT:
        whole = st.toggle(f"Show all {len(text):,} characters", key=f"{key}-whole")
    shown = reveal(text if whole else text[:LONG_TEXT])
    rest = "" if whole else " …"
    # st.code drops one line end from either side; these two are given up in place of the text's own.
    st.code(f"\n{shown}{rest}\n", language=None, wrap_lines=True)
    if notice := _notice(text):
        st.caption(f":material/visibility: {notice}")


def conversation(turns: Sequence[Turn], *, key: str) -> None:
    """Every turn of a conversation, under its role; says so when there is none."""
    if not turns:
        st.caption("No conversation is held for this report.")
    for number, turn in enumerate(turns):
        icon, role = ROLES[turn.role]
        show(turn.content, key=f"{key}-{number}", label=f"{icon} **{role}**")


def inline(text: str, limit: int = 80) -> str:
    """`text` revealed, on one line of at most `limit` characters: for data frame cells and select options.

    Not for anything that reads Markdown: that takes `plain`.
    """
    line = reveal(" ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def plain(text: str, limit: int = 200) -> str:
    """Like `inline`, as a Markdown code span: for a reporter's word inside a label or a message of ours.

    A code span is the one place in Markdown where nothing has a meaning, neither links and images
    nor formulas, emoji and icon names, and it shows where our words end.
    """
    line = inline(text, limit)
    if not line:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"


def _notice(text: str) -> str:
    counts: Counter[HiddenKind] = Counter()
    for run in hidden_characters(text):
        counts[run.kind] += run.length
    kinds = ", ".join(f"{count:,} {_KINDS[kind]}" for kind, count in counts.items())
    return f"Hidden characters written out as ⟦…⟧: {kinds}" if counts else ""
