"""Drafts of the next policy: written by one or more policy owners, approved by another, then published.

A draft is kept as it was typed, whether or not it keeps the rules; only one that the loader accepts can be
approved. Every revision of its texts is kept. Each change takes the approval away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from triage_core import access, db
from triage_core.channel.fields import check_storable
from triage_core.errors import Conflict, InvalidPolicy, NotAllowed, NotFound, Refused
from triage_core.guidance import placeholders, policies, policy_text
from triage_core.guidance.policy import Policy
from triage_core.guidance.policy_text import FILES, Texts
from triage_core.model import Actor
from triage_core.store import Store, Work

COMMAND = access.Command.SET_POLICY
LONGEST_FILE = 200_000  # characters; the shipped policy.toml has about 10,000


class State(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands. `authors` wrote at least one of its revisions; none of them may approve it."""

    draft_id: int
    revision: int
    state: State
    base_version: str
    started_at: datetime
    started_by: str
    updated_at: datetime
    updated_by: str
    approved_at: datetime | None
    approved_by: str | None
    version: str | None
    authors: tuple[str, ...]
    texts: Texts


def start(store: Store, actor: Actor, texts: Texts | None = None, *, now: datetime | None = None) -> int:
    """Begin a draft and give its number: from the texts given, else from the version in force.

    Texts that are given are loaded like a policy file and refused like one. A copy of the version in
    force gets the next free version number.
    """
    access.require(actor, COMMAND)
    if texts is not None:
        check_upload(texts)
    with store.write(actor, COMMAND, now) as work:
        base = policies.in_force(work.cursor)
        new = texts or _next(work.cursor, base)
        draft_id = work.next_id("policy_drafts", "draft_id")
        draft = {
            "draft_id": draft_id,
            "revision": 1,
            "state": State.OPEN.value,
            "base_version": base.version,
            "started_at": work.now,
            "started_by": actor.actor_id,
            "updated_at": work.now,
            "updated_by": actor.actor_id,
        }
        db.insert(work.cursor, "policy_drafts", [draft])
        _keep(work, draft_id, 1, new, "started" if texts is None else "uploaded")
        work.event("draft.started", _subject(draft_id), {"base_version": base.version})
        return draft_id


def change(
    store: Store,
    actor: Actor,
    draft_id: int,
    changes: Mapping[str, Any],
    *,
    seen_revision: int,
    now: datetime | None = None,
) -> int:
    """Set parts of a draft (policy_text names them; None removes one); gives the number of the revision.

    What others changed in other parts since `seen_revision` stays. Raises Conflict naming the part that
    was changed by somebody else as well.
    """
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = _editable(work.cursor, draft_id)
        base = policy_text.split(_texts(work.cursor, draft_id, seen_revision))
        own = {part: value for part, value in changes.items() if value != base.get(part)}
        if not own:
            return draft.revision
        parts = policy_text.merge(base, policy_text.split(draft.texts), own)
        return _revise(work, draft, policy_text.join(parts), ", ".join(own))


def replace(
    store: Store,
    actor: Actor,
    draft_id: int,
    files: Mapping[str, str],
    *,
    seen_revision: int,
    now: datetime | None = None,
) -> int:
    """Put whole files in the place of the draft's, by file name; gives the number of the revision.

    The result is loaded like a policy file: what is refused changes nothing.
    """
    access.require(actor, COMMAND)
    if unknown := files.keys() - set(FILES):
        raise Refused("file", f"{sorted(unknown)[0]!r} is none of {', '.join(FILES)}")
    with store.write(actor, COMMAND, now) as work:
        draft = _editable(work.cursor, draft_id)
        _require_seen(draft, seen_revision)
        texts = Texts(*{**draft.texts.by_file(), **files}.values())
        check_upload(texts)
        return _revise(work, draft, texts, f"uploaded {', '.join(files)}")


def take_again(
    store: Store,
    actor: Actor,
    draft_id: int,
    revision: int,
    *,
    seen_revision: int,
    now: datetime | None = None,
) -> int:
    """Put the texts of an earlier revision in the place of the draft's; gives the number of the new one."""
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = _editable(work.cursor, draft_id)
        _require_seen(draft, seen_revision)
        return _revise(work, draft, _texts(work.cursor, draft_id, revision), f"revision {revision} again")


def catch_up(
    store: Store, actor: Actor, draft_id: int, *, seen_revision: int, now: datetime | None = None
) -> int:
    """Carry the draft's own changes over to the version in force; gives the number of the revision.

    A part that the draft changed stays the draft's, whatever became of it in force: the comparison with
    the version in force shows it. The version number moves on where it is taken.
    """
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = _editable(work.cursor, draft_id)
        _require_seen(draft, seen_revision)
        base = policy_text.split(Texts.of(policies.version(work.cursor, draft.base_version)))
        present = policies.in_force(work.cursor)
        own = policy_text.changed(base, policy_text.split(draft.texts))
        parts = policy_text.apply(policy_text.split(Texts.of(present)), own)
        parts["version"] = _free(work.cursor, str(parts["version"]))
        what = f"carried over to {present.version}"
        return _revise(work, draft, policy_text.join(parts), what, base_version=present.version)


def set_aside(
    store: Store,
    actor: Actor,
    draft_id: int,
    aside: bool = True,
    *,
    seen_revision: int,
    now: datetime | None = None,
) -> None:
    """Withdraw a draft, or (`aside` false) open a withdrawn one again; nothing of it is lost."""
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = read(work.cursor, draft_id)
        _require_seen(draft, seen_revision)
        if draft.state is State.PUBLISHED:
            raise Conflict("draft", f"draft {draft_id} is published as {draft.version}")
        state = State.WITHDRAWN if aside else State.OPEN
        _set(work, draft, state=state.value, approved_at=None, approved_by=None)
        work.event("draft.set_aside", _subject(draft_id), {"state": state})


def approve(
    store: Store, actor: Actor, draft_id: int, *, seen_revision: int, now: datetime | None = None
) -> None:
    """Say, as a second person, that exactly this revision may be published.

    Raises NotAllowed for whoever wrote a part of it, InvalidPolicy for a draft that the loader refuses,
    Conflict when it changed since it was seen, or another version came into force since it was begun.
    """
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = read(work.cursor, draft_id)
        _require_seen(draft, seen_revision)
        if draft.state is State.APPROVED:
            return  # the same press twice is one approval
        if draft.state is not State.OPEN:
            raise Conflict("draft", f"draft {draft_id} is {draft.state}")
        if actor.actor_id in draft.authors:
            raise NotAllowed(
                "approve", "whoever wrote a part of a draft does not approve it: ask another policy owner"
            )
        found = ready(work.cursor, draft)
        _set(
            work,
            draft,
            state=State.APPROVED.value,
            approved_at=db.naive(work.now),
            approved_by=actor.actor_id,
        )
        work.event("draft.approved", _subject(draft_id), {"revision": draft.revision, "sha256": found.sha256})


def publish(
    store: Store, actor: Actor, draft_id: int, *, seen_revision: int, now: datetime | None = None
) -> Policy:
    """Put an approved draft in force, for everybody and at once; gives the policy.

    Raises Conflict when it is not approved, changed since it was seen, or another version came into
    force since it was begun.
    """
    access.require(actor, COMMAND)
    with store.write(actor, COMMAND, now) as work:
        draft = read(work.cursor, draft_id)
        if draft.state is State.PUBLISHED:
            return policies.version(work.cursor, str(draft.version))
        _require_seen(draft, seen_revision)
        if draft.state is not State.APPROVED:
            raise Conflict("draft", f"draft {draft_id} is {draft.state}: a second person approves it first")
        new = ready(work.cursor, draft)
        _set(work, draft, state=State.PUBLISHED.value, version=new.version)
        details = {"draft_id": draft_id, "approved_by": draft.approved_by}
        return policies.publish_within(work, new, details)


def ready(cursor: db.Cursor, draft: Draft) -> Policy:
    """The policy of a draft that could come into force now. Raises Refused saying what stands in the way."""
    found = draft.texts.parse()
    placeholders.check(found)
    if db.value(cursor, "SELECT count(*) FROM policy_versions WHERE version = ?", [found.version]):
        raise InvalidPolicy("version", f"{found.version} is published already: give the draft a new version")
    if (present := policies.name_in_force(cursor)) != draft.base_version:
        raise Conflict(
            "draft", f"was begun from {draft.base_version}, and {present} is in force: carry it over"
        )
    return found


def obstacle(cursor: db.Cursor, draft_id: int) -> tuple[str, str] | None:
    """(field, rule) of what keeps a draft from coming into force; None when nothing does. Raises NotFound."""
    draft = read(cursor, draft_id)
    try:
        ready(cursor, draft)
    except Refused as refusal:
        return refusal.field, refusal.rule
    return None


def read(cursor: db.Cursor, draft_id: int) -> Draft:
    """A draft as it stands. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM policy_drafts WHERE draft_id = ?", [draft_id])
    if found is None:
        raise NotFound("draft", f"there is no draft {draft_id}")
    authors = db.rows(
        cursor,
        "SELECT DISTINCT actor_id FROM policy_draft_texts WHERE draft_id = ? ORDER BY actor_id",
        [draft_id],
    )
    return Draft(
        **{**found, "state": State(found["state"])},
        authors=tuple(row["actor_id"] for row in authors),
        texts=_texts(cursor, draft_id, found["revision"]),
    )


def listed(cursor: db.Cursor) -> list[db.Row]:
    """Every draft without its texts: those in work first, the newest of them first."""
    return db.rows(
        cursor,
        "SELECT * FROM policy_drafts ORDER BY state IN ('published', 'withdrawn'), draft_id DESC",
    )


def revisions(cursor: db.Cursor, draft_id: int) -> list[db.Row]:
    """Every revision of a draft without its texts (revision, done_at, actor_id, what), the newest first."""
    return db.rows(
        cursor,
        "SELECT revision, done_at, actor_id, what FROM policy_draft_texts WHERE draft_id = ? ORDER BY revision DESC",
        [draft_id],
    )


def differences(cursor: db.Cursor, draft_id: int) -> list[policy_text.Difference]:
    """What a draft changes of the version in force. Raises NotFound."""
    return policy_text.differences(Texts.of(policies.in_force(cursor)), read(cursor, draft_id).texts)


def check_upload(texts: Texts) -> None:
    """Return when texts from outside may become a draft; else raise Refused naming the file or its row."""
    _check_storable(texts)
    texts.parse()


def _check_storable(texts: Texts) -> None:
    for name, text in texts.by_file().items():
        if len(text) > LONGEST_FILE:
            raise Refused(name, f"at most {LONGEST_FILE:,} characters, not {len(text):,}")
        check_storable(text, name)


def _next(cursor: db.Cursor, base: Policy) -> Texts:
    parts = policy_text.split(Texts.of(base))
    return policy_text.join(parts | {"version": _free(cursor, base.version)})


def _free(cursor: db.Cursor, version: str) -> str:
    taken = frozenset(row["version"] for row in db.rows(cursor, "SELECT version FROM policy_versions"))
    return policy_text.next_version(version, taken) if version in taken else version


def _editable(cursor: db.Cursor, draft_id: int) -> Draft:
    draft = read(cursor, draft_id)
    if draft.state in (State.WITHDRAWN, State.PUBLISHED):
        raise Conflict("draft", f"draft {draft_id} is {draft.state}")
    return draft


def _require_seen(draft: Draft, seen_revision: int) -> None:
    if draft.revision != seen_revision:
        raise Conflict(
            "revision", f"draft {draft.draft_id} was changed by {draft.updated_by} while you looked at it"
        )


def _revise(work: Work, draft: Draft, texts: Texts, what: str, **values: str) -> int:
    if texts == draft.texts and not values:
        return draft.revision
    revision = draft.revision + 1
    _keep(work, draft.draft_id, revision, texts, what)
    _set(work, draft, revision=revision, state=State.OPEN.value, approved_at=None, approved_by=None, **values)
    work.event("draft.changed", _subject(draft.draft_id), {"revision": revision, "what": what})
    return revision


def _keep(work: Work, draft_id: int, revision: int, texts: Texts, what: str) -> None:
    _check_storable(texts)
    row = {
        "draft_id": draft_id,
        "revision": revision,
        "done_at": work.now,
        "actor_id": work.actor.actor_id,
        "what": what,
        "policy_toml": texts.policy_toml,
        "severity_csv": texts.severity_csv,
        "priority_csv": texts.priority_csv,
    }
    db.insert(work.cursor, "policy_draft_texts", [row])


def _set(work: Work, draft: Draft, **values: Any) -> None:
    values |= {"updated_at": db.naive(work.now), "updated_by": work.actor.actor_id}
    marks = ", ".join(f"{name} = ?" for name in values)
    work.cursor.execute(
        f"UPDATE policy_drafts SET {marks} WHERE draft_id = ?", [*values.values(), draft.draft_id]
    )


def _texts(cursor: db.Cursor, draft_id: int, revision: int) -> Texts:
    found = db.row(
        cursor,
        "SELECT policy_toml, severity_csv, priority_csv FROM policy_draft_texts WHERE draft_id = ? AND revision = ?",
        [draft_id, revision],
    )
    if found is None:
        raise NotFound("revision", f"draft {draft_id} has no revision {revision}")
    return Texts(**found)


def _subject(draft_id: int) -> str:
    return f"draft {draft_id}"
