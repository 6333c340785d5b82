"""What a text hides in encodings that people use to get past a filter, written out in plain words.

Two reports with one wrapper around two base64 strings ask for different things, which only the decoded strings
show. Read are base64, hexadecimal, binary digits, Morse code, letters spelled out, letters shifted by 13 and Unicode
tags. Nothing is ever run or followed; what does not decode to plain words is left alone.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage_core.text import HiddenKind, hidden_characters

READ = 20_000
"""So many characters of a text are searched."""

# Small words of English: shifted by 13, hardly any word is one.
_SMALL = re.compile(
    r"the|of|and|to|in|is|you|that|it|for|on|with|as|this|are|me|my|be|have|from|or|by|not|what|your|can|will|how|do|"
    r"tell|all|was|at"
)
_LEAST_LETTERS, _LEAST_SHIFTED, _LEAST_WORDS = 0.6, 0.15, 4

_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{16,}={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?<!\w)(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){8,}(?!\w)")
_BINARY = re.compile(r"(?<!\w)(?:[01]{8}[ ,]?){4,}(?!\w)")
_MORSE = re.compile(r"(?<![.\-])(?:[.\-·−]{1,5}[ ]+(?:/ *)?){6,}[.\-·−]{1,5}(?![.\-])")
_SPELLED = re.compile(r"(?<!\w)(?:[^\W\d_][.!?]?[ \-_.*|/]{1,3}){5,}[^\W\d_](?!\w)(?: ?[.!?])?")
_NEXT_WORD = re.compile(r"\s*/\s*|\s{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. --"
    " -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
)
_LETTER_OF = dict(zip(_MORSE_SIGNS.split(), "abcdefghijklmnopqrstuvwxyz", strict=True))


@dataclass(frozen=True, slots=True)
class Encoded:
    """Characters `begin` to `end` of a text, and the words that they stand for."""

    begin: int
    end: int
    words: str


def find(text: str) -> list[Encoded]:
    """The encoded parts of a text, in the order of their kinds; mostly none."""
    read = text[:READ]
    tags = (run for run in hidden_characters(read) if run.kind is HiddenKind.TAG and run.message)
    return [
        *(Encoded(run.start, run.start + run.length, run.message) for run in tags),
        *_from_bytes(read),
        *_from_morse(read),
        *_spelled(read),
        *_shifted(read),
    ]


def plain(text: str) -> str:
    """The text with its encoded parts left blank and what they stand for added behind, a line each.

    Every other character keeps its place.
    """
    parts = find(text)
    if not parts:
        return text
    for part in parts:
        text = text[: part.begin] + " " * (part.end - part.begin) + text[part.end :]
    return "\n".join([text, *(part.words for part in parts)])


def _from_bytes(text: str) -> Iterator[Encoded]:
    for match in _BASE64.finditer(text):
        run = match.group().rstrip("=")
        try:
            yield from _words(match, base64.b64decode(run + "=" * (-len(run) % 4)))
        except binascii.Error:
            continue
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[ ,:]", "", match.group())
        yield from _words(match, bytes.fromhex(digits[: len(digits) // 2 * 2]))
    for match in _BINARY.finditer(text):
        bits = re.sub(r"[ ,]", "", match.group())
        yield from _words(match, bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)))


def _words(match: re.Match[str], data: bytes) -> Iterator[Encoded]:
    """The bytes as text, where that is what they are."""
    try:
        words = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    letters = sum(character.isalpha() or character == " " for character in words)
    if words.isprintable() and letters >= _LEAST_LETTERS * len(words):
        yield Encoded(match.start(), match.end(), words)


def _from_morse(text: str) -> Iterator[Encoded]:
    for match in _MORSE.finditer(text):
        signs = match.group().replace("·", ".").replace("−", "-").replace("/", " / ").split()
        words = "".join(" " if sign == "/" else _LETTER_OF.get(sign, "?") for sign in signs)
        if words.count("?") * 4 <= len(words):
            yield Encoded(match.start(), match.end(), words)


def _spelled(text: str) -> Iterator[Encoded]:
    for match in _SPELLED.finditer(text):
        words = (re.sub(r"[\s\-_*|]", "", word) for word in _NEXT_WORD.split(match.group()))
        yield Encoded(match.start(), match.end(), " ".join(word for word in words if word))


def _shifted(text: str) -> Iterator[Encoded]:
    """Lines that are no English, but are when their letters are shifted by 13."""
    for match in re.finditer(r"[^\n]+", text):
        words = _LETTERS.findall(match.group().lower())
        if len(words) < _LEAST_WORDS or _small_words(words) > len(words) * _LEAST_SHIFTED / 3:
            continue
        turned = codecs.encode(match.group(), "rot13")
        if _small_words(_LETTERS.findall(turned.lower())) > max(1, len(words) * _LEAST_SHIFTED):
            yield Encoded(match.start(), match.end(), turned)


def _small_words(words: list[str]) -> int:
    return sum(_SMALL.fullmatch(word) is not None for word in words)
