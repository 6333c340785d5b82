"""How many reports a second the intake acknowledges for good, and what twenty kills cost it.

A report is acknowledged when it is on the disk, so the measure is what the file system can do: how often a
second an append of the same length is on the disk (fdatasync), taken in turns with the load. Acknowledged reports
are taken into the database in groups; `stored/s` counts until the last of them is there. Loopback only, and bounded
in number and time.

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
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness import Timing, arguments, finish, progress, say, table
from benchmarks.intake_doors import OPERATOR, Client, Server, new_server, report, send_all
from triage_core import db, told
from triage_core.channel import intake, reportformat
from triage_core.channel.committer import Committer
from triage_core.guidance import policies, policy
from triage_core.model import Channel
from triage_core.settings import ROOT
from triage_core.store import Store

CLIENTS = 8
ENTRY = 640  # bytes of the journal's entry of a report as they are sent here
LONGEST_S = 120.0
MOST_SENT = 2_000  # reports of one client in one round


def sync_rate(folder: Path, seconds: float = 0.3) -> float:
    """Appends as long as the journal's entry of a report that are on the disk, a second."""
    done, start = 0, time.perf_counter()
    with (folder / "sync.probe").open("ab", buffering=0) as file:
        while time.perf_counter() - start < seconds:
            file.write(b"x" * ENTRY)
            os.fdatasync(file.fileno())
            done += 1
    return done / (time.perf_counter() - start)


@dataclass(slots=True)
class Load:
    """What a number of clients did in rounds, and what the disk did before and after each.

    `rates` and `disk` are acknowledgements and appends a second, `waits` how long each report waited (seconds),
    `stored` how many reports a second came in when all of a round have to be in the database.
    """

    rates: list[float] = field(default_factory=list)
    disk: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The median over the rounds: a disk that others use too is fast and slow by turns."""
        return statistics.median(mine / disk for mine, disk in zip(self.rates, self.disk, strict=True))


def load(
    folder: Path, reports: int, rounds: int, send: Callable[[int], list[float]], settle: Callable[[], None]
) -> Load:
    """send(round) returns how long each report waited, settle() when all of them are in the database."""
    done, before = Load(), sync_rate(folder)
    for number in range(rounds):
        start = time.perf_counter()
        done.waits += send(number)
        done.rates.append(reports / (time.perf_counter() - start))
        settle()
        done.stored.append(reports / (time.perf_counter() - start))
        after = sync_rate(folder)
        done.disk.append((before + after) / 2)
        before = after
    return done


def names(turn: int, clients: int, each: int) -> list[list[str]]:
    """The reports of each client in a round, by names that no other has."""
    return [[f"{turn}-{client}-{number}" for number in range(each)] for client in range(clients)]


def by_command(folder: Path, each: int, clients: int, rounds: int) -> Load:
    """The load without HTTP, from so many threads."""
    store = Store(folder)
    published = policies.publish(store, OPERATOR, policy.load(ROOT / "data"))
    committer = Committer(store)

    def client(mine: list[str]) -> list[float]:
        waits = []
        for name in mine:
            start = time.perf_counter()
            parsed = reportformat.parse(report(name))
            committer.receive(published, intake.incoming(parsed, Channel.API, name))
            waits.append(time.perf_counter() - start)
        return waits

    def send(turn: int) -> list[float]:
        with ThreadPoolExecutor(clients) as pool:
            return list(itertools.chain.from_iterable(pool.map(client, names(turn, clients, each))))

    done = load(folder, clients * each, rounds, send, committer.settle)
    store.close()
    return done


def by_http(folder: Path, each: int, clients: int, rounds: int) -> Load:
    """The load over HTTP, from so many connections."""
    server = new_server(folder)
    server.start()
    server.client().post(json.dumps(report("first")).encode())

    def send(turn: int) -> list[float]:
        return send_all(server, names(turn, clients, each))

    # On a connection of its own each time: the server closes one that is idle for some seconds.
    done = load(folder, clients * each, rounds, send, lambda: server.client().track())
    server.end(signal.SIGTERM)
    return done


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
    each, rounds = (100, 3) if options.small else (1_000, 5)
    rows: list[tuple[str, int, float, float, float, float, float]] = []
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="intake-") as name:
        folder = Path(name)
        for way, run in (("command", by_command), ("HTTP", by_http)):
            for clients in (1, CLIENTS):
                say(f"{way}, {clients} at once")
                done = run(folder / f"{way}-{clients}", each, clients, rounds)
                rate, disk = statistics.median(done.rates), statistics.median(done.disk)
                stored = statistics.median(done.stored)
                p95 = Timing(tuple(done.waits)).quantile(0.95) * 1000
                rows.append((way, clients, rate, disk, done.share, p95, stored))
                short = f"{way.lower()}_{clients}"
                figures |= {
                    f"{short}_per_s": rate,
                    f"{short}_fdatasync_per_s": disk,
                    f"{short}_share": done.share,
                    f"{short}_p95_ms": p95,
                    f"{short}_stored_per_s": stored,
                }
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
        "command_8_share": (">=", max(0.5, figures["command_1_share"])),
        "http_8_share": (">=", 0.5),
        "hostile_growth_mib": ("<=", 32.0),
        "lost": ("==", 0.0),
        "doubled": ("==", 0.0),
    }
    finish("intake", figures, targets)


if __name__ == "__main__":
    main()
