"""What is done to the texts of a report before they become rows: personal data, control tokens, hidden characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from triage_core import tokens
from triage_core.errors import Refused
from triage_core.exporters.gate import Reason
from triage_core.model import Turn
from triage_core.redact import Redactor, Span
from triage_core.text import hidden_characters

PERSONAL_DATA = ("redact", "refuse", "keep")
CONTROL_TOKENS = ("flag", "drop", "defang")
HIDDEN = ("flag", "drop")


@dataclass(frozen=True, slots=True)
class Hygiene:
    """The policy of one dataset.

    `personal_data`: written over by placeholders, a reason to leave the report out, or kept. Control
    tokens of chat templates and hidden characters: named in the metadata, or a reason to leave the
    report out; a defanged token has a word joiner (U+2060) after its first character.
    """

    personal_data: str = "redact"
    control_tokens: str = "flag"
    hidden: str = "flag"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("personal_data", PERSONAL_DATA),
            ("control_tokens", CONTROL_TOKENS),
            ("hidden", HIDDEN),
        ):
            if getattr(self, name) not in allowed:
                raise Refused(name, f"one of {', '.join(allowed)}, not {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class Clean:
    """A conversation and its better answer as they may go out, and what was found in them.

    `redactions` are numbered by turn; the better answer counts as one turn more. `hidden` counts
    hidden characters by kind.
    """

    turns: tuple[Turn, ...]
    better_answer: str
    redactions: tuple[Span, ...]
    control_tokens: tuple[str, ...]
    hidden: dict[str, int]


def clean(turns: Sequence[Turn], better_answer: str, hygiene: Hygiene) -> Clean | Reason:
    """The texts under this policy, or the reason why they stay in."""
    texts = [*(turn.content for turn in turns), better_answer]
    redactor = Redactor()
    redacted = texts if hygiene.personal_data == "keep" else [redactor.text(text) for text in texts]
    if redactor.spans and hygiene.personal_data == "refuse":
        return Reason.PERSONAL_DATA
    found = tuple(dict.fromkeys(token for text in redacted for token in tokens.find(text)))
    if found and hygiene.control_tokens == "drop":
        return Reason.CONTROL_TOKENS
    hidden = Counter[str]()
    for text in redacted:
        for run in hidden_characters(text):
            hidden[run.kind] += run.length
    if hidden and hygiene.hidden == "drop":
        return Reason.HIDDEN_CHARACTERS
    if hygiene.control_tokens == "defang":
        redacted = [tokens.defang(text) for text in redacted]
    *spoken, answer = redacted
    return Clean(
        tuple(Turn(turn.role, text) for turn, text in zip(turns, spoken, strict=True)),
        answer,
        tuple(redactor.spans),
        found,
        dict(sorted(hidden.items())),
    )
