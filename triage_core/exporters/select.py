"""From the store to rows: gate, text, profile, duplicates and split, one report after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.exporters import gate, metadata, source
from triage_core.exporters.gate import Reason
from triage_core.exporters.profiles import Profile, Row, Source, attack_clauses
from triage_core.exporters.source import Candidate
from triage_core.exporters.split import Split, Splits, group
from triage_core.policy import Policy
from triage_core.queries import Filter

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Example:
    """One row with all that is known about it."""

    candidate: Candidate
    split: Split
    group: int
    row: Row
    meta: dict[str, str]


def splits(cursor: db.Cursor) -> Splits:
    """The sides of all reports as the store has them now."""
    return Splits(group(source.last_seq(cursor), *source.edges(cursor)), source.remembered(cursor))


def select(
    cursor: db.Cursor,
    policy: Policy,
    profile: Profile,
    chosen: Filter,
    sides: Splits,
    now: datetime,
    progress: Progress,
) -> Iterator[Example | Reason]:
    """Each report that the filter finds, as a row or as the one reason why it is none.

    Rows come in the order in which the reports came in; at most one batch is in memory.
    """
    total = source.count(cursor, chosen)
    done = 0
    attacks = attack_clauses(policy)
    seen: set[bytes] = set()
    progress(0, total)
    for batch in source.candidates(cursor, chosen, now):
        passed = []
        for candidate in batch:
            reason = gate.why_not(candidate.standing, profile.use, profile.takes, now)
            if reason is None:
                passed.append(candidate)
            else:
                yield reason
        oldest = source.ids(cursor, [sides.oldest(candidate.seq) for candidate in passed])
        yield from _rows(cursor, profile, sides, attacks, oldest, passed, seen)
        done += len(batch)
        progress(done, total)


def _rows(
    cursor: db.Cursor,
    profile: Profile,
    sides: Splits,
    attacks: frozenset[str],
    oldest: dict[int, str],
    passed: list[Candidate],
    seen: set[bytes],
) -> Iterator[Example | Reason]:
    for candidate, turns, answer in source.conversations(cursor, passed, profile.needs_better_answer):
        standing = candidate.standing
        verdict = gate.verdict(standing.resolution, standing.clauses)
        assert verdict is not None, "the gate lets only decided reports pass"
        adversarial = not attacks.isdisjoint(standing.clauses)
        row = profile.row(Source(turns, verdict, standing.clauses, adversarial, answer))
        if isinstance(row, Reason):
            yield row
            continue
        content = bytes.fromhex(candidate.facts["content_sha256"])
        if content in seen:
            yield Reason.EXACT_DUPLICATE
            continue
        seen.add(content)
        number = sides.oldest(candidate.seq)
        example_id = f"{profile.name}-{candidate.report_id}"
        size = int(sides.groups.size[candidate.seq])
        meta = metadata.describe(example_id, row, candidate.facts, verdict, oldest[number], size)
        yield Example(candidate, sides.of(candidate.seq, oldest[number]), number, row, meta)
