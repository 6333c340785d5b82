"""The kinds of value a JSON document may hold: each checks a value and describes itself as JSON Schema.

One declaration serves both, so that a published schema cannot drift from what is accepted. A
check returns the value as the model wants it or raises `InvalidReport(path, rule)`; a rule never
repeats the value, which is untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from triage_core.errors import InvalidReport

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_INSTANT = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})$"
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9_ .-]")


class Kind(Protocol):
    def check(self, value: object, path: str) -> Any: ...

    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `longest` characters, kept exactly; `filled` asks for one that is not blank."""

    longest: int
    filled: bool = False

    def check(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            raise InvalidReport(path, "must be text")
        if len(value) > self.longest:
            raise InvalidReport(path, f"must be at most {self.longest:,} characters long, not {len(value):,}")
        check_storable(value, path)
        if self.filled and not value.strip():
            raise InvalidReport(path, "must not be blank")
        return value

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "string",
            "maxLength": self.longest,
            "pattern": r"^[^\u0000\ud800-\udfff]*$",
        }
        if self.filled:
            schema["not"] = {"pattern": r"^\s*$"}
        return schema


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of an enum. With `true` and `false`, JSON's booleans stand for those two words."""

    words: type[StrEnum]
    true: StrEnum | None = None
    false: StrEnum | None = None

    def check(self, value: object, path: str) -> StrEnum:
        if isinstance(value, bool) and self.true is not None and self.false is not None:
            return self.true if value else self.false
        if isinstance(value, str):
            with suppress(ValueError):
                return self.words(value)
        raise InvalidReport(path, f"must be one of {', '.join(self.words)}")

    def schema(self) -> dict[str, Any]:
        booleans = [] if self.true is None else [True, False]
        return {"enum": [word.value for word in self.words] + booleans}


@dataclass(frozen=True, slots=True)
class Constant:
    value: str

    def check(self, value: object, path: str) -> str:
        if value != self.value:
            raise InvalidReport(path, f"must be {self.value}")
        return self.value

    def schema(self) -> dict[str, Any]:
        return {"const": self.value}


@dataclass(frozen=True, slots=True)
class Flag:
    def check(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            raise InvalidReport(path, "must be true or false")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Count:
    least: int
    most: int

    def check(self, value: object, path: str) -> int:
        # JSON does not tell 3 from 3.0, and neither does JSON Schema's "integer".
        whole = isinstance(value, float) and value.is_integer()
        if isinstance(value, bool) or not (isinstance(value, int) or whole):
            raise InvalidReport(path, "must be a whole number")
        count = int(value)  # type: ignore[call-overload]
        if not self.least <= count <= self.most:
            raise InvalidReport(path, f"must be from {self.least:,} to {self.most:,}")
        return int(count)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Instant:
    """A date and time with its zone (RFC 3339), returned in UTC."""

    def check(self, value: object, path: str) -> datetime:
        if not isinstance(value, str) or not re.fullmatch(_INSTANT, value, re.ASCII):
            raise InvalidReport(path, "must be a date and time with its zone, like 2026-01-31T18:00:00Z")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidReport(path, "must be a date and time that exists") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "pattern": _INSTANT}


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Kind
    most: int
    least: int = 0
    distinct: bool = False

    def check(self, value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidReport(path, "must be a list")
        if not self.least <= len(value) <= self.most:
            rule = f"must have from {self.least} to {self.most} entries, not {len(value):,}"
            raise InvalidReport(path, rule)
        items = tuple(self.item.check(item, f"{path}[{index}]") for index, item in enumerate(value))
        if self.distinct and len(set(items)) < len(items):
            raise InvalidReport(path, "must not name the same entry twice")
        return items

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.item.schema(), "maxItems": self.most}
        if self.least:
            schema["minItems"] = self.least
        if self.distinct:
            schema["uniqueItems"] = True
        return schema


@dataclass(frozen=True, slots=True)
class Record:
    """An object with these fields and no others; null counts as not given."""

    fields: Mapping[str, Kind]
    required: frozenset[str]
    build: Callable[..., Any]

    def check(self, value: object, path: str) -> Any:
        if not isinstance(value, dict):
            raise InvalidReport(path, f"must be an object with {', '.join(self.fields)}")
        for name in value:
            if name not in self.fields:
                raise unknown_field(name, path, self.fields)
        return self.build(**check_fields(value, self.fields, self.required, f"{path}."))

    def schema(self) -> dict[str, Any]:
        return object_schema(self.fields, self.required)


def check_fields(
    data: Mapping[str, object], fields: Mapping[str, Kind], required: frozenset[str], prefix: str = ""
) -> dict[str, Any]:
    """The checked values of the given fields, in the order of their declaration; null is not given."""
    checked: dict[str, Any] = {}
    for name, kind in fields.items():
        value = data.get(name)
        if value is not None:
            checked[name] = kind.check(value, prefix + name)
        elif name in required:
            raise InvalidReport(prefix + name, "is required")
    return checked


def object_schema(fields: Mapping[str, Kind], required: frozenset[str]) -> dict[str, Any]:
    properties = {
        name: kind.schema() if name in required else {"anyOf": [kind.schema(), {"type": "null"}]}
        for name, kind in fields.items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in fields if name in required],
        "additionalProperties": False,
    }


def unknown_field(name: object, path: str, fields: Mapping[str, Kind]) -> InvalidReport:
    return InvalidReport(field_path(path, name), f"is not a field; known are {', '.join(fields)}")


def field_path(path: str, name: object) -> str:
    """The dotted path of a field with an untrusted name, which is cut and freed of markup characters."""
    safe = _PLAIN_NAME.sub("?", str(name))[:60] or "?"
    return f"{path}.{safe}" if path else safe


def check_storable(text: str, path: str) -> None:
    """Refuse the two kinds of character that JSON can carry and a database cannot."""
    found = _UNSTORABLE.search(text)
    if found:
        what = "a NUL character" if found.group() == "\x00" else "a lone surrogate (half a UTF-16 pair)"
        raise InvalidReport(path, f"must not contain {what}, as at position {found.start():,}")
