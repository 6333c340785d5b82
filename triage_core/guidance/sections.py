"""Typed reading of a TOML document by dotted path; a missing, ill-typed or unknown key is refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from triage_core.errors import InvalidPolicy

MOST_DOTS = 500  # on a line: reading a dotted key takes time that grows with the square of its dots


class Section:
    """One table of a TOML document that knows its own path.

    Every accessor returns a value of the type it names and raises InvalidPolicy with the dotted
    path ("waiting.cap_days") otherwise. `close()` refuses keys that nobody asked for, so that a
    misspelt optional key is not silently without effect.
    """

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path
        self._asked: set[str] = set()

    @classmethod
    def of(cls, text: str, name: str) -> Section:
        """The top of the document; raises InvalidPolicy naming the file when it is not TOML."""
        return cls(document(text, name))

    def where(self, key: str) -> str:
        """The dotted path of a key of this section."""
        return f"{self._path}.{key}" if self._path else key

    def text(self, key: str) -> str:
        value = self._get(key)
        return _filled(value, self.where(key)).strip()

    def whole(self, key: str, least: int, most: int) -> int:
        return self._whole(self._get(key), self.where(key), least, most)

    def optional_whole(self, key: str, least: int, most: int) -> int | None:
        return self.whole(key, least, most) if key in self._values else None

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise InvalidPolicy(self.where(key), "must be true or false")
        return value

    def share(self, key: str) -> float:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise InvalidPolicy(self.where(key), "must be a number from 0 to 1")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        for at, value in enumerate(values):
            _filled(value, f"{self.where(key)}[{at}]")
        return tuple(values)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        return self.texts(key) if key in self._values else ()

    def wholes(self, key: str, least: int, most: int) -> tuple[int, ...]:
        path = self.where(key)
        return tuple(
            self._whole(value, f"{path}[{at}]", least, most) for at, value in enumerate(self._list(key))
        )

    def dates(self, key: str) -> frozenset[date]:
        values = self._list(key)
        for at, value in enumerate(values):
            if isinstance(value, datetime) or not isinstance(value, date):
                raise InvalidPolicy(f"{self.where(key)}[{at}]", "must be a date without quotes: 2026-01-01")
        return frozenset(values)

    def section(self, key: str) -> Section:
        value = self._get(key)
        if not isinstance(value, dict):
            raise InvalidPolicy(self.where(key), "must be a table")
        return Section(value, self.where(key))

    def sections(self, key: str) -> tuple[Section, ...]:
        values = self._list(key)
        for at, value in enumerate(values):
            if not isinstance(value, dict):
                raise InvalidPolicy(f"{self.where(key)}[{at}]", "must be a table")
        return tuple(Section(value, f"{self.where(key)}[{at}]") for at, value in enumerate(values))

    def optional_sections(self, key: str) -> tuple[Section, ...]:
        return self.sections(key) if key in self._values else ()

    def close(self) -> None:
        """Refuse the first key that no accessor asked for."""
        for key in self._values:
            if key not in self._asked:
                raise InvalidPolicy(self.where(key), "is not a key of the policy file")

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._values:
            raise InvalidPolicy(self.where(key), "is missing")
        return self._values[key]

    def _list(self, key: str) -> list[Any]:
        value = self._get(key)
        if not isinstance(value, list):
            raise InvalidPolicy(self.where(key), "must be a list")
        return value

    @staticmethod
    def _whole(value: Any, path: str, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidPolicy(path, f"must be a whole number from {least} to {most}")
        return value


def document(text: str, name: str) -> dict[str, Any]:
    """What a TOML text says; raises InvalidPolicy naming the file when it is not TOML."""
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        raise InvalidPolicy(name, f"has a line with more than {MOST_DOTS} dots")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPolicy(name, f"is not TOML: {error}") from None
    except (ValueError, RecursionError):
        raise InvalidPolicy(name, "is nested too deeply, or holds a number of too many digits") from None


def _filled(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidPolicy(path, "must be a text that is not empty")
    if "\0" in value:
        raise InvalidPolicy(path, "must not contain a NUL character")
    return value


def one_of(value: str, path: str, allowed: Iterable[str]) -> str:
    """The value itself; raises InvalidPolicy listing what is allowed."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise InvalidPolicy(path, f"must be one of {', '.join(allowed)}; not {value!r}")
    return value
