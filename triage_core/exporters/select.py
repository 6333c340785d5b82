"""From the store to rows: gate, text, profile, duplicates and split, one batch of reports after another.

What needs no text is asked of whole tables at once: the gate answers once for all reports that stand alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triage_core import db
from triage_core.desk import preferred
from triage_core.desk.preferred import Answer
from triage_core.exporters import gate, hygiene, metadata, poison, profiles, source
from triage_core.exporters.gate import Reason, Verdict
from triage_core.exporters.hygiene import Clean
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.rows import Row, Source
from triage_core.exporters.source import Facts
from triage_core.exporters.split import Seqs, Split, Splits, group
from triage_core.guidance.policy import Policy
from triage_core.model import Turn
from triage_core.redact import Span

Progress = Callable[[int, int], None]

_REASONS = tuple(Reason)
_NOT_ASKED, _PASSED = 0, 1  # before the reasons, of which number n is told as n + 2


@dataclass(
    slots=True
)  # not frozen: there may be a million, and a frozen one takes three times as long to make
class Example:
    """One row with all that is known about it; `part` is its number among the rows of its report, from 0.

    `texts` and `redactions` are those of the whole report.
    """

    facts: Facts
    part: int
    split: Split
    group: int
    row: Row
    meta: dict[str, str]
    texts: tuple[str, ...]
    redactions: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Reports as they came in: the rows, and the numbers of those that are none by the reason."""

    examples: list[Example]
    refused: Mapping[Reason, list[int]]


def splits(cursor: db.Cursor) -> Splits:
    """The sides of all reports as the store has them now."""
    return Splits(group(source.last_seq(cursor), *source.edges(cursor)), source.remembered(cursor))


def select(
    cursor: db.Cursor,
    policy: Policy,
    request: ExportRequest,
    sides: Splits,
    now: datetime,
    progress: Progress,
) -> Iterator[Batch]:
    """Each report that the filter finds, as rows or with the one reason why it is none.

    Rows come in the order in which the reports came in; the texts of at most `source.TEXTS` reports are in memory.
    Of a group of duplicates at most `request.per_group` reports become rows, the earliest; 0 means all of them.
    """
    profile = profiles.get(request.profile)
    found = _stand(cursor, request, profile, sides, now)
    total, done = int(np.count_nonzero(found.answer)), 0
    passing = np.flatnonzero(found.answer == _PASSED)
    _draw(cursor, sides, passing)
    on_side = {Split.TEST: int(sides.test(passing).sum())}
    on_side[Split.TRAIN] = len(passing) - on_side[Split.TEST]
    rows = _Rows(
        cursor,
        request,
        profile,
        sides,
        found,
        profiles.attack_clauses(policy),
        profiles.intents(policy),
        poison.caps(Counter(on_side), request.reporter_share),
    )
    progress(0, total)
    considered = np.flatnonzero(found.answer)
    for start in range(0, len(considered), source.BATCH):
        seqs = considered[start : start + source.BATCH]
        yield Batch([], _refused(seqs, found.answer[seqs]))
        passed = seqs[found.answer[seqs] == _PASSED]
        if profile.test_only:
            test = sides.test(passed)
            yield Batch([], {Reason.TRAINING_SIDE: passed[~test].tolist()})
            passed = passed[test]
        yield from rows.of(passed)
        done += len(seqs)
        progress(done, total)


@dataclass(frozen=True, slots=True)
class _Found:
    """By number of the report: the gate's answer, and the verdict on those that passed (its place in `_VERDICTS`)."""

    answer: NDArray[np.uint8]
    decision: NDArray[np.uint8]


_VERDICTS = tuple(Verdict)


def _stand(
    cursor: db.Cursor, request: ExportRequest, profile: Profile, sides: Splits, now: datetime
) -> _Found:
    last = len(sides.groups.oldest)
    found = _Found(np.zeros(last, np.uint8), np.zeros(last, np.uint8))
    for alike in source.groups(cursor, request.chosen, now):
        reason = gate.why_not(alike.standing, profile.use, profile.takes, now)
        if reason is not None:
            found.answer[alike.seqs] = _REASONS.index(reason) + 2
            continue
        verdict = gate.verdict(alike.standing.resolution, alike.standing.clauses)
        assert verdict is not None, "the gate lets only decided reports pass"
        found.answer[alike.seqs] = _PASSED
        found.decision[alike.seqs] = _VERDICTS.index(verdict)
    return found


def _refused(seqs: Seqs, answers: NDArray[np.uint8]) -> dict[Reason, list[int]]:
    return {
        _REASONS[told - 2]: seqs[answers == told].tolist()
        for told in np.unique(answers).tolist()
        if told > _PASSED
    }


def _draw(cursor: db.Cursor, sides: Splits, passing: Seqs) -> None:
    """Draw the side of every group of these reports that has none yet."""
    undrawn = sides.undrawn(passing)
    for start in range(0, len(undrawn), source.BATCH):
        sides.draw(source.ids(cursor, undrawn[start : start + source.BATCH].tolist()))


@dataclass(slots=True)
class _Rows:
    """Makes the rows of reports that passed the gate; remembers what it has made."""

    cursor: db.Cursor
    request: ExportRequest
    profile: Profile
    sides: Splits
    found: _Found
    attacks: frozenset[str]
    intents: Mapping[str, str]
    caps: Mapping[Split, int]
    _seen: set[bytes] = field(default_factory=set)
    _taken: Counter[int] = field(default_factory=Counter)
    _of_reporter: Counter[tuple[Split, str]] = field(default_factory=Counter)

    def of(self, seqs: Seqs) -> Iterator[Batch]:
        facts = source.facts(self.cursor, seqs)
        oldest = self.sides.groups.oldest[seqs].tolist()
        names = source.ids(self.cursor, sorted(set(oldest)))
        test = self.sides.test(seqs).tolist()
        verdicts = self.found.decision[seqs].tolist()
        for start in range(0, len(facts), source.TEXTS):
            part = facts[start : start + source.TEXTS]
            answers = source.answers(self.cursor, part) if self.profile.needs_better_answer else {}
            spoken = source.conversations(self.cursor, part)
            written = [answers.get(one.report_id, preferred.NONE) for one in part]
            batch = Batch([], {})
            refused: dict[Reason, list[int]] = {}
            for at, cleaned in enumerate(self._clean(spoken, written)):
                here = start + at
                side = Split.TEST if test[here] else Split.TRAIN
                verdict, group = _VERDICTS[verdicts[here]], oldest[here]
                made = self._of_report(part[at], cleaned, written[at], verdict, side, group, names[group])
                if isinstance(made, Reason):
                    refused.setdefault(made, []).append(part[at].seq)
                else:
                    batch.examples.extend(made)
            yield Batch(batch.examples, refused)

    def _clean(self, spoken: Sequence[list[Turn]], written: Sequence[Answer]) -> Iterator[Clean | Reason]:
        texts = [turn.content for turns in spoken for turn in turns]
        texts += [answer.content for answer in written]
        suspicious = hygiene.suspicious(pa.array(texts, pa.large_string())).tolist()
        at, answers_at = 0, len(texts) - len(written)
        for number, (turns, answer) in enumerate(zip(spoken, written, strict=True)):
            end = at + len(turns)
            if suspicious[answers_at + number] or any(suspicious[at:end]):
                yield hygiene.clean(turns, answer.content, self.request.hygiene)
            else:
                yield hygiene.untouched(turns, answer.content)
            at = end

    def _of_report(
        self,
        facts: Facts,
        cleaned: Clean | Reason,
        answer: Answer,
        verdict: Verdict,
        side: Split,
        group: int,
        group_id: str,
    ) -> list[Example] | Reason:
        if isinstance(cleaned, Reason):
            return cleaned
        made = self.profile.rows(self._source(facts, cleaned, answer, verdict))
        if isinstance(made, Reason):
            return made
        content = bytes.fromhex(facts.content_sha256)
        reporter = facts.reporter_id or poison.ANONYMOUS
        if content in self._seen:
            return Reason.EXACT_DUPLICATE
        if 0 < self.request.per_group <= self._taken[group]:
            return Reason.GROUP_REPRESENTED
        if reporter and self._of_reporter[side, reporter] >= self.caps[side]:
            return Reason.REPORTER_CAP
        self._seen.add(content)
        if self.request.per_group:
            self._taken[group] += 1
        if reporter:
            self._of_reporter[side, reporter] += 1
        texts = tuple([turn.content for turn in cleaned.turns])
        name = f"{self.profile.name}-{facts.report_id}"
        about = metadata.of_report(
            facts, verdict, group_id, int(self.sides.groups.size[facts.seq]), cleaned, answer
        )
        return [
            Example(
                facts,
                part,
                side,
                group,
                row,
                metadata.of_row(about, name if len(made) == 1 else f"{name}-{part + 1}", row),
                texts,
                cleaned.redactions,
            )
            for part, row in enumerate(made)
        ]

    def _source(self, facts: Facts, cleaned: Clean, answer: Answer, verdict: Verdict) -> Source:
        clauses = facts.clauses
        flaws = gate.in_scope(clauses)
        return Source(
            facts.report_id,
            cleaned.turns,
            verdict,
            clauses,
            adversarial=not self.attacks.isdisjoint(clauses),
            better_answer=cleaned.better_answer,
            intent=next((self.intents[one] for one in flaws if one in self.intents), ""),
            reproduced=bool(facts.is_reproduced),
            answer_turn=answer.turn,
            approved=answer.approved_by is not None,
        )
