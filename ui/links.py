"""What reviewers say of two reports wherever a screen shows both: that they are one flaw, or that they are not."""

from __future__ import annotations

from triage_core.desk import triage
from triage_core.desk.boards import Pair
from ui import session
from ui.hostile import plain


def record(child_id: str, child_version: int, target_id: str, score: float) -> None:
    """Link a report in the version that was shown; without a message, for a command that tells of it."""
    opened = session.current()
    triage.link(
        opened.store,
        session.actor(),
        child_id,
        target_id,
        evidence={"score": score, "model_id": opened.settings.model},
        seen_version=child_version,
    )


def link(pair: Pair, score: float) -> None:
    """Mark the later report of a pair as a duplicate."""
    later = pair.later
    done = f"{plain(later.report_id)} is a duplicate of {plain(pair.target_id)}"
    session.command(done, record, later.report_id, later.version, pair.target_id, score)


def keep_apart(one_id: str, other_id: str) -> None:
    """Record that two reports are not duplicates."""
    done = f"{plain(one_id)} and {plain(other_id)} are not duplicates"
    session.command(done, triage.keep_apart, session.current().store, session.actor(), one_id, other_id)


def unlink(report_id: str, version: int) -> None:
    """Take a duplicate link back."""
    arguments = (session.current().store, session.actor(), report_id)
    session.command(f"{plain(report_id)} stands alone again", triage.unlink, *arguments, seen_version=version)
