"""A report as one row of flat columns: what each of them holds, and the document that a row stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from triage_core.channel.jsontext import decode
from triage_core.errors import InvalidReport
from triage_core.model import TurnRole

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
# What UTF-8 decoding with surrogateescape leaves of a byte that is not UTF-8.
_UNDECODED = re.compile("[\udc80-\udcff]")
_MOST_SHOWN = 20
_LONGEST_SHOWN = 60


def _text(cell: str) -> object:
    return cell


def _json(cell: str) -> object:
    return decode(cell.encode("utf-8", "surrogatepass"))


def _words(cell: str) -> object:
    return [word for part in cell.split(";") if (word := part.strip())]


def _number(cell: str) -> object:
    return int(cell) if re.fullmatch(r"[0-9]{1,9}", cell) else cell


def _flag(cell: str) -> object:
    return _FLAGS.get(cell.lower(), cell)


# A cell that a conversion does not understand is passed on as it is, for the format to refuse by name.
_SYSTEM: Mapping[str, Callable[[str], object]] = dict.fromkeys(
    ("platform", "model", "version", "access_method"), _text
)
_SAID: Mapping[str, TurnRole] = {
    "system_prompt": TurnRole.SYSTEM,
    "prompt": TurnRole.USER,
    "response": TurnRole.ASSISTANT,
}
_CONVERSATION: Mapping[str, Callable[[str], object]] = {"turns": _json, **dict.fromkeys(_SAID, _text)}
_FIELDS: Mapping[str, Callable[[str], object]] = {
    "external_id": _text,
    "submitted_at": _text,
    "what_is_wrong": _text,
    "harm_types": _words,
    "disclosure_intent": _text,
    "illegal_minor_content": _flag,
    "contact": _text,
    "credit_name": _text,
    "credit_wish": _text,
    "expected": _text,
    "actual": _text,
    "tries": _number,
    "successes": _number,
    "other_systems_tried": _json,
    "real_world_harm": _text,
    "malicious_use": _text,
    "session_id": _text,
    "policy_clause_claimed": _text,
    "planned_date": _text,
    "embargo_wish": _text,
    "consent_training": _text,
    "consent_share_peers": _text,
    "wants_reward": _flag,
}
COLUMNS: Mapping[str, Callable[[str], object]] = {**_CONVERSATION, **_SYSTEM, **_FIELDS}


def has_one_conversation(names: Collection[str]) -> bool:
    """Whether these columns hold a conversation, and in one way only: see `ONE_CONVERSATION`."""
    return ("turns" in names) != ("prompt" in names) and not ("turns" in names and _SAID.keys() & set(names))


ONE_CONVERSATION = "must hold either turns (JSON), or prompt with or without system_prompt and response"


def document(row: Mapping[str, object]) -> dict[str, Any]:
    """The `flaw-report/1` of a row with some of `COLUMNS`, still to be checked; what is empty or null is not given.

    A text is read as a cell of that column, whatever else JSON has is taken as it is. Raises InvalidReport
    naming the column.
    """
    values = {name: _value(name, given) for name, given in row.items() if given is not None and given != ""}
    made = {name: value for name, value in values.items() if name in _FIELDS}
    if "turns" in values:
        made["turns"] = values["turns"]
    else:
        said = {role: values.get(name) for name, role in _SAID.items()}
        made["turns"] = [{"role": role, "content": text} for role, text in said.items() if text is not None]
    system = {name: value for name, value in values.items() if name in _SYSTEM}
    return made | ({"system": [system]} if system else {})


def _value(name: str, given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool) and COLUMNS[name] is _text:
        return str(given)  # what names a thing is often a number
    if not isinstance(given, str):
        return given
    if _UNDECODED.search(given):
        raise InvalidReport(name, "must be UTF-8")
    try:
        return COLUMNS[name](given)
    except InvalidReport as error:
        raise InvalidReport(name, error.rule) from None


def shown(names: Iterable[str]) -> str:
    """The first of these names, which strangers gave: cut, and freed of what cannot be printed."""
    rest = iter(names)
    found = [_shown(name) for name in islice(rest, _MOST_SHOWN)]
    more = sum(1 for _ in rest)
    return ", ".join(found) + (f" and {more:,} more" if more else "")


def _shown(name: str) -> str:
    plain = "".join(sign if sign.isprintable() else "?" for sign in name[:_LONGEST_SHOWN])
    return f"{plain}…" if len(name) > _LONGEST_SHOWN else plain or "?"
