"""Messages over TLS with a certificate made for the test: both ways of SMTP and https, and who is not trusted."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from triage_core.outgoing import notices
from triage_core.outgoing.delivery import Smtp, Undelivered, Webhook
from triage_core.outgoing.notices import Notice

MESSAGE = notices.message("news:FR-1:1@email", Notice.NEWS, {"report": "FR-1"})
TO = ("kim@example.org",)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of a self-signed certificate for localhost alone, and of its key."""
    openssl = shutil.which("openssl")
    assert openssl, "the test makes its certificate with openssl"
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", made, *subject], check=True, capture_output=True)
    return made, key


@pytest.fixture
def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the certificate, as it would one of a known authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


class Quiet(ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that does not trust us hangs up


@contextmanager
def serving(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_server(context: ssl.SSLContext, tls: str, offers: bool = True) -> Iterator[tuple[int, list[str]]]:
    """A port, and what was said there: each line, with "TLS" before those that came encrypted."""
    said: list[str] = []

    class Talk(StreamRequestHandler):
        def handle(self) -> None:
            if tls == "tls":
                self.encrypted(self.request)
            else:
                with self.request.makefile("rwb") as stream:
                    self.talk(self.request, stream)

        def encrypted(self, wire: Any) -> None:
            with context.wrap_socket(wire, server_side=True) as secure, secure.makefile("rwb") as stream:
                self.talk(secure, stream)

        def talk(self, wire: Any, stream: Any) -> None:
            def say(text: str) -> None:
                stream.write(f"{text}\r\n".encode())
                stream.flush()

            secure = isinstance(wire, ssl.SSLSocket)
            if not (secure and tls == "starttls"):
                say("220 test")
            while line := stream.readline().decode():
                said.append(("TLS " if secure else "") + line.strip())
                verb = line.split(" ")[0].strip().upper()
                if verb == "STARTTLS":
                    say("220 go on")
                    self.encrypted(wire)
                    return
                if verb == "EHLO":
                    say("250-test")
                    say("250 STARTTLS" if offers and not secure else "250 AUTH PLAIN")
                elif verb == "AUTH":
                    say("235 known")
                elif verb == "DATA":
                    say("354 go on")
                    said.extend(each.decode().strip() for each in iter(stream.readline, b".\r\n"))
                    say("250 kept")
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    with serving(Quiet(("127.0.0.1", 0), Talk)) as port:
        yield port, said


def smtp(host: str, port: int, tls: str) -> Smtp:
    return Smtp(host, port, tls, "flawdesk@example.org", TO, "flawdesk", "not in the clear")


BOTH = pytest.mark.parametrize("tls", ["starttls", "tls"])


@BOTH
@pytest.mark.usefixtures("trusted")
def test_a_mail_and_the_password_go_out_encrypted(context: ssl.SSLContext, tls: str) -> None:
    with mail_server(context, tls) as (port, said):
        smtp("localhost", port, tls).send(MESSAGE, TO)
    assert any("FR-1" in line for line in said)
    login = [line for line in said if "AUTH" in line]
    assert login
    assert all(line.startswith("TLS ") for line in login)
    before = [line for line in said if not line.startswith("TLS ")][:2]
    assert tls == "tls" or [line.split(" ")[0].upper() for line in before] == ["EHLO", "STARTTLS"]


@BOTH
def test_a_mail_server_that_nobody_vouches_for_gets_nothing(context: ssl.SSLContext, tls: str) -> None:
    with (
        mail_server(context, tls) as (port, said),
        pytest.raises(Undelivered, match="SSLCertVerificationError"),
    ):
        smtp("localhost", port, tls).send(MESSAGE, TO)
    assert not [line for line in said if "AUTH" in line or "MAIL" in line.upper()]


@BOTH
@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_not_taken(context: ssl.SSLContext, tls: str) -> None:
    with (
        mail_server(context, tls) as (port, said),
        pytest.raises(Undelivered, match="SSLCertVerificationError"),
    ):
        smtp("127.0.0.1", port, tls).send(MESSAGE, TO)
    assert not [line for line in said if "AUTH" in line or "MAIL" in line.upper()]


@pytest.mark.usefixtures("trusted")
def test_a_server_that_offers_no_starttls_gets_nothing(context: ssl.SSLContext) -> None:
    with mail_server(context, "starttls", offers=False) as (port, said), pytest.raises(Undelivered):
        smtp("localhost", port, "starttls").send(MESSAGE, TO)
    assert not [line for line in said if "AUTH" in line or "MAIL" in line.upper()]


@contextmanager
def web_server(context: ssl.SSLContext) -> Iterator[tuple[int, list[bytes]]]:
    posts: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    class Secure(ThreadingHTTPServer):
        def get_request(self) -> tuple[Any, Any]:
            wire, address = super().get_request()
            return context.wrap_socket(wire, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            return

    with serving(Secure(("127.0.0.1", 0), Handler)) as port:
        yield port, posts


@pytest.mark.usefixtures("trusted")
def test_a_webhook_is_posted_to_over_https(context: ssl.SSLContext) -> None:
    with web_server(context) as (port, posts):
        Webhook(f"https://localhost:{port}/hook").send(MESSAGE)
    assert len(posts) == 1
    assert b"FR-1" in posts[0]


def test_a_webhook_that_nobody_vouches_for_gets_nothing(context: ssl.SSLContext) -> None:
    with web_server(context) as (port, posts), pytest.raises(Undelivered, match="SSLCertVerificationError"):
        Webhook(f"https://localhost:{port}/hook").send(MESSAGE)
    assert posts == []


@pytest.mark.usefixtures("trusted")
def test_a_webhook_with_a_certificate_of_another_name_gets_nothing(context: ssl.SSLContext) -> None:
    with web_server(context) as (port, posts), pytest.raises(Undelivered, match="SSLCertVerificationError"):
        Webhook(f"https://127.0.0.1:{port}/hook").send(MESSAGE)
    assert posts == []
