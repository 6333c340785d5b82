"""The HTTP doors: POST /api/v1/reports for a report button, the plain form at /report, health.

They parse, call `intake.receive` and map errors; nothing else. Each answer to a bad request names
the field and the rule.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
from importlib import resources
from urllib.parse import parse_qs

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from triage_core import __version__, intake, reportformat, runtime
from triage_core.errors import Conflict, InvalidReport, Refused
from triage_core.formdata import to_report_json
from triage_core.middleware import TokenBucket
from triage_core.model import (
    Channel,
    CreditWish,
    DisclosureIntent,
    FlawReport,
    HarmType,
    PeerConsent,
    TrainingConsent,
)

PUBLIC_PATHS = ("/api/", "/report", "/public.css")
MAX_KEY = 200
intake_rate = TokenBucket(burst=200, per_second=20)

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("triage_core", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _HttpError(Exception):
    """An answer other than 2xx, with the field and rule that it names."""

    def __init__(self, status: int, field: str, rule: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(rule)
        self.status, self.field, self.rule, self.headers = status, field, rule, headers or {}


async def health(request: Request) -> Response:
    """Is the server up, and is the likeness worker keeping pace?"""
    opened = runtime.current()
    state = opened.worker.state
    return JSONResponse(
        {
            "status": "ok",
            "version": __version__,
            "policy_version": opened.policy.version,
            "worker": {
                "working": state.working,
                "done": state.done,
                "total": state.total,
                "failed": bool(state.error),
            },
        }
    )


async def post_report(request: Request) -> Response:
    """Accept one flaw-report/1 JSON; 201 with the receipt, 200 when it had come before."""
    try:
        _check_sender(request)
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise _HttpError(415, "content-type", "must be application/json")
        key = request.headers.get("idempotency-key")
        if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise _HttpError(400, "idempotency-key", f"1 to {MAX_KEY} printable ASCII characters")
        report = reportformat.parse_bytes(await _body(request))
        receipt = await _receive(report, Channel.API, key)
    except _HttpError as error:
        return _json_error(error)
    except Refused as error:
        return _json_error(_status_of(error))
    status = 200 if receipt.already_known else 201
    answer = {
        "report_id": receipt.report_id,
        "external_id": receipt.external_id,
        "tracking_key": receipt.tracking_key,
        "already_known": receipt.already_known,
    }
    return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})


async def report_form(request: Request) -> Response:
    """The empty form."""
    return _form({}, None, 200)


async def post_form(request: Request) -> Response:
    """A sent form: the receipt, or the form again with what is to be mended."""
    values: dict[str, list[str]] = {}
    try:
        _check_sender(request)
        body = await _body(request)
        values = _form_values(body)
        report = reportformat.parse(to_report_json(values))
        # Each form that was handed out has a key of its own, so the same body again is the same sending
        # (a second click); whoever goes back and changes the form sends another report.
        key = hashlib.sha256(body).hexdigest() if values.get("form_key") else None
        receipt = await _receive(report, Channel.FORM, key)
    except _HttpError as error:
        return _form(values, error, error.status)
    except Refused as error:
        return _form(values, error, _status_of(error).status)
    page = _templates.get_template("receipt.html").render(receipt=receipt, policy=runtime.current().policy)
    status = 200 if receipt.already_known else 201
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


async def stylesheet(request: Request) -> Response:
    """The style of the public pages."""
    text = (resources.files("triage_core") / "templates" / "public.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def no_such_address(request: Request) -> Response:
    """404 below /api/, or 405 naming the methods; without it Streamlit would answer with its page."""
    path = request.url.path
    allowed = sorted({method for route in routes if route.path == path for method in route.methods or ()})
    if allowed:
        methods = ", ".join(allowed)
        return _json_error(_HttpError(405, "method", f"{path} takes {methods}", {"Allow": methods}))
    return _json_error(_HttpError(404, "path", "there is no such address in this API"))


routes = [
    Route("/api/v1/health", health, methods=["GET"]),
    Route("/api/v1/reports", post_report, methods=["POST"]),
    Route("/report", report_form, methods=["GET"]),
    Route("/report", post_form, methods=["POST"]),
    Route("/public.css", stylesheet, methods=["GET"]),
    Route("/api/{path:path}", no_such_address, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
]


async def _receive(report: FlawReport, channel: Channel, key: str | None) -> intake.Receipt:
    opened = runtime.current()
    receipt = await run_in_threadpool(intake.receive, opened.store, opened.policy, report, channel, key)
    opened.worker.wake()
    return receipt


def _check_sender(request: Request) -> None:
    """Not from another site's page (the guard has seen to its Origin), and not too fast."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise _HttpError(403, "origin", "reports are taken from this site's own pages and from programs")
    wait = intake_rate.take(_sender(request))
    if wait:
        seconds = math.ceil(wait)
        raise _HttpError(
            429, "rate", f"too many reports at once; try again in {seconds} s", {"Retry-After": str(seconds)}
        )


def _sender(request: Request) -> str:
    """The sender's address; of IPv6 the /64, which is what one household or host has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


async def _body(request: Request) -> bytes:
    """The body, read no further than the limit."""
    limit = reportformat.MAX_BODY_BYTES
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _HttpError(413, "body", f"at most {limit:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _form_values(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=200,
            strict_parsing=bool(body),
        )
    except ValueError as error:
        raise InvalidReport("body", "must be a form in URL encoding, in UTF-8") from error


def _status_of(error: Refused) -> _HttpError:
    status = (
        409
        if isinstance(error, Conflict)
        else 413
        if error.field == "body" and "bytes" in error.rule
        else 422
    )
    return _HttpError(status, error.field, error.rule)


def _json_error(error: _HttpError) -> Response:
    content = {"error": {"field": error.field, "rule": error.rule}}
    return JSONResponse(content, error.status, headers=error.headers)


def _form(values: dict[str, list[str]], error: Refused | _HttpError | None, status: int) -> Response:
    page = _templates.get_template("report.html").render(
        values=values,
        error=error,
        form_key=(values.get("form_key") or [secrets.token_urlsafe(16)])[0],
        policy=runtime.current().policy,
        harm_types=list(HarmType),
        intents=list(DisclosureIntent),
        credits=list(CreditWish),
        training=list(TrainingConsent),
        sharing=list(PeerConsent),
    )
    return HTMLResponse(page, status)
