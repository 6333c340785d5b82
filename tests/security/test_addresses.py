"""Until sign-in is built the server listens on this machine only, whoever starts it and however."""

from __future__ import annotations

import base64
import hashlib
import ipaddress

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from triage_core.errors import Refused
from triage_core.front import Front, Network
from triage_core.middleware import Guard, dashboard_policy, require_loopback, streamlit_inline_scripts
from triage_core.settings import from_environment


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_loopback_is_allowed(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "testserver", "", None])
def test_any_other_address_is_refused_with_the_reason(host: str | None) -> None:
    with pytest.raises(Refused, match="no sign-in yet") as refused:
        require_loopback(host)
    assert refused.value.field == "host"


HERE = Front()


def answers(
    kind: str, server: str, host: str, path: str = "/", front: Front = HERE, sent_by: str = ""
) -> list[Message]:
    """What the guard sends for one request that the app behind it would answer with 200 and its sender."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "sender": scope["client"][0], "headers": []}
        )

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", host.encode()), *((b"x-forwarded-for", sent_by.encode()) for _ in sent_by[:1])]
    scope: Scope = {
        "type": kind,
        "path": path,
        "headers": headers,
        "server": (server, 80),
        "client": ("203.0.113.9", 1),
    }
    anyio.run(Guard(app, ("/api/",), front=lambda: front), scope, receive, send)
    return sent


def test_the_guard_looks_at_the_socket_and_at_the_name() -> None:
    assert answers("http", "127.0.0.1", "localhost:8501")[0]["status"] == 200
    assert answers("http", "192.168.1.4", "localhost:8501")[0]["status"] == 403
    assert answers("http", "127.0.0.1", "rebound.example")[0]["status"] == 403
    assert answers("websocket", "127.0.0.1", "rebound.example")[0]["type"] == "websocket.close"


def test_the_public_address_opens_the_public_paths_and_not_the_desk() -> None:
    front = Front("https://flaws.example.org")
    assert answers("http", "127.0.0.1", "flaws.example.org", "/api/v1/reports", front)[0]["status"] == 200
    for path in ("/", "/inbox", "/_stcore/health"):
        assert answers("http", "127.0.0.1", "flaws.example.org", path, front)[0]["status"] == 403
        assert answers("http", "127.0.0.1", "localhost:8501", path, front)[0]["status"] == 200
    stream = answers("websocket", "127.0.0.1", "flaws.example.org", "/_stcore/stream", front)
    assert stream[0]["type"] == "websocket.close"
    for host in ("flaws.example.org:8501", "example.org", "", "flaws.example.org.attacker.example"):
        assert answers("http", "127.0.0.1", host, "/api/v1/reports", front)[0]["status"] == 403


PROXIES = tuple(map(ipaddress.ip_network, ("127.0.0.1", "10.1.0.0/16", "2001:db8:1::/48")))


@pytest.mark.parametrize(
    ("proxies", "header", "sender"),
    [
        ((), "198.51.100.7", "127.0.0.1"),  # nobody's word counts
        (PROXIES[1:], "198.51.100.7", "127.0.0.1"),  # only another machine's, and this came from here
        (PROXIES, "198.51.100.7", "198.51.100.7"),
        ((ipaddress.ip_network("::1"),), "198.51.100.7", "198.51.100.7"),
        (PROXIES, "192.0.2.1, 198.51.100.7", "198.51.100.7"),  # what the sender wrote itself stands before
        (PROXIES, "192.0.2.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        (PROXIES, "198.51.100.7:4711, 2001:db8:1::5", "198.51.100.7"),
        (PROXIES, "[2001:db8::5]:4711", "2001:db8::5"),
        (PROXIES, "::ffff:198.51.100.7", "198.51.100.7"),
        (PROXIES, "10.1.2.3", "10.1.2.3"),
        (PROXIES, "198.51.100.7, unknown", "127.0.0.1"),
        (PROXIES, "198.51.100.7, ", "127.0.0.1"),
        (PROXIES, "[", "127.0.0.1"),
    ],
)
def test_who_sent_it_is_what_trusted_proxies_say(
    proxies: tuple[Network, ...], header: str, sender: str
) -> None:
    front = Front(proxies=proxies)
    assert answers("http", "127.0.0.1", "localhost", front=front, sent_by=header)[0]["sender"] == sender


def test_without_the_header_the_sender_is_whom_the_socket_names() -> None:
    assert (
        answers("http", "127.0.0.1", "localhost", front=Front(proxies=PROXIES))[0]["sender"] == "203.0.113.9"
    )


def test_the_settings_name_address_and_proxies() -> None:
    given = {
        "FLAWDESK_PUBLIC_URL": "https://flaws.example.org/",
        "FLAWDESK_TRUSTED_PROXIES": "127.0.0.1, ::1",
    }
    found = from_environment(given).front
    assert (found.address, found.host, len(found.proxies)) == (
        "https://flaws.example.org",
        "flaws.example.org",
        2,
    )
    assert from_environment({}).front == HERE
    wrong = [
        ("PUBLIC_URL", f"https://{bad}") for bad in ("x.org/flaws", "me@x.org", "X.org", "x.org:443", "x:y")
    ]
    for name, value in [*wrong, ("PUBLIC_URL", "flaws.example.org"), ("TRUSTED_PROXIES", "the proxy")]:
        with pytest.raises(Refused) as refused:
            from_environment({f"FLAWDESK_{name}": value})
        assert refused.value.field == f"FLAWDESK_{name}"


def test_the_inline_script_is_allowed_by_its_hash_alone() -> None:
    scripts = streamlit_inline_scripts()
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in dashboard_policy(scripts)
