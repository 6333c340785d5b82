"""The report button's doors: one report, a batch of them, the state of one, and a puzzle to solve before.

openapi.py describes them; a test compares the two.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from triage_core import runtime
from triage_core.api.base import NO_STORE, HttpError, body_of, http_error, require_json, written
from triage_core.api.callers import Caller, Door, limit, limit_lookups, limit_reporter
from triage_core.channel import intake, jsontext, reportformat, tracking
from triage_core.channel.intake import Incoming, Receipt
from triage_core.channel.tracking import Tracked
from triage_core.errors import InvalidReport, Refused
from triage_core.model import Channel

MAX_KEY = 200
MAX_ITEMS = 100
MAX_BATCH_BYTES = 5_000_000
MAX_TRACKING_KEY = 200


@Door
async def post_report(request: Request, caller: Caller) -> Response:
    """Accept one flaw-report/1 JSON; 201 with the receipt, 200 when it had come before."""
    limit(caller)
    require_json(request)
    key = request.headers.get("idempotency-key")
    if key is not None:
        _check_key(key, "idempotency-key")
    _check_proof(request, caller)
    report = reportformat.parse_bytes(await body_of(request))
    if caller.api_key is None:
        await limit_reporter(report.contact)
    opened = runtime.current()
    incoming = intake.incoming(report, Channel.API, key, _number(caller))
    receipt = await opened.committer.receive_soon(opened.policy, incoming)
    return JSONResponse(_receipt(receipt), 200 if receipt.already_known else 201, headers=NO_STORE)


@Door
async def post_batch(request: Request, caller: Caller) -> Response:
    """Accept up to 100 reports of a product's feedback stream; each is answered on its own, in order."""
    if caller.api_key is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HttpError(401, "authorization", "a batch comes with the key of its product", headers)
    require_json(request)
    items = _items(jsontext.decode(await body_of(request, MAX_BATCH_BYTES)))
    limit(caller, len(items))
    parsed = [_parse_item(item, f"reports[{at}]", caller) for at, item in enumerate(items)]
    accepted = [item for item in parsed if isinstance(item, Incoming)]
    opened = runtime.current()
    outcomes = iter(await run_in_threadpool(intake.receive_all, opened.store, opened.policy, accepted))
    opened.worker.wake()
    results = []
    for at, item in enumerate(parsed):
        outcome = next(outcomes) if isinstance(item, Incoming) else item
        if isinstance(outcome, Receipt):
            results.append({"status": 200 if outcome.already_known else 201, **_receipt(outcome)})
        else:
            error = http_error(outcome)
            field = error.field if error.field.startswith("reports[") else f"reports[{at}].{error.field}"
            results.append({"status": error.status, "error": {"field": field, "rule": error.rule}})
    return JSONResponse({"results": results}, headers=NO_STORE)


@Door
async def get_track(request: Request, caller: Caller) -> Response:
    """The state of the report whose tracking key stands in X-Tracking-Key; 404 for any other text."""
    limit_lookups(request)
    key = request.headers.get("x-tracking-key", "")
    found = await run_in_threadpool(look_up, key)
    if found is None:
        raise HttpError(404, "x-tracking-key", "there is no report with this key")
    return JSONResponse(_tracked(found), headers=NO_STORE)


@Door
async def get_challenge(request: Request, caller: Caller) -> Response:
    """A puzzle for an anonymous post; `bits` 0 says that none is asked for."""
    limit_lookups(request)
    opened = runtime.current()
    challenge = opened.puzzle.challenge(opened.store.clock())
    return JSONResponse({"challenge": challenge, "bits": opened.puzzle.bits}, headers=NO_STORE)


routes = [
    Route("/api/v1/reports", post_report, methods=["POST", "OPTIONS"]),
    Route("/api/v1/reports/batch", post_batch, methods=["POST", "OPTIONS"]),
    Route("/api/v1/reports/track", get_track, methods=["GET", "OPTIONS"]),
    Route("/api/v1/challenge", get_challenge, methods=["GET", "OPTIONS"]),
]


def look_up(key: str) -> Tracked | None:
    """What the reporter with this key sees now; None without such a report."""
    opened = runtime.current()
    opened.committer.settle()  # a key may be younger than the last commit
    with opened.store.read() as cursor:
        report_id = tracking.find(cursor, key[:MAX_TRACKING_KEY])
        return tracking.view(cursor, report_id, opened.store.clock()) if report_id else None


def _check_key(key: object, field: str) -> None:
    if not (isinstance(key, str) and 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise HttpError(400, field, f"1 to {MAX_KEY} printable ASCII characters")


def _check_proof(request: Request, caller: Caller) -> None:
    """A program without a key solves a puzzle first, where the operator asks for it."""
    opened = runtime.current()
    if not opened.puzzle.bits or caller.api_key is not None:
        return
    proof = request.headers.get("x-proof")
    if proof is None:
        raise HttpError(428, "x-proof", "an anonymous post brings a solved puzzle: GET /api/v1/challenge")
    opened.puzzle.check(proof, opened.store.clock())


def _items(body: object) -> list[Any]:
    if not isinstance(body, dict) or set(body) != {"reports"}:
        raise InvalidReport("body", "must be an object with the one field reports")
    items = body["reports"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidReport("reports", f"must be a list of 1 to {MAX_ITEMS} entries")
    return items


def _parse_item(item: object, path: str, caller: Caller) -> Incoming | Refused:
    try:
        if not isinstance(item, dict) or not set(item) <= {"report", "idempotency_key"}:
            raise InvalidReport(path, "must be an object with report and, if you like, idempotency_key")
        key = item.get("idempotency_key")
        if key is not None:
            _check_key(key, f"{path}.idempotency_key")
        return intake.incoming(reportformat.parse(item.get("report")), Channel.API, key, _number(caller))
    except HttpError as error:
        return InvalidReport(error.field, error.rule)
    except Refused as error:
        field = error.field if error.field.startswith(path) else f"{path}.report.{error.field}"
        return InvalidReport(field, error.rule)


def _number(caller: Caller) -> int | None:
    return caller.api_key.key_id if caller.api_key else None


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "report_id": receipt.report_id,
        "external_id": receipt.external_id,
        "tracking_key": receipt.tracking_key,
        "already_known": receipt.already_known,
    }


def _tracked(found: Tracked) -> dict[str, Any]:
    closure, waiting = found.closure, found.embargo
    return {
        "report_id": found.report_id,
        "received_at": written(found.received_at),
        "policy_version": found.policy_version,
        "status": found.status,
        "state": found.state,
        "next_step": found.next_step,
        "next_due": written(found.next_due),
        "question": found.question or None,
        "messages": [
            {
                "at": written(one["done_at"]),
                "direction": one["direction"],
                "kind": one["kind"],
                "text": one["text"],
            }
            for one in found.messages
        ],
        "embargo": waiting
        and {
            part.name: written(value) if isinstance(value := getattr(waiting, part.name), datetime) else value
            for part in fields(waiting)
        },
        "rewards": [
            {
                "at": written(one["done_at"]),
                "kind": one["kind"],
                "amount": None if one["amount"] is None else str(one["amount"]),
                "currency": one["currency"],
                "state": one["state"],
            }
            for one in found.rewards
        ],
        "closure": closure
        and {
            "resolution": closure.resolution,
            "words": closure.words,
            "reason": closure.reason,
            "clauses": [clause.clause_id for clause in closure.clauses],
        },
    }
