"""What suggestions rest on, as the store keeps it: decisions in force, the models that they taught, their tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triage_core import db
from triage_core.likeness.suggest import Model
from triage_core.store import Work

LATEST = 500
"""So many of the latest decisions speak of other reports, and teach."""
# Few reports have no conversation, so these are left out rather than the others looked for; only of the latest are
# clauses and turns read.
_LATEST = (
    "WITH latest AS MATERIALIZED (SELECT report_id, assessment_id FROM cases WHERE assessment_id IS NOT NULL"
    " AND canonical_id IS NULL AND report_id NOT IN (SELECT report_id FROM reports WHERE content_sha256 = '')"
    " ORDER BY assessment_id DESC LIMIT ?) "
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A model in its version: the policy and the space that it speaks of, and how many decisions taught it."""

    version: int
    policy: str
    space: str
    decisions: int
    model: Model


@dataclass(frozen=True, slots=True)
class Tested:
    """After `decisions`, of the next `asked` ones `suggested` had a suggestion, and `hits` of these were right."""

    about: str
    decisions: int
    asked: int
    suggested: int
    hits: int


def decided(cursor: db.Cursor, most: int) -> list[db.Row]:
    """The latest `most` decisions in force on reports with a conversation, the oldest of them first."""
    return db.rows(
        cursor,
        f"{_LATEST} SELECT a.assessment_id, l.report_id, a.clauses, a.severity, a.harm, r.turns, r.content_sha256"
        " FROM latest l JOIN assessments a ON a.assessment_id = l.assessment_id"
        " JOIN reports r ON r.report_id = l.report_id ORDER BY a.assessment_id",
        [most],
    )


def cited(cursor: db.Cursor, most: int) -> dict[str, str]:
    """Of the same decisions those that cite a clause: the first clause of each, by report."""
    found = db.rows(
        cursor,
        f"{_LATEST} SELECT l.report_id, a.clauses[1] AS clause FROM latest l"
        " JOIN assessments a ON a.assessment_id = l.assessment_id WHERE len(a.clauses) > 0 ORDER BY a.assessment_id",
        [most],
    )
    return {row["report_id"]: row["clause"] for row in found}


def undecided(cursor: db.Cursor, most: int) -> list[db.Row]:
    """The newest `most` reports that nobody has decided, with their turns."""
    return db.rows(
        cursor,
        "SELECT report_id, turns, content_sha256 FROM reports WHERE content_sha256 <> '' AND report_id IN"
        " (SELECT report_id FROM cases WHERE assessment_id IS NULL AND canonical_id IS NULL"
        " ORDER BY seq DESC LIMIT ?)",
        [most],
    )


def reports(cursor: db.Cursor, report_ids: Sequence[str]) -> dict[str, db.Row]:
    """The conversations of these reports, by id."""
    found = db.rows(
        cursor,
        "SELECT report_id, turns, content_sha256 FROM reports WHERE report_id IN (SELECT unnest(?))",
        [list(report_ids)],
    )
    return {row["report_id"]: row for row in found}


def in_force(cursor: db.Cursor, most: int) -> list[db.Row]:
    """The latest `most` decisions in force, also on reports without a conversation: clauses, severity and harm."""
    return db.rows(
        cursor,
        # To look for what has a conversation would take five times as long among a million.
        "WITH latest AS MATERIALIZED (SELECT report_id, assessment_id FROM cases WHERE assessment_id IS NOT NULL"
        " AND canonical_id IS NULL ORDER BY assessment_id DESC LIMIT ?)"
        " SELECT l.report_id, a.clauses, a.severity, a.harm FROM latest l"
        " JOIN assessments a ON a.assessment_id = l.assessment_id ORDER BY a.assessment_id DESC",
        [most],
    )


def current(cursor: db.Cursor) -> Kept | None:
    """The latest model that was kept."""
    row = db.row(cursor, "SELECT * FROM suggestion_models ORDER BY version DESC LIMIT 1")
    if row is None:
        return None
    support, questions = tuple(row["support"]), tuple(row["questions"])
    numbers = [np.array(row[name], dtype=np.float64) for name in ("bias", "scale", "shift", "blend")]
    weights = np.array(row["weights"], dtype=np.float64).reshape(len(support), len(questions))
    model = Model(support, questions, weights, *numbers)
    return Kept(row["version"], row["policy_sha256"], row["model_id"], row["decisions"], model)


def keep(work: Work, kept: Kept, old_loss: float, new_loss: float, tests: Sequence[Tested]) -> None:
    """Store a model and how it was tested; a loss that could not be measured is NULL."""
    model = kept.model
    row = {
        "version": kept.version,
        "policy_sha256": kept.policy,
        "model_id": kept.space,
        "decisions": kept.decisions,
        "support": list(model.support),
        "questions": list(model.questions),
        "weights": model.weights.ravel().tolist(),
        "bias": model.bias.tolist(),
        "scale": model.scale.tolist(),
        "shift": model.shift.tolist(),
        "blend": model.blend.tolist(),
        "old_loss": old_loss if np.isfinite(old_loss) else None,
        "new_loss": new_loss if np.isfinite(new_loss) else None,
        "done_at": work.now,
    }
    db.insert(work.cursor, "suggestion_models", [row])
    if tests:
        names = ("about", "decisions", "asked", "suggested", "hits")
        db.insert(
            work.cursor,
            "suggestion_tests",
            [{"version": kept.version, **{name: getattr(test, name) for name in names}} for test in tests],
        )
    work.event("suggestions.learned", str(kept.version), {"decisions": kept.decisions})


def tests(cursor: db.Cursor) -> list[Tested]:
    """How the latest model was tested, in order of time."""
    found = db.rows(
        cursor,
        "SELECT about, decisions, asked, suggested, hits FROM suggestion_tests"
        " WHERE version = (SELECT max(version) FROM suggestion_models) ORDER BY about, decisions",
    )
    return [Tested(**row) for row in found]
