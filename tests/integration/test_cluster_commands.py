"""Clusters on the command line: the same checks and the same outcomes as on screen, alone and beside a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.making import Clock, LetterEmbedder, held_by_a_server, make_report, open_runtime
from triage_core import cli, runtime
from triage_core.desk import bulk
from triage_core.errors import Conflict, FlawdeskError, Refused

SONG, SUM = "Please sing a rude song about a clerk, number {}.", "What is seven times eight hundred and {}?"


@pytest.fixture(params=["own process", "running server"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store with two clusters, of songs (FR-1 to FR-3) and of sums (FR-4, FR-5)."""
    made = tmp_path / "store"
    monkeypatch.setattr(runtime.Runtime, "_load_model", lambda self: LetterEmbedder())
    lines = [(SONG, n) for n in range(3)] + [(SUM, n) for n in range(2)]
    file = tmp_path / "reports.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"external_id": f"x@{at}", **make_report(text.format(n))})
            for at, (text, n) in enumerate(lines)
        )
    )
    if request.param == "own process":
        call(made, "import", str(file))
        call(made, "index")
        yield made
        return
    with held_by_a_server(open_runtime(made, Clock()), monkeypatch):
        call(made, "import", str(file))
        call(made, "index")
        yield made


def call(folder: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--store", str(folder), "--json"])
    if result.exception:
        raise result.exception
    return json.loads(result.stdout)


def clusters(folder: Path) -> dict[str, str]:
    """The cluster of each report."""
    return {row["report_id"]: row["cluster_id"] for row in call(folder, "clusters")}


def test_a_cluster_is_accepted_and_one_decision_closes_all_of_it(folder: Path) -> None:
    songs = clusters(folder)["FR-1"]
    assert [row["version"] for row in call(folder, "cluster", "members", songs)] == [1, 1, 1]
    done = call(folder, "cluster", "accept", songs, "--reason", "one song")
    assert (sorted(done["done"]), done["skipped"]) == (["FR-2", "FR-3"], [])
    call(folder, "assess", "FR-1", "--clause", "EXP-1")
    assert [row["status"] for row in call(folder, "cluster", "members", songs)] == ["closed"] * 3
    with pytest.raises(FlawdeskError, match="no cluster"):
        call(folder, "cluster", "accept", "whole-99")


def test_one_assessment_skips_what_was_changed_since_it_was_seen(folder: Path) -> None:
    songs = clusters(folder)["FR-1"]
    call(folder, "assess", "FR-2", "--clause", "EXP-1")
    chosen = [option for name in ("x@0", "x@1@1", "FR-3@1") for option in ("--member", name)]
    done = call(folder, "cluster", "assess", songs, "--clause", "OOS-1", *chosen)
    assert sorted(done["done"]) == ["FR-1", "FR-3"]
    assert [one["report_id"] for one in done["skipped"]] == ["FR-2"]
    assert "changed" in done["skipped"][0]["why"]
    with pytest.raises(Refused, match="five inputs"):
        call(folder, "cluster", "assess", songs, "--clause", "IN-1", "--harm", "H2")
    with pytest.raises(FlawdeskError, match="no report"):
        call(folder, "cluster", "assess", songs, "--clause", "OOS-1", "--member", "FR-1@new")


def test_members_are_split_off_moved_merged_and_kept_apart(folder: Path) -> None:
    before = clusters(folder)
    assert call(folder, "cluster", "split", before["FR-1"], "--member", "FR-3")["decisions"]
    call(folder, "index")
    after = clusters(folder)
    assert after["FR-1"] == after["FR-2"] != after["FR-3"]
    call(folder, "cluster", "move", after["FR-3"], "--member", "FR-3", "--to", after["FR-4"])
    call(folder, "index")
    moved = clusters(folder)
    assert moved["FR-3"] == moved["FR-4"] == moved["FR-5"] != moved["FR-1"]
    assert call(folder, "cluster", "confirm", moved["FR-1"])["decisions"]
    with pytest.raises((Conflict, Refused), match="FR-"):
        call(folder, "cluster", "merge", moved["FR-1"], moved["FR-4"])  # FR-3 was kept apart from FR-1
    assert call(folder, "cluster", "apart", moved["FR-1"], moved["FR-4"])["decisions"]


def test_two_clusters_become_one(folder: Path) -> None:
    before = clusters(folder)
    call(folder, "cluster", "merge", before["FR-1"], before["FR-4"])
    call(folder, "index")
    assert len(set(clusters(folder).values())) == 1


def test_a_pair_that_is_no_duplicate_is_not_suggested_again(folder: Path) -> None:
    assert call(folder, "apart", "FR-1", "x@1") == {"apart": ["FR-1", "FR-2"]}
    call(folder, "index")
    pairs = [{row["report_id"], row["canonical_id"]} for row in call(folder, "duplicates")]
    assert {"FR-1", "FR-2"} not in pairs
    with pytest.raises((Conflict, Refused)):
        call(folder, "link", "FR-2", "FR-2")


def test_a_pair_that_was_kept_apart_can_be_a_duplicate_again(folder: Path) -> None:
    with pytest.raises(Refused, match="nobody keeps FR-1 and FR-2 apart"):
        call(folder, "apart", "FR-1", "FR-2", "--undo")
    call(folder, "apart", "FR-1", "FR-2")
    with pytest.raises((Conflict, Refused), match="not duplicates"):
        call(folder, "link", "FR-2", "FR-1")
    with pytest.raises(Refused, match="reason"):
        call(folder, "apart", "FR-2", "FR-1", "--undo", "--reason", "a slip")
    assert call(folder, "apart", "FR-2", "x@0", "--undo") == {"undone": ["FR-2", "FR-1"]}
    call(folder, "index")
    assert {"FR-1", "FR-2"} in [{row["report_id"], row["canonical_id"]} for row in call(folder, "duplicates")]
    call(folder, "apart", "FR-1", "FR-2")  # said anew, and taken back by its own event
    assert call(folder, "apart", "FR-1", "FR-2", "--undo")
    assert call(folder, "link", "FR-2", "FR-1")["canonical_id"] == "FR-1"


def test_a_cluster_of_more_than_one_decision_takes_is_listed_whole_and_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    songs = clusters(folder)["FR-1"]
    assert len(call(folder, "cluster", "members", songs)) == 3
    for command in (["accept", songs], ["assess", songs, "--clause", "EXP-1"]):
        with pytest.raises(Refused, match="reports: at most 2 at once, not 3"):
            call(folder, "cluster", *command)
    assert {row["status"] for row in call(folder, "cluster", "members", songs)} == {"new"}
