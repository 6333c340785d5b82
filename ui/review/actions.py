"""The bar at the foot of Review: every command with its key, judged on what this run has drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import streamlit as st

from triage_core import lifecycle
from triage_core.access import Command
from triage_core.desk.activity import Event
from triage_core.lifecycle import Trigger
from triage_core.model import Status
from triage_core.queries import ReportView
from ui import decision, links, session
from ui.event_words import EVENTS
from ui.hostile import plain
from ui.review import desk
from ui.review.candidates import Candidate
from ui.review.queue import Place
from ui.review.seen import Seen
from ui.words import RESOLUTION, SNOOZE, TRIGGER

# These come about by a decision, by a question among the messages, by what the reporter does, or with a note.
NOT_MOVES = {
    Trigger.TRIAGE, Trigger.ACCEPT, Trigger.CLOSE, Trigger.PASS_RETEST, Trigger.ASK_REPORTER, Trigger.WITHDRAW,
}  # fmt: skip

FIRST: LiteralString = "This is the first report of the queue."
LAST: LiteralString = "This is the last report of the queue."
LINKED: LiteralString = "It is a duplicate: unlink it first, or decide on the report that it belongs to."
THEIRS: LiteralString = "That report is a duplicate of another one already."
APART: LiteralString = "Somebody has said that these two are not duplicates. Undo that on Activity."
TOGETHER: LiteralString = "One of them is a duplicate of the other: unlink it first."
NOTHING: LiteralString = "You have decided nothing that could be undone."


def bar(view: ReportView, place: Place, candidate: Candidate | None, shown: Seen, last: Event | None) -> None:
    """Draw the buttons that the role and the state of the case allow; `last` is what Undo would take back."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        _button("`K` Previous", "previous", desk.go_back, shown, off="" if place.before else FIRST)
        _button("`J` Next", "next", desk.go_next, shown, off="" if place.after else LAST)
        if session.may(Command.ASSESS):
            linked = "" if view.case["canonical_id"] is None else LINKED
            _button("`0` Expected or out of scope", "close", desk.close, shown, off=linked)
            if candidate:
                _judge(candidate, shown, view.case["canonical_id"])
            _button(
                "`Ctrl+Enter` Save decision",
                "save",
                desk.save,
                shown,
                off=linked,
                icon=":material/check:",
                primary=True,
            )
            _put_off(view, shown)
            if view.case["assessment_id"] is not None and not linked:
                _button("`F` Second opinion", "second", desk.second_opinion, shown)
            _button("`L` Release" if shown.mine else "`L` Claim", "claim", desk.claim_or_release, shown)
            _undo(shown, last)
        if session.may(Command.SET_STATUS):
            _more(view)
        _button("`H` Keys", "help", desk.explain, shown)


def linked(view: ReportView) -> None:
    """What a duplicate shows in place of a decision: the report that it belongs to, and the way out."""
    report_id, version, canonical_id = (
        view.report["report_id"],
        view.case["version"],
        view.case["canonical_id"],
    )
    st.info(f"A duplicate of {plain(canonical_id)}.", icon=":material/content_copy:")
    with st.container(horizontal=True):
        st.button("Open it", key="canonical", on_click=desk.go, args=(canonical_id,))
        st.button(
            "Unlink",
            key=f"unlink-{report_id}-{version}",
            icon=":material/link_off:",
            disabled=not session.may(Command.UNLINK),
            help=session.whose(Command.UNLINK),
            on_click=links.unlink,
            args=(report_id, version),
        )


def _button(
    label: LiteralString,
    name: str,
    do: Callable[[Seen], None],
    shown: Seen,
    *,
    off: LiteralString = "",
    icon: str | None = None,
    primary: bool = False,
    of: str = "",
) -> None:
    """A button for what this run shows: its key and command carry report and version, its key also what it is `of`.

    `off` says why it cannot be pressed.
    """
    st.button(
        label,
        key=f"{name}-{shown.report_id}-{shown.version}{of}",
        type="primary" if primary else "secondary",
        icon=icon,
        disabled=bool(off),
        help=off,
        on_click=do,
        args=(shown,),
    )


def _judge(candidate: Candidate, shown: Seen, canonical_id: str | None) -> None:
    """The later of the two becomes the duplicate: that may be the one on the desk or the candidate.

    `canonical_id` is the report that the one on the desk is a duplicate of already.
    """
    pairing = candidate.pairing
    if pairing.child_id == shown.report_id:
        label = f"`D` Duplicate of {plain(pairing.target_id)}"
    else:
        label = f"`D` {plain(pairing.child_id)} is a duplicate of {plain(pairing.target_id)}"
    linked = candidate.brief.canonical_id is not None and pairing.child_id == pairing.other_id
    apart = APART if candidate.apart else ""
    own = LINKED if canonical_id and pairing.child_id == shown.report_id else ""
    barred = own or (THEIRS if linked else apart)
    linked_here = pairing.other_id == canonical_id or candidate.brief.canonical_id == shown.report_id
    together = TOGETHER if linked_here else apart
    name = f"link-{pairing.other_id}-{candidate.brief.version}"
    _button(label, name, desk.duplicate, shown, off=barred, icon=":material/content_copy:")
    _button("`N` Not a duplicate", f"apart-{pairing.other_id}", desk.not_duplicate, shown, off=together)


def _put_off(view: ReportView, shown: Seen) -> None:
    until = view.case["snoozed_until"]
    if until and until > session.current().store.clock():
        _button("Wake", "wake", desk.wake, shown, icon=":material/alarm:")
        return
    key = f"snooze-{shown.report_id}-{shown.version}"
    st.menu_button(
        "`S` Snooze",
        list(SNOOZE),
        key=key,
        format_func=SNOOZE.__getitem__,
        on_click=desk.snooze_by,
        args=(shown, key),
    )


def _undo(shown: Seen, last: Event | None) -> None:
    label = f"`U` Undo {EVENTS[last.kind].lower()} {plain(last.subject)}" if last else "`U` Undo"
    # The listener of keys reads the number of the event.
    _button(label, "undo", desk.take_back, shown, off="" if last else NOTHING, of=f"-{shown.undo}")


def _more(view: ReportView) -> None:
    report_id, version = view.report["report_id"], view.case["version"]
    allowed = lifecycle.allowed(Status(view.case["status"]))
    moves = [trigger for trigger in allowed if trigger not in NOT_MOVES]
    if not moves or view.case["canonical_id"]:
        return
    if Trigger.PASS_RETEST in allowed:
        _retest(report_id, version)
    key = f"move-{report_id}-{version}"
    st.menu_button(
        "More",
        moves,
        key=key,
        format_func=TRIGGER.__getitem__,
        on_click=desk.move,
        args=(report_id, version, key),
    )


def _retest(report_id: str, version: int) -> None:
    """A passed retest closes the report with an outcome and a note, so it is no row of a menu."""
    with st.popover("Retest passed", icon=":material/verified:"):
        st.radio(
            "It is closed as",
            sorted(lifecycle.RESOLUTIONS[Trigger.PASS_RETEST]),
            format_func=RESOLUTION.__getitem__,
            key=decision.field(report_id, version, "passed"),
            horizontal=True,
        )
        st.text_area(
            "Note",
            key=decision.field(report_id, version, "retest"),
            on_change=decision.keep,
            args=(report_id, version),
            height=80,
            placeholder="What was tried again and what came of it; the reporter can read it",
        )
        st.button(
            "Close the report",
            key=f"retest-passed-{report_id}-{version}",
            type="primary",
            on_click=desk.pass_retest,
            args=(report_id, version),
        )
