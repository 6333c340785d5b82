"""Drafts of the next policy on the Policy screen: begin one, and the head and the actions of the one that is open."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import LiteralString

import streamlit as st

from triage_core.errors import InvalidPolicy, NotFound
from triage_core.guidance import policies, policy_drafts, policy_overtaken
from triage_core.guidance.policy_drafts import Draft, State
from triage_core.model import Actor
from triage_core.store import Store
from ui import session
from ui.guidance import files, forms, review
from ui.hostile import plain
from ui.words import badge, moment

STATE: Mapping[State, LiteralString] = {
    State.OPEN: "Open",
    State.APPROVED: "Approved",
    State.WITHDRAWN: "Withdrawn",
    State.PUBLISHED: "Published",
}
COLOUR: Mapping[State, LiteralString] = {
    State.OPEN: "blue",
    State.APPROVED: "green",
    State.WITHDRAWN: "gray",
    State.PUBLISHED: "violet",
}
PARTS: Mapping[str, LiteralString] = {
    "write": "Write",
    "changes": "What changes",
    "trial": "Past decisions",
    "preview": "Preview",
    "files": "Files and revisions",
}


def draw() -> None:
    """The list of drafts, or the way to the first one; and the draft that the address names."""
    known = session.read(policy_drafts.listed)
    if not known:
        with st.container(border=True):
            st.markdown(
                "**No draft yet.** A draft begins as a copy of the version in force; nobody else sees it."
            )
            _begin()
        return
    numbers = [str(row["draft_id"]) for row in known]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            "Draft",
            numbers,
            format_func=lambda number: f"Draft {int(number):,}",
            key="draft",
            bind="query-params",
            width=240,
        )
        _begin()
    try:
        draft = session.read(policy_drafts.read, int(number))
    except NotFound:
        st.warning("There is no such draft.", icon=":material/search_off:")
        return
    _head(draft)
    part = st.segmented_control(
        "Part of the draft",
        list(PARTS),
        default="write",
        required=True,
        format_func=PARTS.__getitem__,
        key="draft-part",
        bind="query-params",
        label_visibility="collapsed",
    )
    if part == "write" and draft.state in (State.WITHDRAWN, State.PUBLISHED):
        st.info(
            "This draft is not written any more. Its texts are under Files and revisions.",
            icon=":material/lock:",
        )
    elif part == "write":
        forms.draw(draft)
    elif part == "changes":
        review.changes(draft)
    elif part == "trial":
        review.trial(draft)
    elif part == "preview":
        review.preview(draft)
    else:
        files.draw(draft)


def _begin() -> None:
    st.button("Begin a draft", icon=":material/add:", key="begin-draft", on_click=_start)


def _start() -> None:
    opened = session.current()
    if session.command("The draft is yours to write", policy_drafts.start, opened.store, session.actor()):
        with session.look() as cursor:
            st.session_state["draft"] = str(max(row["draft_id"] for row in policy_drafts.listed(cursor)))


def _head(draft: Draft) -> None:
    """State, what keeps the draft from coming into force, and what may be done with it next."""
    with st.container(border=True, gap="small"):
        wrote = ", ".join(plain(author) for author in draft.authors)
        st.markdown(
            f"{badge(COLOUR[draft.state], STATE[draft.state])} Revision {draft.revision:,}"
            f" from {plain(draft.base_version)}, written by {wrote}, last changed {moment(draft.updated_at)}"
        )
        if draft.approved_by and draft.approved_at:
            st.markdown(
                f":material/verified: Approved by {plain(draft.approved_by)}, {moment(draft.approved_at)}."
            )
        if draft.state is State.PUBLISHED:
            st.markdown(f"Published as {plain(draft.version or '')}. The next change is a new draft.")
            return
        _overtaken(draft)
        obstacle = session.read(policy_drafts.obstacle, draft.draft_id)
        if obstacle:
            st.warning(
                f"Kept as typed, and not ready: {plain(obstacle[0])} {plain(obstacle[1], 400)}",
                icon=":material/rule:",
            )
        elif draft.state is State.OPEN:
            st.caption(":material/check: Complete: it may be approved.")
        _actions(draft, ready=obstacle is None)


def _overtaken(draft: Draft) -> None:
    """Says so when another version came into force since the draft was begun."""
    try:
        found = session.read(policy_overtaken.overtaken, draft)
    except InvalidPolicy:
        return  # policy.toml of the draft is no TOML: that is said below, and comes first
    if found is None:
        return
    changed = ", ".join(review.part_name(part) for part in found.parts) or "nothing but its number"
    also = ", ".join(review.part_name(part) for part in found.both)
    st.warning(
        f"{plain(found.published_by)} put {plain(found.version)} in force, {moment(found.published_at)}, after this"
        f" draft was begun. It changed: {changed}."
        + (f" This draft changes too: {also}; carried over, the draft's words stay." if also else "")
        + " Carry the draft over before it is approved.",
        icon=":material/group:",
    )


def _actions(draft: Draft, ready: bool) -> None:
    mine = session.actor().actor_id in draft.authors
    if mine and ready and draft.state is State.OPEN:
        st.info(
            "**It waits for a second person.** You wrote a part of it, and until sign-in is built everybody who acts as"
            " policy owner here is one person. Another owner, who wrote none of it, approves it on the machine that"
            " holds the store; after that it can be published here. The command:",
            icon=":material/group:",
        )
        folder = shlex.quote(str(session.current().store.folder))
        st.code(
            f"python -m triage_core policy approve {draft.draft_id} --store {folder}",
            language=None,
            wrap_lines=True,
        )
    with st.container(horizontal=True):
        if draft.state is State.OPEN:
            _act_button(
                "Approve", ":material/verified:", "Approved", policy_drafts.approve, draft, disabled=mine or not ready,
                help="Whoever wrote a part of a draft does not approve it." if mine else None,
            )  # fmt: skip
        if draft.state is State.APPROVED:
            _act_button(
                "Publish", ":material/publish:", "In force for everybody", policy_drafts.publish, draft,
                disabled=not ready,
            )  # fmt: skip
        if draft.state is State.WITHDRAWN:
            _act_button("Open again", ":material/lock_open:", "Open again", _reopen, draft)
        else:
            if draft.base_version != session.read(policies.name_in_force):
                _act_button("Carry over", ":material/merge:", "Carried over", policy_drafts.catch_up, draft)
            _act_button("Withdraw", ":material/archive:", "Withdrawn", policy_drafts.set_aside, draft)


def _reopen(store: Store, actor: Actor, draft_id: int, *, seen_revision: int) -> None:
    policy_drafts.set_aside(store, actor, draft_id, False, seen_revision=seen_revision)


def _act_button(
    label: LiteralString,
    icon: LiteralString,
    done: LiteralString,
    command: Callable[..., object],
    draft: Draft,
    *,
    disabled: bool = False,
    help: LiteralString | None = None,
) -> None:
    """A button for a command on exactly this revision: the revision is in its key and in what it sends."""
    st.button(
        label,
        key=f"{label}-{draft.draft_id}-{draft.revision}",
        icon=icon,
        type="primary" if label in ("Approve", "Publish") else "secondary",
        disabled=disabled,
        help=help,
        on_click=_give,
        args=(done, command, draft.draft_id, draft.revision),
    )


def _give(done: LiteralString, command: Callable[..., object], draft_id: int, revision: int) -> None:
    opened = session.current()
    session.command(done, command, opened.store, session.actor(), draft_id, seen_revision=revision)
