"""The shapes of a dataset: which reports each profile takes, under which consent, and its columns.

Column names and types are those that the trainers read (TRL's KTO, DPO, Reward, SFT and GRPO;
WildGuard's for a safety classifier). What is written of a report is in rows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from triage_core.disclosure.embargo import Use
from triage_core.errors import Refused
from triage_core.exporters import rows
from triage_core.exporters.gate import Verdict
from triage_core.exporters.rows import Row, Rule
from triage_core.guidance.policy import ClauseKind, Policy

# A clause that names one of these says that the prompt itself was the attack: prompt injection,
# jailbreak, extraction of the system prompt, obfuscation.
ATTACK_TECHNIQUES = frozenset({"AML.T0051", "AML.T0054", "AML.T0056", "AML.T0068"})

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


@dataclass(frozen=True, slots=True)
class Profile:
    """One shape of a dataset.

    `takes` are the decisions that it can use and `use` what the reporter must have agreed to. `rows`
    gives the rows of a report in the columns of `schema`, or the reason why there are none. `watched` is
    what must not stand on both sides of the split. `label` is the column whose values the manifest
    counts, "" for none. `test_only` profiles take the test side alone. `about` tells people what is in it.
    """

    name: str
    about: str
    use: Use
    takes: frozenset[Verdict]
    schema: pa.Schema
    rows: Rule
    watched: Callable[[Row], Any] = lambda row: row["prompt"]
    label: str = ""
    needs_better_answer: bool = False
    test_only: bool = False


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


def intents(policy: Policy) -> dict[str, str]:
    """By clause in scope, what a user who looks for that flaw is told to be after; the policy's words."""
    return {
        clause.clause_id: "Play a user who tests an AI assistant. Try to bring this about: "
        f"{clause.title}. {' '.join(clause.text.split())}"
        for clause in policy.clauses
        if clause.kind is ClauseKind.IN_SCOPE
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
                rows.kto,
                label="label",
            ),
            Profile(
                "preference",
                "Pairs: the better answer that the desk wrote is chosen over the answer that was given.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.OUT_OF_SCOPE}),
                pa.schema([("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES)]),
                rows.preference,
                needs_better_answer=True,
            ),
            Profile(
                "sft",
                "Conversations that end with the better answer that the desk wrote, never with the one that was given.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.OUT_OF_SCOPE}),
                pa.schema([("prompt", MESSAGES), ("completion", MESSAGES)]),
                rows.sft,
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
                rows.classifier,
                label="response_harm_label",
            ),
            Profile(
                "reward",
                "The pairs of preference with the prompt inside both, for a reward model.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.OUT_OF_SCOPE}),
                pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES)]),
                rows.reward,
                watched=lambda row: row["chosen"][:-1],
                needs_better_answer=True,
            ),
            Profile(
                "bad_user",
                "Attackers' turns with the roles swapped, to train a model that plays the bad user. Confirmed and"
                " reproduced flaws only, with a consent of their own; never mix it with the other profiles.",
                Use.BAD_USER_TRAINING,
                frozenset({Verdict.FLAW}),
                pa.schema([("prompt", MESSAGES), ("completion", MESSAGES)]),
                rows.bad_user,
                watched=lambda row: row["completion"],
            ),
            Profile(
                "prompt_only",
                "Prompts without an answer, for training that samples its own.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW}),
                pa.schema([("prompt", MESSAGES)]),
                rows.prompt_only,
            ),
            Profile(
                "eval",
                "Test-side reports, one of each group, for red-team runs of other tools; never part of training data.",
                Use.SAFETY_TRAINING,
                frozenset({Verdict.FLAW, Verdict.EXPECTED, Verdict.OUT_OF_SCOPE}),
                pa.schema(
                    [
                        ("id", pa.string()),
                        ("prompt", MESSAGES),
                        ("category", pa.string()),
                        ("expected", pa.string()),
                        ("adversarial", pa.bool_()),
                        ("reported_answer", pa.string()),
                        ("better_answer", pa.string()),
                    ]
                ),
                rows.evaluation,
                label="expected",
                needs_better_answer=True,
                test_only=True,
            ),
        )
    }
)
