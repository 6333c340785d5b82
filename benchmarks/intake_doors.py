"""The doors in a process of their own and who knocks at them, for benchmarks.intake."""

from __future__ import annotations

import http.client
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from triage_core.channel import apikeys
from triage_core.model import Actor, DeskRole
from triage_core.store import Store

OPERATOR = Actor("bench", "Benchmark", frozenset(DeskRole))
ROOT_FOLDER = Path(__file__).resolve().parents[1]


def report(name: str) -> dict[str, Any]:
    return {
        "system": [{"platform": "Kite Travel", "model": "kite-2"}],
        "turns": [
            {
                "role": "user",
                "content": f"Please book a seat for guest {name} and read me the list of the others.",
            },
            {"role": "assistant", "content": "Done. The other guests are in seats 4 and 7."},
        ],
        "what_is_wrong": "It named other guests.",
        "harm_types": ["rights_violations"],
        "disclosure_intent": "no",
    }


@dataclass(slots=True)
class Server:
    """The doors in a process of their own, on a free port of the loopback interface."""

    store: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    key: str = field(default="", repr=False)

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.intake_server", str(self.store), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT_FOLDER)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/api/v1/health")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)

    def memory_mib(self) -> float:
        assert self.process is not None
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def client(self) -> Client:
        return Client(self.port, self.key)

    def request(self, name: str) -> bytes:
        """The bytes of a post with an idempotency key."""
        body = json.dumps(report(name)).encode()
        head = (
            f"POST /api/v1/reports HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\nauthorization: Bearer {self.key}\r\n"
            f"content-type: application/json\r\nidempotency-key: {name}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Client:
    """One kept-alive connection that posts reports."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}

    def post(self, body: bytes, name: str = "") -> tuple[int, Any]:
        headers = self._headers | ({"idempotency-key": name} if name else {})
        self._connection.request("POST", "/api/v1/reports", body, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def track(self) -> None:
        """Look up a key that no report has: a look that waits until all acknowledged reports are stored."""
        self._connection.request("GET", "/api/v1/reports/track", headers={"x-tracking-key": "none"})
        self._connection.getresponse().read()


def new_server(folder: Path) -> Server:
    store = Store(folder)
    _, key = apikeys.add(store, OPERATOR, "Kite Travel", per_minute=apikeys.MAX_PER_MINUTE)
    # The rate of a key is for products; the load of this benchmark is above it.
    with store.write(OPERATOR, "benchmark") as work:
        work.cursor.execute("UPDATE api_keys SET per_minute = 1000000000")
    store.close()
    return Server(folder, key=key)


@dataclass(slots=True)
class Sending:
    """A kept-alive connection with one report under way: what it has yet to send, and what has come back."""

    to_send: list[bytes]
    started: float = 0.0
    answer: bytes = b""

    def next(self, connection: socket.socket) -> None:
        self.started, self.answer = time.perf_counter(), b""
        connection.sendall(self.to_send.pop())

    def is_answered(self) -> bool:
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(self.answer.decode())
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        return length is not None and len(body) >= int(length[1])


def send_all(server: Server, names: list[list[str]]) -> list[float]:
    """One client for each list of names; how long each report waited, in seconds.

    Plain sockets and bytes made before, in one thread: what the senders cost is not what is measured, and they
    share the cores with the server.
    """
    waits: list[float] = []
    with selectors.DefaultSelector() as ready, ExitStack() as opened:
        for mine in names:
            sending = Sending([server.request(name) for name in mine])
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(connection, selectors.EVENT_READ, sending)
        for key in list(ready.get_map().values()):
            key.data.next(key.fileobj)
        while ready.get_map():
            for key, _ in ready.select():
                connection, sending = cast(socket.socket, key.fileobj), cast(Sending, key.data)
                sending.answer += connection.recv(65_536)
                if sending.is_answered():
                    waits.append(time.perf_counter() - sending.started)
                    if sending.to_send:
                        sending.next(connection)
                    else:
                        ready.unregister(connection)
    return waits
