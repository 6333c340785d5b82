"""Sends reports from 8 threads that share commits, and prints each name with its id once it is acknowledged.

    python -m tests.crash.sender STORE PREFIX [NAME ...]

The names are sent first (what was not answered before), then new ones; to be killed by a test.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.making import EVERYBODY, POLICY, Clock, make_report
from triage_core.channel import intake, reportformat
from triage_core.channel.committer import Committer
from triage_core.guidance import policies
from triage_core.model import Channel
from triage_core.store import Store

THREADS = 8
MOST = 2_000


def words(name: str) -> str:
    return f"Question number {name}"


def names(prefix: str) -> Iterator[str]:
    """New names of one thread."""
    return (f"{prefix}-{number}" for number in range(MOST))


def send(committer: Committer, mine: Iterator[str]) -> None:
    for name in mine:
        report = reportformat.parse(make_report(words(name)))
        receipt = committer.receive(POLICY, intake.incoming(report, Channel.API, name))
        sys.stdout.write(f"{name} {receipt.report_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    folder, prefix, *again = sys.argv[1:]
    store = Store(Path(folder), Clock())
    policies.publish(store, EVERYBODY, POLICY)
    opened = Committer(store)
    with ThreadPoolExecutor(THREADS) as pool:
        running = []
        for thread in range(THREADS):
            mine = itertools.chain(again[thread::THREADS], names(f"{prefix}-{thread}"))
            running.append(pool.submit(send, opened, mine))
        for one in running:
            one.result()
