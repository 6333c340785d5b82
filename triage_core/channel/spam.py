"""How much a report looks like spam: a suggestion for the order of work, which refuses nothing.

Simple signs that a reader sees at a glance. None of them is proof, and a report in another
language or by a hurried person must not sink: so each sign weighs little and they have to add up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from triage_core.model import FlawReport, TurnRole

READ = 5_000  # characters of each text that are looked at

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_RUN = re.compile(r"(\S)\1{9,}")
_WORD = re.compile(r"\w+")
_OFFERS = (
    "buy now", "click here", "free money", "crypto", "casino", "discount code", "limited offer", "earn $",
    "seo services", "backlinks", "work from home", "whatsapp me",
)  # fmt: skip
_OFFER = re.compile(rf"\b(?:{'|'.join(map(re.escape, _OFFERS))})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`score` is 0 (nothing seen) to 1; `signs` say in words what was seen."""

    score: float
    signs: tuple[str, ...]


def suggest(report: FlawReport) -> Suggestion:
    """The signs of spam in a report; nothing for one that may hold no evidence."""
    if report.illegal_minor_content:
        return Suggestion(0.0, ())
    said = report.what_is_wrong[:READ]
    turns = "\n".join(turn.content[:READ] for turn in report.turns)[: 2 * READ]
    both = f"{said}\n{turns}"
    lower = both.lower()
    if both.isascii():
        words, may_offer = _WORD.findall(lower), any(offer in lower for offer in _OFFERS)
    else:  # where letters have more than two forms
        words, may_offer = [word.casefold() for word in _WORD.findall(both)], True
    # A look for what stands in every link costs a tenth of the expression, and most texts have none.
    links = _LINK.findall(both) if "://" in both or "www." in lower else []
    seen = {
        "offers something": (0.4, may_offer and bool(_OFFER.search(both))),
        "many links": (0.3, len(links) >= 3),
        "links in the description": (0.2, bool(links and _LINK.search(said))),
        "one character many times": (0.2, bool(_RUN.search(both))),
        "the same few words again and again": (
            0.3,
            len(words) >= 30 and len(set(words)) / len(words) < 0.2,
        ),
        "almost no words": (0.3, 0 < len(both.strip()) < 12),
        "description repeats the conversation": (0.2, bool(said.strip()) and said.strip() == turns.strip()),
        "no answer of the system": (0.1, all(turn.role is not TurnRole.ASSISTANT for turn in report.turns)),
    }
    signs = tuple(sign for sign, (_, found) in seen.items() if found)
    return Suggestion(min(1.0, round(sum(seen[sign][0] for sign in signs), 2)), signs)
