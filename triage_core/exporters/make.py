"""Rows of reports that passed the gate: cleaned, in the shape of a profile, without duplicates, and described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core.desk.preferred import Answer
from triage_core.exporters import alike, columns, hygiene, metadata
from triage_core.exporters.alike import Decision, Rules, Written
from triage_core.exporters.arrays import apart
from triage_core.exporters.columns import Rows
from triage_core.exporters.gate import Reason
from triage_core.exporters.hygiene import Clean
from triage_core.exporters.limits import Limits
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.source import Read
from triage_core.exporters.split import Seqs, Splits
from triage_core.exporters.texts import Numbers, Texts
from triage_core.model import Turn, TurnRole
from triage_core.redact import Span

ROW_BYTES = 1 << 26
"""Rows are put together for so much text at once: a long report may have many rows, each with most of its words."""
_ROLES = tuple(TurnRole)
_REASONS = (None, *Reason)  # of which 0 is told of a report that becomes rows


@dataclass(frozen=True, slots=True)
class Taken:
    """n reports that became rows: their facts (source.py), side, group, and what was said in them, turn after turn.

    The turns of report i go from starts[i] to starts[i + 1]; `redactions` are by place, where there are any.
    """

    facts: pa.Table
    test: NDArray[np.bool_]
    group: Numbers
    said: pa.Array
    starts: Numbers
    redactions: Mapping[int, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Made:
    """Rows in the order in which their reports came in, what is told about each, and the place of its report."""

    rows: Rows
    meta: pa.Table
    report: Numbers
    reports: Taken

    @property
    def test(self) -> NDArray[np.bool_]:
        """(n,) which rows are on the test side."""
        return self.reports.test[self.report]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some reports: their rows, if there are any, and by the reason the numbers of those that are none."""

    made: Made | None
    refused: Mapping[Reason, Sequence[int]]

    @property
    def reports(self) -> int:
        """How many reports these are."""
        return sum(map(len, self.refused.values())) + (len(self.made.reports.facts) if self.made else 0)


@dataclass(slots=True)
class Maker:
    """Makes the rows of reports that passed the gate; remembers what it has made.

    `decisions` are those that were made on any of the reports, `decided` by number of the report the place of its.
    """

    request: ExportRequest
    profile: Profile
    rules: Rules
    sides: Splits
    limits: Limits
    decisions: Sequence[Decision]
    decided: Seqs

    def rows(self, read: Read) -> Iterator[Batch]:
        """The rows of these reports."""
        seqs, spoken, answers = read.seqs, read.spoken, read.answers
        facts, named = self._beside(read.facts)
        ids, decided = facts["report_id"].combine_chunks(), self.decided[seqs]
        texts = Texts(spoken.contents, spoken.starts, ids, {at: one.content for at, one in answers.items()})
        size = texts.sums(pc.binary_length(texts.column()).to_numpy())
        cleaned = self._clean(texts, spoken.roles, answers) | named
        reproduced = facts["is_reproduced"].to_numpy()
        written = alike.ask(
            self.profile.rows, self.rules, texts, spoken.roles, self.decisions, decided, reproduced, answers
        )
        taken, refused = self._choose(seqs, facts, cleaned, written)
        about = metadata.of_reports(
            facts,
            pa.array([str(one.verdict) for one in self.decisions], pa.string()).take(pa.array(decided)),
            read.others,
            self.sides.groups.size[seqs],
            {at: one for at, one in cleaned.items() if isinstance(one, Clean)},
            answers,
        )
        lengths = [0 if isinstance(rows, Reason) else len(rows) for rows in written.answers]
        counts = np.array(lengths, np.int64)[written.of]
        for places in apart(taken, size[taken] * counts[taken], ROW_BYTES):
            count = counts[places]
            report = np.repeat(np.arange(len(places)), count)
            first = np.zeros(len(seqs), np.int64)
            first[places] = np.cumsum(count) - count
            of_each = [places[written.of[places] == number] for number in range(len(written.answers))]
            rows = columns.put_together(
                self.profile,
                texts,
                [
                    (rows, some)
                    for rows, some in zip(written.answers, of_each, strict=True)
                    if len(some) and not isinstance(rows, Reason)
                ],
                first,
            )
            names = self._names(
                ids, places[report], np.arange(len(report)) - first[places[report]], count[report]
            )
            meta = metadata.of_rows(about, places[report], names, rows.sha256)
            made = Made(rows, meta, report, self._taken(seqs, facts, texts, places, cleaned))
            yield Batch(made, refused)
            refused = {}
        if refused:
            yield Batch(None, refused)

    def _beside(self, facts: pa.Table) -> tuple[pa.Table, dict[int, Reason]]:
        """The facts as they may go out, and by place why a report stays in for what was written beside it."""
        held = np.zeros(len(facts), np.bool_)
        for name in metadata.BY_REPORTERS:
            column, here = hygiene.beside(facts[name].combine_chunks(), self.request.hygiene)
            facts = facts.set_column(facts.column_names.index(name), name, column)
            held |= here
        return facts, dict.fromkeys(np.flatnonzero(held).tolist(), Reason.PERSONAL_DATA)

    def _clean(
        self, texts: Texts, roles: NDArray[np.int8], answers: Mapping[int, Answer]
    ) -> dict[int, Clean | Reason]:
        """What was found in the texts of reports, by place, where there is anything; it is cleaned in `texts`."""
        cleaned: dict[int, Clean | Reason] = {}
        original = texts.column()
        brought = original.slice(0, len(original) - len(texts))  # all but ids, which are ours
        for at in np.flatnonzero(texts.sums(hygiene.suspicious(brought))).tolist():
            start, end = texts.starts[at], texts.starts[at + 1]
            said = original.slice(start, end - start).to_pylist()
            turns = [
                Turn(_ROLES[role], text) for role, text in zip(roles[start:end].tolist(), said, strict=True)
            ]
            better = answers[at].content if at in answers else ""
            found = cleaned[at] = hygiene.clean(turns, better, self.request.hygiene)
            if isinstance(found, Clean):
                texts.write(at, [turn.content for turn in found.turns], found.better_answer)
        return cleaned

    def _choose(
        self,
        seqs: Seqs,
        facts: pa.Table,
        cleaned: Mapping[int, Clean | Reason],
        written: Written,
    ) -> tuple[Numbers, dict[Reason, list[int]]]:
        """The places of the reports that become rows, and by the reason the numbers of the others."""
        why = np.array([_REASONS.index(rows) if isinstance(rows, Reason) else 0 for rows in written.answers])
        why = why[written.of]
        for at, one in cleaned.items():
            if isinstance(one, Reason):
                why[at] = _REASONS.index(one)
        able = np.flatnonzero(why == 0)
        reporters = facts["reporter_id"].combine_chunks().take(pa.array(able))
        for reason, here in self.limits.why_not(seqs[able], reporters).items():
            why[able[here]] = _REASONS.index(reason)
        refused = {_REASONS[told]: seqs[why == told].tolist() for told in np.unique(why[why > 0]).tolist()}
        return np.flatnonzero(why == 0), refused

    def _names(self, ids: pa.Array, reports: Numbers, part: Numbers, count: Numbers) -> pa.Array:
        """The name of each row: the report's, with the row's number where the report has several."""
        several = pc.if_else(
            pa.array(count > 1), pa.array(part + 1).cast(pa.string()), pa.scalar(None, pa.string())
        )
        return pc.binary_join_element_wise(
            self.profile.name, ids.take(pa.array(reports)), several, "-", null_handling="skip"
        )

    def _taken(
        self,
        seqs: Seqs,
        facts: pa.Table,
        texts: Texts,
        places: Numbers,
        cleaned: Mapping[int, Clean | Reason],
    ) -> Taken:
        said, starts = texts.said(places)
        found = [(at, cleaned.get(place)) for at, place in enumerate(places.tolist())] if cleaned else []
        return Taken(
            facts.take(pa.array(places)),
            self.sides.test(seqs[places]),
            self.sides.groups.oldest[seqs[places]],
            said,
            starts,
            {at: one.redactions for at, one in found if isinstance(one, Clean) and one.redactions},
        )
