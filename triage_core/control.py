"""The command line talks to the running server, which alone may hold the store.

The server listens on a loopback port of its own and writes port, a random token and which file it
holds into `server.json` (readable by its user only) in the store's folder. One JSON line asks, JSON lines
answer: {"progress": ...}, {"item": ...}, {"note": ...}, and at the end {"result": ...} or {"error": ...}.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from triage_core import __version__
from triage_core.errors import FlawdeskError, Refused, StoreBusy
from triage_core.operations import run
from triage_core.operations.base import Emit
from triage_core.runtime import Runtime
from triage_core.store import STORE_FILE

log = logging.getLogger(__name__)

FILE = "server.json"
MAX_REQUEST = 4_000_000
CONNECT_SECONDS = 5.0


class ControlServer:
    """Answers the command line for as long as the server runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._file = runtime.settings.store / FILE
        token = secrets.token_urlsafe(32)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _answer(runtime, token, self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        details = {
            "pid": os.getpid(),
            "port": self._server.server_address[1],
            "token": token,
            "inode": _inode(runtime.settings.store),
            "version": __version__,
        }
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(details, file)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def close(self) -> None:
        """Take no further request; those that run go on until the process ends."""
        self._server.shutdown()
        self._server.server_close()
        self._file.unlink(missing_ok=True)


def _inode(folder: Path) -> int:
    """Tells a store from its copy, which has the same server.json when it was copied beside a running server."""
    return (folder / STORE_FILE).stat().st_ino


def _answer(runtime: Runtime, token: str, handler: socketserver.StreamRequestHandler) -> None:
    def send(message: Mapping[str, Any]) -> None:
        handler.wfile.write(json.dumps(message).encode() + b"\n")

    def fail(field: str, rule: str) -> None:
        with suppress(ConnectionError):
            send({"error": {"field": field, "rule": rule}})

    try:
        request = _request(handler.rfile.readline(MAX_REQUEST))
        if not hmac.compare_digest(str(request.get("token")).encode(errors="replace"), token.encode()):
            raise Refused("token", "read server.json of the running server")
        emit = Emit(
            progress=lambda done, total, what: send({"progress": [done, total, what]}),
            item=lambda item: send({"item": item}),
            note=lambda text: send({"note": text}),
        )
        send({"result": run(runtime, request["operation"], request["params"], emit)})
    except Refused as error:
        fail(error.field, error.rule)
    except FlawdeskError as error:
        fail("server", str(error))
    except ConnectionError:
        pass  # the command line was interrupted; what it started goes on or was rolled back
    except Exception as error:
        log.exception("a request of the command line")
        fail("server", f"{type(error).__name__}: {error}")


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused("request", "one JSON object on one line") from error
    if not (isinstance(request, dict) and isinstance(request.get("params", {}), dict)):
        raise Refused("request", "one JSON object on one line, with an object as params")
    return {"operation": "", "params": {}, **request}


def call(folder: Path, operation: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ask the server that holds the store in `folder`; its messages, to be read to their end.

    Connected when this returns. The messages end without a result when the server does. Raises Refused
    for a request that is too long, StoreBusy when a process holds the store and does not answer, or is another version.
    """
    try:
        details = json.loads((folder / FILE).read_text("utf-8"))
        token = str(details["token"])
        if details["inode"] != _inode(folder):
            raise ValueError("the server holds the store that this one was copied from")
        connection = socket.create_connection(("127.0.0.1", int(details["port"])), CONNECT_SECONDS)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreBusy(
            "another process holds the store and is not a server that answers; wait for it or end it"
        ) from error
    if details.get("version") != __version__:  # it may not know what it is asked, and answer in another way
        connection.close()
        raise StoreBusy(
            f"a server of another version than {__version__} holds the store: end it, start this one"
        )
    request = json.dumps({"token": token, "operation": operation, "params": dict(params)}).encode() + b"\n"
    if len(request) > MAX_REQUEST:
        connection.close()
        raise Refused(
            "request", f"a server is asked with {MAX_REQUEST:,} bytes at most; this has {len(request):,}"
        )
    return _messages(connection, request)


def _messages(connection: socket.socket, request: bytes) -> Iterator[dict[str, Any]]:
    connection.settimeout(None)
    with suppress(ConnectionError), connection, connection.makefile("rwb") as stream:
        stream.write(request)
        stream.flush()
        for line in stream:
            if line.endswith(b"\n"):  # else the server ended within it
                yield json.loads(line)
