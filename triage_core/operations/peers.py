"""Operations on peers: the companies that advisories are told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.advisories import peers
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime


def add(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Add a peer; the only answer that ever holds its key."""
    peer_id, key = peers.add(runtime.store, command_line_actor(), params["name"], params.get("email") or "")
    return {"peer_id": peer_id, "key": key}


def listing(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every peer with its name, address and dates; never the key itself."""
    with runtime.store.read() as cursor:
        return [plain(row) for row in peers.listing(cursor)]


def end(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """End a peer, by name or number, and its key at once."""
    with runtime.store.read() as cursor:
        peer = peers.named(cursor, params["peer"])
    peers.end(runtime.store, command_line_actor(), peer.peer_id)
    return {"peer_id": peer.peer_id, "ended": True}
