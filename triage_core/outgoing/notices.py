"""What leaves the house by e-mail or webhook, in words: templates of ours around ids, counts and moments.

Nothing else fits into a message: `check` refuses any other text, so no word of a report, of a
reviewer or of a policy can get into one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

LISTED = 20
"""So many reports are named in one part of a message; the others are counted."""


class Notice(StrEnum):
    DIGEST = "digest"
    CRITICAL = "critical"
    EMBARGO_ENDS = "embargo_ends"
    CLOCK_MISSED = "clock_missed"
    NEWS = "news"
    ADVISORY = "advisory"
    ADVISORY_CHANGED = "advisory_changed"


FOR_PEERS = frozenset({Notice.ADVISORY, Notice.ADVISORY_CHANGED})


PARTS: Mapping[str, str] = MappingProxyType(
    {
        "new": "New since the last digest",
        "due_today": "Due today",
        "breached": "Clock missed",
        "bounty_late": "Bounty late",
        "wrote": "Reporter wrote, and nobody has acted on it",
        "embargo_1": "Embargo ends within a day",
        "embargo_7": "Embargo ends within 7 days",
        "second_looks": "Second looks waiting",
        "disputes": "Second looks to adjudicate",
        "critical": "Assessed as critical",
        "missed": "Clock missed just now",
        "ending": "Embargo ends within a day",
    }
)
"""The parts of the desk's messages, in the order in which they are read."""

_SUBJECT: Mapping[Notice, str] = MappingProxyType(
    {
        Notice.DIGEST: "Flawdesk: the day's digest",
        Notice.CRITICAL: "Flawdesk: critical flaw",
        Notice.EMBARGO_ENDS: "Flawdesk: an embargo ends within a day",
        Notice.CLOCK_MISSED: "Flawdesk: a clock was missed",
        Notice.NEWS: "News about your report",
        Notice.ADVISORY: "An advisory for you",
        Notice.ADVISORY_CHANGED: "An advisory has changed",
    }
)
_NEWS = (
    "There is news about your report {report}. Open the tracking page with your key to read it.\n\n"
    "For your protection this message holds nothing of the report and no link. Please do not answer it.\n"
)
_ADVISORY = (
    "Advisory {advisory} {what}. Open the page for peers with your key to read {it}.\n\n"
    "For your protection this message holds nothing of the flaw and no link. Please do not answer it.\n"
)
_OF_ADVISORY: Mapping[Notice, tuple[str, str]] = MappingProxyType(
    {
        Notice.ADVISORY: ("is there for you", "it"),
        Notice.ADVISORY_CHANGED: ("has changed: its embargo, or that it is closed", "how it stands"),
    }
)
_REPORT = re.compile(r"FR-\d{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is sent; `key` is the same whenever it is sent again."""

    key: str
    kind: Notice
    subject: str
    body: str
    facts: Mapping[str, Any]


def part(found: list[tuple[str, datetime | None]], count: int | None = None) -> dict[str, Any]:
    """A part of a message: how many there are (of those found, unless `count` says), and the first of them."""
    listed = [[name, at.isoformat() if at else None] for name, at in found[:LISTED]]
    return {"count": len(found) if count is None else count, "reports": listed}


def check(facts: Mapping[str, Any]) -> None:
    """Return when these are facts as messages hold them; anything else is a bug and raises ValueError.

    {report} for news, {advisory, peer} for a peer, {day, parts...} or {parts...} for the desk; a part as `part`
    gives it.
    """
    for name, value in facts.items():
        if name == "report":
            _check_report(value)
        elif name in ("advisory", "peer") and type(value) is int:
            pass
        elif name == "day":
            date.fromisoformat(value)
        elif name in PARTS and set(value) == {"count", "reports"} and type(value["count"]) is int:
            for report, at in value["reports"]:
                _check_report(report)
                if at is not None:
                    datetime.fromisoformat(at)
        else:
            raise ValueError("a message holds ids, counts and moments")


def message(key: str, kind: Notice, facts: Mapping[str, Any]) -> Message:
    """The message of these facts in words. Raises ValueError as `check` does."""
    check(facts)
    if kind is Notice.NEWS:
        return Message(key, kind, _SUBJECT[kind], _NEWS.format(report=facts["report"]), facts)
    if kind in FOR_PEERS:
        what, it = _OF_ADVISORY[kind]
        body = _ADVISORY.format(advisory=facts["advisory"], what=what, it=it)
        return Message(key, kind, _SUBJECT[kind], body, facts)
    lines = [f"Digest of {facts['day']}", ""] if "day" in facts else []
    for name, title in PARTS.items():
        if name not in facts:
            continue
        found = facts[name]
        lines.append(f"{title}: {found['count']}")
        lines += [f"  {report}{_moment(at)}" for report, at in found["reports"]]
        more = found["count"] - len(found["reports"])
        if found["reports"] and more > 0:
            lines.append(f"  and {more} more")
    return Message(key, kind, _SUBJECT[kind], "\n".join(lines) + "\n", facts)


def _check_report(value: Any) -> None:
    if not (isinstance(value, str) and _REPORT.fullmatch(value)):
        raise ValueError("a message names reports by their ids")


def _moment(at: str | None) -> str:
    return f", {datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC" if at else ""
