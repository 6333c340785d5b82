"""How the command line ends in a process of its own: status and stderr of what went wrong outside of any rule."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import make_report
from triage_core import cli
from triage_core.store import Store

# What DuckDB makes of Ctrl+C within a query; whether it notices at once depends on its threads.
INTERRUPTED = """
from triage_core import cli, operations
def interrupted(runtime, params, emit):
    raise RuntimeError("Query interrupted")
operations.OPERATIONS["stats"] = interrupted
cli.main()
"""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_query_that_is_interrupted_ends_like_any_other_command(tmp_path: Path) -> None:
    run("-m", "triage_core", "stats", "--store", str(tmp_path))
    ended = run("-c", INTERRUPTED, "stats", "--store", str(tmp_path), "--json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Aborted.\n")


def test_an_interruption_before_the_command_begins_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("triage_core", run_name="__main__")
    assert ended.value.code == 130


def test_a_refusal_is_one_line_however_long(tmp_path: Path) -> None:
    ended = run("-m", "triage_core", "export", "--profile", "poems", "--out", ".", "--store", str(tmp_path))
    assert ended.returncode == 1
    refused = ended.stderr.splitlines()[-1]
    assert refused.startswith("refused: profile: one of kto, ")
    assert refused.endswith("not 'poems'")


def test_a_name_that_the_terminal_cannot_show_does_not_end_the_command(tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    file.write_text(json.dumps({"external_id": "März-1", "turns": make_report("Hello")["turns"]}))
    store = ["--store", str(tmp_path / "store")]
    assert run("-m", "triage_core", "import", str(file), *store).returncode == 0
    assess = ["assess", "FR-1", "--clause", "OOS-1", *store]
    ended = run("-m", "triage_core", *assess, PYTHONIOENCODING="ascii:strict")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "M\\xe4rz-1" in ended.stdout


def test_a_table_in_a_pipe_cuts_no_word_off(tmp_path: Path) -> None:
    origin = "https://a-long-name-of-a-shop.example.org"
    store = ["--store", str(tmp_path)]
    run("-m", "triage_core", "keys", "add", "Parrot", "--origin", origin, *store)
    rows = [line.split("│") for line in run("-m", "triage_core", "keys", "list", *store).stdout.splitlines()]
    assert "".join(row[3].strip() for row in rows if len(row) > 3) == origin


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_told_in_a_line(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:  # a device
        ended = subprocess.run(
            [sys.executable, "-m", "triage_core", "stats", "--json", "--store", str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "error: [Errno 28] No space left on device"


def test_a_folder_without_a_store_is_spoken_of_once(tmp_path: Path) -> None:
    first, second = (run("-m", "triage_core", "stats", "--json", "--store", str(tmp_path)) for _ in range(2))
    assert (first.returncode, json.loads(first.stdout)["events"]) == (0, 1)
    assert first.stderr == f"there was no store in {tmp_path}: a new one is begun\n"
    assert (second.stdout, second.stderr) == (first.stdout, "")


def test_nothing_is_no_sound_backup(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    ended = run("-m", "triage_core", "verify", "--json", "--store", str(copy))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"refused: store: there is no flawdesk.duckdb in {copy}\n"
    assert not copy.exists()


def test_a_variable_that_is_not_set_names_no_folder(tmp_path: Path) -> None:
    ended = run("-m", "triage_core", "stats", "--json", "--store", "")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "must name a folder" in ended.stderr


def test_a_process_that_is_no_server_is_not_said_to_be_asked(tmp_path: Path) -> None:
    holder = Store(tmp_path)
    ended = run("-m", "triage_core", "stats", "--json", "--store", str(tmp_path))
    holder.close()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: another process holds the store and is not a server that answers")
