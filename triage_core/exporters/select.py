"""From the store to rows: gate, text, profile, duplicates and split, one report after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triage_core import db
from triage_core.exporters import gate, metadata, poison, profiles, source
from triage_core.exporters.gate import Reason, Verdict
from triage_core.exporters.hygiene import Clean, clean
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.rows import Row, Source
from triage_core.exporters.source import Candidate
from triage_core.exporters.split import Split, Splits, group
from triage_core.model import Turn
from triage_core.policy import Policy
from triage_core.preferred import Answer
from triage_core.redact import Span

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Example:
    """One row with all that is known about it; `part` is its number among the rows of its report, from 0.

    `texts` and `redactions` are those of the whole report.
    """

    candidate: Candidate
    part: int
    split: Split
    group: int
    row: Row
    meta: dict[str, str]
    texts: tuple[str, ...]
    redactions: tuple[Span, ...]


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
) -> Iterator[Example | Reason]:
    """Each report that the filter finds, as a row or as the one reason why it is none.

    Rows come in the order in which the reports came in; at most one batch is in memory. Of a group of
    duplicates at most `request.per_group` reports become rows, the earliest; 0 means all of them.
    """
    profile = profiles.get(request.profile)
    total = source.count(cursor, request.chosen)
    done = 0
    rows = _Rows(
        cursor,
        request,
        profile,
        sides,
        profiles.attack_clauses(policy),
        profiles.intents(policy),
        poison.caps(_passing(cursor, request, profile, sides, now), request.reporter_share),
    )
    progress(0, total)
    for batch in source.candidates(cursor, request.chosen, now):
        passed = []
        for candidate in batch:
            reason = gate.why_not(candidate.standing, profile.use, profile.takes, now)
            if reason is None:
                passed.append(candidate)
            else:
                yield reason
        yield from rows.of(passed)
        done += len(batch)
        progress(done, total)


def _passing(
    cursor: db.Cursor, request: ExportRequest, profile: Profile, sides: Splits, now: datetime
) -> Counter[Split]:
    """How many reports pass the gate, by side; no text is read."""
    found = Counter[Split]()
    for batch in source.candidates(cursor, request.chosen, now):
        passed = [
            item for item in batch if gate.why_not(item.standing, profile.use, profile.takes, now) is None
        ]
        oldest = source.ids(cursor, [sides.oldest(item.seq) for item in passed])
        found.update(sides.of(item.seq, oldest[sides.oldest(item.seq)]) for item in passed)
    return found


@dataclass(slots=True)
class _Rows:
    """Makes the rows of reports that passed the gate; remembers what it has made."""

    cursor: db.Cursor
    request: ExportRequest
    profile: Profile
    sides: Splits
    attacks: frozenset[str]
    intents: Mapping[str, str]
    caps: Mapping[Split, int]
    _seen: set[bytes] = field(default_factory=set)
    _taken: Counter[int] = field(default_factory=Counter)
    _of_reporter: Counter[tuple[Split, str]] = field(default_factory=Counter)

    def of(self, passed: list[Candidate]) -> Iterator[Example | Reason]:
        oldest = source.ids(self.cursor, [self.sides.oldest(candidate.seq) for candidate in passed])
        found = source.conversations(self.cursor, passed, self.profile.needs_better_answer)
        for candidate, turns, answer in found:
            group_id = oldest[self.sides.oldest(candidate.seq)]
            side = self.sides.of(candidate.seq, group_id)
            if self.profile.test_only and side is not Split.TEST:
                yield Reason.TRAINING_SIDE
                continue
            yield from self._of_report(candidate, turns, answer, group_id, side)

    def _of_report(
        self, candidate: Candidate, turns: tuple[Turn, ...], answer: Answer, group_id: str, side: Split
    ) -> Iterator[Example | Reason]:
        standing, group = candidate.standing, self.sides.oldest(candidate.seq)
        verdict = gate.verdict(standing.resolution, standing.clauses)
        assert verdict is not None, "the gate lets only decided reports pass"
        cleaned = clean(turns, answer.content, self.request.hygiene)
        if isinstance(cleaned, Reason):
            yield cleaned
            return
        made = self.profile.rows(self._source(candidate, cleaned, answer, verdict))
        reporter = candidate.facts["reporter_id"] or poison.ANONYMOUS
        content = bytes.fromhex(candidate.facts["content_sha256"])
        if isinstance(made, Reason):
            yield made
        elif content in self._seen:
            yield Reason.EXACT_DUPLICATE
        elif 0 < self.request.per_group <= self._taken[group]:
            yield Reason.GROUP_REPRESENTED
        elif reporter and self._of_reporter[side, reporter] >= self.caps[side]:
            yield Reason.REPORTER_CAP
        else:
            self._seen.add(content)
            self._taken[group] += 1
            self._of_reporter[side, reporter] += 1
            texts = tuple(turn.content for turn in cleaned.turns)
            name = f"{self.profile.name}-{candidate.report_id}"
            size = int(self.sides.groups.size[candidate.seq])
            for part, row in enumerate(made):
                example_id = name if len(made) == 1 else f"{name}-{part + 1}"
                meta = metadata.describe(
                    example_id, row, candidate.facts, verdict, group_id, size, cleaned, answer
                )
                yield Example(candidate, part, side, group, row, meta, texts, cleaned.redactions)

    def _source(self, candidate: Candidate, cleaned: Clean, answer: Answer, verdict: Verdict) -> Source:
        clauses, facts = candidate.standing.clauses, candidate.facts
        flaws = gate.in_scope(clauses)
        return Source(
            candidate.report_id,
            cleaned.turns,
            verdict,
            clauses,
            adversarial=not self.attacks.isdisjoint(clauses),
            better_answer=cleaned.better_answer,
            intent=next((self.intents[one] for one in flaws if one in self.intents), ""),
            reproduced=bool(facts["is_reproduced"]),
            answer_turn=answer.turn,
            approved=answer.approved_by is not None,
        )
