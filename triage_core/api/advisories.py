"""The doors for a peer's programs: what it was told, accept or decline the embargo, the record, how its product stands.

The key stands in X-Peer-Key. openapi.py describes them; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from triage_core import exchange, runtime
from triage_core.advisories import advisory_board, answering, peers
from triage_core.advisories.advisory import WHY_NO_RECORD
from triage_core.advisories.advisory_board import Told
from triage_core.advisories.answering import MAX_NOTE
from triage_core.advisories.handing import Handed
from triage_core.advisories.peers import Peer
from triage_core.api.base import NO_STORE, body_of, require_json, written
from triage_core.api.callers import Caller, Door, limit_lookups
from triage_core.channel.fields import Choice, Instant, Record, Text
from triage_core.channel.jsontext import decode
from triage_core.channel.reportformat import FORMAT
from triage_core.model import ProductStatus

MAX_KEY = 200
MAX_BODY = 20_000
ACCEPT = Record({"embargo_end": Instant()}, frozenset({"embargo_end"}), dict)
ANSWER = Record({"status": Choice(ProductStatus), "note": Text(MAX_NOTE)}, frozenset({"status"}), dict)


@Door
async def get_advisories(request: Request, caller: Caller) -> Response:
    """What the peer was told, the newest first."""
    limit_lookups(request)
    peer, told = await run_in_threadpool(seen_by, _key(request))
    content = {"peer": peer.name, "advisories": [_advisory(one) for one in told]}
    return JSONResponse(content, headers=NO_STORE)


@Door
async def post_accept(request: Request, caller: Caller) -> Response:
    """Accept the embargo with the end that was seen; 409 naming the end that it has by now."""
    sent = await _sent(request, ACCEPT)
    return await _answered(request, answering.accept, sent["embargo_end"])


@Door
async def post_decline(request: Request, caller: Caller) -> Response:
    """Decline the embargo."""
    limit_lookups(request)
    return await _answered(request, answering.decline)


@Door
async def post_status(request: Request, caller: Caller) -> Response:
    """Say how the peer's product stands."""
    sent = await _sent(request, ANSWER)
    return await _answered(request, answering.answer, sent["status"], sent.get("note", ""))


@Door
async def get_record(request: Request, caller: Caller) -> Response:
    """The record in one of the exchange formats; each handing out is an event."""
    limit_lookups(request)
    name = request.query_params.get("format", FORMAT)
    exchange.check(name)  # before anything is handed out
    store, number = runtime.current().store, number_of(request.path_params["advisory"])
    return document(await run_in_threadpool(answering.read, store, _key(request), number), name)


routes = [
    Route("/api/v1/advisories", get_advisories, methods=["GET", "OPTIONS"]),
    Route("/api/v1/advisories/{advisory}/accept", post_accept, methods=["POST", "OPTIONS"]),
    Route("/api/v1/advisories/{advisory}/decline", post_decline, methods=["POST", "OPTIONS"]),
    Route("/api/v1/advisories/{advisory}/status", post_status, methods=["POST", "OPTIONS"]),
    Route("/api/v1/advisories/{advisory}/record", get_record, methods=["GET", "OPTIONS"]),
]


def number_of(text: str) -> int:
    """The number of an advisory in untrusted text; 0, which none has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def seen_by(key: str) -> tuple[Peer, list[Told]]:
    """The peer with this key and what it was told. Raises NotFound."""
    opened = runtime.current()
    with opened.store.read() as cursor:
        peer = peers.of_key(cursor, key)
        return peer, advisory_board.told_to(cursor, peer, opened.store.clock())


def document(handed: Handed, name: str) -> Response:
    """The record in this exchange format, as a file that no browser shows. We are named by our public address."""
    opened = runtime.current()
    contact, front = opened.policy.contact, opened.settings.front
    advisory = handed.advisory(front.host or contact.partition(":")[2], front.address or contact)
    file = f"ADV-{handed.advisory_id}-{name.partition('/')[0]}.json"
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{file}"'}
    content = exchange.written(name, handed.record, advisory)
    return Response(content, media_type="application/json", headers=headers)


def _key(request: Request) -> str:
    return request.headers.get("x-peer-key", "")[:MAX_KEY]


async def _sent(request: Request, kind: Record) -> dict[str, Any]:
    limit_lookups(request)
    require_json(request)
    found: dict[str, Any] = kind.check(decode(await body_of(request, MAX_BODY)), "body")
    return found


async def _answered(request: Request, act: Callable[..., Told], *given: Any) -> Response:
    store, number = runtime.current().store, number_of(request.path_params["advisory"])
    told = await run_in_threadpool(act, store, _key(request), number, *given)
    return JSONResponse(_advisory(told), headers=NO_STORE)


def _advisory(told: Told) -> dict[str, Any]:
    stub, passed = told.stub, told.exchange
    return {
        "advisory_id": told.advisory_id,
        "title": stub and stub.title,
        "harm_types": list(stub.harm_types) if stub else [],
        "tlp": stub and stub.tlp,
        "held": told.held,
        "embargo_end": written(stub.embargo_end) if stub else None,
        "closed_at": written(told.closed_at),
        "state": passed.state,
        "accepted_end": written(passed.accepted_end),
        "must_accept": told.must_accept,
        "no_record": told.rule and WHY_NO_RECORD[told.rule],
        "status": passed.status,
        "note": passed.note,
        "answered_at": written(passed.answered_at),
    }
