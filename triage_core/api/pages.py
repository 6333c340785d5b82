"""What everybody may read: the policy and its past versions, the thanks, the style, and security.txt."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from importlib import resources
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from triage_core import runtime
from triage_core.api import policy_shown
from triage_core.api.base import HttpError, address, http_error, page
from triage_core.channel import promises
from triage_core.channel.promises import Looking
from triage_core.errors import Refused
from triage_core.guidance import policies
from triage_core.guidance.policy_text import Texts

KEPT_SECONDS = 60.0
EXPIRES = timedelta(days=180)
Value = TypeVar("Value")


class _Kept(Generic[Value]):
    """An answer that is counted at most once a minute, however many ask; one for each runtime."""

    def __init__(self, ask: Callable[[], Value]) -> None:
        self._ask = ask
        self._held: tuple[object, float, Value] | None = None

    def __call__(self) -> Value:
        opened, now = runtime.current(), time.monotonic()
        if self._held and self._held[0] is opened and now - self._held[1] < KEPT_SECONDS:
            return self._held[2]
        value = self._ask()
        self._held = (opened, now, value)
        return value


def _look() -> Looking:
    opened = runtime.current()
    with opened.store.read() as cursor:
        return promises.looking(cursor, opened.store.clock())


def _thank() -> list[promises.Thanks]:
    opened = runtime.current()
    with opened.store.read() as cursor:
        return promises.thanks(cursor, opened.store.clock())


_looking, _thanks = _Kept(_look), _Kept(_thank)


async def policy_page(request: Request) -> Response:
    """The version in force, or ?version=; with ?since= also what changed since that older version."""
    try:
        shown = await run_in_threadpool(
            _policy, request.query_params.get("version"), request.query_params.get("since")
        )
    except Refused as refused:
        return _refused(http_error(refused))
    return page("policy.html", looking=await run_in_threadpool(_looking), **shown)


async def thanks_page(request: Request) -> Response:
    """Those whose reports were flaws that are fixed, as they wished to be named."""
    return page("thanks.html", thanks=await run_in_threadpool(_thanks))


async def stylesheet(request: Request) -> Response:
    """The style of the public pages."""
    text = (resources.files("triage_core") / "templates" / "public.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def security_txt(request: Request) -> Response:
    """RFC 9116: how to reach us. It expires 180 days after it was read, as it is made anew each time."""
    opened = runtime.current()
    base = address(request)
    expires = (opened.store.clock() + EXPIRES).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    lines = [
        f"Contact: {base}/report",
        f"Contact: {opened.policy.contact}",
        f"Expires: {expires}",
        "Preferred-Languages: en",
        f"Canonical: {base}/.well-known/security.txt",
        f"Policy: {base}/policy",
        f"Acknowledgments: {base}/thanks",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


async def no_such_page(request: Request) -> Response:
    """404 below the address of a public page."""
    return _refused(HttpError(404, "path", "Nothing is to be found at this address."))


routes = [
    Route("/policy", policy_page, methods=["GET"]),
    Route("/thanks", thanks_page, methods=["GET"]),
    Route("/public.css", stylesheet, methods=["GET"]),
    Route("/.well-known/security.txt", security_txt, methods=["GET"]),
]


def _refused(error: HttpError) -> Response:
    return page("message.html", error.status, title="There is no such page", text=error.rule)


def _policy(version: str | None, since: str | None) -> dict[str, Any]:
    with runtime.current().store.read() as cursor:
        history = policies.history(cursor)
        shown = policies.version(cursor, version or history[0]["version"])
        older = policies.version(cursor, since) if since else None
    return {
        "shown": shown,
        "history": history,
        "in_force": shown.version == history[0]["version"],
        "older": older,
        "changes": policy_shown.changes(Texts.of(older), Texts.of(shown)) if older else [],
        "days": policy_shown.working_days(shown),
        "severities": policy_shown.severity_by_harm(shown),
        "priorities": policy_shown.priority_by_attack(shown),
    }
