"""Until sign-in is built the server listens on this machine only, whoever starts it and however."""

from __future__ import annotations

import base64
import hashlib

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from triage_core.errors import Refused
from triage_core.middleware import Guard, dashboard_policy, require_loopback, streamlit_inline_scripts


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_loopback_is_allowed(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "10.0.0.1", "example.org", "", None])
def test_any_other_address_is_refused_with_the_reason(host: str | None) -> None:
    with pytest.raises(Refused, match="no sign-in yet") as refused:
        require_loopback(host)
    assert refused.value.field == "host"


def answers(kind: str, server: str, host: str) -> list[Message]:
    """What the guard sends for one request that the app behind it would answer with 200."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": kind, "path": "/", "headers": [(b"host", host.encode())], "server": (server, 80)}
    anyio.run(Guard(app, ("/api/",)), scope, receive, send)
    return sent


def test_the_guard_looks_at_the_socket_and_at_the_name() -> None:
    assert answers("http", "127.0.0.1", "localhost:8501")[0]["status"] == 200
    assert answers("http", "192.168.1.4", "localhost:8501")[0]["status"] == 403
    assert answers("http", "127.0.0.1", "rebound.example")[0]["status"] == 403
    assert answers("websocket", "127.0.0.1", "rebound.example")[0]["type"] == "websocket.close"


def test_the_inline_script_is_allowed_by_its_hash_alone() -> None:
    scripts = streamlit_inline_scripts()
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in dashboard_policy(scripts)
