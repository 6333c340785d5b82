"""Messages over real sockets on loopback: a mail server and a webhook, well-behaved and not."""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.making import EVERYBODY, Clock, LetterEmbedder, bring, make_report
from triage_core import operations, settings
from triage_core.errors import Refused
from triage_core.operations.base import Emit
from triage_core.outgoing import delivery, notices
from triage_core.outgoing.delivery import Smtp, Undelivered, Webhook
from triage_core.outgoing.notices import Notice
from triage_core.runtime import Runtime
from triage_core.settings import Settings

MESSAGE = notices.message("news:FR-1:1@email", Notice.NEWS, {"report": "FR-1"})


class Mailbox:
    """A tiny mail server: what it was given as data, and the answer that it gives to each recipient."""

    def __init__(self, answer: str = "250 ok") -> None:
        self.mails: list[str] = []
        self.answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._socket.accept()
            except OSError:
                return
            with wire, wire.makefile("rw", newline="\r\n") as talk:
                self._talk(talk)

    def _talk(self, talk: Any) -> None:
        def say(line: str) -> None:
            talk.write(f"{line}\r\n")
            talk.flush()

        say("220 test")
        while line := talk.readline():
            verb = line.split(" ")[0].strip().upper()
            if verb == "DATA":
                say("354 go on")
                self.mails.append("".join(iter(talk.readline, ".\r\n")))
                say("250 kept")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say(self.answer if verb == "RCPT" else "250 ok")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@contextmanager
def mailbox(answer: str = "250 ok") -> Iterator[Mailbox]:
    box = Mailbox(answer)
    try:
        yield box
    finally:
        box.close()


def smtp(port: int) -> Smtp:
    return Smtp("127.0.0.1", port, "none", "flawdesk@example.org", ("desk@example.org", "lead@example.org"))


@contextmanager
def webhook(status: int = 204, headers: dict[str, str] | None = None) -> Iterator[tuple[str, list[Any]]]:
    posts: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?a=1", posts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_mail_arrives_with_a_number_that_stays_the_same() -> None:
    with mailbox() as box:
        for _ in range(2):
            smtp(box.port).send(MESSAGE, ("kim@example.org",))
    first, second = box.mails
    assert "Subject: News about your report" in first
    assert "FR-1" in first
    numbers = [
        line for mail in (first, second) for line in mail.splitlines() if line.startswith("Message-ID")
    ]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(("answer", "for_good"), [("550 nobody", True), ("451 later", False)])
def test_a_refused_address_is_given_up_only_when_refused_for_good(answer: str, for_good: bool) -> None:
    with mailbox(answer) as box, pytest.raises(Undelivered) as caught:
        smtp(box.port).send(MESSAGE, ("kim@example.org",))
    assert caught.value.for_good is for_good


def test_a_webhook_gets_json_with_its_key_and_signature() -> None:
    with webhook() as (url, posts):
        Webhook(url, secret="s").send(MESSAGE)
    ((path, headers, body),) = posts
    assert path == "/hook?a=1"
    assert headers["Idempotency-Key"] == MESSAGE.key
    assert headers["X-Flawdesk-Signature"].startswith("sha256=")
    assert json.loads(body) == {
        "key": MESSAGE.key,
        "kind": "news",
        "text": MESSAGE.body,
        "facts": {"report": "FR-1"},
    }


def test_no_redirect_is_followed() -> None:
    refused = pytest.raises(Undelivered, match="answered 307")
    with webhook() as (other, elsewhere), webhook(307, {"Location": other}) as (url, posts), refused:
        Webhook(url).send(MESSAGE)
    assert len(posts) == 1
    assert elsewhere == []


def drip(wire: socket.socket) -> None:
    """Say a letter now and then, and never end."""
    try:
        while True:
            wire.sendall(b"2")
            time.sleep(0.02)
    except OSError:
        return


@pytest.mark.parametrize(
    "make",
    [
        lambda port: smtp(port).send(MESSAGE, ("kim@example.org",)),
        lambda port: Webhook(f"http://127.0.0.1:{port}/").send(MESSAGE),
    ],
)
def test_a_server_that_drips_is_left(make: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads = []

        def serve() -> None:
            wire, _ = listening.accept()
            with wire:
                drip(wire)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[0].start()
        with pytest.raises(Undelivered):
            make(listening.getsockname()[1])
        threads[0].join()


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
    ],
)
def test_a_name_that_leads_inside_is_refused_unless_listed(address: str) -> None:
    target = Webhook("https://hooks.example.org/")
    with pytest.raises(Undelivered, match="private address"):
        target.require_allowed(address, "hooks.example.org")
    target.require_allowed("93.184.216.34", "hooks.example.org")
    listed = Webhook("https://hooks.example.org/", allow=(ipaddress.ip_network("10.0.0.0/8"),))
    listed.require_allowed("10.0.0.1", "hooks.example.org")


MAIL = {
    "FLAWDESK_SMTP_HOST": "mail.example.org",
    "FLAWDESK_SMTP_FROM": "a@example.org",
    "FLAWDESK_SMTP_TO": "b@example.org, c@example.org",
    "FLAWDESK_SMTP_PASSWORD": "hush",
}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"FLAWDESK_WEBHOOK_URL": "http://hooks.example.org/"}, "FLAWDESK_WEBHOOK_URL"),
        ({"FLAWDESK_WEBHOOK_URL": "ftp://127.0.0.1/"}, "FLAWDESK_WEBHOOK_URL"),
        ({"FLAWDESK_WEBHOOK_URL": "https://user@hooks.example.org/"}, "FLAWDESK_WEBHOOK_URL"),
        (
            {"FLAWDESK_WEBHOOK_URL": "https://h.example.org/", "FLAWDESK_WEBHOOK_ALLOW": "ten"},
            "FLAWDESK_WEBHOOK_ALLOW",
        ),
        (MAIL | {"FLAWDESK_SMTP_TO": ""}, "FLAWDESK_SMTP_TO"),
        (MAIL | {"FLAWDESK_SMTP_FROM": "Desk <a@example.org>"}, "FLAWDESK_SMTP_FROM"),
        (MAIL | {"FLAWDESK_SMTP_TLS": "none"}, "FLAWDESK_SMTP_TLS"),
        (MAIL | {"FLAWDESK_SMTP_PORT": "x"}, "FLAWDESK_SMTP_PORT"),
        ({"FLAWDESK_DIGEST_HOUR": "24"}, "FLAWDESK_DIGEST_HOUR"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(given: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        settings.from_environment(given)
    assert refused.value.field == field


def test_nothing_goes_out_by_default_and_no_secret_is_shown() -> None:
    assert (settings.from_environment({}).smtp, settings.from_environment({}).webhook) == (None, None)
    found = settings.from_environment(MAIL)
    assert found.smtp is not None
    assert found.smtp.to == ("b@example.org", "c@example.org")
    assert "hush" not in repr(found)


def test_a_round_from_the_command_line_sends_what_the_desk_missed(tmp_path: Path) -> None:
    clock = Clock()
    with mailbox() as box, webhook() as (url, posts):
        chosen = Settings(store=tmp_path, smtp=smtp(box.port), webhook=Webhook(url), digest_hour=None)
        runtime = Runtime(chosen, clock=clock, embedder=LetterEmbedder)
        try:
            empty = {"sent": 0, "again": 0, "failed": 0}
            assert operations.run(runtime, "notify.send", {"failed": False}, Emit()) == empty
            bring(runtime.store, make_report("SENTINELWORDS", what_is_wrong="SENTINELWORDS"))
            clock.forward(days=3)
            assert operations.run(runtime, "notify.send", {"failed": True}, Emit()) == empty | {"sent": 2}
            status = operations.run(runtime, "notify.status", {}, Emit())
            assert status == {"waiting": 0, "sent": 2, "failed": 0, "channels": ["email", "webhook"]}
        finally:
            runtime.close()
    assert len(box.mails) == len(posts) == 1
    assert "SENTINELWORDS" not in repr((box.mails, posts))
    assert "To: desk@example.org, lead@example.org" in box.mails[0]


def test_the_notifier_sends_by_itself_and_ends(tmp_path: Path) -> None:
    clock = Clock()
    with webhook() as (url, posts):
        chosen = Settings(store=tmp_path, webhook=Webhook(url), digest_hour=None)
        runtime = Runtime(chosen, clock=clock, embedder=LetterEmbedder)
        try:
            runtime.notifier.round(EVERYBODY)
            bring(runtime.store, make_report())
            clock.forward(days=3)
            runtime.notifier.start(EVERYBODY)
            for _ in range(500):
                if posts:
                    break
                time.sleep(0.01)
        finally:
            runtime.close()
    assert len(posts) == 1


def test_without_a_channel_a_round_is_refused(tmp_path: Path) -> None:
    runtime = Runtime(Settings(store=tmp_path), clock=Clock(), embedder=LetterEmbedder)
    try:
        with pytest.raises(Refused, match="is off"):
            runtime.notifier.round(EVERYBODY)
    finally:
        runtime.close()
