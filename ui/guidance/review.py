"""What a draft would change: of the text, of past decisions, and how it will read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import LiteralString

import streamlit as st

from triage_core import db
from triage_core.errors import InvalidPolicy
from triage_core.guidance import policy_drafts, policy_trial
from triage_core.guidance.policy_drafts import Draft
from triage_core.guidance.policy_text import NAMES, Difference
from ui import hostile, paging, row_buttons, session
from ui.guidance import sections
from ui.hostile import inline, plain
from ui.words import PRIORITY, SEVERITY, counted, severity_badge

ROWS = 25
LONG = 60
MOST_SHOWN = 300
WORDS = "words"  # the parts that are one value stand together


def changes(draft: Draft) -> None:
    """Every value that differs from the version in force, part by part."""
    found = session.read(policy_drafts.differences, draft.draft_id)
    if not found:
        st.caption("The draft says what the version in force says.")
        return
    parts: dict[str, list[Difference]] = defaultdict(list)
    for each in found[:MOST_SHOWN]:
        parts[each.part if each.place else WORDS].append(each)
    st.caption(f"{counted(len(found), 'difference')} from the version in force")
    for part, differences in parts.items():
        st.subheader(part_name(part), anchor=False)
        texts = [each for each in differences if max(map(len, _words(each))) > LONG]
        short = [each for each in differences if each not in texts]
        if short:
            st.dataframe(
                {
                    "what": [inline(each.name) for each in short],
                    "now": [inline(_words(each)[0]) for each in short],
                    "then": [inline(_words(each)[1]) for each in short],
                },
                column_config={
                    "what": st.column_config.TextColumn("What", width=320),
                    "now": st.column_config.TextColumn("In force", width=300),
                    "then": st.column_config.TextColumn("In the draft", width=300),
                },
                hide_index=True,
                height="content",
                alt="Values that the draft changes, one a row",
            )
        for each in texts:
            st.markdown(f"**{plain(each.name)}**")
            for side, column, text in zip(("now", "then"), st.columns(2), _words(each), strict=True):
                with column:
                    hostile.show(text, key=f"{side}-{each.part}-{each.place}", label=_SIDE[side])
    if len(found) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN:,} are shown; the rest is in the files.")


def part_name(part: str) -> LiteralString:
    """A part of the policy in words."""
    if part == WORDS:
        return "Words"
    return NAMES[part] if part in NAMES else plain(part)


_SIDE: Mapping[str, LiteralString] = {"now": "In force", "then": "In the draft"}


def _words(each: Difference) -> tuple[str, str]:
    before, after = each.words
    return before or "–", after or "–"


def _summary(cursor: db.Cursor, draft_id: int) -> policy_trial.Summary:
    return policy_trial.summary(cursor, policy_drafts.read(cursor, draft_id).texts.parse())


def _rows(cursor: db.Cursor, draft_id: int, page: int) -> list[db.Row]:
    return policy_trial.changed(cursor, policy_drafts.read(cursor, draft_id).texts.parse(), page, ROWS)


def trial(draft: Draft) -> None:
    """Which past decisions would change under the draft, with a way to each report."""
    try:
        found = session.read(_summary, draft.draft_id)
    except InvalidPolicy:
        st.info("A draft can be tried as soon as it keeps the rules.", icon=":material/rule:")
        return
    if not found.decisions:
        st.caption("No report has been decided on yet.")
        return
    st.subheader(
        f"Under this draft, {found.changed:,} of {counted(found.decisions, 'past decision')} would change",
        anchor=False,
    )
    st.caption("Each is tried with the same answers of its reviewer. Nothing is decided again by publishing.")
    if not found.changed:
        return
    lines = [
        f"- {severity_badge(old)} to {severity_badge(new)}: {count:,}"
        for (old, new), count in sorted(found.moves.items(), key=lambda move: -move[1])
    ]
    lines.append(f"- Another priority: {found.priorities:,}")
    lines.append(f"- Cites a clause that the draft does not have: {found.gone:,}")
    st.markdown("\n".join(lines))
    table = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        beside = st.container(width="content")
        page = paging.choose(found.changed, ROWS, "trial", most=7)
    rows = session.read(_rows, draft.draft_id, page)
    ids = tuple(row["report_id"] for row in rows)
    key = f"open-{draft.draft_id}-{draft.revision}-{'-'.join(ids)}"
    if report_id := row_buttons.opened(key, ids, elsewhere=True):
        session.open_report(report_id)
    table.dataframe(
        {
            "open": [["Open"]] * len(rows),
            "report": [inline(name) for name in ids],
            "now": [SEVERITY[row["severity"]] for row in rows],
            "then": [SEVERITY[row["new_severity"]] for row in rows],
            "priority": [PRIORITY[row["priority"]] for row in rows],
            "priority_then": [PRIORITY[row["new_priority"]] for row in rows],
            "gone": [inline(", ".join(row["gone"])) for row in rows],
        },
        column_config={
            "open": st.column_config.ButtonColumn("", width=75, pinned=True, type="tertiary", key=key),
            "report": st.column_config.TextColumn("Report", width=90, pinned=True),
            "now": st.column_config.TextColumn("Severity", width=110),
            "then": st.column_config.TextColumn("Under the draft", width=130),
            "priority": st.column_config.TextColumn("Priority", width=130),
            "priority_then": st.column_config.TextColumn("Under the draft", width=130),
            "gone": st.column_config.TextColumn("Clauses lost", width=140),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Decisions that would change under the draft, one a row, with a button that opens the report",
    )
    with beside:
        row_buttons.as_menu("Open a report", key, ids)


def preview(draft: Draft) -> None:
    """The draft as it will be read."""
    try:
        policy = draft.texts.parse()
    except InvalidPolicy:
        st.info("A draft can be read as a whole as soon as it keeps the rules.", icon=":material/rule:")
        return
    sections.guidance(policy, {})
    sections.severity(policy)
    sections.promises(policy)
    sections.terms(policy)
