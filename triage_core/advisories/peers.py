"""Peers: companies with similar products that may be told of a flaw. The operator adds and ends them.

A peer holds one access key, which is shown once; only its hash is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage_core import access, db, keys
from triage_core.access import Command
from triage_core.desk.decision import check_text
from triage_core.errors import NotFound, Refused
from triage_core.model import Actor
from triage_core.outgoing.delivery import is_address
from triage_core.store import Store

PREFIX = "peer_"
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """A company that may be told. `email` is "" where nothing is sent to it."""

    peer_id: int
    name: str
    email: str

    @property
    def actor(self) -> Actor:
        """Who acts when the peer's key does; of no role at this desk."""
        return Actor(f"peer:{self.peer_id}", self.name, frozenset())


def add(
    store: Store, actor: Actor, name: str, email: str = "", *, now: datetime | None = None
) -> tuple[int, str]:
    """Add a peer; gives its number and its access key, which is shown here and nowhere else.

    Raises Refused naming the option that breaks a rule; no two present peers have one name.
    """
    access.require(actor, Command.MANAGE_PEERS)
    check_text("name", name, MAX_NAME)
    if not name.strip() or not name.isprintable() or name.isdecimal():
        raise Refused("name", "must be one line of words, and no number")
    if email and not is_address(email):
        raise Refused("email", "must be a plain e-mail address, as in security@example.org")
    key = keys.new(PREFIX)
    with store.write(actor, Command.MANAGE_PEERS, now) as work:
        if db.value(work.cursor, "SELECT peer_id FROM active_peers WHERE name = ?", [name]) is not None:
            raise Refused("name", "is that of a peer already")
        peer_id = work.next_id("peers", "peer_id")
        made = {"peer_id": peer_id, "key_sha256": keys.digest(key), "name": name, "email": email}
        db.insert(work.cursor, "peers", [{**made, "done_at": work.now, "actor_id": actor.actor_id}])
        work.event("peer.added", f"peer {peer_id}", made)
        return peer_id, key


def end(store: Store, actor: Actor, peer_id: int, *, now: datetime | None = None) -> None:
    """End a peer and its key at once; what it was told and answered stays. A second time changes nothing.

    Raises NotFound.
    """
    access.require(actor, Command.MANAGE_PEERS)
    with store.write(actor, Command.MANAGE_PEERS, now) as work:
        if db.value(work.cursor, "SELECT peer_id FROM peers WHERE peer_id = ?", [peer_id]) is None:
            raise NotFound("peer", f"there is no peer {peer_id}")
        if db.value(work.cursor, "SELECT peer_id FROM active_peers WHERE peer_id = ?", [peer_id]) is None:
            return
        row = {"peer_id": peer_id, "done_at": work.now, "actor_id": actor.actor_id}
        db.insert(work.cursor, "peer_ends", [row])
        work.event("peer.ended", f"peer {peer_id}", {"peer_id": peer_id})


def listing(cursor: db.Cursor) -> list[db.Row]:
    """Every peer that there ever was, oldest first: peer_id, name, email, added_at, ended_at."""
    return db.rows(
        cursor,
        "SELECT p.peer_id, p.name, p.email, p.done_at AS added_at, e.done_at AS ended_at"
        " FROM peers p LEFT JOIN peer_ends e USING (peer_id) ORDER BY peer_id",
    )


def active(cursor: db.Cursor) -> list[Peer]:
    """The peers that may be told now, oldest first."""
    return [_peer(row) for row in db.rows(cursor, "FROM active_peers ORDER BY peer_id")]


def named(cursor: db.Cursor, name: str) -> Peer:
    """The present peer of this name or number. Raises NotFound."""
    for peer in active(cursor):
        if name in {peer.name, str(peer.peer_id)}:
            return peer
    raise NotFound("peer", f"there is no peer {name!r}")


def of_key(cursor: db.Cursor, key: str) -> Peer:
    """The peer with this key. Raises NotFound in the same words, and after as long, for an unknown and an ended one."""
    row = keys.match(db.rows(cursor, "FROM active_peers"), key)
    if row is None:
        raise NotFound("peer_key", "no peer has this key")
    return _peer(row)


def address(cursor: db.Cursor, peer_id: int) -> str | None:
    """Where the peer's messages go; None for one without an address, or one that was ended."""
    return db.value(cursor, "SELECT email FROM active_peers WHERE peer_id = ?", [peer_id]) or None


def _peer(row: db.Row) -> Peer:
    return Peer(row["peer_id"], row["name"], row["email"])
