"""Policy versions in the store: publish a checked policy, read the one in force and past ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from triage_core import access, db
from triage_core.errors import Conflict, InvalidPolicy, NotFound
from triage_core.guidance import policy
from triage_core.guidance.policy import ClauseKind, Policy
from triage_core.guidance.policy_text import FILES
from triage_core.guidance.sections import document
from triage_core.model import Actor
from triage_core.store import Store, Work


def publish(store: Store, actor: Actor, new: Policy) -> Policy:
    """Put a policy version in force; the same text again changes nothing.

    Raises Conflict when this version number was published with another content.
    """
    access.require(actor, "set_policy")
    with store.write(actor, "set_policy") as work:
        return publish_within(work, new, {})


def publish_within(work: Work, new: Policy, details: Mapping[str, Any]) -> Policy:
    """`publish` as a part of a running command; `details` go into the event."""
    known = db.row(work.cursor, "SELECT sha256 FROM policy_versions WHERE version = ?", [new.version])
    if known is not None:
        if known["sha256"] != new.sha256:
            raise Conflict(
                "version", f"policy {new.version} is published with other content: raise its version"
            )
        return new
    last = db.value(work.cursor, "SELECT max(published_at) FROM policy_versions")
    row = {
        "version": new.version,
        "sha256": new.sha256,
        "policy_toml": new.toml_text,
        "severity_csv": new.severity_csv,
        "priority_csv": new.priority_csv,
        # The newest is in force, so the order must not hang on a clock that was set back.
        "published_at": max(work.now, last + timedelta(microseconds=1)) if last else work.now,
        "actor_id": work.actor.actor_id,
    }
    db.insert(work.cursor, "policy_versions", [row])
    work.event("policy.published", new.version, {"sha256": new.sha256, **details})
    return new


def of_installation(folder: Path) -> Policy:
    """The policy in the folder of the settings. Raises InvalidPolicy: for a missing file it names the variable."""
    if missing := [name for name in FILES if not (folder / name).exists()]:
        found = f"has no {' and no '.join(missing)}" if folder.is_dir() else "is no folder"
        raise InvalidPolicy("FLAWDESK_POLICY", f"{folder} {found}; it takes the folder of {', '.join(FILES)}")
    return policy.load(folder)


def seed(store: Store, actor: Actor, folder: Path) -> None:
    """Publish the policy of the installation's files if it is new.

    Only until a version was published from a draft: from then on the store holds the policy, and the
    files are not read. Raises the errors of `of_installation` and `publish`.
    """
    with store.read() as cursor:
        taken_over = db.value(cursor, "SELECT count(*) FROM policy_drafts WHERE state = 'published'")
    if not taken_over:
        publish(store, actor, of_installation(folder))


class Current:
    """The version in force of one store, right from the moment on in which another one is published."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[int | None, Policy] | None = None

    def get(self) -> Policy:
        """The version in force now. A command takes it when it starts and keeps it to its end."""
        known = self._known
        # Before the look at the store: what is committed in between is read again the next time.
        changed = self._store.last_of.get(access.Command.SET_POLICY)
        if known is None or known[0] != changed:
            # Reports that wait for their commit say nothing about the policy, and their senders ask for it.
            with self._store.read(fresh=False) as cursor:
                known = self._known = (changed, in_force(cursor))
        return known[1]


def in_force(cursor: db.Cursor) -> Policy:
    """The version published last. Raises NotFound in a store without one."""
    return version(cursor, name_in_force(cursor))


def name_in_force(cursor: db.Cursor) -> str:
    """The number of the version published last. Raises NotFound in a store without one."""
    found = db.value(cursor, "SELECT arg_max(version, published_at) FROM policy_versions")
    if found is None:
        raise NotFound("policy", "no policy has been published")
    return str(found)


def version(cursor: db.Cursor, name: str) -> Policy:
    """A published version, as it was. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM policy_versions WHERE version = ?", [name])
    if found is None:
        raise NotFound("policy", f"there is no policy version {name!r}")
    return _parse(found["policy_toml"], found["severity_csv"], found["priority_csv"])


def of_content(cursor: db.Cursor, sha256: str) -> Policy | None:
    """The published version with this content; None where there is none."""
    name = db.value(cursor, "SELECT version FROM policy_versions WHERE sha256 = ? LIMIT 1", [sha256])
    return None if name is None else version(cursor, str(name))


def of_report(cursor: db.Cursor, in_force: Policy, report_id: str) -> Policy:
    """The policy of the day on which a report came in: what it was promised. Raises NotFound."""
    name = db.value(cursor, "SELECT policy_version FROM reports WHERE report_id = ?", [report_id])
    return in_force if name == in_force.version else version(cursor, str(name))


def history(cursor: db.Cursor) -> list[db.Row]:
    """All published versions, newest first, each with who published it and who approved its draft.

    `approved_by` is None for a version that came from files.
    """
    return db.rows(
        cursor,
        "SELECT v.version, v.sha256, v.published_at, v.actor_id, d.approved_by FROM policy_versions v"
        " LEFT JOIN policy_drafts d ON d.version = v.version AND d.state = 'published'"
        " ORDER BY v.published_at DESC, v.version DESC",
    )


def next_clause_id(cursor: db.Cursor, kind: ClauseKind) -> str:
    """The number after the highest that a clause of this kind has in any version or draft: ids are not used again."""
    texts = db.rows(
        cursor,
        "SELECT policy_toml FROM policy_versions UNION ALL"
        " SELECT t.policy_toml FROM policy_draft_texts t JOIN policy_drafts d USING (draft_id, revision)",
    )
    start = f"{policy.PREFIX[kind]}-"
    numbers = [
        int(clause["id"].removeprefix(start))
        for row in texts
        for clause in document(row["policy_toml"], policy.POLICY_TOML)["clause"]
        if clause["id"].startswith(start)
    ]
    return f"{start}{max(numbers, default=0) + 1}"


# A published version never changes, and commands on many reports read it.
_parse = lru_cache(maxsize=16)(policy.parse)
