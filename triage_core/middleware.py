"""What every answer and every request passes: this machine only, and a strict content policy.

Until sign-in is built, whoever can reach the port can read hostile text and decide on reports; so
the server answers on the loopback interface alone and says why it refuses anything else. What a
proxy forwards from the public address reaches the reporters' pages and the API, and never the desk.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage_core.errors import Refused
from triage_core.front import Front, is_loopback

WHY_LOOPBACK = (
    "Flawdesk has no sign-in yet, so it answers on this machine only (127.0.0.1, ::1 or localhost). "
    "Reach it from elsewhere through a tunnel that checks who you are, for example ssh -L."
)
WHY_OWN_PAGES = (
    "This request comes from a page of another site, or from one that hides where it comes from. "
    "Flawdesk answers its own pages and programs."
)
WHY_NOT_THE_DESK = "Here are the reporters' pages, from /report, and the API; the desk is on its own machine."
FAULT = "Something went wrong here; the log of the server says what."
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
PUBLIC_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def require_loopback(address: str | None) -> None:
    """Raises Refused naming the address when a server would listen beyond this machine."""
    if not is_loopback(address):
        raise Refused("host", f"{address or 'every address'} is refused. {WHY_LOOPBACK}")


def dashboard_policy(inline_scripts: Iterable[str]) -> str:
    """The content policy of the dashboard: nothing from elsewhere; these inline scripts by their hash."""
    hashes = " ".join(
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in inline_scripts
    )
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )


def streamlit_inline_scripts() -> list[str]:
    """The inline scripts of the installed Streamlit's page, to be allowed by hash."""
    page = (resources.files("streamlit") / "static" / "index.html").read_text("utf-8")
    return re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)


_Headers = Mapping[bytes, bytes]


class Guard:
    """ASGI middleware: refuses what does not come over loopback, adds the security headers to every answer."""

    def __init__(
        self,
        app: ASGIApp,
        public_paths: tuple[str, ...],
        keyed_paths: frozenset[str] = frozenset(),
        policy: str | None = None,
        front: Callable[[], Front] = Front,
    ) -> None:
        """`public_paths` get the policy of the public pages: exact paths, or whole folders ("/api/").

        They alone are open at the public address that `front` names. `keyed_paths` are doors that see
        to the page of another site themselves, by its key and origin.
        """
        self._app = app
        self._public = public_paths
        self._keyed = keyed_paths
        self._front = front
        self._own = _security_headers(policy or dashboard_policy(streamlit_inline_scripts()), "no-referrer")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        front, headers = self._front(), Headers(scope=scope)
        # Whatever the server before this made of the header, which anybody can send.
        if forwarded := headers.getlist("x-forwarded-for"):
            scope["client"] = (front.sender(forwarded), 0)
        started = False
        security = self._headers(scope["path"])

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add(message, security)
            await send(message)

        if refusal := self._refusal(scope, headers, front):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                answer = PlainTextResponse(refusal, status_code=403)
                await answer(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception:
            # The answer of whatever stands outside this class would lack the headers.
            if scope["type"] == "http" and not started:
                await PlainTextResponse(FAULT, status_code=500)(scope, receive, guarded)
            raise

    def _refusal(self, scope: Scope, headers: Headers, front: Front) -> str | None:
        """Why this request is not answered, or None."""
        server, host = scope.get("server"), headers.get("host", "")
        if server and not is_loopback(server[0]):
            return WHY_LOOPBACK
        if re.sub(r":\d+$", "", host) not in LOCAL_NAMES:
            if not front.host or host != front.host:
                return WHY_LOOPBACK
            if not self._is_public(scope["path"]):
                return WHY_NOT_THE_DESK
        # Another site's page in this browser is as far away as another machine.
        if is_foreign(headers.get("origin"), host) and scope["path"] not in self._keyed:
            return WHY_OWN_PAGES
        return None

    def _is_public(self, path: str) -> bool:
        return any(path.startswith(known) if known[-1] == "/" else path == known for known in self._public)

    def _headers(self, path: str) -> _Headers:
        return _OF_PUBLIC_PAGES if self._is_public(path) else self._own


def _security_headers(policy: str, referrer: str) -> _Headers:
    given = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": referrer,
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    return {name.encode(): value.encode() for name, value in given.items()}


# Without any referrer a browser sends the form with `Origin: null`.
_OF_PUBLIC_PAGES = _security_headers(PUBLIC_POLICY, "same-origin")


def is_foreign(origin: str | None, host: str) -> bool:
    """True when a request for `host` comes from a page of another origin, or of one that hides itself."""
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != host
    except ValueError:
        return True


def _add(message: Message, headers: _Headers) -> None:
    others = [pair for pair in message.get("headers", ()) if pair[0].lower() not in headers]
    message["headers"] = [*others, *headers.items()]
