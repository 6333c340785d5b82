"""A policy as the public page shows it: what differs between two versions, and its two tables in parts for a phone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from triage_core.desk import worddiff
from triage_core.desk.worddiff import Piece, Side
from triage_core.guidance import policy_text
from triage_core.guidance.policy import Policy
from triage_core.guidance.policy_text import NAMES, Difference, Texts
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Severity,
    SeverityInputs,
    Uplift,
)

SHOWN = 80  # characters beside a change
CAPTION = (
    "What is done when, by severity and by what is known of attacks"
    " (public poc: an example is public; active: attacks are seen)"
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UPLIFT = {Uplift.NO: "no uplift", Uplift.YES: "uplift"}


@dataclass(frozen=True, slots=True)
class Changed:
    """One value that differs between two versions, word by word."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the policy in which two versions differ, value by value."""

    title: str
    values: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a name of its own, its columns, and its rows by their heads."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def changes(older: Texts, newer: Texts) -> list[Change]:
    """Every value and cell that differs but the version number, part by part."""
    parts: dict[str, list[Changed]] = defaultdict(list)
    for each in policy_text.differences(older, newer):
        if each.part != "version":
            title = NAMES.get(each.part) or each.part[:1].upper() + each.part[1:]
            parts[title].append(_changed(each))
    return [Change(title, tuple(values)) for title, values in parts.items()]


def working_days(policy: Policy) -> list[str]:
    """The working days of the desk by name, in the order of the week."""
    return [DAYS[number] for number in sorted(policy.clocks.business_days)]


def severity_by_harm(policy: Policy) -> list[Table]:
    """The severity table: one table for each harm, who is exposed across, the other three inputs down."""
    return [
        Table(
            harm,
            list(Exposure),
            [
                (
                    f"{generality}, {reliability}, {_UPLIFT[uplift]}",
                    [
                        policy.severity(SeverityInputs(harm, exposure, generality, reliability, uplift))
                        for exposure in Exposure
                    ],
                )
                for generality, reliability, uplift in product(Generality, Reliability, Uplift)
            ],
        )
        for harm in Harm
    ]


def priority_by_attack(policy: Policy) -> Table:
    """The priority table: what is known of attacks across, severity down."""
    rows = [(level, [policy.priority(level, seen) for seen in Exploitation]) for level in Severity]
    return Table(CAPTION, list(Exploitation), rows)


def _changed(each: Difference) -> Changed:
    before, after = each.words
    found = worddiff.difference(before, after)
    if found.cut or all(piece.side is Side.BOTH for piece in found.pieces):
        # Too long to be compared to its end, or another case only: then both stand there whole.
        whole = (Piece(Side.LEFT, before), Piece(Side.RIGHT, after))
        return Changed(each.name, tuple(piece for piece in whole if piece.text))
    return Changed(each.name, tuple(map(_short, found.pieces)))


def _short(piece: Piece) -> Piece:
    """Of what both versions share, as much as shows where a change stands."""
    if piece.side is not Side.BOTH or len(piece.text) <= 2 * SHOWN + 3:
        return piece
    return Piece(piece.side, f"{piece.text[:SHOWN]} … {piece.text[-SHOWN:]}")
