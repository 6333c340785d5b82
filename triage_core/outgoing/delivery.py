"""Hands one message to a mail server or to a webhook, within seconds or not at all.

Targets are the operator's (settings), never data. No redirect is followed, an answer is read up to a
cap, and a webhook's host must be a public one, loopback, or in a range that the operator lists.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import urlsplit

from triage_core.errors import Refused
from triage_core.front import Network, is_loopback
from triage_core.outgoing.notices import Message

CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 10.0
MOST_ANSWERED = 64 * 1024
_ADDRESS = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
    re.ASCII,
)

Watch = Callable[[Callable[[], socket.socket | None]], None]


class Undelivered(Exception):
    """A message that did not go out; `for_good` when sending it again is of no use."""

    def __init__(self, why: str, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server; `tls` is starttls, tls or none. `to` are the addresses of the desk."""

    host: str
    port: int
    tls: str
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.tls == "none" and not is_loopback(self.host):
            raise Refused("FLAWDESK_SMTP_TLS", "none is for a mail server on loopback")
        for name, values in (("FLAWDESK_SMTP_FROM", (self.sender,)), ("FLAWDESK_SMTP_TO", self.to)):
            if not values or not all(is_address(value) for value in values):
                raise Refused(name, "takes plain e-mail addresses, as in desk@example.org")

    def send(self, message: Message, to: tuple[str, ...]) -> None:
        """Hand the message over for these addresses. Raises Undelivered."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, ", ".join(to), message.subject
        digest = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{self.sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        try:
            with _limited() as watch, self._server() as server:
                watch(lambda: server.sock)  # from before the greeting on, which may drip
                server.connect(self.host, self.port)
                if self.tls == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(mail, self.sender, list(to))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise Undelivered("the address was refused", min(codes) >= 500) from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # By its type: what a server says is not ours to repeat.
            raise Undelivered(f"the mail server failed: {type(error).__name__}") from error
        if refused:
            raise Undelivered("one of the addresses was refused")

    def _server(self) -> smtplib.SMTP:
        """A server that is not connected yet; the name is what its certificate is checked against."""
        if self.tls == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=CONNECT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(timeout=CONNECT_SECONDS)
        server._host = self.host  # type: ignore[attr-defined]  # else set only by a constructor that connects
        return server


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes each message as JSON by POST: https, or loopback. `allow` lists private ranges."""

    url: str
    secret: str = field(default="", repr=False)
    allow: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError:
            raise Refused("FLAWDESK_WEBHOOK_URL", "is no address") from None
        host, plain = parts.hostname or "", parts.scheme == "http"
        if not host or parts.scheme not in {"https", "http"} or (plain and not is_loopback(host)):
            raise Refused("FLAWDESK_WEBHOOK_URL", "starts with https://, or with http:// on loopback")
        if parts.username is not None or parts.fragment or not self.url.isascii():
            raise Refused("FLAWDESK_WEBHOOK_URL", "holds no user, no fragment, and ASCII only")

    def send(self, message: Message) -> None:
        """Post the message; any status but 2xx is a failure. Raises Undelivered."""
        parts = urlsplit(self.url)
        body = json.dumps(
            {
                "key": message.key,
                "kind": str(message.kind),
                "text": message.body,
                "facts": dict(message.facts),
            }
        ).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Flawdesk-Signature"] = f"sha256={digest}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with _limited() as watch, self._open(watch) as wire:
                # The wire is given, so that the address that was looked at is the one that is used.
                connection = http.client.HTTPConnection(parts.netloc)
                connection.sock = wire
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answer.read(MOST_ANSWERED)
                status = answer.status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Undelivered(f"the webhook failed: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise Undelivered(f"the webhook answered {status}")

    def _open(self, watch: Watch) -> socket.socket:
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
        self.require_allowed(str(found[0]), host)
        wire = socket.create_connection((str(found[0]), port), timeout=CONNECT_SECONDS)
        if secure:
            context = ssl.create_default_context()
            wire = context.wrap_socket(wire, server_hostname=host, do_handshake_on_connect=False)
        watch(lambda: wire)
        try:
            if isinstance(wire, ssl.SSLSocket):
                wire.do_handshake()
        except BaseException:
            wire.close()
            raise
        return wire

    def require_allowed(self, address: str, host: str) -> None:
        """Return when a host at this address may be sent to; else raise Undelivered."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        loopback = found.is_loopback and is_loopback(host)
        public = found.is_global and not found.is_multicast
        if not (loopback or public or any(found in network for network in self.allow)):
            raise Undelivered("the webhook's host is at a private address that is not listed")


def is_address(text: str) -> bool:
    """True for a plain e-mail address, which fits into a header as it is."""
    return len(text) <= 254 and ".." not in text and bool(_ADDRESS.fullmatch(text))


@contextmanager
def _limited() -> Iterator[Watch]:
    """Ends what is done with the watched socket after `DEADLINE_SECONDS`, however slowly the other side drips."""
    watched: list[Callable[[], socket.socket | None]] = []

    def end() -> None:
        for wire in filter(None, (each() for each in watched)):
            with suppress(OSError):  # closed already
                # Of the socket below TLS, whose state belongs to the thread that reads from it.
                socket.socket.shutdown(wire, socket.SHUT_RDWR)

    timer = threading.Timer(DEADLINE_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield watched.append
    finally:
        timer.cancel()
