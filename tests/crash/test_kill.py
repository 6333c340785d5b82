"""kill -9 at any moment: what was acknowledged is there, the chain verifies, nothing is doubled."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.making import make_report, open_runtime
from triage_core import queries, told
from triage_core.operations import Emit, imports

LINES = 2_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kill") / "reports.jsonl"
    lines = (
        {"external_id": f"k{n}", "turns": make_report(f"Question number {n}")["turns"]} for n in range(LINES)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(2))
def test_an_import_that_is_killed_goes_on_where_it_was(
    repository: Path, tmp_path: Path, file: Path, round_number: int
) -> None:
    chance = random.Random(round_number)
    store = tmp_path / "store"
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, "-m", "tests.crash.importer", str(store), str(file)]
        process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()  # the first commit: from here on anything may be cut
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        printed = process.communicate()[0].split()
        # The lines of this run that were stored before count as acknowledged again: they are known.
        acknowledged = max(acknowledged, *(int(word) for word in printed if word.isdigit()), 10)
        opened = open_runtime(store)
        assert opened.store.verify() >= acknowledged
        with opened.store.read() as cursor:
            assert queries.counts(cursor)["reports"] >= acknowledged
            assert told.disagreements(cursor) == []
        opened.close()
    opened = open_runtime(store)
    done = imports.import_files(opened, {"files": [str(file)]}, Emit())
    assert done["stored"] + done["already_known"] == LINES
    assert done["already_known"] >= acknowledged
    with opened.store.read() as cursor:
        assert queries.counts(cursor)["reports"] == LINES
    opened.store.verify()
    opened.close()
