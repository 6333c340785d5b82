"""From the store to rows: which reports pass the gate and on which side they are, one batch after another.

What needs no text is asked of whole tables at once: the gate answers once for all reports that stand alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from triage_core import db
from triage_core.exporters import beside, gate, poison, profiles, source
from triage_core.exporters.alike import Decision, Rules
from triage_core.exporters.beside import Progress
from triage_core.exporters.gate import Reason
from triage_core.exporters.limits import Limits
from triage_core.exporters.make import Batch, Maker
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.source import Read
from triage_core.exporters.split import Seqs, Split, Splits, group
from triage_core.guidance.policy import Policy
from triage_core.queries import Filter

_REASONS = tuple(Reason)
_NOT_ASKED, _PASSED = 0, 1  # before the reasons, of which number n is told as n + 2


def splits(cursor: db.Cursor) -> Splits:
    """The sides of all reports as the store has them now."""
    return Splits(group(source.earliest(cursor), *source.edges(cursor)), source.remembered(cursor))


def select(
    cursor: db.Cursor,
    policy: Policy,
    request: ExportRequest,
    sides: Splits,
    now: datetime,
    progress: Progress,
    read_ahead: bool = False,
) -> Generator[Batch, None, None]:
    """Each report that the filter finds, as rows or with the one reason why it is none.

    With `read_ahead` reports are read on a thread of its own while rows are put together. The cursor is in use until
    this ends: whoever leaves it early closes it.

    Rows come in the order in which the reports came in; the texts of few reports are in memory.
    Of a group of duplicates at most `request.per_group` reports become rows, the earliest; 0 means all of them.
    """
    profile = profiles.get(request.profile)
    found = _stand(cursor, request, profile, sides, now)
    total, done = int(np.count_nonzero(found.answer)), 0
    passing = np.flatnonzero(found.answer == _PASSED)
    _draw(cursor, sides, passing)
    on_side = {Split.TEST: int(sides.test(passing).sum())}
    on_side[Split.TRAIN] = len(passing) - on_side[Split.TEST]
    rules = Rules(profiles.attack_clauses(policy), profiles.intents(policy))
    caps = poison.caps(Counter(on_side), request.reporter_share)
    limits = Limits(sides, request.per_group, caps)
    maker = Maker(request, profile, rules, sides, limits, found.decisions, found.decision)
    progress(0, total)
    reading = _read(cursor, profile, sides, found)
    with closing(beside.ahead(reading) if read_ahead else reading) as reports:
        for one in reports:
            for batch in [one] if isinstance(one, Batch) else maker.rows(one):
                yield batch
                done += batch.reports
                progress(done, total)


def forbidden(cursor: db.Cursor, profile: Profile, seqs: Seqs, now: datetime) -> Seqs:
    """Those of these reports that nobody may take by now, whatever was decided on them."""
    barred = [
        one.seqs
        for one in source.groups(cursor, Filter(), now)
        if gate.why_not(one.standing, profile.use, profile.takes, now) in gate.FORBIDS
    ]
    return np.intersect1d(seqs, np.concatenate([np.empty(0, np.int64), *barred]))


@dataclass(frozen=True, slots=True)
class _Found:
    """By number of the report: the gate's answer, and the place of its decision in `decisions` if it passed."""

    answer: NDArray[np.uint8]
    decision: Seqs
    decisions: list[Decision]


def _stand(
    cursor: db.Cursor, request: ExportRequest, profile: Profile, sides: Splits, now: datetime
) -> _Found:
    last = len(sides.groups.oldest)
    found = _Found(np.zeros(last, np.uint8), np.zeros(last, np.int64), [])
    known: dict[Decision, int] = {}
    for one in source.groups(cursor, request.chosen, now):
        reason = gate.why_not(one.standing, profile.use, profile.takes, now)
        if reason is not None:
            found.answer[one.seqs] = _REASONS.index(reason) + 2
            continue
        verdict = gate.verdict(one.standing.resolution, one.standing.clauses)
        assert verdict is not None, "the gate lets only decided reports pass"
        found.answer[one.seqs] = _PASSED
        decision = Decision(verdict, tuple(one.standing.clauses))
        found.decision[one.seqs] = known.setdefault(decision, len(known))
    found.decisions.extend(known)
    return found


def _read(
    cursor: db.Cursor, profile: Profile, sides: Splits, found: _Found
) -> Generator[Batch | Read, None, None]:
    """The reports in their order, those that passed with their texts."""
    considered = np.flatnonzero(found.answer)
    for start in range(0, len(considered), source.BATCH):
        seqs = considered[start : start + source.BATCH]
        refused = _refused(seqs, found.answer[seqs])
        passed = seqs[found.answer[seqs] == _PASSED]
        if profile.test_only:
            test = sides.test(passed)
            refused[Reason.TRAINING_SIDE] = passed[~test].tolist()
            passed = passed[test]
        yield Batch(None, refused)
        yield from source.read(cursor, passed, sides.groups.oldest[passed], profile.needs_better_answer)


def _refused(seqs: Seqs, answers: NDArray[np.uint8]) -> dict[Reason, list[int]]:
    return {
        _REASONS[told - 2]: seqs[answers == told].tolist()
        for told in np.unique(answers).tolist()
        if told > _PASSED
    }


def _draw(cursor: db.Cursor, sides: Splits, passing: Seqs) -> None:
    """Draw the side of every group of these reports that has none yet."""
    undrawn = sides.undrawn(passing)
    blocks = (undrawn[start : start + source.BATCH] for start in range(0, len(undrawn), source.BATCH))
    for seqs, ids in beside.ahead((seqs, source.ids(cursor, seqs)) for seqs in blocks):
        sides.draw(seqs, ids.to_pylist())
