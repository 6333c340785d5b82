"""What is done to texts before they become rows: the policies of a dataset, and what is recorded."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_core import redact, tokens
from triage_core.errors import Refused
from triage_core.exporters import hygiene
from triage_core.exporters.gate import Reason
from triage_core.exporters.hygiene import Clean, Hygiene, clean
from triage_core.model import Turn, TurnRole

MAIL = Turn(TurnRole.USER, "Write to ann@example.org")
REPLY = Turn(TurnRole.ASSISTANT, "I wrote to ann@example.org and bob@example.org")
TOKEN = Turn(TurnRole.USER, "So <|im_end|> it is")
HIDDEN = Turn(TurnRole.USER, "pass\u200bword \u202egpj")


def cleaned(*turns: Turn, better: str = "", **policy: str) -> Clean:
    found = clean(turns, better, Hygiene(**policy))
    assert isinstance(found, Clean)
    return found


def test_personal_data_is_written_over_alike_in_every_text() -> None:
    found = cleaned(MAIL, REPLY, better="Ask bob@example.org")
    assert [turn.content for turn in found.turns] == [
        "Write to [EMAIL_1]", "I wrote to [EMAIL_1] and [EMAIL_2]",
    ]  # fmt: skip
    assert found.better_answer == "Ask [EMAIL_2]"
    assert [(span.text, span.placeholder) for span in found.redactions] == [
        (0, "[EMAIL_1]"), (1, "[EMAIL_1]"), (1, "[EMAIL_2]"), (2, "[EMAIL_2]"),
    ]  # fmt: skip


def test_a_dataset_may_refuse_or_keep_personal_data() -> None:
    assert clean([MAIL], "", Hygiene(personal_data="refuse")) is Reason.PERSONAL_DATA
    kept = cleaned(MAIL, personal_data="keep")
    assert (kept.turns, kept.redactions) == ((MAIL,), ())


def test_control_tokens_are_flagged_dropped_or_defanged() -> None:
    assert cleaned(TOKEN).control_tokens == ("<|im_end|>",)
    assert cleaned(TOKEN).turns == (TOKEN,)
    assert clean([TOKEN], "", Hygiene(control_tokens="drop")) is Reason.CONTROL_TOKENS
    assert clean([MAIL], "[INST]", Hygiene(control_tokens="drop")) is Reason.CONTROL_TOKENS
    harmless = cleaned(TOKEN, control_tokens="defang")
    assert harmless.turns[0].content == "So <\u2060|im_end|> it is"
    assert harmless.control_tokens == ("<|im_end|>",)
    assert not tokens.find(harmless.turns[0].content)


@pytest.mark.parametrize("token", ["<|im_end|>", "[/INST]", "<start_of_turn>", "</s>", "<think>", "[MASK]"])
def test_every_kind_of_token_can_be_defanged(token: str) -> None:
    assert tokens.find(tokens.defang(f"a {token}{token} b")) == ()


def test_hidden_characters_are_counted_or_dropped() -> None:
    assert cleaned(HIDDEN).hidden == {"bidi": 1, "zero_width": 1}
    assert cleaned(HIDDEN).turns == (HIDDEN,)
    assert clean([HIDDEN], "", Hygiene(hidden="drop")) is Reason.HIDDEN_CHARACTERS


def test_an_unknown_policy_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="control_tokens: one of flag, drop, defang, not 'escape'"):
        Hygiene(control_tokens="escape")


PIECES = (
    "ann@example.org", "+49 30 1234567", "(030) 123-4567", "555-123-4567", "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111", "203.0.113.7", "2001:db8::17", "sk-" + "a1B2" * 6, "ghp_" + "a" * 36, "AKIA" + "B" * 16,
    "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 12,
    "-----BEGIN RSA PRIVATE KEY-----x-----END RSA PRIVATE KEY-----",
    "<|im_end|>", "</s>", "[INST]", "<<SYS>>", "[gMASK]", "<start_of_turn>", "<｜end｜>", "\u200b", "\u202e", "\r",
    "\r\n", "\U000e0041", "٣٤٥٦٧٨٩٠", "é", "東京", "word", "12", ".", " ", "(", "\ufe0f", "❤",
)  # fmt: skip


def untouched(turn: Turn) -> Clean:
    return Clean((turn,), "", (), (), {})


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_not_suspicious_holds_nothing(words: str) -> None:
    (suspected,) = hygiene.suspicious(pa.array([words]))
    turn = Turn(TurnRole.USER, words)
    if not suspected:
        assert clean([turn], "", Hygiene()) == untouched(turn)


@pytest.mark.parametrize("piece", [*PIECES[:22], *PIECES[24:26]])
def test_each_of_them_is_suspicious(piece: str) -> None:
    assert hygiene.suspicious(pa.array([f"Look at {piece} here"])).all()


def test_every_token_of_a_template_is_suspicious() -> None:
    known = re.findall(
        r"[^|(]+", "<s>|</s>|<bos>|[/INST]|<</SYS>>|[TOOL_CALLS]|<end_function_call>|</think>|[MASK]|<eop>"
    )
    assert all(tokens.find(token) for token in known)
    assert hygiene.suspicious(pa.array(known)).all()


def test_ordinary_characters_hide_nothing_and_are_no_digits() -> None:
    every = [chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000]
    plain = hygiene.suspicious(pa.array(every))
    quiet = [one for one, suspected in zip(every, plain.tolist(), strict=True) if not suspected]
    assert len(quiet) > 30_000
    for one in quiet:
        turn = Turn(TurnRole.USER, one)
        assert clean([turn], "", Hygiene()) == untouched(turn)
        assert not one.isdecimal() or one in "0123456789"


def test_ordinary_prose_is_not_suspicious() -> None:
    prose = "I asked: \u201cWhat is 3 + 4?\u201d \u2014 it said 12 (twelve). Schöne Grüße, case 7.\r\nTotal: 5.5 of 10."
    assert not hygiene.suspicious(pa.array([prose])).any()
    assert not list(redact.find(prose))
