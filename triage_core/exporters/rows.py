"""What each profile writes of one report: rows for a trainer, or the reason why there are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from triage_core.exporters.gate import Reason, Verdict, in_scope
from triage_core.model import Turn, TurnRole
from triage_core.text import canonical

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """What rows are made of: a report that passed the gate, its decision, and the better answer ("" for none).

    `answer_turn` (from 1) is the turn that the better answer stands in for, None the answer at the end;
    nothing that is not `approved` is ever a target.

    `adversarial` says that a cited clause describes an attack by the prompt, `intent` what a person
    with that clause in mind would be after, in the policy's words, and `reproduced` that a reviewer has
    seen the flaw happen again.
    """

    report_id: str
    turns: Sequence[Turn]
    verdict: Verdict
    clauses: Sequence[str]
    adversarial: bool
    better_answer: str
    intent: str = ""
    reproduced: bool = False
    answer_turn: int | None = None
    approved: bool = True


Rows = Callable[[Source], Sequence[Row] | Reason]


def kto(source: Source) -> Sequence[Row] | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    if answer is None:
        return Reason.NO_FINAL_ANSWER
    label = source.verdict is Verdict.EXPECTED
    return [{"prompt": _messages(prompt), "completion": _answer(answer), "label": label}]


def preference(source: Source) -> Sequence[Row] | Reason:
    prompt, answer = _cut(source.turns[: source.answer_turn])
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    if answer is None:
        return Reason.NO_FINAL_ANSWER
    unusable = _unusable(source, answer)
    if unusable:
        return unusable
    return [
        {
            "prompt": _messages(prompt),
            "chosen": _answer(source.better_answer),
            "rejected": _answer(answer),
        }
    ]


def sft(source: Source) -> Sequence[Row] | Reason:
    prompt, answer = _cut(source.turns[: source.answer_turn])
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    unusable = _unusable(source, answer)
    if unusable:
        return unusable
    return [{"prompt": _messages(prompt), "completion": _answer(source.better_answer)}]


def classifier(source: Source) -> Sequence[Row] | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    flaw = source.verdict is Verdict.FLAW
    # A flawed answer to what may be an ordinary question says nothing about the question.
    of_flaw = "harmful" if source.adversarial else None
    refusal = {Verdict.FLAW: "compliance", Verdict.EXPECTED: "compliance"}.get(source.verdict)
    return [
        {
            "prompt": _as_text(prompt),
            "response": answer,
            "prompt_harm_label": of_flaw if flaw else "unharmful",
            "response_harm_label": None if answer is None else "harmful" if flaw else "unharmful",
            "response_refusal_label": None if answer is None else refusal,
            "adversarial": flaw and source.adversarial,
            "subcategory": (in_scope(source.clauses) if flaw else source.clauses)[0],
        }
    ]


def reward(source: Source) -> Sequence[Row] | Reason:
    pairs = preference(source)
    if isinstance(pairs, Reason):
        return pairs
    return [{side: [*pair["prompt"], *pair[side]] for side in ("chosen", "rejected")} for pair in pairs]


def bad_user(source: Source) -> Sequence[Row] | Reason:
    """A row for each turn of the attacker, who now speaks as the assistant; what it was after stands first.

    The intent is a user's message, since some chat templates refuse or drop a system message. What the
    attacker could not see (system and tool turns) is left out, and so is every answer after its last turn.
    """
    if not source.reproduced:
        return Reason.NOT_REPRODUCED
    heard = [turn for turn in source.turns if turn.role in _SWAPPED and turn.content.strip()]
    swapped = [Turn(_SWAPPED[turn.role], turn.content) for turn in heard]
    spoken = _alternating([Turn(TurnRole.USER, source.intent), *swapped])
    found = [
        {"prompt": _messages(spoken[:at]), "completion": _messages([turn])}
        for at, turn in enumerate(spoken)
        if turn.role is TurnRole.ASSISTANT
    ]
    return found or Reason.NO_PROMPT


def prompt_only(source: Source) -> Sequence[Row] | Reason:
    prompt, _ = _cut(source.turns)
    return [{"prompt": _messages(prompt)}] if _has_user_text(prompt) else Reason.NO_PROMPT


def evaluation(source: Source) -> Sequence[Row] | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    flaw = source.verdict is Verdict.FLAW
    # An answer to an earlier turn is no answer to this prompt.
    better = source.better_answer if source.approved and source.answer_turn in (None, len(prompt) + 1) else ""
    return [
        {
            "id": f"flaw-{source.report_id}",
            "prompt": _messages(prompt),
            "category": (in_scope(source.clauses) if flaw else source.clauses)[0],
            "expected": "safe_answer" if flaw else "answer",
            "adversarial": flaw and source.adversarial,
            "reported_answer": answer,
            "better_answer": better or None,
        }
    ]


_SWAPPED = {TurnRole.USER: TurnRole.ASSISTANT, TurnRole.ASSISTANT: TurnRole.USER}


def _cut(turns: Sequence[Turn]) -> tuple[Sequence[Turn], str | None]:
    """The prompt and the final answer; None where the conversation does not end with one.

    An assistant turn further up is never taken for the answer: what came after it was not answered,
    and labelling an earlier answer would label the wrong one.
    """
    end = len(turns)
    while end and turns[end - 1].role is TurnRole.ASSISTANT and not turns[end - 1].content.strip():
        end -= 1
    if end and turns[end - 1].role is TurnRole.ASSISTANT:
        return turns[: end - 1], turns[end - 1].content
    return turns[:end], None


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Turns of one role in a row as one turn: most chat templates refuse two."""
    return [
        Turn(role, "\n\n".join(turn.content for turn in run))
        for role, run in itertools.groupby(turns, key=lambda turn: turn.role)
    ]


def _unusable(source: Source, given: str | None) -> Reason | None:
    if not source.better_answer.strip():
        return Reason.NO_BETTER_ANSWER
    if not source.approved:
        return Reason.ANSWER_NOT_APPROVED
    if given is not None and canonical(source.better_answer) == canonical(given):
        return Reason.SAME_ANSWER
    return None


def _has_user_text(prompt: Sequence[Turn]) -> bool:
    return any(turn.role is TurnRole.USER and turn.content.strip() for turn in prompt)


def _messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    return [{"role": str(turn.role), "content": turn.content} for turn in turns]


def _answer(content: str) -> list[dict[str, str]]:
    return _messages([Turn(TurnRole.ASSISTANT, content)])


def _as_text(prompt: Sequence[Turn]) -> str:
    """A single turn word for word; a longer conversation with the role before each turn."""
    if len(prompt) == 1:
        return prompt[0].content
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in prompt)
