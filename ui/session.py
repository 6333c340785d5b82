"""Who is looking, what they may do, and how pages read from and write to the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, LiteralString, ParamSpec, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from triage_core import access, runtime
from triage_core import health as installation
from triage_core import monthly as reports
from triage_core.db import Cursor
from triage_core.disclosure import sharing
from triage_core.errors import Conflict, FlawdeskError, NotFound, Refused
from triage_core.health import Health
from triage_core.likeness.explain import Explanation
from triage_core.model import Actor, DeskRole
from triage_core.queries import Filter
from triage_core.runtime import Runtime
from ui import components, refusals
from ui.hostile import plain
from ui.words import ROLE

P = ParamSpec("P")
T = TypeVar("T")

Stamp = tuple[str, int, bool, bool]

NAME = "Demo person"
SIGN_IN_NOTICE = (
    ":material/lock_open: **Flawdesk demo.** Sign-in is not built yet, so this server answers on this machine only"
    " and everybody is one demo person. Act as:"
)


def identify() -> Actor:
    """Draw the banner that stands in for sign-in and give the person it describes."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(SIGN_IN_NOTICE, width="content")
        st.selectbox(
            "Role of the demo person",
            [str(role) for role in DeskRole],
            format_func=ROLE.__getitem__,
            key="role",
            bind="query-params",
            label_visibility="collapsed",
            width=180,
        )
        with st.container(width="content", gap=None):
            components.served("looks")(key="looks", height=1)
            components.served("focus")(key="focus", height=1)
    return actor()


def actor() -> Actor:
    """The person of this session; the role comes from the banner and is checked by every command."""
    role = DeskRole(st.session_state["role"])
    return Actor(f"demo:{role}", NAME, frozenset({role}))


def may(command: access.Command) -> bool:
    return access.may(actor(), command)


def whose(command: access.Command) -> LiteralString:
    """Whose act a command is, for somebody who may not give it; "" for who may."""
    if may(command):
        return ""
    others = " or ".join(ROLE[role] for role in DeskRole if role in access.MAY[command])
    return f"This is for another role: {others}."


def current() -> Runtime:
    """The open product, for somebody who is known.

    Raises RuntimeError where a page runs without the dashboard, which alone says who is looking.
    """
    if "role" not in st.session_state:
        raise RuntimeError("a page runs under dashboard.py only")
    return runtime.current()


def now() -> datetime:
    """The present minute: whatever was read for it is still good at the next click."""
    return current().store.clock().replace(second=0, microsecond=0)


def stamp() -> Stamp:
    """Names a state of the store, and how much of it the person may read: what is read for one stamp is the same."""
    opened = current()
    return str(opened.store.folder), opened.store.revision, opened.worker.state.working, reads_all()


def reads_all() -> bool:
    """True for somebody who reads reports under embargo too."""
    return may(access.Command.READ_EMBARGOED)


def look() -> AbstractContextManager[Cursor]:
    """A cursor for one consistent look at the store, as far as the person may read it: the only one of a screen."""
    opened = current()
    return opened.desk.look(actor(), now())


# A filter by its words: Streamlit would copy it field by field for every name.
_NAMED: dict[str | type, Callable[[Any], object]] = {Filter: repr}


# The worker writes suggestions without an event, and claims are renewed, so an answer is also given up by its age.
# In seconds as a number: Streamlit reads a text such as "10s" anew at every call.
@st.cache_data(ttl=10, max_entries=1_000, show_spinner=False, hash_funcs=_NAMED)
def _read(stamp: Stamp, name: str, args: Any, kwargs: Any, _query: Callable[..., Any]) -> Any:
    with look() as cursor:
        return _query(cursor, *args, **kwargs)


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs=_NAMED)
def _keep(stamp: Stamp, name: str, args: Any, _query: Callable[..., Any]) -> Any:
    with look() as cursor:
        return _query(cursor, *args)


def health() -> Health:
    """How the installation is. Past `look`, whose events lack those of reports that an operator may not read: these are
    counts and moments, and no word of a report."""
    return installation.look(current(), actor())


def read(query: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """`query(cursor, ...)`, answered from memory while the store has not changed."""
    # By name: Streamlit looks up the name of every argument that comes by its place.
    name = f"{query.__module__}.{query.__qualname__}"
    found: T = _read(stamp=stamp(), name=name, args=args, kwargs=kwargs, _query=query)
    return found


def keep(query: Callable[..., T], *args: Any) -> T:
    """As `read`, but kept until the next event, however long that takes: for what nothing else changes.

    What a moment changes has that moment among its arguments.
    """
    found: T = _keep(stamp=stamp(), name=f"{query.__module__}.{query.__qualname__}", args=args, _query=query)
    return found


def is_part() -> bool:
    """True in a run of a fragment by itself: what stands around it is as an earlier run has drawn it."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)


def monthly(month: str) -> Callable[[], str]:
    """What gives the report of a month as an HTML file when somebody downloads it."""
    desk, who, at = current().desk, actor(), now()

    def document() -> str:  # after this run has ended, when there is no session to ask
        with desk.look(who, at) as cursor:
            return reports.document(reports.figures(cursor, at, month))

    return document


def explain(one_id: str, other_id: str) -> Explanation | None:
    """Why two reports are alike or not; None until the worker has compared them, and for one that is withheld."""
    opened = current()
    both = (one_id, other_id)
    # What is named are words of both texts, of which the vectors know without asking the store.
    if opened.worker.state.working or not all(read(sharing.may_read, name, actor(), now()) for name in both):
        return None
    try:
        return opened.likeness.explain(one_id, other_id)
    except NotFound:
        return None


def command(done: LiteralString, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Give a command from a widget's callback; says `done`, or why not. True when it was done."""
    try:
        function(*args, **kwargs)
    except Conflict as error:
        st.toast(f"Nothing was changed: {refusals.why(error)}", icon=":material/group:", duration="long")
    except Refused as error:
        st.toast(f"Not possible: {refusals.why(error)}", icon=":material/block:", duration="long")
    except FlawdeskError as error:
        st.toast(
            f"The installation has a fault: {plain(str(error))}", icon=":material/error:", duration="long"
        )
    else:
        st.toast(done, icon=":material/check:")
        return True
    return False


def open_report(report_id: str) -> None:
    """Go to Review with this report on the desk; the filters stay as they are."""
    go("review", report=report_id)


def go(page: str, **parameters: str) -> None:
    """Go to a page with these parameters beside those of the address that it has now."""
    # What a widget is bound to goes with the widget, and Streamlit refuses to be told it.
    free = {name: value for name, value in st.query_params.to_dict().items() if name not in st.session_state}
    st.switch_page(f"pages/{page}.py", query_params={**free, **parameters})


def snapshot_key(seen: Mapping[str, int]) -> str:
    """Names the rows that are shown, each in its version: a row number means a report only among those."""
    text = f"{'-'.join(seen)} {list(seen.values())}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def address() -> str:
    """The address of what is shown, for somebody of whatever role."""
    shown = [
        (name, value) for name in st.query_params if name != "role" for value in st.query_params.get_all(name)
    ]
    return f"{st.context.url or ''}?{urlencode(shown)}".rstrip("?")


def picked(parameter: str) -> str:
    """What the address names, as text that nobody vouches for; "" when it names nothing."""
    return str(st.query_params.get(parameter, ""))


def number(name: str) -> int:
    """The number that an address names; 0, which nothing has, for what is none or does not fit a BIGINT."""
    return int(name) if name.isdecimal() and len(name) < 19 else 0


def pick(parameter: str, value: str | None) -> None:
    """Name something in the address, so that the view is a link; for widget callbacks."""
    if value is None:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = value
