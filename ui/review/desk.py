"""What the keys and buttons of the review screen do: each gives one command for exactly what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ParamSpec

import streamlit as st

from triage_core.desk import activity, claims, second_look, triage, undo
from triage_core.desk.claims import Snooze
from triage_core.desk.decision import Decision
from triage_core.errors import NotFound
from triage_core.guidance.policy import ClauseKind
from triage_core.lifecycle import Trigger
from triage_core.model import Harm, Resolution
from ui import decision, links, session
from ui.hostile import plain
from ui.review import place, queue
from ui.review.seen import Seen
from ui.words import TRIGGER

P = ParamSpec("P")

HELP = "keys-explained"


def go(report_id: str | None) -> None:
    """Put another report on the desk; None: the first of the queue."""
    place.put(report_id or "")


def go_next(shown: Seen | None = None) -> None:
    """On to the report after the one that the session is at; after the last, to the first of a fresh queue."""
    stands = queue.place(queue.kept(), place.on_desk())
    if stands.number == len(queue.kept()):
        queue.forget()
        go(None)
    else:
        go(stands.after)


def go_back(shown: Seen) -> None:
    stands = queue.place(queue.kept(), place.on_desk())
    if stands.before:
        go(stands.before)


def _and_on(report_id: str, give: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Give a command and go on to the next report, unless the person has moved on already.

    In one step, since the message that follows a command may end the run.
    """
    give(*args, **kwargs)
    if place.on_desk() == report_id:
        go_next()


def save(shown: Seen) -> None:
    """Save the decision that stands on screen, and go on."""
    decided = decision.collect(session.current().policy, shown.report_id, shown.version)
    _assess(shown, decided)


def close(shown: Seen) -> None:
    """Close the report by the clause that was chosen, or else by the advised one: neither may be in scope."""
    policy = session.current().policy
    decided = decision.collect(policy, shown.report_id, shown.version)
    if not decided.clauses and shown.clause:
        decided = replace(decided, clauses=(shown.clause,))
    try:
        kinds = {policy.clause(clause_id).kind for clause_id in decided.clauses}
    except NotFound:
        kinds = set()
    if not kinds or ClauseKind.IN_SCOPE in kinds:
        st.toast(
            "Nothing was closed: choose a clause of expected behaviour or out of scope first",
            icon=":material/rule:",
        )
        return
    _assess(shown, decided)


def _assess(shown: Seen, decided: Decision) -> None:
    opened, report_id = session.current(), shown.report_id
    arguments = (opened.store, opened.policy, session.actor(), report_id, decided)
    done = f"{plain(report_id)} is decided"
    session.command(done, _and_on, report_id, triage.assess, *arguments, seen_version=shown.version)


def set_harm(level: Harm) -> Callable[[Seen], None]:
    """Choose the harm in the panel, and the advised clause when none is chosen; nothing is saved yet."""

    def choose(shown: Seen) -> None:
        decision.choose_harm(shown.report_id, shown.version, level, shown.clause)

    return choose


def duplicate(shown: Seen) -> None:
    """Mark the later report of the pair as a duplicate of the other; on, when that was the one on the desk."""
    if shown.pairing is None:
        st.toast("Nothing was changed: no candidate is highlighted", icon=":material/rule:")
        return
    pairing = shown.pairing
    session.command(
        f"{plain(pairing.child_id)} is a duplicate of {plain(pairing.target_id)}",
        _and_on,
        pairing.child_id,
        links.record,
        pairing.child_id,
        pairing.child_version,
        pairing.target_id,
        pairing.score,
    )


def not_duplicate(shown: Seen) -> None:
    """Record that the report and the highlighted candidate are not duplicates."""
    if shown.pairing is None:
        st.toast("Nothing was changed: no candidate is highlighted", icon=":material/rule:")
        return
    links.keep_apart(shown.report_id, shown.pairing.other_id)


def snooze(shown: Seen, choice: Snooze = Snooze.TOMORROW) -> None:
    """Put the report off, and go on."""
    opened = session.current()
    arguments = (
        opened.store,
        session.actor(),
        shown.report_id,
        claims.wakes_at(choice, opened.store.clock()),
    )
    done = f"{plain(shown.report_id)} is put off"
    session.command(done, _and_on, shown.report_id, claims.snooze, *arguments, seen_version=shown.version)


def wake(shown: Seen) -> None:
    arguments = (session.current().store, session.actor(), shown.report_id, None)
    done = f"{plain(shown.report_id)} is back in the queue"
    session.command(done, claims.snooze, *arguments, seen_version=shown.version)


def snooze_by(shown: Seen, key: str) -> None:
    """Put the report off for as long as was chosen in the menu `key`."""
    snooze(shown, Snooze(st.session_state[key]))


def second_opinion(shown: Seen) -> None:
    """Ask that somebody else decides on the report again, without seeing the decision."""
    session.command(
        f"{plain(shown.report_id)} waits for a second opinion",
        second_look.ask,
        session.current().store,
        session.actor(),
        shown.report_id,
        seen_version=shown.version,
    )


def claim_or_release(shown: Seen) -> None:
    """Take the report, or give one's own claim back."""
    arguments = (session.current().store, session.actor(), shown.report_id)
    if shown.mine:
        session.command(f"{plain(shown.report_id)} is released", claims.release, *arguments)
    else:
        session.command(f"{plain(shown.report_id)} is claimed by you", claims.claim, *arguments)


def take_back(shown: Seen) -> None:
    """Undo the event that the bar named, and put its report back on the desk."""
    opened = session.current()
    if not shown.undo:
        st.toast("You have decided nothing that could be undone", icon=":material/undo:")
        return

    def undo_and_show() -> None:
        undo.undo(opened.store, session.actor(), shown.undo)
        event = session.read(activity.event, shown.undo)
        if "axis" not in event.data:  # what was said of a cluster is filed under it
            go(event.subject)

    session.command(f"Event {shown.undo:,} is undone", undo_and_show)


def move(report_id: str, version: int, key: str) -> None:
    """Fire the trigger that was chosen in the menu `key`."""
    trigger = st.session_state[key]
    arguments = (session.current().store, session.actor(), report_id, trigger)
    session.command(
        f"{plain(report_id)}: {TRIGGER[trigger].lower()}", triage.move, *arguments, seen_version=version
    )


def pass_retest(report_id: str, version: int) -> None:
    """Close the report as the retest that passed says, with the note that stands in the bar."""
    note = decision.field(report_id, version, "retest")
    if session.command(
        f"{plain(report_id)} is closed: its retest passed",
        triage.move,
        session.current().store,
        session.actor(),
        report_id,
        Trigger.PASS_RETEST,
        resolution=Resolution(st.session_state[decision.field(report_id, version, "passed")]),
        note=st.session_state[note],
        seen_version=version,
    ):
        st.session_state[note] = ""
        decision.keep(report_id, version)


def explain(shown: Seen) -> None:
    """Show the keys at the next run."""
    st.session_state[HELP] = True


READING: Mapping[str, Callable[[Seen], None]] = {"j": go_next, "k": go_back, "h": explain}
DECIDING: Mapping[str, Callable[[Seen], None]] = {
    **{level.removeprefix("H"): set_harm(Harm(level)) for level in ("H1", "H2", "H3", "H4")},
    "0": close,
    "d": duplicate,
    "n": not_duplicate,
    "s": snooze,
    "f": second_opinion,
    "l": claim_or_release,
    "u": take_back,
    "save": save,
}
"""What each key of keys.KEYS does, for everybody who reads and for those who decide."""
