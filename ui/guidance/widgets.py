"""The fields of a draft's forms: what each shows of a part, and the value that its widget gives back.

A value that is not what the policy asks for, such as a day that is no date, is kept as the text that was
typed: the check of the draft names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import streamlit as st

from triage_core.guidance.policy import GRADED, WEEKDAYS
from ui.guidance.tables import DAYS
from ui.words import SEVERITY

LEVELS = [str(level) for level in GRADED]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a part: the dotted name that LABEL has, of which the first step is the part, and its kind."""

    name: str
    kind: str
    optional: bool = False

    @property
    def place(self) -> str:
        """The dotted place within the part; "" for the part itself."""
        return self.name.partition(".")[2]


def draw(field: Field, value: Any, key: str) -> None:
    """The widget of a field, filled with `value`."""
    match field.kind:
        case "line":
            st.text_input(LABEL[field.name], value or "", key=key)
        case "text":
            st.text_area(LABEL[field.name], value or "", key=key, height="content")
        case "lines" | "dates":
            st.text_area(
                LABEL[field.name],
                "\n".join(map(str, value or ())),
                key=key,
                height="content",
                help="One a line.",
            )
        case "words" | "wholes":
            st.text_input(
                LABEL[field.name], ", ".join(map(str, value or ())), key=key, help="With commas between them."
            )
        case "whole":
            st.number_input(LABEL[field.name], value=value, step=1, key=key)
        case "share":
            st.number_input(LABEL[field.name], value=float(value or 0), step=0.05, key=key)
        case "days":
            st.multiselect(LABEL[field.name], WEEKDAYS, value, format_func=DAYS.__getitem__, key=key)
        case "level":
            st.selectbox(
                LABEL[field.name],
                LEVELS,
                LEVELS.index(value),
                format_func=SEVERITY.__getitem__,
                key=key,
            )


def taken(field: Field, key: str) -> Any:
    """What the widget of a field holds, as a value of the policy; None for an optional one that is empty."""
    value = st.session_state.get(key)
    found = READ.get(field.kind, lambda value: value)(value)
    return None if field.optional and not found else found


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _each(read: Callable[[str], Any], texts: list[str]) -> list[Any]:
    found: list[Any] = []
    for text in texts:
        item: Any = text
        with suppress(ValueError):
            item = read(text)
        found.append(item)
    return found


READ: Mapping[str, Callable[[Any], Any]] = {
    "lines": _lines,
    "words": _words,
    "dates": lambda value: _each(date.fromisoformat, _lines(value)),
    "wholes": lambda value: _each(int, _words(value)),
}


def get(part: Any, place: str) -> Any:
    """The value at a dotted place of a part; None where there is none."""
    for step in place.split(".") if place else ():
        part = part.get(step) if isinstance(part, Mapping) else None
    return part


def put(part: Any, place: str, value: Any) -> Any:
    """The part with another value at a dotted place, all else as it was; None takes the place away."""
    if not place:
        return value
    step, _, rest = place.partition(".")
    inner = put(part.get(step, {}), rest, value) if rest else value
    new = {**part, step: inner}
    return {key: item for key, item in new.items() if item is not None}


LABEL: Mapping[str, LiteralString] = {
    "version": "Version",
    "title": "Title",
    "contact": "Contact, an address with its scheme",
    "products": "Products",
    "incomplete_note": "What is not listed",
    "safe_harbour": "Safe harbour",
    "second_look.share": "Share of decisions that are made again, 0 to 1",
    "clause.title": "Title",
    "clause.text": "Rule",
    "clause.in_scope_example": "Example: report it",
    "clause.out_of_scope_example": "Example: no need to",
    "clause.owasp": "OWASP LLM Top 10",
    "clause.atlas": "MITRE ATLAS",
    "clocks.first_response_days": "First response, business days",
    "clocks.triage_days": "Triage, business days",
    "clocks.bounty_days": "Bounty after triage, business days",
    "clocks.fix_days.critical": "Fix of a critical flaw, days",
    "clocks.fix_days.high": "Fix of a high one, days",
    "clocks.fix_days.medium": "Fix of a medium one, days",
    "clocks.fix_days.low": "Fix of a low one, days",
    "clocks.zone": "Time zone",
    "clocks.business_days": "Business days",
    "clocks.holidays": "Holidays, like 2026-12-25",
    "waiting.default_days": "Waiting period, days",
    "waiting.high_days": "When high, days",
    "waiting.critical_days": "When critical, days",
    "waiting.exploited_days": "When attacks are seen, days",
    "waiting.cap_days": "All extensions together, days",
    "rewards.currency": "Currency",
    "rewards.yearly_budget": "Budget of a year",
    "rewards.bands.low.minimum": "Low, from",
    "rewards.bands.low.maximum": "Low, to",
    "rewards.bands.medium.minimum": "Medium, from",
    "rewards.bands.medium.maximum": "Medium, to",
    "rewards.bands.high.minimum": "High, from",
    "rewards.bands.high.maximum": "High, to",
    "rewards.bands.critical.minimum": "Critical, from",
    "rewards.bands.critical.maximum": "Critical, to",
    "rewards.duplicates.window_days": "Duplicates share within, days",
    "rewards.duplicates.equal_from": "Equal shares from",
    "rewards.duplicates.percent": "Below that, percent",
    "rewards.non_cash": "Other rewards",
}
WORDS = {
    "version": (Field("version", "line"),),
    "title": (Field("title", "line"),),
    "contact": (Field("contact", "line"),),
    "products": (Field("products", "lines"),),
    "incomplete_note": (Field("incomplete_note", "text"),),
    "safe_harbour": (Field("safe_harbour", "text"),),
    "second_look": (Field("second_look.share", "share"),),
}
CLAUSE = (
    Field("clause.title", "line"),
    Field("clause.text", "text"),
    Field("clause.in_scope_example", "text"),
    Field("clause.out_of_scope_example", "text"),
    Field("clause.owasp", "words", optional=True),
    Field("clause.atlas", "words", optional=True),
)
PROMISES = {
    "clocks": (
        Field("clocks.first_response_days", "whole"),
        Field("clocks.triage_days", "whole"),
        Field("clocks.bounty_days", "whole"),
        Field("clocks.fix_days.critical", "whole"),
        Field("clocks.fix_days.high", "whole"),
        Field("clocks.fix_days.medium", "whole"),
        Field("clocks.fix_days.low", "whole"),
        Field("clocks.zone", "line"),
        Field("clocks.business_days", "days"),
        Field("clocks.holidays", "dates"),
    ),
    "waiting": (
        Field("waiting.default_days", "whole"),
        Field("waiting.high_days", "whole"),
        Field("waiting.critical_days", "whole"),
        Field("waiting.exploited_days", "whole"),
        Field("waiting.cap_days", "whole"),
    ),
    "rewards": (
        Field("rewards.currency", "line"),
        Field("rewards.yearly_budget", "whole", optional=True),
        Field("rewards.bands.low.minimum", "whole"),
        Field("rewards.bands.low.maximum", "whole"),
        Field("rewards.bands.medium.minimum", "whole"),
        Field("rewards.bands.medium.maximum", "whole"),
        Field("rewards.bands.high.minimum", "whole"),
        Field("rewards.bands.high.maximum", "whole"),
        Field("rewards.bands.critical.minimum", "whole"),
        Field("rewards.bands.critical.maximum", "whole"),
        Field("rewards.duplicates.window_days", "whole"),
        Field("rewards.duplicates.equal_from", "level"),
        Field("rewards.duplicates.percent", "wholes"),
        Field("rewards.non_cash", "words"),
    ),
}  # fmt: skip
