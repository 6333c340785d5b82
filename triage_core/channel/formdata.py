"""The public form's fields as the flaw-report/1 JSON that the one validator reads, and back to their places.

A field that may come several times (a turn, another system) is sent as often as it is shown, so
that the parts of one row stand at the same place in their lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from triage_core.errors import InvalidReport
from triage_core.model import DisclosureIntent, Tristate, Turn

Values = Mapping[str, Sequence[str]]
SYSTEM = ("platform", "model", "version", "access_method")
TEXTS = (
    "what_is_wrong",
    "contact",
    "credit_name",
    "expected",
    "actual",
    "session_id",
    "policy_clause_claimed",
)
CHOICES = ("disclosure_intent", "credit_wish", "consent_training", "consent_share_peers")
GUESSES = ("real_world_harm", "malicious_use")
DATES = ("planned_date", "embargo_wish")  # asked only of those who mean to publish
OTHER = ("platform", "model", "worked")
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "platform": "Product or platform",
        "model": "Model",
        "version": "Version",
        "access_method": "How did you reach the system?",
        "transcript": "The conversation",
        "what_is_wrong": "What is wrong with that?",
        "harm-0": "What harm could it do?",
        "intent-0": "Do you plan to publish it?",
        "planned_date": "When do you mean to publish?",
        "embargo_wish": "Until when would you wait?",
        "illegal_minor_content": "Does it show sexual content involving minors?",
        "contact": "Contact",
        "credit_name": "Name for the credit",
        "credit_wish": "Credit",
        "expected": "What should it have answered?",
        "actual": "What did it do instead?",
        "tries": "Tries",
        "successes": "Successes",
        "other-0": "Other systems you tried",
        "real_world_harm": "Has it hurt somebody?",
        "malicious_use": "Is somebody using it on purpose?",
        "session_id": "Session or conversation id",
        "policy_clause_claimed": "Which clause of the policy do you think applies?",
        "consent_training": "May we train on it?",
        "consent_share_peers": "May we tell companies with similar products?",
    }
)
"""The fields of the form, by their place, as it calls them."""
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


def to_report_json(values: Values) -> dict[str, Any]:
    """A sent form as a JSON object; empty fields are left out, a browser's CRLF becomes LF."""
    report: dict[str, Any] = {}
    system = {name: _one(values, name) for name in SYSTEM}
    if any(system.values()):
        report["system"] = [_filled(system)]
    if turns := [{"role": role, "content": content} for _, role, content in turn_rows(values)]:
        report["turns"] = turns
    if values.get("harm_types"):
        report["harm_types"] = list(values["harm_types"])
    for name in (*TEXTS, *CHOICES):
        if value := _one(values, name):
            report[name] = value
    for name in GUESSES:
        if (value := _one(values, name)) and value != Tristate.UNKNOWN:
            report[name] = value
    if report.get("disclosure_intent") == DisclosureIntent.YES:
        report |= {name: _instant(value) for name in DATES if (value := _one(values, name))}
    for name in ("illegal_minor_content", "wants_reward"):
        if _one(values, name):
            report[name] = True
    for name in ("tries", "successes"):
        if value := _one(values, name):
            # What is no number goes on as text, so that the validator names the field.
            report[name] = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
    if others := _others(values):
        report["other_systems_tried"] = others
    return report


def all_turns(values: Values) -> list[tuple[str, str]]:
    """The turns of the form, the empty ones too: (role, content)."""
    roles, contents = values.get("turn_role", ()), values.get("turn_content", ())
    if len(roles) != len(contents):
        raise InvalidReport("turns", "must have one speaker for each turn")
    return [(role, _lines(content)) for role, content in zip(roles, contents, strict=True)]


def turn_rows(values: Values) -> list[tuple[int, str, str]]:
    """The filled turns of the form: (place on the form, role, content)."""
    found = enumerate(all_turns(values))
    return [(at, role, content) for at, (role, content) in found if content.strip()]


def with_turns(values: Values, turns: Sequence[Turn]) -> dict[str, list[str]]:
    """The form's fields with these turns in place of its own."""
    kept = {name: list(given) for name, given in values.items() if name != "transcript"}
    roles = [str(turn.role) for turn in turns]
    return {**kept, "turn_role": roles, "turn_content": [turn.content for turn in turns]}


def missing(values: Values) -> list[str]:
    """The places of the asked fields that are empty; of a report without evidence only its metadata is asked."""
    told = [] if _one(values, "illegal_minor_content") else ["turn-0", "what_is_wrong"]
    filled = {
        "platform": bool(_one(values, "platform")),
        "turn-0": any(content.strip() for content in values.get("turn_content", ())),
        "what_is_wrong": bool(_one(values, "what_is_wrong")),
        "harm-0": bool(values.get("harm_types")),
        "intent-0": bool(_one(values, "disclosure_intent")),
    }
    return [place for place in ("platform", *told, "harm-0", "intent-0") if not filled[place]]


def place(field: str, values: Values) -> str:
    """The id of the form's element that a refused field is about; "" when there is none."""
    name, _, rest = field.partition("[")
    number = int(found[1]) if (found := re.match(r"(\d{1,4})\]", rest)) else 0
    if name == "turns":
        rows = (
            turn_rows(values)
            if len(values.get("turn_role", ())) == len(values.get("turn_content", ()))
            else []
        )
        return f"turn-{rows[number][0] if number < len(rows) else 0}"
    if name == "system":
        asked = field.rpartition(".")[2]
        return asked if asked in SYSTEM else "platform"
    places = {"harm_types": "harm-0", "disclosure_intent": "intent-0", "other_systems_tried": "other-0"}
    plain = {*TEXTS, *CHOICES, *GUESSES, *DATES, "tries", "successes", "illegal_minor_content", "transcript"}
    return places.get(name) or (name if name in plain else "")


def title(place: str) -> str:
    """What the form calls the field at a place that `place` gave; "" for none of its fields."""
    if place.startswith("turn-"):
        return "What was said"
    return TITLES.get(place, "")


def _others(values: Values) -> list[dict[str, str]]:
    columns = [values.get(f"other_{name}", ()) for name in OTHER]
    if len({len(column) for column in columns}) > 1:
        raise InvalidReport("other_systems_tried", "must have a product, a model and a result in each row")
    rows = [
        dict(zip(OTHER, (part.strip() for part in row), strict=True)) for row in zip(*columns, strict=True)
    ]
    return [_filled(row) for row in rows if row["platform"] or row["model"]]


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def _instant(value: str) -> str:
    """A browser's date and hour, asked for in UTC, with its zone; anything else as it is, to be refused."""
    return f"{value}:00Z" if _LOCAL.fullmatch(value) else value


def _one(values: Values, name: str) -> str:
    return _lines((values.get(name) or [""])[0]).strip()


def _lines(value: str) -> str:
    return value.replace("\r\n", "\n")
