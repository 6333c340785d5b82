"""Two reports beside each other: the words that differ, or both texts in full."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from triage_core.desk.boards import Brief
from triage_core.desk.worddiff import Piece, Side, difference
from triage_core.text import reveal
from ui import hostile, session
from ui.hostile import plain

CONTEXT = 160  # characters of common text kept on either side of a difference
TALL = 12  # lines; more of them scroll
_SIGN = {Side.BOTH: " ", Side.LEFT: "-", Side.RIGHT: "+"}


def words(left: Brief, right: Brief) -> None:
    """The text of `left` with what `right` has instead: - only in `left`, + only in `right`."""
    found = difference(left.asked, right.asked)
    if all(piece.side is Side.BOTH for piece in found.pieces):
        note = f":material/equal: {plain(left.report_id)} and {plain(right.report_id)} ask in the same words."
        hostile.show(left.asked, key=f"same-{left.report_id}-{right.report_id}", label=note)
        return
    st.caption(f"**−** only in {plain(left.report_id)} · **+** only in {plain(right.report_id)}")
    shown = list(lines(found.pieces))
    # Without a language: the colours that Streamlit gives to a diff are too faint to read on a light page.
    st.code("\n".join(shown), language=None, wrap_lines=True, height=300 if len(shown) > TALL else "content")
    if found.cut:
        st.caption("The texts are long: what differs further on is left out here.")


def lines(pieces: tuple[Piece, ...], left: str = _SIGN[Side.LEFT], *, whole: bool = False) -> Iterator[str]:
    """A line for each stretch, its sign first: whatever a text holds, no line of it can pose as another's.

    Of long common text the middle is left out, unless the `whole` is asked for.
    """
    sign = {**_SIGN, Side.LEFT: left}
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.side is Side.BOTH and not whole:
            text = _shortened(text, first=number == 0, last=number == len(pieces) - 1)
        for line in reveal(text).splitlines():
            if line.strip():
                yield f"{sign[piece.side]} {line.rstrip()}"


def side_by_side(left: Brief, right: Brief, key: str) -> None:
    """Both texts in full."""
    for column, brief in zip(st.columns(2, gap="small"), (left, right), strict=True):
        with column:
            hostile.show(brief.asked, key=f"{key}-{brief.report_id}", label=plain(brief.report_id))


def reasons(one_id: str, other_id: str) -> None:
    """How probable it is that the two are one flaw, and what moved that, the strongest first."""
    found = session.explain(one_id, other_id)
    if found is None:
        st.caption(":material/hourglass_top: The worker is on it; look again in a moment.")
        return
    st.markdown(
        f"**{found.probability:.0%}** probable. Likeness as a whole {found.whole:.2f}, of the technique"
        f" {found.technique:.2f}, of the request {found.request:.2f}."
    )
    for words, log_odds in found.reasons:
        icon = ":material/add_circle:" if log_odds > 0 else ":material/do_not_disturb_on:"
        st.caption(f"{icon} {plain(words)} {log_odds:+.1f}")


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """Common text with its middle (or its far end) left out when it is long."""
    if (first and last) or len(text) <= 2 * CONTEXT + 20:
        return text
    head = "" if first else text[:CONTEXT]
    tail = "" if last else text[-CONTEXT:]
    left_out = len(text) - len(head) - len(tail)
    return f"{head}\n… {left_out:,} characters the same …\n{tail}"
