"""Personal data and secrets in a conversation, found by pattern and checksum, and written over by placeholders.

    redactor = Redactor()
    redactor.text("Mail ann@example.org")        # "Mail [EMAIL_1]"
    redactor.spans                               # what was found where, without the value

One redactor reads one conversation: the same value gets the same placeholder in all of its texts, so that
who is who can still be told. Names need a person; nothing here guesses at them.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was found; its name stands in the placeholder."""

    KEY = "KEY"
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    IP = "IP"
    PHONE = "PHONE"


@dataclass(frozen=True, slots=True)
class Span:
    """One finding: `text` is the number of the text within its conversation, from 0; places are in the original."""

    text: int
    start: int
    end: int
    kind: Kind
    placeholder: str


def luhn(number: str) -> bool:
    """True when the digits pass the check of payment card numbers (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def mod97(account: str) -> bool:
    """True when an IBAN passes its check (ISO 13616): country and check digits moved to the end, mod 97 is 1."""
    plain = re.sub(r"\s", "", account).upper()
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _is_card(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _is_address(found: str) -> bool:
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return False
    # "a::b" is a name in some programming languages before it is an address.
    short = address.version == 6 and (len(found) < 7 or not any(character.isdigit() for character in found))
    # Loopback and "any" say nothing about a person, and stand in every manual.
    return not (short or address.is_loopback or address.is_unspecified)


def _is_phone(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return 8 <= len(digits) <= 15 and len(set(digits)) > 2


def _always(found: str) -> bool:
    return True


# In this order: what is found first is not looked at again, so that a card is never half of a phone number.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        Kind.KEY,
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{1,8000}?-----END [A-Z ]{0,30}PRIVATE KEY-----"
            r"|\b(?:sk|pk|rk)[-_](?:[a-z]{2,12}[-_]){0,8}[A-Za-z0-9]{20,200}"
            r"|\bgh[opsu]_[A-Za-z0-9]{36,255}|\bgithub_pat_\w{22,255}|\bglpat-[\w-]{20,64}"
            r"|\bxox[abeprs]-[A-Za-z0-9-]{10,250}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}"
            r"|\bhf_[A-Za-z0-9]{30,64}|\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}",
            re.DOTALL,
        ),
        _always,
    ),
    (
        Kind.EMAIL,
        re.compile(r"(?<![\w.+-])[\w][\w.+-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"),
        _always,
    ),
    (
        Kind.IBAN,
        re.compile(
            r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
        ),
        mod97,
    ),
    (Kind.CARD, re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])"), _is_card),
    (
        Kind.IP,
        re.compile(
            r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.:])"
        ),
        _is_address,
    ),
    (
        Kind.PHONE,
        re.compile(
            r"(?<![\w+.])\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,5}(?!\w)"
            r"|(?<![\w.])\(\d{2,5}\)[ .-]?\d{3,4}[ .-]?\d{3,4}(?!\w)"
            r"|(?<![\w.-])\d{3}-\d{3}-\d{4}(?![\w-])"
        ),
        _is_phone,
    ),
)


# What a text must hold for a pattern to match at all; asking that first saves most texts most of the patterns.
_KEY_STARTS = (
    "PRIVATE KEY", "sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_",
    "glpat-", "xox", "AKIA", "ASIA", "AIza", "hf_", "eyJ",
)  # fmt: skip
# The same for text without digits and letters beyond ASCII's, in the syntax that RE2 knows as well: what matches
# none of these holds nothing that `find` finds.
SIGNS = (
    r"PRIVATE KEY|\b(?:sk|pk|rk)[-_]|gh[opsu]_|github_pat_|glpat-|xox|AKIA|ASIA|AIza|hf_|eyJ",
    r"\S@\S",
    r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}",
    r"[0-9](?:[ -]?[0-9]){12}",
    r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:",
    r"\+[0-9]|\([0-9]{2,5}\)[ .-]?[0-9]|[0-9]{3}-[0-9]{3}-[0-9]{4}",
)
_LEAST_DIGITS = {Kind.IBAN: 2, Kind.CARD: 13, Kind.IP: 1, Kind.PHONE: 8}
_DIGIT = re.compile(r"\d")


def _possible(text: str) -> frozenset[Kind]:
    digits = len(_DIGIT.findall(text))
    found = {kind for kind, least in _LEAST_DIGITS.items() if digits >= least}
    if "@" in text:
        found.add(Kind.EMAIL)
    if any(start in text for start in _KEY_STARTS):
        found.add(Kind.KEY)
    return frozenset(found)


def find(text: str) -> Iterator[tuple[int, int, Kind]]:
    """The places of personal data in a text, in order; they do not overlap."""
    possible = _possible(text)
    if not possible:
        return
    taken = bytearray(len(text))
    found = []
    for kind, pattern, holds in _PATTERNS:
        if kind not in possible:
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if not any(taken[start:end]) and holds(match.group()):
                taken[start:end] = b"\x01" * (end - start)
                found.append((start, end, kind))
    yield from sorted(found)


@dataclass(slots=True)
class Redactor:
    """Writes over what it finds in the texts of one conversation; `spans` says what and where."""

    spans: list[Span] = field(default_factory=list)
    _known: dict[tuple[Kind, str], str] = field(default_factory=dict)
    _counts: Counter[Kind] = field(default_factory=Counter)
    _texts: int = 0

    def text(self, text: str) -> str:
        """The text with a placeholder for each finding."""
        parts, at = [], 0
        for start, end, kind in find(text):
            placeholder = self._placeholder(kind, text[start:end])
            self.spans.append(Span(self._texts, start, end, kind, placeholder))
            parts += [text[at:start], placeholder]
            at = end
        self._texts += 1
        return "".join([*parts, text[at:]]) if parts else text

    def _placeholder(self, kind: Kind, value: str) -> str:
        # The same number is written with and without spaces.
        name = (kind, re.sub(r"[\s().-]", "", value).casefold() if kind is not Kind.KEY else value)
        if name not in self._known:
            self._counts[kind] += 1
            self._known[name] = f"[{kind}_{self._counts[kind]}]"
        return self._known[name]
