"""How many reports a second the intake acknowledges for good, and what twenty kills cost it.

A report is acknowledged when it is on the disk, so the measure is what the file system can do: how often a
second a small append is on the disk (fdatasync), taken in turns with the load. Acknowledged reports are taken
into the database in groups; `stored/s` counts until the last of them is there. Loopback only, and bounded in
number and time.

1. command: one sender, and 8 threads that share lines of the journal, without HTTP
2. HTTP: 1 and 8 clients against the doors of the real server, each report with an idempotency key
3. the memory of the server over 2,000 hostile posts
4. kill -9 under the load of 8 clients, 20 times; every client repeats what was not answered
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import Timing, arguments, finish, progress, say, table
from triage_core import db, told
from triage_core.channel import apikeys, intake, reportformat
from triage_core.channel.committer import Committer
from triage_core.guidance import policies, policy
from triage_core.model import Actor, Channel, DeskRole
from triage_core.settings import ROOT
from triage_core.store import Store

CLIENTS = 8
LONGEST_S = 120.0
MOST_SENT = 2_000  # reports of one client in one round
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


def sync_rate(folder: Path, seconds: float = 1.0) -> float:
    """Appends of 512 bytes that are on the disk, a second."""
    done, start = 0, time.perf_counter()
    with (folder / "sync.probe").open("ab", buffering=0) as file:
        while time.perf_counter() - start < seconds:
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            done += 1
    return done / (time.perf_counter() - start)


@dataclass(slots=True)
class Load:
    """What a number of clients did: acknowledgements a second, how long each waited (seconds), and reports a
    second until the last is in the database."""

    rate: float
    waits: Timing
    stored: float = 0.0


def load(clients: int, each: int, send: Callable[[int, int], None]) -> Load:
    """`clients` threads send `each` reports one after another; send(client, number) returns when acknowledged."""
    waits: list[float] = []

    def client(number: int) -> None:
        for at in range(each):
            start = time.perf_counter()
            send(number, at)
            waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return Load(clients * each / (time.perf_counter() - start), Timing(tuple(waits)))


def by_command(folder: Path, each: int, clients: int) -> tuple[Load, float]:
    """The load without HTTP, and the disk's rate taken before and after it."""
    store = Store(folder)
    published = policies.publish(store, OPERATOR, policy.load(ROOT / "data"))
    committer = Committer(store)
    before = sync_rate(folder)

    def send(client: int, at: int) -> None:
        parsed = reportformat.parse(report(f"{clients}-{client}-{at}"))
        committer.receive(published, intake.incoming(parsed, Channel.API, f"{clients}-{client}-{at}"))

    start = time.perf_counter()
    done = load(clients, each, send)
    committer.settle()
    done.stored = clients * each / (time.perf_counter() - start)
    rate = (before + sync_rate(folder)) / 2
    store.close()
    return done, rate


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


def by_http(folder: Path, each: int, clients: int) -> tuple[Load, float]:
    """The load over HTTP, and the disk's rate taken before and after it."""
    server = new_server(folder)
    server.start()
    connections = [server.client() for _ in range(clients)]
    connections[0].post(json.dumps(report("first")).encode())
    before = sync_rate(folder)

    def send(client: int, at: int) -> None:
        name = f"{client}-{at}"
        status, answer = connections[client].post(json.dumps(report(name)).encode(), name)
        if status != 201:
            raise RuntimeError(f"{status}: {answer}")

    start = time.perf_counter()
    done = load(clients, each, send)
    connections[0].track()
    done.stored = clients * each / (time.perf_counter() - start)
    rate = (before + sync_rate(folder)) / 2
    server.end(signal.SIGTERM)
    return done, rate


def hostile_memory(folder: Path, posts: int) -> tuple[float, float]:
    """Resident MiB of the server after a tenth of the hostile posts and after all of them."""
    server = new_server(folder)
    server.start()
    client, chance = server.client(), random.Random(7)
    bodies = [
        b"[" * 50_000,
        b"{" + b'"a":{' * 400,
        json.dumps(report("x" * 60_000)).encode(),
        json.dumps({**report("y"), "harm_types": ["?"] * 50_000}).encode(),
        b'"' + b"x" * 900_000 + b'"',
        b"\xff" * 1_000,
        b"9" * 100_000,
    ]
    early = 0.0
    for number in range(posts):
        status, _ = client.post(chance.choice(bodies))
        if not 400 <= status < 500:
            raise RuntimeError(f"a hostile post got {status}")
        if number == posts // 10:
            early = server.memory_mib()
    late = server.memory_mib()
    server.end(signal.SIGTERM)
    return early, late


def new_names(prefix: str) -> Iterator[str]:
    return (f"{prefix}-{sent}" for sent in range(MOST_SENT))


@dataclass(slots=True)
class Kills:
    """What clients know: the id that each acknowledged name was told, and the names without an answer."""

    server: Server
    told: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    unanswered: int = 0

    def send(self, connection: Client, name: str) -> None:
        """Send one report; an answer must be the one that this name got before."""
        status, answer = connection.post(json.dumps(report(name)).encode(), name)
        if status not in (200, 201) or self.told.setdefault(name, answer["report_id"]) != answer["report_id"]:
            raise RuntimeError(f"{name}: {status} {answer}, told {self.told.get(name)} before")

    def client(self, names: Iterator[str]) -> None:
        """Send until the server is gone; what was not answered waits for the next round."""
        connection = self.server.client()
        for name in names:
            try:
                self.send(connection, name)
            except (OSError, http.client.HTTPException, ValueError):
                self.waiting.append(name)
                return

    def round(self, number: int, seconds: float) -> None:
        """Start, repeat what waits, go on with new reports, kill."""
        self.server.start()
        repeated, self.waiting = self.waiting, []
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = []
            for at in range(CLIENTS):
                mine = itertools.chain(repeated[at::CLIENTS], new_names(f"{number}-{at}"))
                running.append(pool.submit(self.client, mine))
            time.sleep(seconds)
            self.server.end(signal.SIGKILL)
            for one in running:
                one.result(LONGEST_S)
        # A client that met the end early left some of its repeats unsent.
        self.waiting += [name for name in repeated if name not in self.told and name not in self.waiting]
        self.unanswered += len(self.waiting)


def kill_rounds(folder: Path, rounds: int) -> dict[str, float]:
    """Kill the server under load, start it again, let every client repeat what was not answered."""
    kills, chance = Kills(new_server(folder)), random.Random(11)
    for number in progress(range(rounds), "kill -9"):
        kills.round(number, chance.uniform(0.2, 1.2))
    kills.server.start()
    last = kills.server.client()
    for name in kills.waiting:
        kills.send(last, name)
    kills.server.end(signal.SIGTERM)
    store = Store(folder)
    Committer(store)  # takes in what was acknowledged and not stored
    store.verify()
    with store.read() as cursor:
        stored = db.rows(cursor, "SELECT report_id, turns[1].content AS said FROM reports")
        wrong = told.disagreements(cursor)
    store.close()
    if wrong:
        raise RuntimeError(f"records disagree: {wrong}")
    by_id = {row["report_id"]: row["said"] for row in stored}
    lost = sum(
        by_id.get(report_id) != report(name)["turns"][0]["content"] for name, report_id in kills.told.items()
    )
    return {
        "acknowledged": len(kills.told),
        "lost": lost,
        "doubled": len(stored) - len(set(by_id.values())),
        "unanswered": kills.unanswered,
    }


def main() -> None:
    options = arguments(__doc__)
    each = 40 if options.small else 400
    rows: list[tuple[str, int, float, float, float, float, float]] = []
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="intake-") as name:
        folder = Path(name)
        for way, run in (("command", by_command), ("HTTP", by_http)):
            for clients in (1, CLIENTS):
                say(f"{way}, {clients} at once")
                done, disk = run(folder / f"{way}-{clients}", each, clients)
                p95 = done.waits.quantile(0.95) * 1000
                rows.append((way, clients, done.rate, disk, done.rate / disk, p95, done.stored))
                short = f"{way.lower()}_{clients}"
                figures |= {
                    f"{short}_per_s": done.rate,
                    f"{short}_p95_ms": p95,
                    f"{short}_stored_per_s": done.stored,
                }
                figures |= {f"{short}_fdatasync_per_s": disk, f"{short}_share": done.rate / disk}
        columns = ("way", "at once", "acknowledged/s", "fdatasync/s", "share", "p95 ms", "stored/s")
        table("Durable acknowledgements", columns, rows)
        early, late = hostile_memory(folder / "hostile", 200 if options.small else 2_000)
        table("Server's memory over hostile posts, MiB", ("after a tenth", "after all"), [(early, late)])
        kills = kill_rounds(folder / "kills", 3 if options.small else 20)
        table(
            "kill -9 under load", ("acknowledged", "lost", "doubled", "sent again"), [tuple(kills.values())]
        )
    figures |= {"hostile_growth_mib": late - early, **kills}
    targets = {
        "command_1_share": (">=", 0.5),
        "command_8_share": (">=", 0.5),
        "http_8_share": (">=", 0.5),
        "hostile_growth_mib": ("<=", 32.0),
        "lost": ("==", 0.0),
        "doubled": ("==", 0.0),
    }
    finish("intake", figures, targets)


if __name__ == "__main__":
    main()
