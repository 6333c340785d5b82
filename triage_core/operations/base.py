"""What the operations of the command line share: how they report, who acts, and what they say of a report."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage_core import queries
from triage_core.errors import Refused
from triage_core.model import Actor, DeskRole
from triage_core.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Emit:
    """Where a running operation sends what it has: progress (done, total, of what), single items, notes."""

    progress: Callable[[int, int, str], None] = lambda done, total, what: None
    item: Callable[[Any], None] = lambda item: None
    note: Callable[[str], None] = lambda text: None


Operation = Callable[[Runtime, Mapping[str, Any], Emit], Any]


def command_line_actor() -> Actor:
    """Whoever can read the store's folder can do everything; the user's name goes into each event."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as containers have users
        user = str(os.getuid())
    return Actor(f"cli:{user}", user, frozenset(DeskRole))


def enum(kind: Any, params: Mapping[str, Any], name: str, offered: Iterable[str] | None = None) -> Any:
    """The value of this kind. Raises Refused with those that are `offered`: all when left out."""
    try:
        return kind(params[name])
    except ValueError as error:
        values = ", ".join(offered or kind)
        raise Refused(name, f"one of {values}, not {params[name]!r}") from error


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values as JSON: moments as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def case(runtime: Runtime, found: Mapping[str, Any]) -> dict[str, Any]:
    names = ("report_id", "status", "resolution", "canonical_id", "severity", "priority", "version")
    with runtime.store.read() as cursor:
        external = queries.external_ids(cursor, [found["report_id"]])
    return {**{name: found[name] for name in names}, "external_id": external.get(found["report_id"])}
