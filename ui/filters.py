"""The filters that Inbox and Review share; they live in the address, so that a view is a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, LiteralString

import streamlit as st

from triage_core import queries
from triage_core.counted import OF_BOUNTY, Counted, Moment
from triage_core.model import Channel, HarmType, Severity, Status
from triage_core.queries import Filter, Only, Sort
from triage_core.rewards import bounty
from ui import filter_words, others, session
from ui.hostile import inline
from ui.words import HARM_TYPE, SEVERITY

PAGE = 25
MANY = 200  # products to choose from; the most frequent first
DEFAULTS: Mapping[str, Any] = {
    "words": "",
    "state": "to_decide",
    "only": "all",
    "severity": [],
    "harm": [],
    "product": [],
    "version": "",
    "door": [],
    "technique": "",
    "clause": "",
    "other": others.NOTHING,
    "without": "",
    "of_cluster": "",
    "api_key": "",
    "moment": "received",
    "since": "",
    "until": "",
}
KEPT: Mapping[str, Any] = {**DEFAULTS, "sort": str(Sort.NEWEST)}  # by a view; an order alone is no filter

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_decide": ("new", "needs_info", "triaged"),
    "in_work": ("accepted", "deferred", "fix_ready", "fixed", "retest"),
    "open": queries.OPEN_STATES,
    "any": (),
}


def draw() -> tuple[Filter, Sort]:
    """Draw the filters side by side and give what they ask for."""
    # So wide that each level, state and view can be read, and so near that all stand in one row of a laptop.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        values: dict[str, Any] = {
            "words": st.text_input(
                "Words, or an id",
                key="words",
                bind="query-params",
                type="search",
                placeholder="Search",
                width=150,
                on_change=show_first_page,
            ),
            "state": _one(
                "State", "state", [*_GROUPS, *(str(status) for status in Status)], filter_words.STATE, 175
            ),
            "only": _one("Which of them", "only", list(filter_words.ONLY), filter_words.ONLY, 230),
            "severity": _some(
                "Severity", "severity", [str(level) for level in Severity], SEVERITY.__getitem__, 150
            ),
            "harm": _some("Harm", "harm", [str(harm) for harm in HarmType], HARM_TYPE.__getitem__, 150),
            "product": _some("Product", "product", products(), inline, 150),
        }
        sort = _one("Order", "sort", list(filter_words.SORTS), filter_words.SORTS, 155)
        values |= _draw_more()
    return asked(values), Sort(sort)


def _one(
    label: LiteralString,
    key: LiteralString,
    options: Sequence[str],
    words: Mapping[str, LiteralString],
    width: int | Literal["stretch"] = "stretch",
) -> str:
    """A filter that has one value at a time."""
    return st.selectbox(
        label,
        options,
        format_func=words.__getitem__,
        key=key,
        bind="query-params",
        width=width,
        on_change=show_first_page,
    )


def _some(
    label: LiteralString,
    key: LiteralString,
    options: Sequence[str],
    words: Callable[[str], str],
    width: int | Literal["stretch"] = "stretch",
) -> list[str]:
    """A filter that lets any of some values through, and all while none is chosen."""
    return st.multiselect(
        label,
        options,
        format_func=words,
        key=key,
        bind="query-params",
        placeholder="Any",
        width=width,
        on_change=show_first_page,
    )


def _draw_more() -> dict[str, Any]:
    """The filters that links of Trends need most."""
    values: dict[str, Any] = {}
    told = "Times, model version, technique, clause, cluster, key, door, and what to leave out"
    with st.popover("More", icon=":material/filter_list:", help=told):
        values["moment"] = _one("Time of what", "moment", list(filter_words.MOMENT), filter_words.MOMENT)
        for name, label in filter_words.TEXTS.items():
            values[name] = st.text_input(
                label,
                key=name,
                bind="query-params",
                placeholder="2026-10-01" if name in ("since", "until") else "Any",
                on_change=show_first_page,
            )
        doors = [str(channel) for channel in Channel]
        values["door"] = _some("Door", "door", doors, others.DOORS.__getitem__)
        values["other"] = _one("Leave out", "other", list(others.KINDS), others.KINDS)
        values["without"] = st.text_input(
            "Which of these to leave out",
            key="without",
            bind="query-params",
            placeholder="One, another",
            on_change=show_first_page,
        )
    for name in ("since", "until"):
        if values[name] and _moment(values[name]) is None:
            st.warning("This is no day like 2026-10-01, so it narrows nothing.", icon=":material/event_busy:")
    return values


def _moment(text: str) -> datetime | None:
    """A day or a moment in ISO form, UTC unless it names its zone; None where it is neither."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def asked(values: Mapping[str, Any]) -> Filter:
    """The filter that these values of the widgets ask for; what is left out stands at its default."""
    value = {**DEFAULTS, **values}
    only = None if value["only"] == "all" else _only(value["only"])
    since, until = _moment(value["since"]), _moment(value["until"])
    # Who looks for words, at every state or by a time, looks at what is snoozed too.
    moment = Moment(value["moment"])
    everything = only is None and (value["words"] or value["state"] == "any" or since or until)
    return Filter(
        status=_GROUPS.get(value["state"], (value["state"],)),
        severity=value["severity"],
        harm=value["harm"],
        platform=value["product"],
        model_version=[others.named(value["version"])] if value["version"] else [],
        channel=value["door"],
        technique=value["technique"] or "",
        clause=value["clause"] or "",
        other="" if value["other"] == others.NOTHING else value["other"],
        without=others.left_out(value["other"], value["without"] or ""),
        cluster_id=(value["of_cluster"] or "").strip(),
        api_key=(value["api_key"] or "").strip(),
        words=value["words"] or "",
        moment=moment,
        since=since,
        until=until,
        only=only,
        at=None if everything else session.now(),
        who=session.actor().actor_id if only is Only.MINE else "",
        also=_bounties(only),
        bounties=_ended(only, moment, since, until),
    )


def _bounties(only: Only | Counted | None) -> dict[str, datetime]:
    """By report, the bounty clocks that a list of what is late asks for."""
    within = {Only.LATE: timedelta(0), Only.BREACHING: queries.BREACHING_WITHIN}
    return dict(session.read(bounty.late, session.now() + within[only])) if only in within else {}


def _ended(
    only: Only | Counted | None, moment: Moment, since: datetime | None, until: datetime | None
) -> list[int]:
    """The numbers of the reports whose bounty clock ended, as far as this list asks for them."""
    of_them = only in OF_BOUNTY
    if not of_them and moment is not Moment.BOUNTY_END:
        return []
    bounds = (since, until) if moment is Moment.BOUNTY_END else (None, None)
    return session.read(bounty.named, session.now(), only if of_them else Counted.BOUNTY, *bounds)


def _only(value: str) -> Only | Counted:
    return Only(value) if value in set(Only) else Counted(value)


def standing() -> dict[str, Any]:
    """The values of the widgets that differ from their defaults: what a view keeps."""
    return {
        name: st.session_state[name]
        for name, default in KEPT.items()
        if name in st.session_state and st.session_state[name] != default
    }


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """These values as far as the widgets still offer them: a view may be older than a product or a word of ours."""
    offered: dict[str, Any] = {**filter_words.LABELS, "product": products()}
    found = {}
    for name in values.keys() & KEPT.keys():
        value = values[name]
        if isinstance(value, list):
            found[name] = [one for one in value if one in offered[name]]
        elif name in ("words", "without", *filter_words.TEXTS) or value in offered[name]:
            found[name] = value
    return {name: value for name, value in found.items() if value}


def products() -> list[str]:
    """The products to choose from."""
    return session.read(queries.choices, "platform")[:MANY]


def show(values: Mapping[str, Any]) -> None:
    """Show a view: these values, and every other filter at its default; for a widget's callback."""
    st.session_state.update({**KEPT, **values})
    show_first_page()


def address(values: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The query parameters under which the widgets show these values: the address holds labels."""
    return {
        name: [_shown(name, one) for one in value] if isinstance(value, list) else _shown(name, value)
        for name, value in values.items()
    }


def _shown(name: str, value: str) -> str:
    return inline(value) if name == "product" else filter_words.LABELS.get(name, {}).get(value, value)


def active() -> int:
    """How many filters stand in the address; the order is not one."""
    return sum(key in st.query_params for key in DEFAULTS)


def clear() -> None:
    """Back to the default view; for a widget's callback."""
    st.session_state.update(DEFAULTS)
    show_first_page()


def search_everywhere() -> None:
    """Keep the words and drop every other filter; for a widget's callback."""
    st.session_state.update({**DEFAULTS, "words": st.session_state["words"], "state": "any"})
    show_first_page()


def show_first_page() -> None:
    st.session_state["page"] = 1
