"""kill -9 while eight senders share commits: what was acknowledged is there, and sending again doubles nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.sender import words
from tests.making import POLICY, Clock, make_report
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.channel.committer import Committer
from triage_core.model import Channel
from triage_core.store import Store
from triage_core.told import disagreements

ROUNDS = 2


def run_until_killed(
    repository: Path, store: Path, prefix: str, again: list[str], answers: int
) -> dict[str, str]:
    """Start the senders, kill them after so many answers; gives what they were told, by name."""
    command = [sys.executable, "-m", "tests.crash.sender", str(store), prefix, *again]
    process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(answers)]
    process.kill()
    lines += process.communicate()[0].splitlines(keepends=True)
    assert all(lines[:answers]), "the senders ended by themselves"
    return dict(line.split() for line in lines if line.endswith("\n"))


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_doubled(repository: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    told: dict[str, str] = {}
    for number in range(ROUNDS):
        again = [] if not told else chance.sample(sorted(told), 20)
        answers = run_until_killed(repository, tmp_path, str(number), again, chance.randint(40, 120))
        assert {name: told.get(name, report_id) for name, report_id in answers.items()} == answers
        told |= answers
    store = Store(tmp_path, Clock())
    Committer(store)  # takes in what was accepted and not stored
    store.verify()
    for name in list(told)[::7]:
        report = reportformat.parse(make_report(words(name)))
        assert intake.receive(store, POLICY, report, Channel.API, name).report_id == told[name]
    with store.read() as cursor:
        assert disagreements(cursor) == []
        stored = db.rows(cursor, "SELECT report_id, turns[1].content AS said FROM reports")
    store.close()
    said = {row["report_id"]: row["said"] for row in stored}
    assert {name: said.get(report_id) for name, report_id in told.items()} == {
        name: words(name) for name in told
    }
    assert len(set(said.values())) == len(stored)
