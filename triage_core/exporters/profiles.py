"""The shapes of a training row: which reports each profile takes, under which consent, and what it writes.

Column names and types are those that the trainers read (TRL's KTO, DPO and SFT; WildGuard's for a
safety classifier). A profile makes at most one row of a report, and says why when it makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from triage_core.embargo import Use
from triage_core.errors import Refused
from triage_core.exporters.gate import Reason, Verdict, in_scope
from triage_core.model import Turn, TurnRole
from triage_core.policy import ClauseKind, Policy
from triage_core.text import canonical

Row = dict[str, Any]

# A clause that names one of these says that the prompt itself was the attack: prompt injection,
# jailbreak, extraction of the system prompt, obfuscation.
ATTACK_TECHNIQUES = frozenset({"AML.T0051", "AML.T0054", "AML.T0056", "AML.T0068"})

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


@dataclass(frozen=True, slots=True)
class Source:
    """What a row is made of: a report that passed the gate, its decision, and the better answer ("" for none).

    `adversarial` says that a cited clause describes an attack by the prompt.
    """

    turns: Sequence[Turn]
    verdict: Verdict
    clauses: Sequence[str]
    adversarial: bool
    better_answer: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One shape of a dataset.

    `takes` are the decisions that it can use and `use` what the reporter must have agreed to. `row`
    gives the row in the columns of `schema`, or the reason why there is none. `label` is the column
    whose values the manifest counts, "" for none. `about` tells people what is in it.
    """

    name: str
    about: str
    use: Use
    takes: frozenset[Verdict]
    schema: pa.Schema
    row: Callable[[Source], Row | Reason]
    label: str = ""
    needs_better_answer: bool = False


def get(name: str) -> Profile:
    """The profile of this name. Raises Refused naming those that there are."""
    if name not in PROFILES:
        raise Refused("profile", f"one of {', '.join(PROFILES)}, not {name!r}")
    return PROFILES[name]


def attack_clauses(policy: Policy) -> frozenset[str]:
    """The ids of the in-scope clauses by which the prompt itself is the attack."""
    return frozenset(
        clause.clause_id
        for clause in policy.clauses
        if clause.kind is ClauseKind.IN_SCOPE and not ATTACK_TECHNIQUES.isdisjoint(clause.atlas)
    )


def _kto(source: Source) -> Row | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    if answer is None:
        return Reason.NO_FINAL_ANSWER
    return {
        "prompt": _messages(prompt),
        "completion": _answer(answer),
        "label": source.verdict is Verdict.EXPECTED,
    }


def _preference(source: Source) -> Row | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    if answer is None:
        return Reason.NO_FINAL_ANSWER
    unusable = _unusable(source.better_answer, answer)
    if unusable:
        return unusable
    return {
        "prompt": _messages(prompt),
        "chosen": _answer(source.better_answer),
        "rejected": _answer(answer),
    }


def _sft(source: Source) -> Row | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    unusable = _unusable(source.better_answer, answer)
    if unusable:
        return unusable
    return {"prompt": _messages(prompt), "completion": _answer(source.better_answer)}


def _classifier(source: Source) -> Row | Reason:
    prompt, answer = _cut(source.turns)
    if not _has_user_text(prompt):
        return Reason.NO_PROMPT
    flaw = source.verdict is Verdict.FLAW
    # A flawed answer to what may be an ordinary question says nothing about the question.
    of_flaw = "harmful" if source.adversarial else None
    refusal = {Verdict.FLAW: "compliance", Verdict.EXPECTED: "compliance"}.get(source.verdict)
    return {
        "prompt": _as_text(prompt),
        "response": answer,
        "prompt_harm_label": of_flaw if flaw else "unharmful",
        "response_harm_label": None if answer is None else "harmful" if flaw else "unharmful",
        "response_refusal_label": None if answer is None else refusal,
        "adversarial": flaw and source.adversarial,
        "subcategory": (in_scope(source.clauses) if flaw else source.clauses)[0],
    }


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                "kto",
                "Unpaired answers: false for a confirmed flaw, true for expected behaviour.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.EXPECTED}),
                pa.schema([("prompt", MESSAGES), ("completion", MESSAGES), ("label", pa.bool_())]),
                _kto,
                label="label",
            ),
            Profile(
                "preference",
                "Pairs: the better answer that the desk wrote is chosen over the answer that was given.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.OUT_OF_SCOPE}),
                pa.schema([("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES)]),
                _preference,
                needs_better_answer=True,
            ),
            Profile(
                "sft",
                "Conversations that end with the better answer that the desk wrote, never with the one that was given.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.OUT_OF_SCOPE}),
                pa.schema([("prompt", MESSAGES), ("completion", MESSAGES)]),
                _sft,
                needs_better_answer=True,
            ),
            Profile(
                "classifier",
                "Labelled prompts and answers; out-of-scope reports and expected behaviour are the benign examples.",
                Use.CLASSIFIER_TRAINING,
                frozenset({Verdict.FLAW, Verdict.EXPECTED, Verdict.OUT_OF_SCOPE}),
                pa.schema(
                    [
                        ("prompt", pa.string()),
                        ("response", pa.string()),
                        ("prompt_harm_label", pa.string()),
                        ("response_harm_label", pa.string()),
                        ("response_refusal_label", pa.string()),
                        ("adversarial", pa.bool_()),
                        ("subcategory", pa.string()),
                    ]
                ),
                _classifier,
                label="response_harm_label",
            ),
        )
    }
)


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


def _unusable(better: str, given: str | None) -> Reason | None:
    if not better.strip():
        return Reason.NO_BETTER_ANSWER
    if given is not None and canonical(better) == canonical(given):
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
