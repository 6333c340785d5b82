"""Policy versions in the store: publish a checked policy, read the one in force and past ones."""

from __future__ import annotations

from functools import lru_cache

from triage_core import access, db, policy
from triage_core.errors import Conflict, NotFound
from triage_core.model import Actor
from triage_core.policy import Policy
from triage_core.store import Store


def publish(store: Store, actor: Actor, new: Policy) -> Policy:
    """Put a policy version in force; the same text again changes nothing.

    Raises Conflict when this version number was published with another content.
    """
    access.require(actor, "set_policy")
    with store.write(actor, "set_policy") as work:
        known = db.row(work.cursor, "SELECT sha256 FROM policy_versions WHERE version = ?", [new.version])
        if known is not None:
            if known["sha256"] != new.sha256:
                raise Conflict(
                    "version", f"policy {new.version} is published with other content: raise its version"
                )
            return new
        row = {
            "version": new.version,
            "sha256": new.sha256,
            "policy_toml": new.toml_text,
            "severity_csv": new.severity_csv,
            "priority_csv": new.priority_csv,
            "published_at": work.now,
            "actor_id": actor.actor_id,
        }
        db.insert(work.cursor, "policy_versions", [row])
        work.event("policy.published", new.version, {"sha256": new.sha256})
        return new


def publish_from_files(store: Store, actor: Actor, new: Policy) -> Policy:
    """Publish the policy of the installation's files if it is new; gives the version in force."""
    publish(store, actor, new)
    with store.read() as cursor:
        return in_force(cursor)


def in_force(cursor: db.Cursor) -> Policy:
    """The version published last. Raises NotFound in a store without one."""
    found = history(cursor)
    if not found:
        raise NotFound("policy", "no policy has been published")
    return version(cursor, found[0]["version"])


def version(cursor: db.Cursor, name: str) -> Policy:
    """A published version, as it was. Raises NotFound."""
    found = db.row(cursor, "SELECT * FROM policy_versions WHERE version = ?", [name])
    if found is None:
        raise NotFound("policy", f"there is no policy version {name!r}")
    return _parse(found["policy_toml"], found["severity_csv"], found["priority_csv"])


def of_report(cursor: db.Cursor, in_force: Policy, report_id: str) -> Policy:
    """The policy of the day on which a report came in: what it was promised. Raises NotFound."""
    name = db.value(cursor, "SELECT policy_version FROM reports WHERE report_id = ?", [report_id])
    return in_force if name == in_force.version else version(cursor, str(name))


def history(cursor: db.Cursor) -> list[db.Row]:
    """All published versions, newest first."""
    return db.rows(
        cursor,
        "SELECT version, sha256, published_at, actor_id FROM policy_versions ORDER BY published_at DESC, version DESC",
    )


_parse = lru_cache(maxsize=16)(
    policy.parse
)  # a published version never changes, and commands on many reports read it
