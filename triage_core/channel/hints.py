"""The clause of the guidance that a report looks like, by its words: a hint before sending, never a refusal.

No model is asked, so the answer is instant and says the same to everybody. Words that many clauses
share count little. The example on a clause's own side of the border speaks for it. Of 160 decided
reports of the demo it names a clause for 31: the one that the reviewer cited for 12 of them, and one on the
right side of the border for 26. So it keeps silent more often than not, and is shown as a guess.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from triage_core.guidance.policy import Clause, ClauseKind, Policy

LEAST, MARGIN, SHARED = 0.05, 1.25, 2  # a hint's least score, its lead on the next clause, the words shared
UNKNOWN = 0.3  # weight of a word that no clause uses
READ = 4_000  # characters that are looked at

_WORD = re.compile(r"[^\W\d_]{3,}")
# From the first digit of a number only, and as a whole: a run of digits would be read again from each of them.
SUM = re.compile(
    r"(?<!\d)(?<!\d[.,])\d[\d.,]*+\s*+(?:[-+*/×÷x^]|times|plus|minus|divided by)\s*\d", re.IGNORECASE
)
_COMMON_WORDS = """
the and for that this with from was were are not you your its has have had but they them their what when which who
will would can could does did into than then there here about said say says told tell asked ask asks gave give gives
get got any all one two our out very just only also because how why some such more model assistant system user answer
answers answered report flaw"""
_COMMON = frozenset(_COMMON_WORDS.split())
# What a text shows without naming it, in words that a policy would use for it.
_SHOWN = (
    (SUM, ("arithmetic", "sum", "multiplies", "digits")),
    (
        re.compile(r"\b(?:refus\w*|won't answer|cannot help|can't help|unable to (?:help|answer))\b", re.I),
        ("refuses", "refusal"),
    ),
    (re.compile(r"\b(?:wrong|incorrect|miscalculat\w*|calculat\w*|multipl\w*)\b", re.I), ("wrong",)),
)


@dataclass(frozen=True, slots=True)
class Hint:
    """The nearest clause; `score` compares the weighted words, 0 (none shared) to 1."""

    clause: Clause
    score: float

    @property
    def in_scope(self) -> bool:
        return self.clause.kind is ClauseKind.IN_SCOPE


def nearest(policy: Policy, account: str) -> Hint | None:
    """The clause that shares most with the reporter's own account; None when none stands out.

    The words of the conversation are about anything and are not asked. A clause stands out when it
    shares two words at least, and clearly more than the next one.
    """
    said = _stems(account[:READ])
    for sign, words in _SHOWN:
        if sign.search(account[:READ]):
            said.update(_stems(" ".join(words)))
    bags = {clause.clause_id: _bag(clause) for clause in policy.clauses}
    spread = Counter(word for bag in bags.values() for word in bag)
    weight = {word: math.log(1 + len(bags) / count) for word, count in spread.items()}
    # Long texts share more words with everything.
    length = math.sqrt(sum(weight.get(word, UNKNOWN) ** 2 for word in said))
    found = []
    for clause in policy.clauses:
        bag = bags[clause.clause_id]
        shared = said.keys() & bag.keys()
        if len(shared) >= SHARED:
            size = math.sqrt(sum((weight[word] * bag[word]) ** 2 for word in bag))
            score = sum(weight[word] * bag[word] for word in shared) / (size * length)
            found.append(Hint(clause, min(1.0, score)))
    found.sort(key=lambda hint: hint.score, reverse=True)
    if not found or found[0].score < LEAST or (found[1:] and found[0].score < MARGIN * found[1].score):
        return None
    return found[0]


def _bag(clause: Clause) -> dict[str, float]:
    own = clause.in_scope_example if clause.kind is ClauseKind.IN_SCOPE else clause.out_of_scope_example
    bag: dict[str, float] = {}
    for text, weight in ((clause.title, 2.0), (own, 1.5), (clause.text, 1.0)):
        for word in _stems(text):
            bag[word] = max(bag.get(word, 0.0), weight)
    return bag


def _stems(text: str) -> Counter[str]:
    words = (word.casefold() for word in _WORD.findall(text))
    return Counter(_stem(word) for word in words if word not in _COMMON)


def _stem(word: str) -> str:
    """A word without the endings that say little: refuses, refused and refusing are one."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "al", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
