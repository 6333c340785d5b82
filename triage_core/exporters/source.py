"""What an export reads from the store: standing first, text only of reports that passed the gate.

Everything is read on one cursor, hence from one consistent look. Reports are told by their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core import db
from triage_core.desk import preferred
from triage_core.desk.preferred import Answer
from triage_core.disclosure import embargoes
from triage_core.errors import StoreError
from triage_core.exporters import gate
from triage_core.exporters.gate import Standing
from triage_core.exporters.split import Seqs, Split
from triage_core.likeness.cluster import Params
from triage_core.model import Resolution, TurnRole
from triage_core.queries import Filter

BATCH = 50_000
TEXT_BYTES = 1 << 22
"""Of about so much text is read at once, and of up to `TOGETHER` reports more: one may have 400,000 characters."""
TOGETHER = 256
ANSWERED = 2_000
"""Better answers of so many reports are in memory."""
NEAR_DUPLICATE = Params().join
"""The score, a cosine or a probability, from which a suggested duplicate is kept on one side of the split."""
OTHER = "other"
"""The verdict of somebody who would have rerouted the report, or closed it as spam."""

_STANDING = (
    "c.status, c.resolution, c.tlp, c.consent_training, c.consent_share_peers, a.clauses, e.state, e.binding_end,"
    " r.seq IN (SELECT unnest($covered)) AS covered,"
    " r.report_id IN (SELECT report_id FROM open_looks WHERE second_id IS NOT NULL) AS disputed"
)
_FROM = (
    " FROM reports r JOIN cases c USING (report_id)"
    " LEFT JOIN embargo_terms e USING (report_id)"
    " LEFT JOIN assessments a ON a.assessment_id = c.assessment_id"
)
# Every text as it stands in the metadata, "" where nothing is known. Asked for in three queries, since a join would
# copy all that the others have found; each gives every report.
# Which reports is told as bits, since most of those between the first and the last are asked for: a join with a table
# of their numbers takes longer to read the texts, and mixes up their order.
_ASKED_FOR = "seq BETWEEN $first AND $last AND get_bit($asked_for::BIT, (seq - $first)::INTEGER) = 1"
_BROUGHT = (
    "SELECT seq, report_id, coalesce(reporter_id, '') AS reporter_id, coalesce(external_id, '') AS external_id,"
    " content_sha256,"
    # Written so that a loader which guesses types takes it for the text that it is.
    " strftime(received_at, '%Y-%m-%d %H:%M:%S UTC') AS received_at, platform, model, model_version,"
    " array_to_string(harm_types, ',') AS harm_types"
    f" FROM reports WHERE {_ASKED_FOR}"
)
_DECIDED = (
    "SELECT seq, coalesce(c.resolution, '') AS resolution, coalesce(c.severity, '') AS severity, c.consent_training,"
    " array_to_string(a.clauses, ',') AS clauses, a.policy_version,"
    " coalesce(a.reproduction_log <> '' OR a.reliability IN ('intermittent', 'reliable'), false) AS is_reproduced"
    f" FROM cases c LEFT JOIN assessments a USING (assessment_id) WHERE {_ASKED_FOR}"
)
_PLACED = (
    "SELECT seq, coalesce(max(m.cluster_id) FILTER (m.axis = 'technique'), '') AS technique,"
    " coalesce(bool_or(m.axis = 'whole'), false) AS is_indexed"
    f" FROM reports LEFT JOIN memberships m USING (report_id) WHERE {_ASKED_FOR} GROUP BY seq"
)
# What the others said of a report who decided on it apart: whoever looked again, and whom a third has settled it for.
_SAID = (
    "SELECT c.seq, j.actor_id, j.resolution, j.clauses FROM"
    " (SELECT report_id, unnest([first_id, second_id]) AS assessment_id FROM second_looks WHERE second_id IS NOT NULL)"
    " JOIN assessments j USING (report_id, assessment_id) JOIN cases c USING (report_id)"
    " JOIN assessments d ON d.assessment_id = c.assessment_id"
    f" WHERE j.actor_id <> d.actor_id AND {_ASKED_FOR} ORDER BY j.assessment_id"
)
_TURNS = f"SELECT seq, turns FROM reports WHERE {_ASKED_FOR}"
_IDS = "SELECT seq, report_id FROM reports WHERE seq IN (SELECT seq FROM asked_for)"

_TWINS = (
    "SELECT a, seq AS b FROM reports JOIN (SELECT content_sha256, min(seq) AS a FROM reports"
    " WHERE content_sha256 <> '' GROUP BY content_sha256 HAVING count(*) > 1) USING (content_sha256) WHERE a <> seq"
)
_PAIRS = (
    "SELECT one.seq AS a, two.seq AS b FROM (SELECT canonical_id, child_id FROM active_links"
    " UNION ALL SELECT canonical_id, child_id FROM suggestions WHERE score >= $least)"
    " JOIN reports one ON one.report_id = canonical_id JOIN reports two ON two.report_id = child_id"
)
_CLUSTERS = (
    "SELECT list(r.seq) AS seqs FROM memberships m JOIN reports r USING (report_id) WHERE m.axis = 'whole'"
    " GROUP BY m.cluster_id HAVING count(*) > 1"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Reports (by number) that stand alike: nothing in the gate tells them apart."""

    standing: Standing
    seqs: Seqs


def groups(cursor: db.Cursor, chosen: Filter, now: datetime) -> Iterator[Group]:
    """The reports that the filter finds, by where they stand; no text is read."""
    where, values = chosen.where()
    found = db.arrow(
        cursor,
        f"SELECT {_STANDING}, list(r.seq) AS seqs{_FROM} WHERE {where} GROUP BY ALL",
        {**values, "covered": _covered(cursor, now)},
    )
    seqs = found["seqs"].combine_chunks() if len(found) else None
    for number, row in enumerate(found.drop_columns("seqs").to_pylist()):
        assert seqs is not None
        row = {name: db.aware(value) for name, value in row.items()}
        standing = Standing(
            terms=embargoes.terms(row, row["covered"]),
            resolution=Resolution(row["resolution"]) if row["resolution"] else None,
            clauses=tuple(row["clauses"] or ()),
            disputed=row["disputed"],
        )
        yield Group(standing, seqs[number].values.to_numpy(zero_copy_only=False).astype(np.int64))


def _covered(cursor: db.Cursor, now: datetime) -> list[int]:
    """The numbers of the reports that tell what an active embargo of another report holds."""
    held = embargoes.held(cursor, now)
    if not held.reports:
        return []
    told = db.rows(
        cursor,
        "SELECT r.seq, r.report_id, r.content_sha256, c.canonical_id FROM reports r JOIN cases c USING (report_id)"
        " WHERE r.content_sha256 IN (SELECT unnest($contents)) OR c.canonical_id IN (SELECT unnest($reports))",
        {"contents": list(held.contents), "reports": sorted(held.reports)},
    )
    return [row["seq"] for row in told if held.covers(row)]


def facts(cursor: db.Cursor, seqs: Seqs) -> pa.Table:
    """What is known of these reports beside their texts, a column each, in the order of their (ascending) numbers."""
    known, *more = (_of(cursor, query, seqs) for query in (_BROUGHT, _DECIDED, _PLACED))
    for one in more:
        for name in one.column_names[1:]:
            known = known.append_column(name, one[name])
    return known


@dataclass(frozen=True, slots=True)
class Conversations:
    """What was said in n reports, turn after turn; the turns of report i go from starts[i] to starts[i + 1].

    `roles` are places in `TurnRole`.
    """

    starts: NDArray[np.int64]
    roles: NDArray[np.int8]
    contents: pa.Array

    def __len__(self) -> int:
        return len(self.starts) - 1


def conversations(cursor: db.Cursor, seqs: Seqs) -> Iterator[Conversations]:
    """The turns of these reports, whose numbers ascend, so many at once as have about `TEXT_BYTES` of text.

    The cursor is in use until this ends.
    """
    done, waiting, size = 0, list[pa.RecordBatch](), 0
    # They nearly always come in order. Those that are left where they do not are sorted, which takes longer.
    for query in (_TURNS, f"{_TURNS} ORDER BY seq"):
        for batch in db.batches(cursor, query, _asked_for(seqs[done:]), size=TOGETHER):
            if not np.array_equal(batch["seq"].to_numpy(), seqs[done : done + len(batch)]):
                break
            done += len(batch)
            waiting.append(batch)
            size += batch.nbytes
            if size >= TEXT_BYTES:
                yield _spoken(waiting)
                waiting, size = [], 0
        if done == len(seqs):
            break
    if done < len(seqs):
        raise StoreError(f"the conversation of report number {seqs[done]} cannot be read")
    if waiting:
        yield _spoken(waiting)


def _spoken(batches: Sequence[pa.RecordBatch]) -> Conversations:
    turns = pa.Table.from_batches(batches)["turns"].combine_chunks()
    spoken = turns.flatten()
    starts = np.concatenate([[0], np.cumsum(turns.value_lengths().to_numpy(zero_copy_only=False))])
    roles = pc.index_in(spoken.field("role"), _ROLES).to_numpy(zero_copy_only=False)
    return Conversations(starts.astype(np.int64), roles.astype(np.int8), spoken.field("content"))


def _of(cursor: db.Cursor, query: str, seqs: Seqs) -> pa.Table:
    """What a query finds out about these reports, in the order of their (ascending) numbers."""
    return _in_order(db.arrow(cursor, query, _asked_for(seqs)).combine_chunks())


def _in_order(found: pa.Table) -> pa.Table:
    numbers = found["seq"].to_numpy()  # which nearly always ascend
    return found if (numbers[1:] > numbers[:-1]).all() else found.take(pa.array(np.argsort(numbers)))


def _asked_for(seqs: Seqs) -> dict[str, Any]:
    """These reports, whose numbers ascend, as parameters of a query with `_ASKED_FOR`."""
    if not len(seqs):
        return {"first": 0, "last": -1, "asked_for": "0"}
    bits = np.full(seqs[-1] - seqs[0] + 1, ord("0"), np.uint8)
    bits[seqs - seqs[0]] = ord("1")
    return {"first": int(seqs[0]), "last": int(seqs[-1]), "asked_for": bits.tobytes().decode()}


@dataclass(frozen=True, slots=True)
class Read:
    """n reports as they stand in the store: their facts with the id of each one's `group`, what was said in them, and
    by place the better answers, without their words where these are not asked for, and the verdicts of people who
    decided apart from the one whose decision is in force.
    """

    seqs: Seqs
    facts: pa.Table
    spoken: Conversations
    answers: Mapping[int, Answer]
    others: Mapping[int, Sequence[str]]


def read(cursor: db.Cursor, seqs: Seqs, oldest: Seqs, answered: bool) -> Iterator[Read]:
    """These reports, whose numbers ascend, so many at once as have about `TEXT_BYTES` of text.

    `oldest[i]` names the group of report i; the words of the better answers are looked up where they are `answered`,
    else only which turns they stand in for.
    """
    meant = {} if answered else preferred.turns_meant(cursor)
    pa.default_memory_pool().release_unused()  # by the reports before, whose memory would be added to that of these
    known = facts(cursor, seqs)
    groups, place = np.unique(oldest, return_inverse=True)
    known = known.append_column("group", ids(cursor, groups).take(pa.array(place)))
    judged = _others(cursor, seqs)
    most = ANSWERED if answered else BATCH
    for start in range(0, len(seqs), most):
        at, end = start, start + most
        names = known["report_id"][start:end].to_pylist() if answered or meant else []
        found = preferred.of_reports(cursor, names) if answered else _standing_in(names, meant)
        for spoken in conversations(cursor, seqs[start:end]):
            here, told = seqs[at : at + len(spoken)], known.slice(at, len(spoken))
            near = enumerate(names[at - start : at - start + len(spoken)])
            answers = {place: found[name] for place, name in near if name in found} if found else {}
            others = (
                {place: judged[seq] for place, seq in enumerate(here.tolist()) if seq in judged}
                if judged
                else {}
            )
            yield Read(here, told, spoken, answers, others)
            at += len(spoken)


def _others(cursor: db.Cursor, seqs: Seqs) -> dict[int, list[str]]:
    """By number of the report the latest verdict of each person who decided on it apart from the decision in force."""
    found = db.rows(cursor, _SAID, _asked_for(seqs))
    latest: dict[int, dict[str, str]] = {}
    for row in found:
        resolution = Resolution(row["resolution"]) if row["resolution"] else None
        verdict = str(gate.verdict(resolution, row["clauses"]) or OTHER)
        latest.setdefault(row["seq"], {})[row["actor_id"]] = verdict
    return {seq: list(verdicts.values()) for seq, verdicts in latest.items()}


def _standing_in(report_ids: Sequence[str], meant: Mapping[str, int]) -> dict[str, Answer]:
    """Better answers by their report, of which nothing is told but the turn."""
    return {
        report_id: replace(preferred.NONE, turn=meant[report_id], approved_by="")
        for report_id in report_ids
        if report_id in meant
    }


def last_seq(cursor: db.Cursor) -> int:
    """The number of the newest report, 0 for none."""
    return int(db.value(cursor, "SELECT coalesce(max(seq), 0) FROM reports"))


def earliest(cursor: db.Cursor) -> Seqs:
    """By number of the report the number of the earliest with the same conversation; 0, which no report has, is 0."""
    found = db.arrow(cursor, _TWINS)
    numbers = np.arange(last_seq(cursor) + 1)
    numbers[found["b"].to_numpy()] = found["a"].to_numpy()
    return numbers


def edges(cursor: db.Cursor) -> tuple[Seqs, Seqs]:
    """The pairs of reports that belong together, as numbers: duplicate links, near duplicates, clusters."""
    pairs = db.arrow(cursor, _PAIRS, {"least": NEAR_DUPLICATE})
    clusters = db.arrow(cursor, _CLUSTERS)["seqs"].combine_chunks()
    members, of = clusters.flatten().to_numpy(), clusters.value_parent_indices().to_numpy()
    following = np.flatnonzero(of[1:] == of[:-1])  # who is in one cluster follows one another
    return (
        np.concatenate([pairs["a"].to_numpy(), members[following]]),
        np.concatenate([pairs["b"].to_numpy(), members[following + 1]]),
    )


def remembered(cursor: db.Cursor) -> dict[Split, Seqs]:
    """The numbers of the reports that have been in a dataset, by their side."""
    told = "SELECT r.seq FROM dataset_splits s JOIN reports r USING (report_id) WHERE s.split = ?"
    return {side: db.arrow(cursor, told, [str(side)])["seq"].to_numpy() for side in Split}


def ids(cursor: db.Cursor, seqs: Seqs) -> pa.Array:
    """The ids of these reports, whose numbers ascend; they may be any of all, so that bits for all would be many."""
    with db.registered(cursor, "asked_for", pa.table({"seq": seqs})):
        return _in_order(db.arrow(cursor, _IDS).combine_chunks())["report_id"].combine_chunks()


_ROLES = pa.array([str(role) for role in TurnRole], pa.string())
