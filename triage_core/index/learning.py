"""Reviewers teach the likeness: what they accepted and rejected refits the model of pairs.

A new version replaces the old one only when it does better on decisions that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace

from triage_core import db
from triage_core.errors import Refused
from triage_core.likeness import learn
from triage_core.likeness.learn import Pair, PairModel, Trial
from triage_core.store import Work

DAY = 86_400.0
GROWTH = 1.25
"""A refit waits until there are so many times the decisions that were tried last."""
LATEST = 2_000
"""So many decisions teach, the latest."""


def current(cursor: db.Cursor) -> PairModel:
    """The model in use: the latest that was kept, else the one that the release brings."""
    found = db.row(
        cursor, "SELECT version, weights, bias, pairs FROM pair_models ORDER BY version DESC LIMIT 1"
    )
    if found is None:
        return learn.shipped()
    return PairModel(found["version"], tuple(found["weights"]), found["bias"], found["pairs"])


def evidence(cursor: db.Cursor, texts: Pair, one: str, other: str) -> Pair:
    """What is known of two reports: what their texts say, and whether system, time and reporter agree."""
    return _evidence(_facts(cursor, [one, other]), texts, one, other)


def _facts(cursor: db.Cursor, report_ids: Iterable[str]) -> dict[str, db.Row]:
    found = db.rows(
        cursor,
        "SELECT report_id, platform, model, received_at, reporter_id FROM reports"
        " WHERE report_id IN (SELECT unnest(?))",
        [sorted(set(report_ids))],
    )
    return {row["report_id"]: row for row in found}


def _evidence(facts: Mapping[str, db.Row], texts: Pair, one: str, other: str) -> Pair:
    a, b = facts[one], facts[other]
    known = a["reporter_id"] and b["reporter_id"]
    return replace(
        texts,
        same_system=(a["platform"], a["model"]) == (b["platform"], b["model"]) if a["platform"] else None,
        days_apart=abs((a["received_at"] - b["received_at"]).total_seconds()) / DAY,
        same_reporter=a["reporter_id"] == b["reporter_id"] if known else None,
    )


class Teacher:
    """Tries a refit whenever there are enough new decisions; the same ones are tried once."""

    def __init__(self) -> None:
        self._tried = 0

    def trial(
        self, cursor: db.Cursor, old: PairModel, known: Container[str], texts: Callable[[str, str], Pair]
    ) -> Trial | None:
        """A refit of the model in use, where it is better.

        Decisions about reports that are not `known` are left out; `texts` gives the evidence of two reports' texts.
        """
        decided = db.rows(
            cursor,
            "SELECT canonical_id AS a, child_id AS b, true AS accepted, done_at FROM active_links"
            " UNION ALL SELECT a_id, b_id, false, done_at FROM active_cannot_links ORDER BY done_at, a, b",
        )
        decided = [row for row in decided if row["a"] in known and row["b"] in known]
        # The release's own model was taught elsewhere: here the first few decisions are enough to try.
        taught = old.pairs if old.version > learn.shipped().version else 0
        if len(decided) < max(learn.LEAST_PAIRS, GROWTH * max(taught, self._tried)):
            return None
        self._tried = len(decided)
        latest = decided[-LATEST:]
        facts = _facts(cursor, (row[side] for row in latest for side in ("a", "b")))
        try:
            pairs = [_evidence(facts, texts(row["a"], row["b"]), row["a"], row["b"]) for row in latest]
            trial = learn.refit(old, pairs, [row["accepted"] for row in latest])
        except Refused:
            return None  # all were decided alike: nothing to tell apart
        return trial if trial.better else None


def keep(work: Work, trial: Trial) -> None:
    """Store the refitted model: from here on it is the one in use."""
    row = {
        "version": trial.model.version,
        "weights": list(trial.model.weights),
        "bias": trial.model.bias,
        "pairs": trial.model.pairs,
        "old_loss": trial.old_loss,
        "new_loss": trial.new_loss,
        "done_at": work.now,
    }
    db.insert(work.cursor, "pair_models", [row])
    work.event("likeness.learned", str(trial.model.version), {"pairs": trial.model.pairs})
