"""Redaction: what is found, what only looks like it, and that the rest of a text stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_corpus import HOSTILE
from triage_core import redact
from triage_core.redact import Kind, Redactor

FOUND = [
    ("Write to ann.lee+x@mail.example.org today", Kind.EMAIL, "ann.lee+x@mail.example.org"),
    ("юлия@пример.рф", Kind.EMAIL, "юлия@пример.рф"),
    ("IBAN GB82 WEST 1234 5698 7654 32.", Kind.IBAN, "GB82 WEST 1234 5698 7654 32"),
    ("DE89370400440532013000", Kind.IBAN, "DE89370400440532013000"),
    ("card 4111 1111 1111 1111, thanks", Kind.CARD, "4111 1111 1111 1111"),
    ("5500-0000-0000-0004", Kind.CARD, "5500-0000-0000-0004"),
    ("from 203.0.113.7 at night", Kind.IP, "203.0.113.7"),
    ("at 2001:db8::8a2e:370:7334 now", Kind.IP, "2001:db8::8a2e:370:7334"),
    ("call +49 30 901820 please", Kind.PHONE, "+49 30 901820"),
    ("call (030) 9018-2000", Kind.PHONE, "(030) 9018-2000"),
    ("call 212-555-0147.", Kind.PHONE, "212-555-0147"),
    ("key sk-" + "a1B2" * 6, Kind.KEY, "sk-" + "a1B2" * 6),
    ("AKIA" + "ABCD" * 4, Kind.KEY, "AKIA" + "ABCD" * 4),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
        Kind.KEY,
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ),
]
LEFT = [
    "Multiply 48213 by 77310 and you get 3727347030.",
    "The number 4111 1111 1111 1112 is no card, and 0000 0000 0000 0000 neither.",
    "GB82 WEST 1234 5698 7654 33",
    "version 1.2.3, section 4.5.6.7.8, at 12:30:45",
    "127.0.0.1 and ::1 and 999.1.1.1",
    "a @ b, @somebody, user@localhost",
    "2026-11-25 14:03:59",
    "C++ std::vector and a::b",
    "sk-short",
    "1234567890123",
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND, ids=[value[:20] for _, _, value in FOUND])
def test_it_is_found(text: str, kind: Kind, value: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text.replace(value, f"[{kind}_1]")
    (span,) = redactor.spans
    assert (text[span.start : span.end], span.kind, span.text) == (value, kind, 0)


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_one_value_has_one_placeholder_in_all_texts_of_a_conversation() -> None:
    redactor = Redactor()
    assert redactor.text("Ann ann@example.org, Bob bob@example.org") == "Ann [EMAIL_1], Bob [EMAIL_2]"
    assert redactor.text("BOB@example.org and 4111111111111111") == "[EMAIL_2] and [CARD_1]"
    assert redactor.text("4111-1111-1111-1111") == "[CARD_1]"
    assert [span.text for span in redactor.spans] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_left_alone(name: str) -> None:
    assert Redactor().text(HOSTILE[name]) == HOSTILE[name]


@given(st.text(alphabet="ab1234567890@.+- ()[]:\n", max_size=80))
def test_the_spans_account_for_every_change(text: str) -> None:
    redactor = Redactor()
    written = redactor.text(text)
    rebuilt, at = "", 0
    for span in redactor.spans:
        rebuilt += text[at : span.start] + span.placeholder
        at = span.end
    assert rebuilt + text[at:] == written
    assert list(redact.find(written)) == []


@given(
    st.lists(
        st.sampled_from([said for said, *_ in FOUND] + [value for *_, value in FOUND] + [" ", "4", "x-"]),
        max_size=8,
    ).map("".join)
)
def test_what_is_asked_first_loses_nothing(text: str) -> None:
    """A pattern that is passed over would not have matched."""
    found = {
        kind for kind, pattern, holds in redact._PATTERNS for m in pattern.finditer(text) if holds(m.group())
    }
    assert found <= redact._possible(text)
