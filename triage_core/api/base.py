"""What all doors share: errors with field and rule, bodies under a cap, forms, and the pages' templates."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from triage_core import runtime
from triage_core.channel import reportformat
from triage_core.errors import Conflict, GateClosed, InvalidReport, NotFound, Refused
from triage_core.text import reveal

NO_STORE = {"Cache-Control": "no-store"}
MAX_FORM_FIELDS = 700
BODY_SECONDS = 60.0

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("triage_core", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class HttpError(Exception):
    """An answer other than 2xx, with the field and rule that it names."""

    def __init__(self, status: int, field: str, rule: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(rule)
        self.status, self.field, self.rule, self.headers = status, field, rule, headers or {}


def http_error(error: Refused) -> HttpError:
    """The status that a refusal of the core is answered with."""
    if isinstance(error, Conflict):
        status = 409
    elif isinstance(error, NotFound):
        status = 404
    elif isinstance(error, GateClosed):
        status = 403
    else:
        status = 413 if error.field == "body" and "bytes" in error.rule else 422
    return HttpError(status, error.field, error.rule)


def json_error(error: HttpError) -> Response:
    content = {"error": {"field": error.field, "rule": error.rule}}
    # Some caches keep a 404 by themselves, and would answer it to whoever has the right key.
    return JSONResponse(content, error.status, headers={**NO_STORE, **error.headers})


async def body_of(request: Request, limit: int = reportformat.MAX_BODY_BYTES) -> bytes:
    """The body, read no further than the limit and for no longer than `BODY_SECONDS`: all of it is held in memory."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise HttpError(413, "body", f"at most {limit:,} bytes")
                parts.append(part)
    except TimeoutError:
        late = f"must be here within {BODY_SECONDS:g} seconds"
        raise HttpError(408, "body", late, {"Connection": "close"}) from None
    return b"".join(parts)


def require_json(request: Request) -> None:
    """Return when the body is declared as JSON; else raise HttpError."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HttpError(415, "content-type", "must be application/json")


def written(at: datetime | None) -> str | None:
    """A moment as JSON has it."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def form_values(body: bytes) -> dict[str, list[str]]:
    """The fields of a form in URL encoding; raises InvalidReport for anything else."""
    try:
        return parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
            strict_parsing=bool(body),
        )
    except ValueError as error:
        raise InvalidReport("body", "must be a form in URL encoding, in UTF-8") from error


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A public page. It is stored nowhere, for it may hold what a reporter wrote, or a key."""
    policy = runtime.current().policy
    text = _templates.get_template(template).render(policy=policy, **values)
    return HTMLResponse(text, status, headers=NO_STORE)


def address(request: Request) -> str:
    """Where this server is reached: its public address, else the one that the request came to."""
    return runtime.current().settings.front.address or str(request.base_url).rstrip("/")


def dated(at: datetime, zone: str = "UTC") -> str:
    """A moment with its hour and zone, in UTC and (where it differs) in the desk's own zone."""
    shown = f"{at:%A, %-d %B %Y, %H:%M} UTC"
    local = at.astimezone(ZoneInfo(zone))
    return shown if not local.utcoffset() else f"{shown} ({local:%H:%M} {zone})"


def words(item: str) -> str:
    """An enum's word as it is read."""
    return item.replace("_", " ")


_templates.filters.update({"moment": dated, "words": words, "reveal": reveal})
