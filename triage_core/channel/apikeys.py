"""Keys of report buttons: one a product, made and revoked by the operator; only hashes are stored.

A key that stands in a web page can be read by everybody. It says which product a report is about
and sets that product's rate; it opens nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage_core import access, db, keys
from triage_core.access import Command
from triage_core.desk.decision import check_text
from triage_core.errors import NotFound, Refused
from triage_core.front import check_origin
from triage_core.model import Actor
from triage_core.store import Store

PREFIX = "fd_"
MAX_PER_MINUTE = 100_000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An active key: the web origins whose pages may use it, and how many reports a minute it may send."""

    key_id: int
    product: str
    origins: tuple[str, ...]
    per_minute: int


def add(
    store: Store,
    actor: Actor,
    product: str,
    origins: Sequence[str] = (),
    per_minute: int = 60,
    *,
    now: datetime | None = None,
) -> tuple[int, str]:
    """Make a key; gives its number and the key itself, which is shown here and nowhere else.

    Without origins only programs may use it. Raises Refused naming the option that breaks a rule.
    """
    access.require(actor, "manage_keys")
    check_text("product", product, 500)
    if not product.strip():
        raise Refused("product", "must not be blank")
    for origin in origins:
        check_origin("origin", origin)
    if not 1 <= per_minute <= MAX_PER_MINUTE:
        raise Refused("per_minute", f"must be from 1 to {MAX_PER_MINUTE:,}")
    key = keys.new(PREFIX)
    with store.write(actor, "manage_keys", now) as work:
        row = {
            "key_id": work.next_id("api_keys", "key_id"),
            "key_sha256": keys.digest(key),
            "product": product,
            "origins": list(origins),
            "per_minute": per_minute,
            "done_at": work.now,
            "actor_id": actor.actor_id,
        }
        db.insert(work.cursor, "api_keys", [row])
        key_id = int(str(row["key_id"]))
        details = {"product": product, "origins": list(origins), "per_minute": per_minute}
        work.event("api_key.added", f"key {key_id}", details)
        return key_id, key


def revoke(store: Store, actor: Actor, key_id: int, *, now: datetime | None = None) -> None:
    """End a key at once; a second time changes nothing. Raises NotFound."""
    access.require(actor, "manage_keys")
    with store.write(actor, "manage_keys", now) as work:
        if db.value(work.cursor, "SELECT key_id FROM api_keys WHERE key_id = ?", [key_id]) is None:
            raise NotFound("key", f"there is no key {key_id}")
        if db.value(work.cursor, "SELECT key_id FROM active_api_keys WHERE key_id = ?", [key_id]) is None:
            return
        end = {"key_id": key_id, "done_at": work.now, "actor_id": actor.actor_id}
        db.insert(work.cursor, "api_key_ends", [end])
        work.event("api_key.revoked", f"key {key_id}", {})


def listing(cursor: db.Cursor) -> list[db.Row]:
    """Every key that was ever made, oldest first: key_id, product, origins, per_minute, made_at, revoked_at."""
    return db.rows(
        cursor,
        "SELECT k.key_id, k.product, k.origins, k.per_minute, k.done_at AS made_at, e.done_at AS revoked_at"
        " FROM api_keys k LEFT JOIN api_key_ends e USING (key_id) ORDER BY key_id",
    )


class Keys:
    """The active keys of a store, read again when one was made or ended: every request asks for one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: tuple[int | None, list[db.Row]] = (None, [])

    def find(self, key: str) -> ApiKey | None:
        """The active key that this is; None for an unknown or revoked one. Takes as long for either."""
        row = keys.match(self._active(), key)
        if row is None:
            return None
        return ApiKey(row["key_id"], row["product"], tuple(row["origins"]), row["per_minute"])

    def is_known_origin(self, origin: str) -> bool:
        """Whether any active key names this origin: what a browser asks before it may send the key."""
        return any(origin in row["origins"] for row in self._active())

    def _active(self) -> list[db.Row]:
        # Asked before the look, which may already show more.
        changed = self._store.last_of.get(Command.MANAGE_KEYS, 0)
        last = self._last
        if last[0] != changed:
            with self._store.read(fresh=False) as cursor:
                last = self._last = (changed, db.rows(cursor, "SELECT * FROM active_api_keys"))
        return last[1]
