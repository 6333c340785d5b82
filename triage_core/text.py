"""Pure functions on untrusted text: the canonical form, the text that likeness reads, hidden characters.

A character is *hidden* when a reader of the screen cannot see it but a model reads it: Unicode
tags, bidi controls, zero-width and other format characters, variation selectors, fillers, control
characters and lone surrogates. Canonical text drops them; `reveal` writes them out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from triage_core.model import Turn, TurnRole


class HiddenKind(StrEnum):
    TAG = "tag"
    BIDI = "bidi"
    ZERO_WIDTH = "zero_width"
    VARIATION = "variation_selector"
    CONTROL = "control"
    SURROGATE = "surrogate"


# Ranges, not Unicode categories: category Cf also holds visible signs (U+0600), and misses what is
# invisible by another property (fillers, variation selectors, the reserved end of plane 14).
_RANGES: dict[HiddenKind, str] = {
    HiddenKind.TAG: "\U000e0000-\U000e007f",
    HiddenKind.BIDI: "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069",
    HiddenKind.VARIATION: "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef",
    HiddenKind.ZERO_WIDTH: (
        "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164"
        "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e00ff"
        "\U000e01f0-\U000e0fff"
    ),
    HiddenKind.CONTROL: "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029",
    HiddenKind.SURROGATE: "\ud800-\udfff",
}
# One group a kind, in the order of the enum, so that match.lastindex names the kind of a run. A
# Windows line end is no secret.
_HIDDEN = re.compile("|".join(f"((?:(?!\r\n)[{chars}])+)" for chars in _RANGES.values()))
# One class is looked for several times as fast as the groups.
_ANY_HIDDEN = re.compile(f"[{''.join(_RANGES.values())}]")
_SPACES = re.compile(r"\s+")
# Whatever combines with the character before it is neither letter nor digit, but for two marks of kana.
_MARKS = re.compile(r"(?:[^\w\s!-~]|[\uff9e\uff9f])++")
_MANY_MARKS = 100


@dataclass(frozen=True, slots=True)
class HiddenRun:
    """Neighbouring hidden characters of one kind: `start` is an index, `length` a count of characters.

    `message` is what a run of tags spells in ASCII, "" for the other kinds.
    """

    kind: HiddenKind
    start: int
    length: int
    message: str


def canonical(text: str) -> str:
    """The form in which two texts are compared: NFKC, nothing hidden, white space and case folded.

    Idempotent. Different texts may share it, so it identifies duplicates and is never shown.
    """
    plain = " ".join(text.split())
    if plain.isascii() and plain.isprintable():  # most texts, and nothing else is to be done to them
        return plain.lower()
    while (folded := _fold(text)) != text:
        text = folded
    return text


def _fold(text: str) -> str:
    # White space first, for some of it (TAB, U+2028) also counts as a control character.
    text = _ANY_HIDDEN.sub("", _SPACES.sub(" ", text))
    return _SPACES.sub(" ", _nfkc(_nfkc(text).casefold())).strip()


def _nfkc(text: str) -> str:
    """NFKC in a time that grows with the text: `unicodedata` puts marks in order one by one, past all before them."""
    return unicodedata.normalize("NFKC", _MARKS.sub(_in_order, text))


def _in_order(run: re.Match[str]) -> str:
    characters = run.group()
    if len(characters) < _MANY_MARKS:
        return characters
    apart = "".join(unicodedata.normalize("NFKD", character) for character in characters)
    return "".join(
        "".join(sorted(group, key=unicodedata.combining) if are_marks else group)
        for are_marks, group in groupby(apart, lambda character: unicodedata.combining(character) > 0)
    )


def turns_of(stored: Iterable[Mapping[str, str]]) -> tuple[Turn, ...]:
    """The messages of a conversation as the store holds them, each {"role": ..., "content": ...}."""
    return tuple(Turn(TurnRole(turn["role"]), turn["content"]) for turn in stored)


def conversation_text(turns: Sequence[Turn]) -> str:
    """What the model was given, in order, turns apart by a blank line: the text that likeness reads.

    User, tool and system turns count: a trick comes in through any of them (a typed prompt, a
    poisoned tool result, a persona set as system prompt). Assistant turns do not: two answers to
    the same trick differ, and refusals are alike whatever was asked. With nothing else to read,
    all turns are taken.
    """
    asked = [turn.content for turn in turns if turn.role is not TurnRole.ASSISTANT and turn.content.strip()]
    return "\n\n".join(asked or [turn.content for turn in turns])


def content_sha256(turns: Sequence[Turn]) -> str:
    """The hex SHA-256 that exact duplicates share: of the canonical `conversation_text`; "" for none.

    A conversation of hidden characters only is told apart by them, since its canonical form is empty.
    """
    text = conversation_text(turns)
    if not text:
        return ""
    return hashlib.sha256((canonical(text) or reveal(text)).encode()).hexdigest()


def hidden_characters(text: str) -> tuple[HiddenRun, ...]:
    """Every run of hidden characters in `text`, in order; empty for honest text."""
    if not _ANY_HIDDEN.search(text):
        return ()
    return tuple(
        HiddenRun(_kind(run), run.start(), len(run.group()), _spelled(run.group()))
        for run in _HIDDEN.finditer(text)
        if not _part_of_emoji(run)
    )


def reveal(text: str) -> str:
    """`text` with each hidden character written out (⟦U+200B⟧), tags as what they spell (⟦tag:hi⟧).

    Nothing else changes, except that a literal ⟦ becomes ⟦U+27E6⟧: so a mark cannot be forged, and
    two different texts never look the same for what they hide. Not idempotent: reveal once.
    The result holds no lone surrogate and no control character but TAB, LF and CRLF.
    """
    return _HIDDEN.sub(_marked, text.replace("⟦", "⟦U+27E6⟧"))


def _marked(run: re.Match[str]) -> str:
    characters = run.group()
    if _part_of_emoji(run):
        return characters
    spelled = _spelled(characters)
    if len(spelled) == len(characters):
        return f"⟦tag:{spelled}⟧"
    return "".join(f"⟦U+{ord(character):04X}⟧" for character in characters)


def _spelled(characters: str) -> str:
    return "".join(chr(ord(tag) - 0xE0000) for tag in characters if 0xE0020 <= ord(tag) <= 0xE007E)


def _kind(run: re.Match[str]) -> HiddenKind:
    assert run.lastindex is not None
    return list(_RANGES)[run.lastindex - 1]


def _part_of_emoji(run: re.Match[str]) -> bool:
    """Whether the run is one character that shapes the emoji before it, as in a red heart or a family."""
    before = run.string[max(0, run.start() - 2) : run.start()]
    after = run.string[run.end() : run.end() + 1]
    match run.group():
        case "\ufe0f":
            return _is_emoji(before[-1:])
        case "\u200d":
            return _is_emoji(before.rstrip("\ufe0f")[-1:]) and _is_emoji(after)
    return False


def _is_emoji(character: str) -> bool:
    # Skin tones are the only modifiers (Sk) meant here, not the accents of ASCII.
    return bool(character) and (
        unicodedata.category(character) == "So" or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def spreadsheet_cell(text: str) -> str:
    """`text` for a CSV cell that a spreadsheet takes for text: what it would take for a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def spreadsheet_text(text: str) -> str:
    """The same for a file that people open: in some countries a spreadsheet parts a cell of ours once more.

    It does so at semicolons, tabs and the ends of lines, and takes quotation marks off what begins there.
    """
    return _BEGINS_WITHIN.sub(r"\1'", spreadsheet_cell(text))


_BEGINS_WITHIN = re.compile(r'([;\t\r\n])(?=[\s"]*[=+\-@])')
