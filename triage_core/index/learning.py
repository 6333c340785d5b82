"""Reviewers teach the likeness: what they accepted and rejected refits the model of pairs.

A new version replaces the old one only when it does better on decisions that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from triage_core import db
from triage_core.errors import Refused
from triage_core.likeness import learn
from triage_core.likeness.learn import Pair, PairModel
from triage_core.store import Work

DAY = 86_400.0
GROWTH = 1.25
"""A refit waits until there are so many times the decisions that taught the present version."""


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
    found = db.rows(
        cursor,
        "SELECT report_id, platform, model, received_at, reporter_id FROM reports WHERE report_id IN (?, ?)",
        [one, other],
    )
    a, b = sorted(found, key=lambda row: row["report_id"] != one)
    known = all(row["reporter_id"] for row in (a, b))
    return replace(
        texts,
        same_system=(a["platform"], a["model"]) == (b["platform"], b["model"]) if a["platform"] else None,
        days_apart=abs((a["received_at"] - b["received_at"]).total_seconds()) / DAY,
        same_reporter=a["reporter_id"] == b["reporter_id"] if known else None,
    )


def learn_from_decisions(
    work: Work, old: PairModel, known: Container[str], texts: Callable[[str, str], Pair]
) -> None:
    """Refit the model in use when there are enough new decisions, and keep what is better.

    Decisions about reports that are not `known` are left out; `texts` gives the evidence of two reports' texts.
    """
    decided = db.rows(
        work.cursor,
        "SELECT canonical_id AS a, child_id AS b, true AS accepted, done_at FROM active_links"
        " UNION ALL SELECT a_id, b_id, false, done_at FROM active_cannot_links ORDER BY done_at, a, b",
    )
    decided = [row for row in decided if row["a"] in known and row["b"] in known]
    # The release's own model was taught elsewhere: here the first few decisions are enough to try.
    taught = old.pairs if old.version > learn.shipped().version else 0
    if len(decided) < max(learn.LEAST_PAIRS, GROWTH * taught):
        return
    try:
        pairs = [evidence(work.cursor, texts(row["a"], row["b"]), row["a"], row["b"]) for row in decided]
        trial = learn.refit(old, pairs, [row["accepted"] for row in decided])
    except Refused:
        return  # all were decided alike: nothing to tell apart
    if not trial.better:
        return
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
