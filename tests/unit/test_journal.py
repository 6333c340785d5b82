"""The journal on its own: what a crash, a fault of the disk and earlier cycles leave in its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from triage_core.channel.journal import Journal, is_waiting
from triage_core.errors import StoreError

ROOM = 4_096


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("triage_core.channel.journal.ROOM", ROOM)
    monkeypatch.setattr("triage_core.channel.journal.MOST_ROOM", 2 * ROOM)
    return tmp_path / "journal"


def entry(number: int, characters: int = 0) -> str:
    return f'{{"n":{number},"text":"{"x" * characters}"}}'


def numbers(journal: Journal) -> list[int]:
    return [one["n"] for one in journal.read()]


def crashed(path: Path, change: Callable[[bytes], bytes] = lambda found: found) -> Journal:
    """The file as a crash has left it, opened again."""
    path.write_bytes(change(path.read_bytes()))
    return Journal(path)


def after_cycles(path: Path, cycles: list[list[int]]) -> bytes:
    """A journal that was filled and emptied so many times and holds the last; gives its last line."""
    journal = Journal(path)
    for number, lengths in enumerate(cycles):
        if number:
            journal.clear()
        for at, characters in enumerate(lengths):
            journal.append([entry(10 * number + at, characters)])
    return path.read_bytes()[: journal._end].splitlines(keepends=True)[-1]


def test_entries_come_back_in_order_and_the_next_line_goes_behind_them(path: Path) -> None:
    journal = Journal(path)
    journal.append([entry(1), entry(2)])
    journal.append([entry(3)])
    journal = crashed(path)
    assert numbers(journal) == [1, 2, 3]
    journal.append([entry(4)])
    assert numbers(journal) == [1, 2, 3, 4]
    assert path.stat().st_size == ROOM


@pytest.mark.parametrize(
    "cycles", [[[0, 80]], [[300, 5, 5, 40], [0, 90]], [[5], [700, 200], [0, 60], [9, 80]]]
)
@pytest.mark.parametrize("kept", [0, 9, 30])
@pytest.mark.parametrize("behind", ["zeros", "what stood there", "nothing"])
def test_a_torn_last_line_was_never_acknowledged(
    path: Path, cycles: list[list[int]], kept: int, behind: str
) -> None:
    before = after_cycles(path, [*cycles[:-1], cycles[-1][:-1]])
    at_its_place = path.read_bytes()
    path.unlink()
    last = after_cycles(path, cycles)

    def tear(found: bytes) -> bytes:
        cut = found.rindex(last) + kept
        assert before in found
        return (
            found[:cut]
            + {"zeros": bytes(len(found) - cut), "what stood there": at_its_place[cut:], "nothing": b""}[
                behind
            ]
        )

    journal, first = crashed(path, tear), 10 * len(cycles) - 10
    assert numbers(journal) == list(range(first, first + len(cycles[-1]) - 1))
    journal.append([entry(99)])
    assert numbers(crashed(path)) == [*range(first, first + len(cycles[-1]) - 1), 99]


def test_an_emptied_journal_is_empty_whatever_stands_behind_its_end(path: Path) -> None:
    after_cycles(path, [[5, 5, 5], [0], []])
    assert b'"n":2' in path.read_bytes()
    assert not is_waiting(path)
    journal = crashed(path)
    assert numbers(journal) == []
    journal.append([entry(7)])
    assert is_waiting(path)
    assert numbers(crashed(path)) == [7]


def test_a_torn_beginning_leaves_the_cycle_before_which_the_numbers_of_the_reports_tell(path: Path) -> None:
    after_cycles(path, [[5, 5, 5], []])
    journal = crashed(path, lambda found: b"\0\0\0" + found[3:])
    assert numbers(journal) == [1, 2]
    journal.clear()
    journal.append([entry(9)])
    assert numbers(crashed(path)) == [9]


@pytest.mark.parametrize("cycles", [[[0, 0, 0]], [[40, 5], [0, 0, 0]]])
def test_damage_before_the_last_line_is_told(path: Path, cycles: list[list[int]]) -> None:
    after_cycles(path, cycles)
    journal = crashed(path, lambda found: found.replace(b'1,"text":""', b'7,"text":""'))
    with pytest.raises(StoreError, match=rf"line {len(cycles) + 1} of .* is damaged"):
        journal.read()
    with pytest.raises(StoreError, match="is damaged"):
        is_waiting(path)


def test_a_line_that_the_disk_did_not_take_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, write = Journal(path), os.pwrite
    journal.append([entry(1)])

    def fail(file: int, data: bytes, at: int) -> int:
        written = write(file, data, at)
        if len(data) > 1:
            raise OSError("the disk is gone")
        return written

    with monkeypatch.context() as patched:
        patched.setattr("os.pwrite", fail)
        with pytest.raises(StoreError, match="the disk is gone"):
            journal.append([entry(2)])
    assert numbers(crashed(path)) == [1]
    journal.append([entry(3)])
    assert numbers(crashed(path)) == [1, 3]


def test_what_one_great_line_took_is_given_back(path: Path) -> None:
    journal = Journal(path)
    journal.append([entry(1, 2 * ROOM)])
    assert numbers(journal) == [1]
    journal.clear()
    assert path.stat().st_size == ROOM
    journal.close()
    assert path.read_bytes() == b""


def test_a_journal_of_before_has_neither_room_nor_cycles(path: Path) -> None:
    lines = [f"[{entry(1)},{entry(2)}]", f"[{entry(3)}]"]
    path.write_text("".join(f"{crc32(line.encode()):08x} {line}\n" for line in lines) + "ab")
    journal = Journal(path)
    assert numbers(journal) == [1, 2, 3]
    journal.append([entry(4)])
    assert numbers(crashed(path)) == [1, 2, 3, 4]
    journal.clear()
    assert not is_waiting(path)
