"""Which reports are built alike, so that a profile's rule is asked once for all of them.

Two reports are alike when all that a rule may see of them is the same: whose turns they have and which of these are
blank, the decision, and how far the better answer has come.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core.desk.preferred import Answer
from triage_core.exporters import gate
from triage_core.exporters.gate import Reason, Verdict
from triage_core.exporters.rows import FIRST_TURN, Row, Rule, Source, Spoken, Text
from triage_core.exporters.texts import Numbers, Texts, blank
from triage_core.model import TurnRole
from triage_core.text import canonical

_ROLES = tuple(TurnRole)
_BLANK, _SAYS_BETTER = 4, 8  # beside the role's number, which is below 4


class Decision(NamedTuple):
    """What was decided on reports that passed the gate."""

    verdict: Verdict
    clauses: tuple[str, ...]


class _Answered(NamedTuple):
    """How far a better answer has come."""

    turn: int | None
    is_approved: bool
    is_blank: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What a rule writes of n reports: its different answers, and the number of each report's answer."""

    answers: list[Sequence[Row] | Reason]
    of: Numbers


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy says for all reports: which clauses describe an attack, and what somebody is after by clause."""

    attacks: Collection[str]
    intents: Mapping[str, str]

    def source(
        self, turns: bytes, decision: Decision, reproduced: bool, answered: _Answered | None
    ) -> Source:
        return Source(
            [
                Spoken(
                    _ROLES[code & 3], Text(FIRST_TURN + at), bool(code & _BLANK), bool(code & _SAYS_BETTER)
                )
                for at, code in enumerate(turns)
            ],
            decision.verdict,
            decision.clauses,
            adversarial=not set(self.attacks).isdisjoint(decision.clauses),
            has_better_answer=answered is not None,
            better_is_blank=answered is not None and answered.is_blank,
            intent=next(
                (self.intents[one] for one in gate.in_scope(decision.clauses) if one in self.intents), ""
            ),
            reproduced=reproduced,
            answer_turn=answered.turn if answered else None,
            approved=answered is not None and answered.is_approved,
        )


def ask(
    rule: Rule,
    rules: Rules,
    texts: Texts,
    roles: NDArray[np.int8],
    decisions: Sequence[Decision],
    decided: Numbers,
    reproduced: NDArray[np.bool_],
    answers: Mapping[int, Answer],
) -> Written:
    """What a profile's rule writes of n reports: given the roles of all turns, then of each report the place of its
    decision among the `decisions` and whether a reviewer has seen the flaw again, and the better answers by place.
    """
    column = texts.column()
    codes = roles + _BLANK * blank(column)[texts.turns]
    progress: dict[_Answered | None, int] = {None: 0}
    answered = np.zeros(len(decided), np.int64)
    for at, answer in answers.items():
        start, end = texts.starts[at], texts.starts[at + 1]
        better, *said = column.take(pa.array([texts.answers[at], *texts.turns[start:end]])).to_pylist()
        codes[start:end] += [_SAYS_BETTER * (canonical(one) == canonical(better)) for one in said]
        state = _Answered(answer.turn, answer.approved_by is not None, not better.strip())
        answered[at] = progress.setdefault(state, len(progress))
    turns = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(),
        len(decided),
        [None, pa.py_buffer(texts.starts), pa.py_buffer(codes.astype(np.uint8))],
    ).dictionary_encode()
    shapes, states = turns.dictionary.to_pylist(), list(progress)
    sizes = (len(shapes), len(decisions), 2, len(states))
    kinds, kind = np.unique(
        np.ravel_multi_index(
            (turns.indices.to_numpy(), decided, reproduced.astype(np.int8), answered), sizes
        ),
        return_inverse=True,
    )
    # Much that a rule may see makes no difference to it: the same rows are put together at once.
    written = [
        rule(rules.source(shapes[shape], decisions[decision], bool(seen), states[state]))
        for shape, decision, seen, state in zip(*np.unravel_index(kinds, sizes), strict=True)
    ]
    different = {repr(one): one for one in written}
    numbers = {name: number for number, name in enumerate(different)}
    same = np.array([numbers[repr(one)] for one in written], np.int64)
    return Written(list(different.values()), same[kind])
