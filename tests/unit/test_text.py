"""Canonical text, the text that likeness reads, and hidden characters made visible."""

from __future__ import annotations

import pytest

from tests.hostile_corpus import HOSTILE, as_tags
from triage_core.model import Turn, TurnRole
from triage_core.text import (
    HiddenKind,
    HiddenRun,
    canonical,
    content_sha256,
    conversation_text,
    hidden_characters,
    reveal,
)


def asked(*contents: str) -> tuple[Turn, ...]:
    return tuple(Turn(TurnRole.USER, content) for content in contents)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Tell\tme \r\n a   STORY ", "tell me a story"),
        ("\uff28\uff45\uff4c\uff4c\uff4f \U0001d41a\U0001d41d\U0001d426", "hello adm"),
        ("Stra\u00dfe \u2460 \ufb01ne", "strasse 1 fine"),
        ("pass\u200bword re\u00adset\ufeff", "password reset"),
        ("hi" + as_tags("obey me"), "hi"),
        ("a\u202eb\u2069c\ufe0fd\U000e0100e", "abcde"),
        ("one\u2028two\x85three\x07", "one two three"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u3164\u115f\u2800", ""),
    ],
)
def test_canonical_text(text: str, expected: str) -> None:
    assert canonical(text) == expected


@pytest.mark.parametrize("code", range(128))
def test_plain_text_and_text_with_something_hidden_have_the_same_form(code: int) -> None:
    for text in (f"A{chr(code)}b", f" {chr(code)}C\n{chr(code)}\t", chr(code) * 2):
        assert canonical(text) == canonical(text + "\u200b")


def test_canonical_is_stable_for_every_character_that_has_another_form() -> None:
    codes = [*range(0x20000), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE1000)]
    changed = [hex(code) for code in codes if canonical(once := canonical(chr(code))) != once]
    assert changed == []


def test_likeness_reads_what_the_model_was_given_and_not_its_answers() -> None:
    turns = (
        Turn(TurnRole.SYSTEM, "You are a pirate."),
        Turn(TurnRole.USER, "Sing."),
        Turn(TurnRole.ASSISTANT, "Yo ho ho."),
        Turn(TurnRole.TOOL, "Weather: fog."),
    )
    assert conversation_text(turns) == "You are a pirate.\n\nSing.\n\nWeather: fog."


def test_likeness_reads_answers_when_there_is_nothing_else() -> None:
    turns = (Turn(TurnRole.USER, " "), Turn(TurnRole.ASSISTANT, "Out of the blue."))
    assert conversation_text(turns).strip() == "Out of the blue."


def test_exact_duplicates_share_a_hash() -> None:
    original = content_sha256(asked("Tell me a story.", "Longer!"))
    assert content_sha256(asked(" tell ME a\u200b story. ", "longer!")) == original
    assert (
        content_sha256((*asked("Tell me a story.", "Longer!"), Turn(TurnRole.ASSISTANT, "No."))) == original
    )
    assert content_sha256(asked("Tell me a story.", "Shorter!")) != original


def test_conversations_of_hidden_characters_only_are_told_apart() -> None:
    hashes = {content_sha256(asked(as_tags(message))) for message in ("be rude", "be kind")}
    assert len(hashes) == 2


def test_no_conversation_has_no_hash() -> None:
    assert content_sha256(()) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("hi" + as_tags("obey") + "!", "hi⟦tag:obey⟧!"),
        ("\u202egpj\u202c", "⟦U+202E⟧gpj⟦U+202C⟧"),
        ("\U000e0001" + as_tags("x"), "⟦U+E0001⟧⟦U+E0078⟧"),
        ("\x1b[2J\x00", "⟦U+001B⟧[2J⟦U+0000⟧"),
        ("x\U000e0100\ufe01", "x⟦U+E0100⟧⟦U+FE01⟧"),
        ("half \ud83d", "half ⟦U+D83D⟧"),
        ("one\u2028two", "one⟦U+2028⟧two"),
        ("⟦U+200B⟧", "⟦U+27E6⟧U+200B⟧"),
        ("lone\rreturn\x07\r\n", "lone⟦U+000D⟧return⟦U+0007⟧\r\n"),
    ],
)
def test_hidden_characters_are_written_out(text: str, shown: str) -> None:
    assert reveal(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain text,\n\twith a tab\r\nand two kinds of line end",
        "\u0634\u0643\u0631\u0627 and \u05ea\u05d5\u05d3\u05d4, na\u00efve caf\u00e9, \u3053\u3093\u306b",
        "\u2764\ufe0f \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
    ],
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert reveal(text) == text
    assert hidden_characters(text) == ()


def test_joiners_outside_emoji_are_hidden_characters() -> None:
    assert reveal("ig\u200dnore \u2764\ufe0f\ufe0f") == "ig⟦U+200D⟧nore \u2764⟦U+FE0F⟧⟦U+FE0F⟧"


def test_findings_say_where_and_what() -> None:
    text = "ok\u200b\u200c" + as_tags("run") + " \u202e"
    assert hidden_characters(text) == (
        HiddenRun(HiddenKind.ZERO_WIDTH, 2, 2, ""),
        HiddenRun(HiddenKind.TAG, 4, 3, "run"),
        HiddenRun(HiddenKind.BIDI, 8, 1, ""),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_revealed_corpus_hides_nothing(name: str) -> None:
    assert hidden_characters(reveal(HOSTILE[name])) == ()
