"""What is shown of clusters: the queue by worth, one cluster with what its members share, its members one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import streamlit as st

from triage_core import db
from triage_core.clusters import cluster_board
from triage_core.desk import boards
from triage_core.desk.worddiff import Piece, Side
from triage_core.likeness import common
from ui import compare, paging, row_buttons, session
from ui.hostile import inline, plain
from ui.words import SEVERITY, ago, badge, counted, severity_badge, state_badge

SIZE = 8  # more of them push the cluster that is shown below the edge of the screen
TEXT = 420  # pixels; a longer text scrolls
OWN = 160  # characters of a member's own part
BASIS: Mapping[str, LiteralString] = {
    "decided": "the median of its members that are decided",
    "nearest": "the median of the decided reports nearest to its members",
    "said": "the harm that its reporters name",
}


def worth(row: db.Row) -> LiteralString:
    """Why a cluster stands where it does in the queue: 12 open × high × 9 days."""
    level = SEVERITY[row["severity"]].lower()
    return f"{row['open']:,} open × {level} × {counted(max(1, int(row['days'])), 'day')}"


def listing(axis: str, chosen: str, now: datetime) -> str:
    """One page of the queue; gives the cluster to show: the one just pressed, `chosen`, or the first; "" for none."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        everything = st.toggle("Decided ones too", key="all", bind="query-params")
        total = session.read(cluster_board.queue, axis, now, decided_too=everything, page=1, size=SIZE)[1]
        page = paging.choose(total, SIZE, "clusters")
    rows = session.read(cluster_board.queue, axis, now, decided_too=everything, page=page, size=SIZE)[0]
    if not rows:
        st.info("Nothing waits here: every member of every cluster is decided.", icon=":material/done_all:")
        return chosen
    ids = tuple(row["cluster_id"] for row in rows)
    typical = session.read(boards.briefs, tuple(row["representative_id"] for row in rows))
    key = f"look-{axis}-{session.snapshot_key({row['cluster_id']: row['size'] for row in rows})}"
    chosen = row_buttons.opened(key, ids) or chosen or ids[0]
    about = {
        row["cluster_id"]: ": ".join(filter(None, (row["label"], typical[row["representative_id"]].excerpt)))
        for row in rows
    }
    st.dataframe(
        {
            "look": ["Shown" if cluster_id == chosen else "Show" for cluster_id in ids],
            "cluster": ids,
            "worth": [worth(row) for row in rows],
            "size": [row["size"] for row in rows],
            "about": [inline(text, 120) for text in about.values()],
            "last": [ago(row["last_at"], now) for row in rows],
        },
        column_config={
            "look": st.column_config.ButtonColumn("", width=70, pinned=True, type="tertiary", key=key),
            "cluster": st.column_config.TextColumn("Cluster", width=75),
            "worth": st.column_config.TextColumn(
                "Worth a decision",
                width=190,
                help="Open members × expected severity × days that the oldest of them waits.",
            ),
            "size": st.column_config.NumberColumn("Reports", width=70, format="localized"),
            "about": st.column_config.TextColumn(
                "What it is about",
                width=430,
                help="The words that set it apart, and its most typical report.",
            ),
            "last": st.column_config.TextColumn("Newest", width=85),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Clusters, the most worth a decision first, with a button that shows the members",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{counted(total, 'cluster')} of two or more reports. A severity counts twice the one below it.",
            width="content",
        )
        row_buttons.as_menu(
            "Show a cluster", key, ids, {name: f"{name} {text}" for name, text in about.items()}
        )
    return chosen


def head(row: db.Row) -> None:
    """What a decision on the cluster is worth, from what, and the words that set it apart."""
    level = severity_badge(row["severity"])
    st.markdown(
        f"{badge('blue', worth(row))} {level} expected, from {BASIS[row['basis']]}"
        f" · {row['decided']:,} of {counted(row['size'], 'report')} decided"
    )
    if row["label"]:
        st.caption(f"Words that set it apart: {plain(row['label'])}")


def own_parts(rows: Sequence[db.Row], typical_id: str) -> dict[str, list[tuple[bool, str]]]:
    """The texts of these members and of the typical one, in pieces that most of them share or that are their own."""
    names = tuple(dict.fromkeys((typical_id, *(row["report_id"] for row in rows))))
    found = session.read(boards.briefs, names)
    texts = {name: found[name].asked for name in names if name in found}
    return dict(zip(texts, common.parts(list(texts.values())), strict=True))


def typical(report_id: str, pieces: Sequence[tuple[bool, str]]) -> None:
    """The text of the most typical member, with the lines marked that are its own."""
    st.subheader(f"Most typical: {plain(report_id)}", anchor=False)
    st.caption("**▌** marks what is its own; the rest stands in at least half of the members shown.")
    marked(pieces)


def marked(pieces: Sequence[tuple[bool, str]]) -> None:
    """One text in full, with the lines marked that are its own."""
    sides = tuple(Piece(Side.BOTH if same else Side.LEFT, text) for same, text in pieces)
    shown = list(compare.lines(sides, "▌", whole=True))
    height = TEXT if len(shown) > compare.TALL else "content"
    st.code("\n".join(shown), language=None, wrap_lines=True, height=height)


def about(row: db.Row, now: datetime) -> LiteralString:
    """One member in a line: its likeness, state, age, and whether it stands out."""
    mean = "" if row["mean"] is None else f"{row['mean']:.2f} "
    level = severity_badge(row["severity"]) if row["severity"] else ""
    marks = f"{mean}{state_badge(row['status'], row['resolution'])} {level}"
    far = badge("orange", ":material/report: Outlier") if row["outlier"] else ""
    return f"**{plain(row['report_id'])}** {marks} {ago(row['received_at'], now)} {far}"


def own(pieces: Sequence[tuple[bool, str]]) -> LiteralString:
    """The part in which a member differs from the others, on one line."""
    words = " … ".join(text.strip() for same, text in pieces if not same and text.strip())
    return plain(words, OWN) or "Nothing of its own: the others hold all of it."
