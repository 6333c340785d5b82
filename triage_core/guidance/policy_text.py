"""The three texts of a policy as parts that can be changed, merged and compared one by one.

A part is a top-level key of policy.toml ("waiting"), one clause ("clause IN-1"), or one of the two
tables ("severity.csv"). All of it works on texts that break a rule of the policy too, so that a draft
can be kept as it was typed; only policy.toml must be TOML.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from triage_core.errors import Conflict
from triage_core.guidance import tomltext
from triage_core.guidance.policy import POLICY_TOML, Policy, parse
from triage_core.guidance.sections import document
from triage_core.guidance.tables import PRIORITY_CSV, SEVERITY_CSV

CLAUSE = "clause"
TABLES = (SEVERITY_CSV, PRIORITY_CSV)
FILES = (POLICY_TOML, *TABLES)
Parts = dict[str, Any]
_PLACE = re.compile(r"\[(\d+)\]")
NAMES: Mapping[str, LiteralString] = {
    "version": "Version",
    "title": "Title",
    "contact": "Contact",
    "products": "Products",
    "incomplete_note": "What is not listed",
    "safe_harbour": "Safe harbour",
    "clocks": "Clocks",
    "waiting": "Waiting before going public",
    "rewards": "Rewards",
    "second_look": "Second looks",
    "white_hat": "White hats",
    SEVERITY_CSV: "Severity table",
    PRIORITY_CSV: "Priority table",
}
"""The parts that every policy has, as they are read; a clause is known by its id."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A policy as three texts, whether or not they keep the rules."""

    policy_toml: str
    severity_csv: str
    priority_csv: str

    @classmethod
    def of(cls, policy: Policy) -> Texts:
        return cls(policy.toml_text, policy.severity_csv, policy.priority_csv)

    def parse(self) -> Policy:
        """The policy that they describe. Raises InvalidPolicy naming the row or the dotted key."""
        return parse(self.policy_toml, self.severity_csv, self.priority_csv)

    def by_file(self) -> dict[str, str]:
        return dict(zip(FILES, (self.policy_toml, self.severity_csv, self.priority_csv), strict=True))


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two policies do not share; None on the side that does not have it.

    `part` is the part that holds it and `place` the dotted path within, or the inputs of a table's row.
    """

    part: str
    place: str
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The place as it is read; the part's name where the part is the value."""
        words = _PLACE.sub(lambda found: f"number {int(found[1]) + 1}", self.place)
        words = words.replace("_", " ").replace(".", ", ")
        return words or NAMES.get(self.part, self.part)

    @property
    def words(self) -> tuple[str, str]:
        """Both values as they are read, never the same words twice; "" on the side that does not have it."""
        before, after = _words(self.before), _words(self.after)
        if before != after:
            return before, after
        return _literal(self.before), _literal(self.after)


def split(texts: Texts) -> Parts:
    """The parts of the three texts, in their order. Raises InvalidPolicy where policy.toml is not TOML."""
    parts: Parts = {}
    for key, value in document(texts.policy_toml, POLICY_TOML).items():
        if key == CLAUSE:
            parts |= {clause_part(clause["id"]): clause for clause in value}
        else:
            parts[key] = value
    return parts | {SEVERITY_CSV: texts.severity_csv, PRIORITY_CSV: texts.priority_csv}


def join(parts: Parts) -> Texts:
    """The three texts of parts: `split` of them gives the parts again."""
    clauses = [value for part, value in parts.items() if is_clause(part)]
    keys = {part: value for part, value in parts.items() if not is_clause(part) and part not in TABLES}
    # A list without tables in it belongs to the single values, which stand before the first table.
    toml = tomltext.dumps({**keys, CLAUSE: clauses})
    return Texts(toml, parts[SEVERITY_CSV], parts[PRIORITY_CSV])


def clause_part(clause_id: str) -> str:
    return f"{CLAUSE} {clause_id}"


def is_clause(part: str) -> bool:
    return part.startswith(f"{CLAUSE} ")


def merge(base: Parts, present: Parts, changes: Mapping[str, Any]) -> Parts:
    """`present` with the `changes` that somebody made who saw `base`; None removes a part.

    Parts that nobody else changed meanwhile are free. Raises Conflict naming the part that another
    person changed into something else.
    """
    for part, value in changes.items():
        now = present.get(part)
        if now != base.get(part) and now != value:
            raise Conflict(part, "somebody else changed this part while you wrote; look at both")
    return apply(present, changes)


def apply(parts: Parts, changes: Mapping[str, Any]) -> Parts:
    """`parts` with the changes in their places, new parts at the end; None removes a part."""
    return {part: value for part, value in {**parts, **changes}.items() if value is not None}


def changed(before: Parts, after: Parts) -> dict[str, Any]:
    """The parts that lead from `before` to `after`; None for one that `after` does not have."""
    return {
        part: after.get(part)
        for part in [*after, *(before.keys() - after.keys())]
        if before.get(part) != after.get(part)
    }


def differences(before: Texts, after: Texts) -> list[Difference]:
    """What differs, value by value and cell by cell, in the order of the texts."""
    old, new = (dict(_values(split(texts))) for texts in (before, after))
    places = [*new, *(place for place in old if place not in new)]
    return [
        Difference(*place, old.get(place), new.get(place))
        for place in places
        if old.get(place) != new.get(place)
    ]


def _values(parts: Parts) -> Iterator[tuple[tuple[str, str], Any]]:
    for part, value in parts.items():
        if part in TABLES:
            for cells in list(csv.reader(value.splitlines()))[1:]:
                yield (
                    (part, ", ".join(cell.strip() for cell in cells[:-1])),
                    cells[-1].strip() if cells else "",
                )
        else:
            for place, item in _leaves(value, ""):
                yield (part, place), item


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for at, item in enumerate(value):
            yield from _leaves(item, f"{path}[{at}]")
    else:
        yield path, value.strip() if isinstance(value, str) else value


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", []):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _literal(value: Any) -> str:
    return "" if value is None else tomltext.literal(value)


def next_version(version: str, taken: frozenset[str]) -> str:
    """A version number after `version` that is not taken: its last number counted up."""
    head = version.rstrip("0123456789")
    number = int(version[len(head) :] or 1)
    while (candidate := f"{head}{(number := number + 1)}") in taken:
        pass
    return candidate
