"""A TOML document from plain values: what Python reads with tomllib, written so that it reads back the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(document: Mapping[str, Any]) -> str:
    """The document as TOML text: single values first, then its tables, each under its own header.

    Takes text, whole numbers, finite floats, booleans, dates, lists, and mappings by text; anything else
    raises TypeError or ValueError.
    """
    return "\n".join(_table(document, "")).strip("\n") + "\n"


def _table(table: Mapping[str, Any], path: str) -> Iterator[str]:
    nested = {}
    for key, value in table.items():
        if isinstance(value, Mapping) or _is_tables(value):
            nested[key] = value
        else:
            yield f"{_key(key)} = {literal(value)}"
    for key, value in nested.items():
        where = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            yield from ("", f"[{where}]", *_table(value, where))
        else:
            for item in value:
                yield from ("", f"[[{where}]]", *_table(item, where))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def literal(value: Any) -> str:
    """One value on one line; raises TypeError for what TOML does not have."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case str():
            return _text(value)
        case date():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{_key(key)} = {literal(item)}' for key, item in value.items())}}}"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__} such as {value!r}")


def _text(value: str) -> str:
    # JSON escapes what a basic string of TOML must have escaped, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
