"""Which reports become rows, and the one reason for each that does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage_core.disclosure import embargo
from triage_core.disclosure.embargo import Rule, Terms, Use
from triage_core.guidance.policy import PREFIX, ClauseKind
from triage_core.model import Resolution


class Reason(StrEnum):
    """Why a report is not in a dataset; the first that holds is the one that is counted."""

    ACTIVE_EMBARGO = Rule.ACTIVE_EMBARGO
    TLP_RED = Rule.TLP_RED
    NO_CONSENT = Rule.NO_CONSENT
    SPAM = "spam"
    WITHDRAWN = "withdrawn"
    REROUTED = "rerouted"
    LINKED_DUPLICATE = "linked_duplicate"
    UNDECIDED = "undecided"
    DISPUTED = "disputed"
    NOT_FOR_PROFILE = "not_for_profile"
    NOT_REPRODUCED = "not_reproduced"
    TRAINING_SIDE = "training_side"
    GROUP_REPRESENTED = "group_represented"
    REPORTER_CAP = "reporter_cap"
    PERSONAL_DATA = "personal_data"
    CONTROL_TOKENS = "control_tokens"
    HIDDEN_CHARACTERS = "hidden_characters"
    NO_PROMPT = "no_prompt"
    NO_FINAL_ANSWER = "no_final_answer"
    NO_BETTER_ANSWER = "no_better_answer"
    ANSWER_NOT_APPROVED = "answer_not_approved"
    SAME_ANSWER = "same_answer"
    EXACT_DUPLICATE = "exact_duplicate"


MEANING = {
    Reason.ACTIVE_EMBARGO: (
        "the report, an earlier one with the same conversation or the one it duplicates is under an active embargo"
    ),
    Reason.TLP_RED: "the report is TLP:RED, for named people only",
    Reason.NO_CONSENT: "the reporter has not agreed to this use",
    Reason.SPAM: "closed as spam",
    Reason.WITHDRAWN: "withdrawn by the reporter",
    Reason.REROUTED: "rerouted to whoever is responsible",
    Reason.LINKED_DUPLICATE: "a reviewer marked it as a duplicate; its canonical report stands for it",
    Reason.UNDECIDED: "nobody has decided on it, or the decision was taken back",
    Reason.DISPUTED: "two people decided differently on it, and no third has settled that",
    Reason.NOT_FOR_PROFILE: "the decision on it says nothing that this profile teaches",
    Reason.NOT_REPRODUCED: "no reviewer has seen the flaw happen again",
    Reason.TRAINING_SIDE: "its group is on the training side of the split",
    Reason.GROUP_REPRESENTED: "an earlier row stands for its group of duplicates",
    Reason.REPORTER_CAP: "its reporter has as many reports in this side as one reporter may have",
    Reason.PERSONAL_DATA: "it holds personal data or a secret, and the dataset takes none",
    Reason.CONTROL_TOKENS: "it holds control tokens of a chat template, and the dataset takes none",
    Reason.HIDDEN_CHARACTERS: "it holds hidden characters, and the dataset takes none",
    Reason.NO_PROMPT: "no user turn with text",
    Reason.NO_FINAL_ANSWER: "the conversation does not end with the assistant's answer",
    Reason.NO_BETTER_ANSWER: "nobody has written a better answer",
    Reason.ANSWER_NOT_APPROVED: "its better answer waits for a second person to approve it",
    Reason.SAME_ANSWER: "the better answer is the answer that was given",
    Reason.EXACT_DUPLICATE: "an earlier row has the same conversation",
}


FORBIDS = frozenset({Reason.ACTIVE_EMBARGO, Reason.TLP_RED, Reason.NO_CONSENT, Reason.WITHDRAWN})
"""The reasons that reporters and disclosure leads give: they hold to the moment at which a version is recorded."""


class Verdict(StrEnum):
    """What the desk's decision says about the answer that the model gave."""

    FLAW = "flaw"
    EXPECTED = "expected"
    OUT_OF_SCOPE = "out_of_scope"
    NOT_CONFIRMED = "not_confirmed"


_REFUSED = {
    Resolution.SPAM: Reason.SPAM,
    Resolution.WITHDRAWN: Reason.WITHDRAWN,
    Resolution.REROUTED: Reason.REROUTED,
    Resolution.DUPLICATE: Reason.LINKED_DUPLICATE,
}
_VERDICT = {
    Resolution.EXPECTED_BEHAVIOUR: Verdict.EXPECTED,
    Resolution.OUT_OF_SCOPE: Verdict.OUT_OF_SCOPE,
    Resolution.NOT_REPRODUCIBLE: Verdict.NOT_CONFIRMED,
    Resolution.NOT_APPLICABLE: Verdict.NOT_CONFIRMED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one report stands: the terms it is held under and what was decided on it.

    `clauses` are those of the decision in force, none where there is none; `disputed` says that a second person
    decided otherwise, and that this is not settled.
    """

    terms: Terms
    resolution: Resolution | None
    clauses: Sequence[str]
    disputed: bool = False


def verdict(resolution: Resolution | None, clauses: Sequence[str]) -> Verdict | None:
    """What the decision says, or None where there is none.

    A flaw is confirmed by an in-scope clause and not by its severity: one that hardly matters is a
    flaw all the same. A closed report that was reopened is undecided, unless it is a confirmed flaw.
    """
    if not clauses:
        return None
    if resolution in _VERDICT:
        return _VERDICT[resolution]
    return Verdict.FLAW if in_scope(clauses) else None


def in_scope(clauses: Sequence[str]) -> list[str]:
    """Those of the clauses that describe a flaw, in their order."""
    return [clause for clause in clauses if _is_of(clause, ClauseKind.IN_SCOPE)]


def why_not(standing: Standing, use: Use, takes: Collection[Verdict], now: datetime) -> Reason | None:
    """The first reason that keeps a report out of a dataset before its text is read, or None."""
    rule = embargo.why_not(standing.terms, use, now)
    if rule is not None:
        return Reason(rule)
    if standing.resolution in _REFUSED:
        return _REFUSED[standing.resolution]
    if any(_is_of(clause, ClauseKind.REROUTED) for clause in standing.clauses):
        return Reason.REROUTED
    found = verdict(standing.resolution, standing.clauses)
    if found is None:
        return Reason.UNDECIDED
    if standing.disputed:
        return Reason.DISPUTED
    return None if found in takes else Reason.NOT_FOR_PROFILE


def _is_of(clause: str, kind: ClauseKind) -> bool:
    return clause.startswith(f"{PREFIX[kind]}-")
