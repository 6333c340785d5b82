"""What each profile writes of one report: rows for a trainer, or the reason why there are none.

A rule sees how a report is built and not what it says: of each text it knows whether it is blank, and where it
stands. So it is asked once for all reports that are built alike, and texts.py puts theirs in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from triage_core.exporters.gate import Reason, Verdict, in_scope
from triage_core.model import TurnRole

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the report by its place: `REPORT_ID`, `BETTER_ANSWER`, or `FIRST_TURN` and those after it."""

    place: int


REPORT_ID, BETTER_ANSWER, FIRST_TURN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts and words of our own, one right after another, as one text."""

    parts: tuple[str | Text, ...]


Content = str | Text | Joined
"""What stands in a row as text: words of our own, a text of the report, or both."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn. `says_better`: it says what the better answer says, but for case, spaces and what is hidden."""

    role: TurnRole
    content: Content
    is_blank: bool = False
    says_better: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What rows are made of: how a report that passed the gate is built, and its decision.

    `has_better_answer` says whether there is one at all, `better_is_blank` that it holds nothing but spaces.

    `answer_turn` (from 1) is the turn that the better answer stands in for, None the answer at the end;
    nothing that is not `approved` is ever a target.

    `adversarial` says that a cited clause describes an attack by the prompt, `intent` what a person
    with that clause in mind would be after, in the policy's words, and `reproduced` that a reviewer has
    seen the flaw happen again.
    """

    turns: Sequence[Spoken]
    verdict: Verdict
    clauses: Sequence[str]
    adversarial: bool
    has_better_answer: bool = False
    better_is_blank: bool = False
    intent: str = ""
    reproduced: bool = False
    answer_turn: int | None = None
    approved: bool = True


Rule = Callable[[Source], Sequence[Row] | Reason]


def kto(source: Source) -> Sequence[Row] | Reason:
    """The answer that was decided on; its label is true where the policy expects such an answer."""
    prompt, answer = _cut(_decided_on(source))
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    if answer is None:
        return Reason.NO_FINAL_ANSWER
    label = source.verdict is Verdict.EXPECTED
    return [{"prompt": _messages(prompt), "completion": _messages([answer]), "label": label}]


def preference(source: Source) -> Sequence[Row] | Reason:
    """The better answer, chosen over the one that it stands in for."""
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
            "chosen": _messages([_BETTER]),
            "rejected": _messages([answer]),
        }
    ]


def sft(source: Source) -> Sequence[Row] | Reason:
    """The better answer to what was said before it."""
    prompt, answer = _cut(source.turns[: source.answer_turn])
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    unusable = _unusable(source, answer)
    if unusable:
        return unusable
    return [{"prompt": _messages(prompt), "completion": _messages([_BETTER])}]


def classifier(source: Source) -> Sequence[Row] | Reason:
    """The prompt and the answer that was decided on, each with its label; without an answer only the prompt has one."""
    prompt, answer = _cut(_decided_on(source))
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    flaw = source.verdict is Verdict.FLAW
    # A flawed answer to what may be an ordinary question says nothing about the question.
    of_flaw = "harmful" if source.adversarial else None
    refusal = {Verdict.FLAW: "compliance", Verdict.EXPECTED: "compliance"}.get(source.verdict)
    return [
        {
            "prompt": _as_text(prompt),
            "response": answer and answer.content,
            "prompt_harm_label": of_flaw if flaw else "unharmful",
            "response_harm_label": None if answer is None else "harmful" if flaw else "unharmful",
            "response_refusal_label": None if answer is None else refusal,
            "adversarial": flaw and source.adversarial,
            "subcategory": (in_scope(source.clauses) if flaw else source.clauses)[0],
        }
    ]


def reward(source: Source) -> Sequence[Row] | Reason:
    """`preference` as two whole conversations."""
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
    heard = [turn for turn in source.turns if turn.role in _SWAPPED and not turn.is_blank]
    swapped = [Spoken(_SWAPPED[turn.role], turn.content) for turn in heard]
    spoken = _alternating([Spoken(TurnRole.USER, source.intent), *swapped])
    found = [
        {"prompt": _messages(spoken[:at]), "completion": _messages([turn])}
        for at, turn in enumerate(spoken)
        if turn.role is TurnRole.ASSISTANT
    ]
    return found or Reason.NO_PROMPT


def prompt_only(source: Source) -> Sequence[Row] | Reason:
    """What was said before the answer that was decided on."""
    prompt, _ = _cut(_decided_on(source))
    return [{"prompt": _messages(prompt)}] if _has_user_text(prompt) else Reason.NO_PROMPT


def evaluation(source: Source) -> Sequence[Row] | Reason:
    """The prompt, and what a model under test should do with it; ids are those of the reports."""
    prompt, answer = _cut(_decided_on(source))
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    flaw = source.verdict is Verdict.FLAW
    # An answer that somebody else's turn would follow is no answer to this prompt.
    fits = source.approved and source.answer_turn in (None, len(prompt) + 1)
    return [
        {
            "id": Joined(("flaw-", Text(REPORT_ID))),
            "prompt": _messages(prompt),
            "category": (in_scope(source.clauses) if flaw else source.clauses)[0],
            "expected": "safe_answer" if flaw else "answer",
            "adversarial": flaw and source.adversarial,
            "reported_answer": answer and answer.content,
            "better_answer": Text(BETTER_ANSWER) if source.has_better_answer and fits else None,
        }
    ]


_SWAPPED = {TurnRole.USER: TurnRole.ASSISTANT, TurnRole.ASSISTANT: TurnRole.USER}
_BETTER = Spoken(TurnRole.ASSISTANT, Text(BETTER_ANSWER))


def _decided_on(source: Source) -> Sequence[Spoken]:
    """The conversation up to the answer that was decided on: the one that an approved better answer stands in for.

    What was said at the end may be harmless where the flaw was further up.
    """
    return source.turns[: source.answer_turn] if source.approved else source.turns


def _cut(turns: Sequence[Spoken]) -> tuple[Sequence[Spoken], Spoken | None]:
    """The prompt and the final answer; None where the conversation does not end with one.

    An assistant turn further up is never taken for the answer: what came after it was not answered,
    and labelling an earlier answer would label the wrong one.
    """
    end = len(turns)
    while end and turns[end - 1].role is TurnRole.ASSISTANT and turns[end - 1].is_blank:
        end -= 1
    if end and turns[end - 1].role is TurnRole.ASSISTANT:
        return turns[: end - 1], turns[end - 1]
    return turns[:end], None


def _alternating(turns: Iterable[Spoken]) -> list[Spoken]:
    """Turns of one role in a row as one turn: most chat templates refuse two."""
    runs = ((role, list(run)) for role, run in itertools.groupby(turns, key=lambda turn: turn.role))
    return [Spoken(role, _joined("\n\n", [turn.content for turn in run])) for role, run in runs]


def _unusable(source: Source, given: Spoken | None) -> Reason | None:
    if not source.has_better_answer or source.better_is_blank:
        return Reason.NO_BETTER_ANSWER
    if not source.approved:
        return Reason.ANSWER_NOT_APPROVED
    return Reason.SAME_ANSWER if given and given.says_better else None


def _has_user_text(prompt: Sequence[Spoken]) -> bool:
    return any(turn.role is TurnRole.USER and not turn.is_blank for turn in prompt)


def _messages(turns: Sequence[Spoken]) -> list[dict[str, Any]]:
    return [{"role": str(turn.role), "content": turn.content} for turn in turns]


def _as_text(prompt: Sequence[Spoken]) -> Content:
    """A single turn word for word; a longer conversation with the role before each turn."""
    if len(prompt) == 1:
        return prompt[0].content
    return _joined("\n\n", [Joined((f"{turn.role}: ", *_parts(turn.content))) for turn in prompt])


def _joined(between: str, contents: Sequence[Content]) -> Content:
    if len(contents) == 1:
        return contents[0]
    first, *rest = contents
    return Joined((*_parts(first), *(part for one in rest for part in (between, *_parts(one)))))


def _parts(content: Content) -> tuple[str | Text, ...]:
    return content.parts if isinstance(content, Joined) else (content,)
