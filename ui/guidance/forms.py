"""Writing a draft: one form a section, all of them on the page at once, so that going to and fro loses nothing.

The keys of a form hold the revision that it was filled from. When somebody else changed the same part
meanwhile, what was typed stays in the form until the person says which of the two it shall be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, LiteralString

import streamlit as st

from triage_core.guidance import policies, policy_drafts, policy_text
from triage_core.guidance.placeholders import MARK
from triage_core.guidance.policy import ClauseKind
from triage_core.guidance.policy_drafts import Draft
from triage_core.guidance.policy_text import Parts
from triage_core.guidance.tables import PRIORITY_CSV, SEVERITY_CSV
from ui import session
from ui.guidance import grids, widgets
from ui.guidance.sections import KINDS
from ui.guidance.widgets import CLAUSE, PROMISES, WORDS, Field
from ui.hostile import plain

Collect = Callable[[str], Mapping[str, Any]]
NEW: Mapping[str, str] = {
    "text": f"{MARK} the rule.",
    "in_scope_example": f"{MARK} an example that should be reported.",
    "out_of_scope_example": f"{MARK} its neighbour on the other side.",
}


def draw(draft: Draft) -> None:
    """The forms of a draft, by section."""
    parts = policy_text.split(draft.texts)
    words, clauses, severity, priority, promises = st.tabs(
        ["Words", "Clauses", "Severity table", "Priority table", "Clocks and rewards"]
    )
    with words:
        _section(draft, parts, "words", WORDS, columns=1)
    with clauses:
        for part in [part for part in parts if policy_text.is_clause(part)]:
            _clause(draft, parts, part)
        _add(draft)
    for tab, table in ((severity, SEVERITY_CSV), (priority, PRIORITY_CSV)):
        with tab:
            _grid(draft, parts, table)
    with promises:
        for name, fields in PROMISES.items():
            st.subheader(HEAD[name], anchor=False)
            _section(draft, parts, name, {name: fields}, columns=3)
        st.subheader("White hats", anchor=False)
        _tiers(draft, parts)


TIERS = "white_hat"
HEAD: Mapping[str, LiteralString] = {
    "clocks": "Clocks",
    "waiting": "Waiting before going public",
    "rewards": "Rewards",
}


def _section(
    draft: Draft, parts: Parts, name: str, fields: Mapping[str, Sequence[Field]], columns: int
) -> None:
    known = {part: value for part, value in parts.items() if part in fields}

    def show(prefix: str) -> None:
        places = st.columns(columns)
        drawn = [(part, field) for part in known for field in fields[part]]
        for at, (part, field) in enumerate(drawn):
            with places[at * columns // len(drawn)]:
                widgets.draw(field, widgets.get(known[part], field.place), f"{prefix}-{part}-{field.place}")

    def collect(prefix: str) -> Mapping[str, Any]:
        return {part: _taken(known[part], fields[part], f"{prefix}-{part}") for part in known}

    _form(draft, name, show, collect)


def _taken(part: Any, fields: Sequence[Field], prefix: str) -> Any:
    for field in fields:
        part = widgets.put(part, field.place, widgets.taken(field, f"{prefix}-{field.place}"))
    return part


def _clause(draft: Draft, parts: Parts, part: str) -> None:
    clause = parts[part]

    def show(prefix: str) -> None:
        for field in CLAUSE:
            widgets.draw(field, clause.get(field.place), f"{prefix}-{field.place}")
        st.checkbox("Take this clause out", key=f"{prefix}-out")

    def collect(prefix: str) -> Mapping[str, Any]:
        return {part: None if st.session_state[f"{prefix}-out"] else _taken(clause, CLAUSE, prefix)}

    with st.expander(f"{plain(clause['id'])} {plain(str(clause.get('title', '')))}"):
        _form(draft, part, show, collect)


def _grid(draft: Draft, parts: Parts, table: str) -> None:
    show, text = grids.GRIDS[table]
    before = parts[table]

    def collect(prefix: str) -> Mapping[str, Any]:
        edited = st.session_state[prefix]["edited_rows"]
        return {table: text(before, edited)} if edited else {}

    st.caption(
        "A worse input may never give a milder result: the check names the row for which that does not hold."
    )
    _form(draft, table, lambda prefix: show(before, prefix), collect)


def _tiers(draft: Draft, parts: Parts) -> None:
    before = parts.get(TIERS, [])

    def collect(prefix: str) -> Mapping[str, Any]:
        return {TIERS: grids.tiers_after(before, st.session_state[prefix]) or None}

    st.caption("The lowest first: each asks for more confirmed flaws than the one before and gives no less.")
    _form(draft, TIERS, lambda prefix: grids.tiers(before, prefix), collect)


def _add(draft: Draft) -> None:
    def show(prefix: str) -> None:
        st.selectbox("Kind", list(KINDS), format_func=lambda kind: KINDS[kind][1], key=f"{prefix}-kind")
        st.text_input("Title", key=f"{prefix}-title")

    def collect(prefix: str) -> Mapping[str, Any]:
        kind = ClauseKind(st.session_state[f"{prefix}-kind"])
        clause_id = session.read(policies.next_clause_id, kind)
        clause = {"id": clause_id, "kind": str(kind), "title": st.session_state[f"{prefix}-title"], **NEW}
        return {policy_text.clause_part(clause_id): clause}

    with st.expander("Add a clause", icon=":material/add:"):
        _form(draft, "new clause", show, collect)


def _form(draft: Draft, name: str, show: Callable[[str], None], collect: Collect) -> None:
    """A form over some parts: filled once, saved against the revision that it was filled from."""
    seen = f"seen-{draft.draft_id}-{name}"
    st.session_state.setdefault(seen, draft.revision)
    prefix = f"{draft.draft_id}-{name}-{st.session_state[seen]}"
    if st.session_state.get(f"clash-{prefix}"):
        with st.container(border=True):
            st.markdown(
                f":material/group: **{plain(draft.updated_by)} changed this too.** What you typed is still below."
            )
            with st.container(horizontal=True):
                st.button(
                    "Keep mine",
                    key=f"mine-{prefix}",
                    on_click=_save,
                    args=(draft, seen, prefix, collect, draft.revision),
                )
                st.button(
                    "Take theirs", key=f"theirs-{prefix}", on_click=_fill_again, args=(seen, draft.revision)
                )
    with st.form(f"form-{prefix}", border=False):
        show(prefix)
        st.form_submit_button(
            "Save", icon=":material/save:", key=f"save-{prefix}", on_click=_save,
            args=(draft, seen, prefix, collect, st.session_state[seen]),
        )  # fmt: skip


def _save(draft: Draft, seen: str, prefix: str, collect: Collect, revision: int) -> None:
    opened = session.current()
    done = session.command(
        "Saved in the draft", policy_drafts.change, opened.store, session.actor(), draft.draft_id, collect(prefix),
        seen_revision=revision,
    )  # fmt: skip
    with session.look() as cursor:
        present = policy_drafts.read(cursor, draft.draft_id).revision
    if done:
        _fill_again(seen, present)
    elif present != revision:
        st.session_state[f"clash-{prefix}"] = True


def _fill_again(seen: str, revision: int) -> None:
    st.session_state[seen] = revision
