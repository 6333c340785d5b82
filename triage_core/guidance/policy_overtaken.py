"""What came into force since a draft was begun: by whom, and which of it the draft changes as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage_core import db
from triage_core.guidance import policies, policy_text
from triage_core.guidance.policy_drafts import Draft
from triage_core.guidance.policy_text import Texts


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The version in force beside the one that a draft was begun from; `both` are the parts that both changed."""

    version: str
    published_by: str
    published_at: datetime
    parts: tuple[str, ...]
    both: tuple[str, ...]


def overtaken(cursor: db.Cursor, draft: Draft) -> Overtaken | None:
    """What another version changed meanwhile; None for a draft of the version in force.

    The parts are those of policy_text without the version number, which every version has anew.
    """
    last, *_ = policies.history(cursor)
    if last["version"] == draft.base_version:
        return None
    base, present = (
        policy_text.split(Texts.of(policies.version(cursor, name)))
        for name in (draft.base_version, last["version"])
    )
    theirs = policy_text.changed(base, present).keys() - {"version"}
    ours = policy_text.changed(base, policy_text.split(draft.texts)).keys()
    return Overtaken(
        last["version"],
        last["actor_id"],
        last["published_at"],
        tuple(part for part in {**base, **present} if part in theirs),
        tuple(part for part in {**base, **present} if part in theirs & ours),
    )
