"""Whose task a report is: shown, and given to somebody, on the inbox and on Review."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from triage_core.access import Command
from triage_core.desk import boards, claims
from triage_core.model import Actor, DeskRole
from ui import session
from ui.hostile import inline, plain

NOBODY = "Nobody"


def people(*more: str) -> dict[str, str]:
    """Nobody, oneself, everybody who has done a reviewer's work, and `more`: names by id."""
    me = [session.actor().actor_id] if session.may(Command.ASSESS) else []
    found = {NOBODY: NOBODY, **{name: named(name) for name in (*me, *session.read(boards.deciders), *more)}}
    # A menu refuses two rows of the same words: who shares a name with somebody is listed by the whole id.
    shared = Counter(found.values())
    return {name: words if shared[words] == 1 else inline(name, 200) for name, words in found.items()}


def named(name: str) -> str:
    """How a person is listed: for select options and data frame cells."""
    return "Me" if name == session.actor().actor_id else inline(name.partition(":")[2] or name)


def person(name: str) -> Actor | None:
    """The reviewer of this id. Until people have accounts, whoever has decided counts as one."""
    return None if name == NOBODY else Actor(name, name, frozenset({DeskRole.REVIEWER}))


def menu(report_id: str, version: int, assigned_to: str | None) -> None:
    """Whose task this version of a report is, as a menu; choosing gives it to that person."""
    listed = people(*([assigned_to] if assigned_to else []))
    key = f"assign-{report_id}-{version}"
    st.menu_button(
        f"Task of {plain(listed[assigned_to])}" if assigned_to else "Nobody's task",
        list(listed),
        key=key,
        format_func=lambda name: NOBODY if name == NOBODY else plain(listed[name]),
        type="tertiary",
        icon=":material/assignment_ind:",
        disabled=not session.may(Command.CLAIM),
        help=session.whose(Command.CLAIM),
        on_click=_give,
        args=(report_id, version, key),
    )


def _give(report_id: str, version: int, key: str) -> None:
    assignee = person(st.session_state[key])
    session.command(
        f"{plain(report_id)} is the task of {plain(named(assignee.actor_id)) if assignee else 'nobody'}",
        claims.assign,
        session.current().store,
        session.actor(),
        report_id,
        assignee,
        seen_version=version,
    )
