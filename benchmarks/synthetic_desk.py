"""A seeded store as a desk has it after a year: reports, cases, clusters, decisions, claims and their events.

    fill(store, 100_000, dim=384)

Reports came in evenly over a year; of the last tenth most still wait, of the older ones nine in ten are
closed. Clusters are those of synthetic.mixture; vectors have `dim` numbers, so that a
million reports need not hold a gigabyte of them. Every report is read already, as the worker leaves it: those of
one theme have the words of one reading, each has its own meaning. Rows go in through Arrow, events through the
store's own chain.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import harness, synthetic
from triage_core import db
from triage_core.channel.messages import REPORTER, Direction, Kind
from triage_core.index import placements, readings, vectors
from triage_core.likeness import sketch, spaces
from triage_core.likeness.spaces import Readings
from triage_core.likeness.spans import Spans
from triage_core.model import Actor, DeskRole, HarmType
from triage_core.settings import Settings
from triage_core.store import Store, Work

FILLER = Actor("benchmark", "Benchmark", frozenset(DeskRole))
REVIEWERS = tuple(f"demo:{name}" for name in ("reviewer", "ines", "jonas", "mara", "tomas"))
PART = 50_000
WRITING = 200  # of so many reports one whose reporter wrote last
YEAR = timedelta(days=365)
AXIS = "whole"  # beyond close reading the product lays no other
_OPEN = ("new", "needs_info", "triaged", "accepted", "deferred", "fix_ready", "fixed", "retest")
_WAITING = (0.70, 0.05, 0.05, 0.12, 0.03, 0.02, 0.02, 0.01)
_LEVELS = ("none", "low", "medium", "high", "critical")
_PRIORITIES = ("close", "defer", "scheduled", "out_of_cycle", "immediate")
_RESOLUTIONS = ("expected_behaviour", "out_of_scope", "resolved_fixed", "not_reproducible", "duplicate")
_PLATFORMS = (
    "Kite Travel Agent", "Lumen Tutor", "Harbor Assistant", "Meadow Search", "Quill Writer", "Tally Books",
    "Orchard Shop", "Ferry Desk",
)  # fmt: skip
_MIDDLE = (
    " I asked in plain words and then once more with the details of my own case. The answer came at once and"
    " sounded sure of itself, with numbers that I had not given and a source that I could not find anywhere."
)
_ANSWER = (
    "Of course. Here is what you asked for, step by step, with the numbers from your last message. First take"
    " the date of the booking, then add the days that are left, and round the sum up to the next whole week."
    " The rule that you name does not apply here, since the request was made in another context. Tell me when"
    " you want to change anything, and I will write it again with the other numbers."
)


def fill(store: Store, count: int, dim: int = 384, seed: int = 0) -> None:
    """Put `count` reports into an empty store, or those that one which was stopped still lacks; the same for the same
    arguments and the same clock."""
    made = synthetic.mixture(count, seed, dim)
    words = synthetic.texts(made.labels, seed)
    founders, themes = _founders(made.labels), synthetic.themes(made.labels)
    read: dict[int, Readings] = {}
    with store.read() as cursor:
        stored = db.value(cursor, "SELECT count(*) FROM reports")
        laid = db.value(cursor, "SELECT count(*) FROM clusters") > 0
    if laid:
        return
    with store.write(FILLER, "index") as work:
        model = Settings().model
        vectors.switch_space(work, model, f"synthetic/{dim}")
    for start in harness.progress(range(0, count, PART), f"storing {count:,} reports"):
        rows = np.arange(start, min(start + PART, count))
        texts = [f"{next(words)}{_MIDDLE} Number {row}." for row in rows.tolist()]
        if start < stored:
            continue
        rng = np.random.default_rng([seed, start])
        with store.write(FILLER, "import_reports") as work:
            _store(work, rng, rows, count, texts, founders, made.vectors[rows])
            _read(work, rows, themes[rows], texts, made.vectors[rows], read)
    with store.write(FILLER, "index") as work:
        work.cursor.execute(
            "INSERT INTO clusters (axis, cluster_id, representative_id, size, label)"
            " SELECT axis, cluster_id, 'FR-' || split_part(cluster_id, '-', 2), count(*), ''"
            " FROM memberships GROUP BY axis, cluster_id"
        )
        work.event("likeness.placed", AXIS, {"reports": count})


def _founders(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row of each row's cluster, (n,)."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def _store(
    work: Work,
    rng: np.random.Generator,
    rows: NDArray[np.int64],
    count: int,
    texts: list[str],
    founders: NDArray[np.int64],
    made: vectors.Vectors,
) -> None:
    ids = [f"FR-{row + 1}" for row in rows.tolist()]
    names = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    start = db.naive(work.now)
    assert start is not None
    seconds = (YEAR.total_seconds() * (1 - (rows + 1) / count)).astype("timedelta64[s]")
    received = np.datetime64(start, "us") - seconds
    vectors.save(work, f"synthetic/{made.shape[1]}", names, made)
    reports = _reports(rng, ids, rows, texts, names, received)
    db.insert_arrow(work.cursor, "reports", reports)
    cases = _cases(rng, ids, rows, count, received, np.datetime64(start, "us"))
    for name in ("platform", "model_version", "channel", "harm_types"):
        cases = cases.append_column(name, reports[name])
    db.insert_arrow(work.cursor, "cases", cases)
    db.insert_arrow(work.cursor, "memberships", _memberships(rng, ids, founders[rows]))
    _suggestions(work, rng, ids, rows, founders[rows])
    _more(work, rng, ids, cases)
    for name, content, status in zip(ids, names, cases["status"].to_pylist(), strict=True):
        work.event("report.received", name, {"channel": "import", "content_sha256": content})
        if status not in ("new", "needs_info"):
            after = {"status": status, "severity": "medium", "triaged_at": work.now}
            before = {"status": "new", "severity": None, "triaged_at": None}
            work.event("report.assessed", name, {"before": before, "after": after, "clauses": ["IN-1"]})


def _read(
    work: Work,
    rows: NDArray[np.int64],
    themes: NDArray[np.int64],
    texts: list[str],
    meaning: vectors.Vectors,
    known: dict[int, Readings],
) -> None:
    """The readings of these reports; `known` holds that of each theme, made from the first text of it."""
    for theme, first in zip(*np.unique(themes, return_index=True), strict=True):
        if int(theme) not in known:
            known[int(theme)] = _reading(texts[first], meaning.shape[1])
    first_of = [known[theme] for theme in themes.tolist()]
    words = np.concatenate([one.words for one in first_of])
    read = Readings(
        np.concatenate([one.passages for one in first_of]),
        words,
        np.concatenate([one.wrapper for one in first_of]),
        sketch.coded(sketch.wording(sketch.decoded(words), meaning)),
        np.concatenate([one.sure for one in first_of]),
        np.concatenate([one.wrapped for one in first_of]),
        np.array([len(text) for text in texts], dtype=np.int32),
    )
    readings.save(work, (rows + 1).tolist(), read)


def _reading(text: str, dim: int) -> Readings:
    """How a text without a wrapper is read."""
    whole = Spans((), ((0, len(text)),), 0.0, 0.0)
    return spaces.readings(
        [spaces.document(text)], [whole], np.zeros((1, dim), dtype=np.float32), lambda _: np.empty((0, dim))
    )


def _reports(
    rng: np.random.Generator,
    ids: list[str],
    rows: NDArray[np.int64],
    texts: list[str],
    names: list[str],
    received: NDArray[Any],
) -> pa.Table:
    blank = [""] * len(ids)
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    harms = [str(harm) for harm in HarmType]
    turns = [[{"role": "user", "content": text}, {"role": "assistant", "content": _ANSWER}] for text in texts]
    return pa.table(
        {
            "report_id": ids,
            "seq": rows + 1,
            "external_id": [f"synthetic-{row}" for row in rows.tolist()],
            "channel": ["import"] * len(ids),
            "received_at": received,
            "policy_version": blank,
            "content_sha256": names,
            "body_sha256": blank,
            "platform": _drawn(rng, _PLATFORMS, len(ids)),
            "model": blank,
            "model_version": blank,
            "what_is_wrong": [text.partition(".")[0] for text in texts],
            "harm_types": [[harm] for harm in _drawn(rng, harms, len(ids))],
            "disclosure_intent": ["no"] * len(ids),
            "turns": pa.array(turns, pa.list_(turn)),
            "body": ["{}"] * len(ids),
        }
    )


def _cases(
    rng: np.random.Generator,
    ids: list[str],
    rows: NDArray[np.int64],
    count: int,
    received: NDArray[Any],
    now: Any,
) -> pa.Table:
    n, age = len(ids), rows / count
    status = np.array(_OPEN)[rng.choice(len(_OPEN), n, p=_WAITING)]
    closed = rng.random(n) < np.where(age > 0.9, 0.1, 0.9)
    older = (age <= 0.9) & (status == "new")
    status = np.where(closed, "closed", np.where(older, "accepted", status))
    new = status == "new"
    decided = ~np.isin(status, ("new", "needs_info"))
    level = rng.choice(len(_LEVELS), n, p=(0.1, 0.3, 0.35, 0.2, 0.05))
    day = np.timedelta64(1, "D")
    later = np.minimum(received + rng.integers(1, 72, n).astype("timedelta64[h]"), now)
    assigned = rng.random(n) < 0.2
    snoozed = ~closed & (rng.random(n) < 0.02)
    return pa.table(
        {
            "report_id": ids,
            "seq": rows + 1,
            "received_at": received,
            "version": np.where(new, 1, 2),
            "status": status,
            "resolution": _where(closed, _drawn(rng, _RESOLUTIONS[:4], n)),
            "severity": _where(decided, np.array(_LEVELS)[level]),
            "priority": _where(decided, np.array(_PRIORITIES)[level]),
            "exploitation": ["none"] * n,
            "tlp": ["AMBER+STRICT"] * n,
            "consent_training": ["none"] * n,
            "consent_share_peers": ["no"] * n,
            "response_due": received + 2 * day,
            "triage_due": received + 5 * day,
            "fix_due": pa.array(received + 90 * day, mask=~decided | closed),
            "first_response_at": pa.array(later, mask=new),
            "triaged_at": pa.array(later, mask=~decided),
            "closed_at": pa.array(later, mask=~closed),
            "updated_at": pa.array(np.where(new, received, later)),
            "updated_by": np.where(rows % WRITING, _drawn(rng, REVIEWERS, n), REPORTER.actor_id),
            "assigned_to": _where(assigned, _drawn(rng, REVIEWERS, n)),
            "snoozed_until": pa.array(np.full(n, now + 7 * day), mask=~snoozed),
        }
    )


def _memberships(rng: np.random.Generator, ids: list[str], founders: NDArray[np.int64]) -> pa.Table:
    return pa.table(
        {
            "axis": [AXIS] * len(ids),
            "report_id": ids,
            "cluster_id": [placements.cluster_id(AXIS, f"FR-{row + 1}") for row in founders.tolist()],
            "model_id": ["synthetic"] * len(ids),
            "nearest_id": [f"FR-{row + 1}" for row in founders.tolist()],
            "nearest": rng.uniform(0.5, 1, len(ids)),
            "mean": rng.uniform(0.4, 0.9, len(ids)),
        }
    )


def _suggestions(
    work: Work,
    rng: np.random.Generator,
    ids: list[str],
    rows: NDArray[np.int64],
    founders: NDArray[np.int64],
) -> None:
    """A pair for one in ten of the reports that are not the first of their cluster."""
    chosen = np.flatnonzero((founders != rows) & (rng.random(len(rows)) < 0.1))
    later = [ids[row] for row in chosen.tolist()]
    table = {
        "child_id": later,
        "canonical_id": [f"FR-{row + 1}" for row in founders[chosen].tolist()],
        "later_id": later,
        "score": rng.uniform(0.8, 1, len(chosen)),
        "basis": ["embedding"] * len(chosen),
        "model_id": ["synthetic"] * len(chosen),
    }
    db.insert_arrow(work.cursor, "suggestions", pa.table(table))


def _more(work: Work, rng: np.random.Generator, ids: list[str], cases: pa.Table) -> None:
    """Embargoes for one in fifty, what reporters wrote last, and a few claims."""
    embargoed = [name for name, one in zip(ids, rng.random(len(ids)) < 0.02, strict=True) if one]
    terms = {"state": "active", "starts_at": work.now, "proposed_by": "", "exit_reason": ""}
    days = rng.integers(1, 90, len(embargoed)).tolist()
    rows = [
        {"report_id": name, "ends_at": work.now + timedelta(days=left), **terms}
        for name, left in zip(embargoed, days, strict=True)
    ]
    db.insert(work.cursor, "embargoes", rows)
    written = [
        {
            "message_id": int(one["seq"]),
            "report_id": one["report_id"],
            "done_at": one["updated_at"],
            "actor_id": REPORTER.actor_id,
            "direction": str(Direction.FROM_REPORTER),
            "kind": str(Kind.ANSWER),
            "text": "It did so again today.",
            "params": "{}",
        }
        for one in cases.select(["seq", "report_id", "updated_at", "updated_by"]).to_pylist()
        if one["updated_by"] == REPORTER.actor_id
    ]
    db.insert(work.cursor, "messages", written)
    held = {"holder_id": REVIEWERS[1], "claimed_at": work.now, "expires_at": work.now + timedelta(hours=8)}
    db.insert(work.cursor, "claims", [{"report_id": name, **held} for name in ids[:: len(ids) // 2]])


def _drawn(rng: np.random.Generator, values: tuple[str, ...] | list[str], n: int) -> NDArray[np.str_]:
    return np.array(values)[rng.integers(0, len(values), n)]


def _where(condition: NDArray[np.bool_], values: Any) -> pa.Array:
    """The values where the condition holds, else nothing."""
    return pa.array(np.asarray(values), mask=~condition)
