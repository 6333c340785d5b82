"""Imports of files with columns of their own: mapped by option, and by presets that the desk keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.making import EVERYBODY, REVIEWER, open_runtime
from triage_core import cli, db, operations
from triage_core.errors import NotAllowed, NotFound, Refused, StoreError
from triage_core.importers import mapping, presets
from triage_core.operations.base import Emit
from triage_core.runtime import Runtime
from triage_core.verification import verify

MAP = ("--map", "prompt=question", "--map", "response=reply", "--map", "external_id=no")
PAIRS = ["prompt=question", "response=reply", "external_id=no"]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    yield made
    made.close()


def invoke(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli.app, [*words, "--store", str(folder), "--json"])


def call(folder: Path, *words: str) -> Any:
    ended = invoke(folder, *words)
    if ended.exception:
        raise ended.exception
    return json.loads(ended.stdout)


UNHEARD = Emit()


def bring(opened: Runtime, *files: str, emit: Emit = UNHEARD, **params: Any) -> Any:
    return operations.run(opened, "import", {"files": list(files), **params}, emit)


def own(folder: Path, *rows: tuple[object, str], name: str = "own.csv") -> str:
    """A file of the columns no, question and reply."""
    path = folder / name
    path.write_text("no,question,reply\n" + "".join(f"{no},{question},sure\n" for no, question in rows))
    return str(path)


def events(opened: Runtime) -> list[tuple[str, str]]:
    with opened.store.read() as cursor:
        found = db.rows(cursor, "SELECT kind, subject FROM events WHERE kind LIKE 'preset.%' ORDER BY seq")
    return [(row["kind"], row["subject"]) for row in found]


def test_a_mapping_is_given_once_kept_used_again_and_deleted(folder: Path, tmp_path: Path) -> None:
    first, second = own(tmp_path, (1, "one"), (2, "two")), own(tmp_path, (3, "three"), name="more.csv")
    ended = invoke(folder, "import", first, *MAP[:4], "--save-preset", "support log")
    assert json.loads(ended.stdout)["stored"] == 2
    assert "own.csv: columns that are not read: no" in ended.stderr
    assert call(folder, "import", first, *MAP[:4], "--save-preset", "support log")["already_known"] == 2

    (kept,) = call(folder, "presets", "list")
    assert (kept["name"], kept["map"]) == ("support log", PAIRS[:2])
    assert kept["saved_by"].startswith("cli:")
    assert call(folder, "import", second, "--preset", "support log")["stored"] == 1

    assert call(folder, "presets", "delete", "support log") == {"name": "support log", "deleted": True}
    assert call(folder, "presets", "list") == []
    refusal = invoke(folder, "import", second, "--preset", "support log").exception
    assert str(refusal) == "preset: there is no preset 'support log': `presets list` names all"
    assert call(folder, "stats")["reports"] == 3


def test_a_name_that_is_taken_is_refused_before_anything_is_stored(opened: Runtime, tmp_path: Path) -> None:
    bring(opened, own(tmp_path, (1, "one")), map=PAIRS, save_preset="log")
    other = own(tmp_path, (2, "two"))
    with pytest.raises(Refused) as refusal:
        bring(opened, other, map=["prompt=question"], save_preset="log")
    assert str(refusal.value) == "preset: 'log' is another mapping already: delete it, or give another name"
    assert bring(opened, other, preset="log")["stored"] == 1
    with opened.store.read() as cursor:
        assert [kept.mapping.pairs() for kept in presets.listing(cursor)] == [PAIRS]
        assert db.value(cursor, "SELECT count(*) FROM reports") == 2


def test_a_mapping_that_fits_no_file_is_not_kept(opened: Runtime, tmp_path: Path) -> None:
    bad, empty, good = tmp_path / "bad.jsonl", tmp_path / "empty.csv", own(tmp_path, (1, "one"))
    bad.write_text('{"text": "one"}\n{"text": "two"}\n')
    empty.write_text("")
    refused: list[dict[str, Any]] = []
    notes: list[str] = []
    emit = Emit(item=refused.append, note=notes.append)
    bring(opened, str(bad), str(empty), emit=emit, map=PAIRS, save_preset="log")
    asked = "columns: must hold question, reply, no"
    rule = f"{asked}; none of its 1 is one of them: has it names in its first line?"
    assert refused == [{"file": "bad.jsonl", "line": 1, "reason": rule}]
    assert notes == ["the preset was not kept: no file that was read has its columns"]
    assert events(opened) == []
    assert bring(opened, str(bad), good, emit=emit, map=PAIRS, save_preset="log")["stored"] == 1
    assert (len(notes), events(opened)) == (1, [("preset.saved", "preset log")])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--preset", "log", "--map", "prompt=question"), "a preset has its own columns"),
        (("--save-preset", "log"), "say with --map what is to be kept"),
        (("--preset", "log", "--save-preset", "other"), "say with --map what is to be kept"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    ended = invoke(tmp_path / "store", "import", own(tmp_path, (1, "one")), *words)
    assert ended.exit_code == 2
    assert told in " ".join(ended.output.replace("│", " ").split())
    assert not (tmp_path / "store").exists()


def test_a_preset_has_a_short_name_of_words(opened: Runtime, tmp_path: Path) -> None:
    file = own(tmp_path, (1, "one"))
    for name in ("", "  ", "two\nlines", "\u202egol", " log", "a" * 41):
        with pytest.raises(Refused, match=r"^preset: "):
            bring(opened, file, map=PAIRS, save_preset=name)
    with pytest.raises(NotFound):
        bring(opened, file, preset="")
    assert events(opened) == []


def test_presets_are_events_and_are_the_operators(opened: Runtime) -> None:
    columns = mapping.parse(PAIRS)
    with pytest.raises(NotAllowed):
        presets.save(opened.store, REVIEWER, "log", columns)
    for _ in range(2):
        presets.save(opened.store, EVERYBODY, "log", columns)
    presets.save(opened.store, EVERYBODY, "log", mapping.parse(reversed(PAIRS)))
    with pytest.raises(NotAllowed):
        presets.delete(opened.store, REVIEWER, "log")
    presets.delete(opened.store, EVERYBODY, "log")
    with pytest.raises(NotFound):
        presets.delete(opened.store, EVERYBODY, "log")
    assert events(opened) == [("preset.saved", "preset log"), ("preset.deleted", "preset log")]
    verify(opened.store)


def test_a_preset_with_a_field_that_is_no_more_is_refused(opened: Runtime, tmp_path: Path) -> None:
    presets.save(
        opened.store, EVERYBODY, "log", mapping.ColumnMapping({"prompt": "question", "mood": "reply"})
    )
    with pytest.raises(Refused, match=r"^map: 'mood' is not a field; known are turns, "):
        bring(opened, own(tmp_path, (1, "one")), preset="log")


def test_what_was_refused_before_an_import_broke_off_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("triage_core.channel.intake.note_import", broken)
    ended = invoke(
        tmp_path / "store", "import", own(tmp_path, (1, "one"), (2, "")), "--map", "prompt=question"
    )
    assert ended.exit_code
    assert "line 3: turns: must have at least one user turn" in " ".join(ended.output.split())
