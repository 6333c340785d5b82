"""What the buttons of the Clusters screen do: the members that are chosen, and one command for them.

Members are chosen with the version that was shown; whatever changes meanwhile is skipped, and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import streamlit as st

from triage_core.access import Command
from triage_core.clusters import cluster_work
from triage_core.desk import undo
from triage_core.desk.bulk import Outcome
from triage_core.likeness.axes import Axis
from ui import event_words, many, session
from ui.hostile import plain
from ui.words import counted

CHOSEN = "cluster_chosen"
DECIDE = "cluster_decide"
ACTIONS: Mapping[str, LiteralString] = {"accept": "Accept as duplicates", "assess": "Assess all alike"}
GROUPINGS: Mapping[str, LiteralString] = {
    cluster_work.SAME: "They belong together",
    cluster_work.SPLIT: "They belong together and leave the rest",
    "": "Say nothing of the cluster",
}


def chosen(axis: str, cluster_id: str) -> dict[str, int]:
    """The chosen members of this cluster with the versions shown of them."""
    of, seen = st.session_state.get(CHOSEN, (None, {}))
    return dict(seen) if of == (axis, cluster_id) else {}


def take(axis: str, cluster_id: str, seen: Mapping[str, int]) -> None:
    """Choose exactly these members."""
    st.session_state[CHOSEN] = ((axis, cluster_id), dict(seen))


def toggle(axis: str, cluster_id: str, report_id: str, version: int) -> None:
    """Choose a member, or leave it out again."""
    seen = chosen(axis, cluster_id)
    if seen.pop(report_id, None) is None:
        seen[report_id] = version
    take(axis, cluster_id, seen)


def confirm(axis: str, cluster_id: str, seen: Mapping[str, int]) -> None:
    """Say that the chosen members belong together."""
    _give(
        "They stay together whatever the model says", cluster_work.confirm, axis, cluster_id, seen, list(seen)
    )


def split(axis: str, cluster_id: str, seen: Mapping[str, int], singly: str) -> None:
    """Take the chosen members out; `singly` is the key of the switch that makes each stand alone."""
    alone = bool(st.session_state.get(singly))
    _give(
        "They leave the cluster for good",
        cluster_work.split,
        axis,
        cluster_id,
        seen,
        list(seen),
        singly=alone,
    )


def move(axis: str, cluster_id: str, seen: Mapping[str, int], target: str) -> None:
    """Move the chosen members to the cluster named in the input with the key `target`."""
    name = str(st.session_state.get(target) or "").strip()
    if not name:
        st.toast("Nothing was moved: name the cluster first", icon=":material/rule:")
        return
    _give("They belong to the other cluster now", cluster_work.move, axis, cluster_id, seen, list(seen), name)


def merge(axis: str, one_id: str, other_id: str) -> None:
    """Say that two clusters are one."""
    _of_two("The two clusters are one", cluster_work.merge, axis, one_id, other_id)


def keep_apart(axis: str, one_id: str, other_id: str) -> None:
    """Say that two clusters are not one."""
    _of_two("The two clusters stay two", cluster_work.keep_apart, axis, one_id, other_id)


def undo_last() -> None:
    """A button that undoes the person's own last word on a cluster; nothing when there is none that stands."""
    if not session.may(Command.MOVE_IN_CLUSTER):
        return
    event = session.read(undo.last_of, session.actor(), frozenset({"group.decided"}))
    if event is not None:
        st.button(
            f"Undo your last word, on {plain(event.subject)}",
            key=f"undo-{event.seq}",
            icon=":material/undo:",
            type="tertiary",
            help=plain(event_words.line(event, {}), 400),
            on_click=_take_back,
            args=(event.seq,),
        )


def _take_back(seq: int) -> None:
    session.command(f"Event {seq:,} is undone", undo.undo, session.current().store, session.actor(), seq)


def _give(
    done: LiteralString,
    command: Any,
    axis: str,
    cluster_id: str,
    seen: Mapping[str, int],
    *more: Any,
    **how: Any,
) -> None:
    arguments = (session.current().store, session.actor(), Axis(axis), cluster_id, *more)
    if session.command(done, command, *arguments, **how):
        take(axis, cluster_id, {})


def _of_two(done: LiteralString, command: Any, axis: str, one_id: str, other_id: str) -> None:
    session.command(done, command, session.current().store, session.actor(), Axis(axis), one_id, other_id)


def open_decision(axis: str, cluster_id: str, seen: Mapping[str, int]) -> None:
    """Ask for one decision on the chosen members."""
    many.leave()
    st.session_state[DECIDE] = (axis, cluster_id, dict(seen))


def _close() -> None:
    st.session_state.pop(DECIDE, None)
    many.leave()


@st.dialog(
    "One decision for the chosen members", width="large", icon=":material/checklist:", on_dismiss=_close
)
def decide() -> None:
    """The dialog: what is done with the members that were chosen, then what came of it."""
    axis, cluster_id, seen = st.session_state[DECIDE]
    if many.DONE in st.session_state:
        many.told(_close)
        return
    st.markdown(f"**{counted(len(seen), 'member')}** of cluster {plain(cluster_id)}.")
    many.sample(seen)
    action = "assess"
    if axis == Axis.WHOLE:
        action = st.segmented_control(
            "What is done",
            list(ACTIONS),
            default="accept",
            required=True,
            format_func=ACTIONS.__getitem__,
            key="cluster_action",
        )
    grouping = st.radio(
        "And the cluster",
        [cluster_work.SPLIT, ""] if action == "accept" else list(GROUPINGS),
        index=1 if action == "accept" else 0,
        format_func=GROUPINGS.__getitem__,
        key=f"cluster_grouping_{action}",
    )
    if action == "accept":
        st.caption("The one submitted first stays; the others are closed as its duplicates.")
        with_decision = st.toggle(
            "Assess the one that stays as well", value=True, key="cluster_with_decision"
        )
        decision = many.decided(seen) if with_decision else None
        ready = decision is not None or not with_decision
    else:
        decision = many.decided(seen)
        ready = decision is not None

    def act(named: Mapping[str, int]) -> Outcome:
        opened, actor = session.current(), session.actor()
        if action == "accept":
            return cluster_work.accept(
                opened.store, opened.policy, actor, cluster_id, named, decision, grouping=grouping
            )
        assert decision is not None
        return cluster_work.assess(
            opened.store, opened.policy, actor, Axis(axis), cluster_id, named, decision, grouping=grouping
        )

    st.button(
        f"{ACTIONS[action]}: {counted(len(seen), 'member')}",
        key="cluster_do",
        type="primary",
        disabled=not ready,
        on_click=_do,
        args=(act, axis, cluster_id, seen),
    )


def _do(act: many.Act, axis: str, cluster_id: str, seen: Mapping[str, int]) -> None:
    many.do(act, seen)
    if many.DONE in st.session_state:
        take(axis, cluster_id, {})
