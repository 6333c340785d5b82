"""Who knocks at a door, and how often: the product's key, the page's origin, addresses and limits."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from triage_core import runtime
from triage_core.api.base import HttpError, http_error, json_error
from triage_core.channel.apikeys import ApiKey
from triage_core.channel.limits import TokenBucket
from triage_core.errors import Refused, StoreError
from triage_core.middleware import WHY_OWN_PAGES, is_foreign

KEYED_PATHS = frozenset(
    {"/api/v1/reports", "/api/v1/reports/batch", "/api/v1/reports/track", "/api/v1/challenge"}
)
"""The doors that a product's own website may use, from the origins of its key."""

BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: `address` (of IPv6 the /64), the product's key, and whether a page sends it."""

    address: str
    api_key: ApiKey | None
    from_page: bool


Handler = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """A JSON endpoint of `handle`: finds the caller, maps errors, and lets a known page read the answer.

    An ASGI application by itself: around a function of a request Starlette puts a layer that maps errors once more.
    """

    handle: Handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        cors: dict[str, str] = {}
        try:
            origin = request.headers.get("origin")
            if is_foreign(origin, request.headers.get("host", "")) and _is_known(str(origin)):
                cors = {"Access-Control-Allow-Origin": str(origin), "Vary": "Origin"}
            if request.method == "OPTIONS":
                return preflight(cors)
            answer = await self.handle(request, await find(request))
        except HttpError as error:
            answer = json_error(error)
        except Refused as error:
            answer = json_error(http_error(error))
        except StoreError:
            answer = json_error(HttpError(503, "server", "cannot store anything now; nothing was accepted"))
        if cors:
            answer.headers.update(cors)
        return answer


def preflight(cors: dict[str, str]) -> Response:
    """What a browser asks before it sends a key to another site."""
    if not cors:
        return json_error(HttpError(403, "origin", WHY_OWN_PAGES))
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key, x-tracking-key, x-proof",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers={**cors, **allowed})


async def find(request: Request) -> Caller:
    """The caller of this request. Raises HttpError for a page or a key that may not knock here."""
    origin = request.headers.get("origin")
    foreign = is_foreign(origin, request.headers.get("host", ""))
    site = request.headers.get("sec-fetch-site", "none")
    api_key = _key(request)
    if foreign or site not in ("none", "same-origin"):
        if api_key is None:
            raise HttpError(403, "origin", WHY_OWN_PAGES)
        if origin not in api_key.origins:
            raise HttpError(403, "origin", "the key of this request is not for pages of this origin")
    return Caller(_address(request), api_key, origin is not None or site != "none")


def limit(caller: Caller, reports: int = 1) -> None:
    """Count `reports` against every limit that holds for the caller; raises HttpError 429."""
    buckets = runtime.current().limits
    if caller.api_key is not None:
        key = caller.api_key
        _take(buckets.api_key, str(key.key_id), scale=key.per_minute, cost=reports)
    # A product's own server sends for many people from one address; its key alone counts then.
    if caller.api_key is None or caller.from_page:
        _take(buckets.address, caller.address, cost=reports)
    _take(buckets.everybody, "", cost=reports)


async def limit_reporter(contact: str) -> None:
    """Count a report against the reporter with this contact, whose standing lifts the limit."""
    name = contact.strip().casefold()
    if name:
        buckets = runtime.current().limits
        _take(buckets.reporter, name, scale=await run_in_threadpool(buckets.standing, name))


def limit_lookups(request: Request) -> None:
    """Count a look with a tracking key against the address, so that keys cannot be tried in bulk."""
    _take(runtime.current().limits.lookups, _address(request))


def _take(bucket: TokenBucket, name: str, scale: float = 1.0, cost: float = 1.0) -> None:
    wait = bucket.take(name, scale, cost)
    if wait:
        seconds = math.ceil(wait)
        raise HttpError(
            429, "rate", f"too many requests at once; try again in {seconds} s", {"Retry-After": str(seconds)}
        )


def _key(request: Request) -> ApiKey | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    found = None
    if given.startswith(BEARER):
        found = runtime.current().keys.find(given.removeprefix(BEARER).strip())
    if found is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HttpError(
            401, "authorization", "must be Bearer and a key of this server that is in force", headers
        )
    return found


def _is_known(origin: str) -> bool:
    return runtime.current().keys.is_known_origin(origin)


def _address(request: Request) -> str:
    return household(request.client.host if request.client else "")


@lru_cache(1_024)  # whoever sends one report often sends the next
def household(host: str) -> str:
    """The sender's address; of IPv6 the /64, which is what one household or host has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
