"""What is done to texts before they become rows: the policies of a dataset, and what is recorded."""

from __future__ import annotations

import pytest

from triage_core import tokens
from triage_core.errors import Refused
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
