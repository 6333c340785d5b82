"""The HTTP doors, one file a door: the report button's API, the form, tracking, the policy's pages.

They parse, call one command and map errors. Each answer to a bad request names the field and the
rule. What all doors share is in `base`; who may knock, and how often, in `callers`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from triage_core.api import advisories, downloads, form, openapi, pages, peers, reports, status, track
from triage_core.api.base import HttpError, json_error
from triage_core.api.callers import KEYED_PATHS as KEYED_PATHS

_PAGES = ("/report", "/track", "/peers", "/policy", "/thanks", "/.well-known")
PUBLIC_PATHS = ("/api", "/api/", "/public.css", *_PAGES, *(f"{address}/" for address in _PAGES))
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def no_such_address(request: Request) -> Response:
    """404 at and below /api, or 405 naming the methods; without it Streamlit would answer with its page."""
    path = request.url.path
    doors = [route for route in routes if route.path == path and route.endpoint is not no_such_address]
    allowed = sorted({method for route in doors for method in route.methods or ()})
    if allowed:
        methods = ", ".join(allowed)
        return json_error(HttpError(405, "method", f"{path} takes {methods}", {"Allow": methods}))
    return json_error(HttpError(404, "path", "there is no such address in this API"))


routes = [
    *reports.routes,  # looked at one by one, and most requests are for these
    *status.routes,
    *openapi.routes,
    *advisories.routes,
    *form.routes,
    *track.routes,
    *peers.routes,
    *pages.routes,
    *downloads.routes,
    Route("/api", no_such_address, methods=_METHODS),
    Route("/api/{path:path}", no_such_address, methods=_METHODS),
    # Without these Streamlit would answer with the dashboard.
    Route("/.well-known", pages.no_such_page, methods=_METHODS),
    *(Route(f"{address}/{{path:path}}", pages.no_such_page, methods=_METHODS) for address in _PAGES),
]
