"""A first draft of a clause for reports that no clause explains, from the words that they share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triage_core.guidance.placeholders import MARK
from triage_core.likeness import common
from triage_core.text import reveal

_MOST_TEXTS, _MOST_WORDS, _MOST_EXAMPLE = 12, 40, 300


def draft(clause_id: str, kind: str, label: str, texts: Sequence[str]) -> str:
    """A [[clause]] of the policy file that an owner edits: shared wording, and the first report as example.

    Hidden characters are written out, so that what is copied is what was seen. Texts come from reporters, so every
    one begins with MARK: none of them is published before the owner has put it into words of the organisation's own.
    """
    words = label or "these reports"
    wording = shared(texts)
    text = f"{MARK} reports about {words}."
    if wording:
        text += f" Most of them have this in common: {wording}"
    example = _cut(" ".join(texts[0].split()), _MOST_EXAMPLE) if texts else ""
    lines = {
        "id": clause_id,
        "kind": kind,
        "title": f"{MARK} a name for {words}",
        "text": text,
        "in_scope_example": f"{MARK} this example, here in the reporter's words, in yours: {example}",
        "out_of_scope_example": f"{MARK} the nearest report that does not belong here.",
    }
    return "\n".join(["[[clause]]", *(f"{key} = {_quoted(value)}" for key, value in lines.items())]) + "\n"


def shared(texts: Sequence[str]) -> str:
    """The longest run of words of the first text that at least half of the others have too; "" without one."""
    if len(texts) < 2:
        return ""
    pieces = [piece for both, piece in common.parts(texts[:_MOST_TEXTS])[0] if both]
    longest = max(pieces, key=len, default="").split()
    return " ".join(longest[:_MOST_WORDS]) + (" …" if len(longest) > _MOST_WORDS else "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _quoted(value: str) -> str:
    """A basic string of TOML on one line."""
    shown = reveal(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", shown) + '"'
