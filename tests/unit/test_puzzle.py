"""Proof of work: one challenge, one solution, one use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.making import NOON
from triage_core.channel import puzzle
from triage_core.channel.puzzle import Puzzle
from triage_core.errors import Refused


def test_a_solved_challenge_passes_once() -> None:
    asked = Puzzle(8)
    proof = puzzle.solve(asked.challenge(NOON))
    asked.check(proof, NOON)
    with pytest.raises(Refused, match="used already"):
        asked.check(proof, NOON)
    asked.check(puzzle.solve(asked.challenge(NOON)), NOON)


def test_what_is_no_solution_is_refused() -> None:
    asked, other = Puzzle(8), Puzzle(8)
    challenge = asked.challenge(NOON)
    wrong = next(p for n in range(1000) if not puzzle.is_solved(p := f"{challenge}:{n}", 8))
    easier = puzzle.solve(Puzzle(1, asked._secret).challenge(NOON))
    for proof, reason in (
        ("", "must be a challenge"),
        (challenge, "must be a challenge"),
        (wrong, "zero bits"),
        (easier, "of this server"),
        (puzzle.solve(other.challenge(NOON)), "of this server"),
        ("²" + puzzle.solve(challenge), "must be a challenge"),
    ):
        with pytest.raises(Refused, match=reason) as refused:
            asked.check(proof, NOON)
        assert refused.value.field == "x-proof"
    with pytest.raises(Refused, match="is over"):
        asked.check(puzzle.solve(challenge), NOON + puzzle.LIFE + timedelta(seconds=2))


def test_used_challenges_are_forgotten_after_their_end() -> None:
    asked = Puzzle(1)
    asked.check(puzzle.solve(asked.challenge(NOON)), NOON)
    later = NOON + 2 * puzzle.LIFE
    asked.check(puzzle.solve(asked.challenge(later)), later)
    assert len(asked._spent) == 1
