"""One cluster on the desk: what its members share, each member with its own part, and what may be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.clusters import cluster_board
from triage_core.desk import boards
from ui import compare, paging, row_buttons, session
from ui.clusters import acts, parts, splits
from ui.hostile import plain
from ui.words import AXIS, counted

SAID = {
    "whole": "On this axis the members are duplicates of each other: one fix would resolve them all.",
    "technique": "On this axis the members use the same trick. Splitting and merging says nothing about duplicates.",
    "request": "On this axis the members ask for the same thing. Splitting and merging says nothing about duplicates.",
}

CHOOSE = "Choose members first."
SOME = "Choose some of the members: a cluster that leaves as a whole is no other one."
NO_SUCH = "No member is one."
WHO = {"all": "All", "open": "Open", "outliers": "Outliers"}


def draw(axis: str, cluster: db.Row, now: datetime) -> None:
    """The whole desk of one cluster."""
    cluster_id = cluster["cluster_id"]
    row_buttons.into_view()
    st.header(f"Cluster {plain(cluster_id)}, {counted(cluster['size'], 'report')}", anchor=False)
    worth = session.read(cluster_board.queue, axis, now, least=1, decided_too=True, cluster_id=cluster_id)[0]
    if worth:
        parts.head(worth[0])
    splits.family(cluster)
    splits.suggestion(axis, cluster_id)
    everybody = session.read(cluster_board.versions, axis, cluster_id)
    left, right = st.columns([42, 58], gap="medium")
    with right:
        st.subheader("Members", anchor=False)
        _choosing(axis, cluster_id, everybody)
        page = 1
        if len(everybody) > cluster_board.MEMBERS:
            key = f"members-{axis}-{cluster_id}"
            page = paging.choose(len(everybody), cluster_board.MEMBERS, key, linked=False)
    rows = session.read(cluster_board.members, axis, cluster_id, page)
    pieces = parts.own_parts(rows, cluster["representative_id"])
    with left:
        parts.typical(cluster["representative_id"], pieces[cluster["representative_id"]])
        may_be_one(axis, cluster_id)
    with right:
        for row in rows:
            _member(axis, cluster_id, row, pieces[row["report_id"]], now)
    if acts.DECIDE in st.session_state:
        acts.decide()


def _choosing(axis: str, cluster_id: str, everybody: Sequence[db.Row]) -> None:
    """Who is chosen, and what is done with them."""
    if not session.may(Command.MOVE_IN_CLUSTER):
        st.info("Your role reads clusters; reviewers decide on them.", icon=":material/visibility:")
        return
    seen = acts.chosen(axis, cluster_id)
    none = "" if seen else CHOOSE
    kinds = {
        "all": everybody,
        "open": [row for row in everybody if row["open"]],
        "outliers": [row for row in everybody if row["outlier"]],
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Choose", width="content")
        for kind, rows in kinds.items():
            st.button(
                f"{WHO[kind]} ({len(rows):,})",
                key=f"choose-{kind}-{axis}-{cluster_id}",
                type="tertiary",
                disabled=not rows,
                help="" if rows else NO_SUCH,
                on_click=acts.take,
                args=(axis, cluster_id, {row["report_id"]: row["version"] for row in rows}),
            )
        st.button(
            "None", key=f"choose-none-{axis}-{cluster_id}", type="tertiary", disabled=not seen, help=none,
            on_click=acts.take, args=(axis, cluster_id, {}),
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Decide on {counted(len(seen), 'member')}" if seen else "Decide on members",
            key=f"decide-{axis}-{cluster_id}",
            type="primary",
            icon=":material/checklist:",
            disabled=not seen,
            help=none,
            on_click=acts.open_decision,
            args=(axis, cluster_id, seen),
        )
        st.button(
            "Belong together",
            key=f"confirm-{axis}-{cluster_id}",
            icon=":material/join_inner:",
            disabled=not seen,
            help=none or "They share a cluster for ever, whatever a later run of the model says.",
            on_click=acts.confirm,
            args=(axis, cluster_id, seen),
        )
        some = 0 < len(seen) < len(everybody)
        with st.popover(
            "Split off",
            icon=":material/call_split:",
            disabled=not some,
            help=none or (SOME if len(seen) == len(everybody) else ""),
        ):
            alone = f"singly-{axis}-{cluster_id}"
            st.toggle("Each on its own", key=alone, help="Otherwise they leave as one group.")
            st.button(
                f"Split off {counted(len(seen), 'member')}",
                key=f"split-{axis}-{cluster_id}",
                disabled=not some,  # the popover stays open when they have left
                help=none,
                on_click=acts.split,
                args=(axis, cluster_id, seen, alone),
            )
        with st.popover("Move", icon=":material/drive_file_move:", disabled=not seen, help=none):
            target = f"target-{axis}-{cluster_id}"
            st.selectbox(
                "To the cluster",
                session.read(cluster_board.near, axis, cluster_id),
                index=None,
                key=target,
                accept_new_options=True,
                placeholder="The nearest, or any by its name",
            )
            st.button(
                f"Move {counted(len(seen), 'member')}",
                key=f"move-{axis}-{cluster_id}",
                disabled=not seen,
                help=none,
                on_click=acts.move,
                args=(axis, cluster_id, seen, target),
            )
    st.caption(SAID[axis])


def _member(
    axis: str, cluster_id: str, row: db.Row, pieces: Sequence[tuple[bool, str]], now: datetime
) -> None:
    report_id, version = row["report_id"], row["version"]
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            key = f"take-{axis}-{cluster_id}-{report_id}-{version}"
            st.session_state[key] = report_id in acts.chosen(axis, cluster_id)
            st.checkbox(
                parts.about(row, now),
                key=key,
                width="stretch",
                disabled=not session.may(Command.MOVE_IN_CLUSTER),
                on_change=acts.toggle,
                args=(axis, cluster_id, report_id, version),
            )
            in_full = st.toggle("In full", key=f"full-{axis}-{report_id}-{version}")
            if st.button("Open", key=f"open-{axis}-{report_id}", type="tertiary"):
                session.open_report(report_id)
        if in_full:
            parts.marked(pieces)
        else:
            st.caption(parts.own(pieces))


def may_be_one(axis: str, cluster_id: str = "", page: int = 1) -> int:
    """Pairs of clusters that may be one, each to be merged or kept apart; gives how many there are in all."""
    pairs, total = session.read(cluster_board.may_be_one, axis, cluster_id, page)
    if cluster_id and not pairs:
        return total
    if cluster_id:
        st.subheader("May be one with", anchor=False)
    typical = session.read(
        boards.briefs, tuple({pair[side] for pair in pairs for side in ("one_typical", "other_typical")})
    )
    may = session.may(Command.MOVE_IN_CLUSTER)
    theirs = session.whose(Command.MOVE_IN_CLUSTER)
    for pair in pairs:
        one, other = pair["one_id"], pair["other_id"]
        sides = [side for side in ("one", "other") if pair[f"{side}_id"] != cluster_id]
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                names = " and ".join(
                    f"{plain(pair[f'{side}_id'])} ({counted(pair[f'{side}_size'], 'report')})"
                    for side in sides
                )
                st.markdown(f"**{pair['score']:.2f}** {names}", width="stretch")
                key = f"{axis}-{one}-{other}-{cluster_id}"
                st.button("Merge", key=f"merge-{key}", icon=":material/merge:", disabled=not may, help=theirs,
                          on_click=acts.merge, args=(axis, one, other))  # fmt: skip
                st.button("Not one", key=f"two-{key}", icon=":material/call_split:", disabled=not may, help=theirs,
                          on_click=acts.keep_apart, args=(axis, one, other))  # fmt: skip
                if st.button("Show", key=f"show-{key}", type="tertiary"):
                    session.pick("cluster", pair[f"{sides[-1]}_id"])
                    row_buttons.bring()
                    st.rerun()
            for side in sides:
                st.caption(plain(typical[pair[f"{side}_typical"]].excerpt, parts.OWN))
            if st.toggle(
                "Compare the two", key=f"texts-{key}", help="Differing words of the most typical of each."
            ):
                compare.words(typical[pair["one_typical"]], typical[pair["other_typical"]])
    return total


def all_that_may_be_one(axis: str) -> None:
    """The whole list of pairs, a page at a time."""
    total = session.read(cluster_board.may_be_one, axis, "", 1, 1)[1]
    if not total:
        st.info(f"No two clusters look like one ({AXIS[axis].lower()}).", icon=":material/done_all:")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"{counted(total, 'pair')}, the surest first, by the two members that are most alike."
            " Merging closes no report; it says that they belong together.",
            width="content",
        )
        page = paging.choose(total, cluster_board.SIZE, "one")
    may_be_one(axis, page=page)
