"""What is done to the texts of a report before they become rows: personal data, control tokens, hidden characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core import redact, tokens
from triage_core.errors import Refused
from triage_core.exporters.gate import Reason
from triage_core.model import Turn
from triage_core.redact import Redactor, Span
from triage_core.text import hidden_characters

PERSONAL_DATA = ("redact", "refuse", "keep")
CONTROL_TOKENS = ("flag", "drop", "defang")
HIDDEN = ("flag", "drop")
# Scripts and signs in which nothing is hidden and no digit stands: Latin, Greek, Cyrillic, Kana, Han, Hangul,
# punctuation, currencies. Anything else is looked at one by one.
ORDINARY = (
    r"\t\n\r -~\x{a1}-\x{ac}\x{ae}-\x{2ff}\x{370}-\x{482}\x{48a}-\x{52f}\x{2010}-\x{2027}\x{2030}-\x{205e}"
    r"\x{20a0}-\x{20bf}\x{3001}-\x{3029}\x{3041}-\x{30ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"
)
_SUSPICIOUS = "|".join((f"[^{ORDINARY}]", r"\r(?:[^\n]|\z)", *tokens.SIGNS, *redact.SIGNS))


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


def suspicious(texts: pa.Array) -> NDArray[np.bool_]:
    """(n,) whether `clean` might find something in each text: one fast look at many of them.

    Where it says False, there is neither personal data nor a control token nor a hidden character.
    """
    return np.asarray(pc.match_substring_regex(texts, _SUSPICIOUS).to_numpy(zero_copy_only=False), np.bool_)


def beside(column: pa.Array, hygiene: Hygiene) -> tuple[pa.Array, NDArray[np.bool_]]:
    """What reporters wrote beside their conversations (n short texts) as it may go out under this policy.

    Second, (n,) which of them keep their report in.
    """
    none = np.zeros(len(column), np.bool_)
    if hygiene.personal_data == "keep":
        return column, none
    words = pc.unique(column)
    looked = words.filter(pa.array(suspicious(words))).to_pylist()
    redacted = {word: written for word in looked if (written := Redactor().text(word)) != word}
    if not redacted:
        return column, none
    found = pc.index_in(column, pa.array(list(redacted), pa.string()))
    if hygiene.personal_data == "refuse":
        return column, np.asarray(found.is_valid().to_numpy(zero_copy_only=False))
    return pc.coalesce(pa.array(list(redacted.values()), pa.string()).take(found), column), none


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
