"""The command line talks to the running server, which alone may hold the store.

The server listens on a loopback port of its own and writes port and a random token into
`server.json` (readable by its user only) in the store's folder. One JSON line asks, JSON lines
answer: {"progress": ...}, {"item": ...}, and at the end {"result": ...} or {"error": ...}.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from triage_core.errors import FlawdeskError, Refused, StoreBusy
from triage_core.operations import Emit, run
from triage_core.runtime import Runtime

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
        details = {"pid": os.getpid(), "port": self._server.server_address[1], "token": token}
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(details, file)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._file.unlink(missing_ok=True)


def _answer(runtime: Runtime, token: str, handler: socketserver.StreamRequestHandler) -> None:
    def send(message: Mapping[str, Any]) -> None:
        handler.wfile.write(json.dumps(message).encode() + b"\n")

    try:
        request = json.loads(handler.rfile.readline(MAX_REQUEST))
        if not hmac.compare_digest(str(request.get("token")), token):
            raise Refused("token", "read server.json of the running server")
        emit = Emit(
            progress=lambda done, total, what: send({"progress": [done, total, what]}),
            item=lambda item: send({"item": item}),
        )
        send({"result": run(runtime, request["operation"], request["params"], emit)})
    except Refused as error:
        send({"error": {"field": error.field, "rule": error.rule}})
    except (FlawdeskError, ValueError, KeyError) as error:
        send({"error": {"field": "server", "rule": str(error)}})
    except BrokenPipeError:
        pass  # the command line was interrupted; what it started goes on or was rolled back


def call(folder: Path, operation: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ask the server that holds the store in `folder`; yields its messages.

    Raises StoreBusy when a process holds the store and does not answer.
    """
    try:
        details = json.loads((folder / FILE).read_text("utf-8"))
        connection = socket.create_connection(("127.0.0.1", details["port"]), CONNECT_SECONDS)
    except (OSError, ValueError, KeyError) as error:
        raise StoreBusy(
            "another process holds the store and is not a server that answers; wait for it or end it"
        ) from error
    connection.settimeout(None)
    with connection, connection.makefile("rwb") as stream:
        request = {"token": details["token"], "operation": operation, "params": dict(params)}
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        for line in stream:
            yield json.loads(line)
