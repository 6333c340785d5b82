"""What the likeness suggests about a cluster: its technique, and two groups in it with the one decision on them."""

from __future__ import annotations

import streamlit as st

from triage_core import db
from triage_core.access import Command
from triage_core.clusters import cluster_splits
from triage_core.clusters.cluster_splits import Split
from triage_core.desk import boards
from ui import compare, links, row_buttons, session
from ui.hostile import inline, plain
from ui.words import ago, counted


def family(cluster: db.Row) -> None:
    """The technique that a cluster of the technique axis is taken for; nothing where the likeness is unsure."""
    if cluster["family"]:
        st.caption(
            f":material/category: Technique, as a suggestion: {plain(cluster['family'])}",
            help="From phrases, encodings and meaning of the wrapper; the words are those of 0DIN's taxonomy.",
        )


def suggestion(axis: str, cluster_id: str) -> None:
    """The split suggested for a cluster, for a reviewer to judge; nothing where none stands."""
    for split in session.read(cluster_splits.standing, axis, cluster_id)[:1]:
        with st.container(border=True):
            st.markdown(
                f":material/call_split: **May be two groups.** {counted(split.size - len(split.leaving), 'report')}"
                f" like {plain(split.staying_id)} and {counted(len(split.leaving), 'report')} like"
                f" {plain(split.leaving_id)}: mean likeness {split.mutual:.2f} between the groups, {split.inside:.2f}"
                " inside the looser one. Found by the nightly audit; nothing changes by itself."
            )
            with st.container(horizontal=True, vertical_alignment="center"):
                if axis == "whole":
                    st.button(
                        "They are different flaws",
                        key=f"split-{split.leaving_id}-{split.staying_id}",
                        icon=":material/call_split:",
                        disabled=not session.may(Command.CANNOT_LINK),
                        help=session.whose(Command.CANNOT_LINK)
                        or "Keeps the two typical reports apart for ever; the clusters follow within seconds.",
                        on_click=links.keep_apart,
                        args=(split.leaving_id, split.staying_id),
                    )
                shown = st.toggle("Compare the two", key=f"split-texts-{cluster_id}")
            if shown:
                _side_by_side(split)


def listing(axis: str) -> None:
    """The clusters of an axis that may hold two groups, with a button that opens each; nothing where there are none."""
    found = session.read(cluster_splits.standing, axis)
    if not found:
        return
    audit = session.read(cluster_splits.latest)
    with st.expander(f"{counted(len(found), 'cluster')} may hold two groups", icon=":material/call_split:"):
        ids = tuple(split.cluster_id for split in found)
        key = f"splits-{axis}-{session.snapshot_key({split.cluster_id: split.size for split in found})}"
        if chosen := row_buttons.opened(key, ids):
            session.pick("cluster", chosen)
            st.rerun()
        st.dataframe(
            {
                "look": ["Show"] * len(found),
                "cluster": ids,
                "groups": [f"{split.size - len(split.leaving)} and {len(split.leaving)}" for split in found],
                "mutual": [split.mutual for split in found],
                "inside": [split.inside for split in found],
                "typical": [inline(f"{split.staying_id} and {split.leaving_id}") for split in found],
            },
            column_config={
                "look": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
                "cluster": st.column_config.TextColumn("Cluster", width=75),
                "groups": st.column_config.TextColumn("Reports", width=90),
                "mutual": st.column_config.NumberColumn(
                    "Between", format="%.2f", width=75, help="Mean likeness between the two groups, 0 to 1."
                ),
                "inside": st.column_config.NumberColumn(
                    "Inside", format="%.2f", width=70, help="Mean likeness within the looser group, 0 to 1."
                ),
                "typical": st.column_config.TextColumn("Most typical of each", width=160),
            },
            hide_index=True,
            height="content",
            key=f"table-{key}",
            alt="Clusters that may hold two groups, the clearest first, with a button that shows each",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if audit:
                done = ago(audit.done_at, session.now())
                st.caption(f"Audited {done}; {counted(audit.reports, 'report')}.", width="content")
            row_buttons.as_menu("Show a cluster", key, ids)


def _side_by_side(split: Split) -> None:
    typical = session.read(boards.briefs, (split.staying_id, split.leaving_id))
    if len(typical) == 2:
        compare.side_by_side(
            typical[split.staying_id], typical[split.leaving_id], f"split-{split.cluster_id}"
        )
