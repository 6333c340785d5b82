"""Operations on advisories: what is told to peers about a generalizable flaw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.advisories import advising, advisory_board
from triage_core.advisories.advisory_board import Advisory, Show, Side
from triage_core.desk import triage
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime


def open_advisory(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Open an advisory about the flaw of a report; says when it is about the canonical report instead."""
    with runtime.store.read() as cursor:
        report_id = triage.find(cursor, params["report"])
    opened = advising.open_advisory(
        runtime.store, command_line_actor(), report_id, params["title"], params.get("note") or ""
    )
    if opened.report_id != report_id:
        emit.note(f"{report_id} is a duplicate of {opened.report_id}: the advisory is about that one")
    return _whole(opened)


def tell(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Let peers read the stub."""
    return _whole(advising.tell(runtime.store, command_line_actor(), params["advisory"], params["peers"]))


def withdraw(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Take an advisory back from a peer that has not accepted its embargo."""
    return _whole(advising.withdraw(runtime.store, command_line_actor(), params["advisory"], params["peer"]))


def close(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Close an advisory; gives it with the lower TLP label that may be set now, if any."""
    return _whole(advising.close(runtime.store, command_line_actor(), params["advisory"], params["reason"]))


def show(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """One advisory with every peer that was told."""
    with runtime.store.read() as cursor:
        return _whole(advisory_board.one(cursor, params["advisory"], runtime.store.clock()))


def listing(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """The open advisories, or with `closed` the closed ones, the newest first."""
    chosen = Show.CLOSED if params.get("closed") else Show.OPEN
    with runtime.store.read() as cursor:
        found = advisory_board.board(cursor, chosen, runtime.store.clock()).rows
    return [
        _head(one)
        | {
            "told": len(one.sides),
            "accepted": sum(side.exchange.accepted_end is not None for side in one.sides),
        }
        for one in found
    ]


def _head(one: Advisory) -> dict[str, Any]:
    names = (
        "advisory_id", "report_id", "title", "opened_at", "closed_at", "held", "embargo_end", "tlp", "suggested",
    )  # fmt: skip
    return plain({name: getattr(one, name) for name in names})


def _whole(one: Advisory) -> dict[str, Any]:
    more = plain({"note": one.note, "reason": one.reason, "stub_rule": one.stub_rule})
    return _head(one) | more | {"peers": [_side(side) for side in one.sides]}


def _side(side: Side) -> dict[str, Any]:
    names = ("state", "told_at", "accepted_end", "read_at", "status", "note", "answered_at")
    more = {name: getattr(side.exchange, name) for name in names}
    own = {"peer_id": side.peer_id, "name": side.name, "ended_at": side.ended_at}
    return plain({**own, **more, "must_accept": side.must_accept, "rule": side.rule})
