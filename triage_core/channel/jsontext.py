"""JSON that comes from strangers: stricter than the standard library, which takes NaN and repeated keys."""

from __future__ import annotations

import json
import math
from typing import Any

from triage_core.channel.fields import check_storable, field_path
from triage_core.errors import InvalidReport

MAX_DEPTH = 20


def decode(body: bytes, *, nan_as_null: bool = False) -> object:
    """The value of a JSON text in UTF-8; a byte order mark is ignored.

    Raises `InvalidReport` for anything else, for a key given twice and for NaN or Infinity, unless
    these are to be read as null.
    """
    try:
        return (_LENIENT if nan_as_null else _STRICT).decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidReport("body", f"must be UTF-8, which fails at byte {error.start:,}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidReport("body", f"must be valid JSON, which fails at {where}: {error.msg}") from None
    except RecursionError:
        raise InvalidReport("body", "must not be nested so deeply") from None
    except ValueError:
        raise InvalidReport("body", "must not contain a number of thousands of digits") from None


def check_plain(value: object, path: str, depth: int = 1) -> None:
    """Refuse what cannot be stored as JSON and read back the same."""
    if depth > MAX_DEPTH:
        raise InvalidReport(path, f"must not be nested deeper than {MAX_DEPTH} levels")
    match value:
        case str():
            check_storable(value, path)
        case None | bool():
            pass
        case int():
            if not -(2**63) <= value < 2**63:
                raise InvalidReport(path, "must be a number that fits in 64 bits")
        case float():
            if not math.isfinite(value):
                raise InvalidReport(path, "must be a finite number")
        case list():
            for index, item in enumerate(value):
                check_plain(item, f"{path}[{index}]", depth + 1)
        case dict():
            for name, item in value.items():
                inner = field_path(path, name)
                check_plain(name, inner, depth + 1)
                check_plain(item, inner, depth + 1)
        case _:
            raise InvalidReport(path, "must be a JSON value")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise InvalidReport(field_path("", name), "must not be given twice")
        document[name] = value
    return document


def _refuse_constant(_: str) -> None:
    raise InvalidReport("body", "must not contain NaN or Infinity, which JSON has not")


# Made once: json.loads makes one for each text.
_STRICT = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
_LENIENT = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=lambda _: None)
