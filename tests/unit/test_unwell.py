"""The rules of what is not well: each is about one subject, and has words, a way out and a place in the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import NOON
from triage_core.health import Anchored, Comparing, Disk, Health, Intake, Messages, Record
from triage_core.runtime import Step, WorkerState
from triage_core.unwell import ABOUT, Ill, ills
from triage_core.verification import Verified
from ui.health import words

WELL = Health(
    NOON,
    Path("/srv/flawdesk"),
    Intake(1, NOON, "form", 0, ""),
    Comparing("model", "space", 1, 1, True, (Step.REST, NOON), WorkerState(), None),
    Messages(("email",), True, 1, 0, 0, NOON, None, NOON, ()),
    Record(9, "0" * 64, NOON, Anchored.SAME, None, None),
    None,
    Disk(50 * 2**30, 100 * 2**30, 1, 1, 1, 1, 1, 0),
    (),
    (),
    0,
)
BEFORE = NOON - timedelta(days=40)


def having(**changes: dict[str, object]) -> Health:
    """A look that is well but for these fields of its parts."""
    return replace(WELL, **{part: replace(getattr(WELL, part), **new) for part, new in changes.items()})  # type: ignore[arg-type]


CASES: dict[Ill, Health] = {
    Ill.FRONT_SILENT: WELL,
    Ill.JOURNAL_STUCK: having(intake={"waiting": 2, "error": "why"}),
    Ill.WORKER_STOPPED: having(comparing={"is_running": False}),
    Ill.COMPARING_FAILS: having(comparing={"state": WorkerState(error="why")}),
    Ill.GIVEN_UP: having(messages={"failed": 1}),
    Ill.ROUNDS_STOPPED: having(messages={"is_running": False}),
    Ill.ROUNDS_LATE: having(messages={"looked_at": NOON - timedelta(minutes=31)}),
    Ill.MESSAGES_LATE: having(messages={"oldest_at": NOON - timedelta(minutes=61)}),
    Ill.NO_CHANNEL: having(messages={"channels": (), "is_running": False}),
    **{
        Ill(f"anchor_{says}"): having(record={"anchored": says})
        for says in (Anchored.AHEAD, Anchored.DIFFERS, Anchored.MISSING, Anchored.UNREADABLE)
    },
    Ill.ANCHOR_BEHIND: having(
        record={"anchored": Anchored.BEHIND, "behind_since": NOON - timedelta(minutes=2)}
    ),
    Ill.VERIFY_FAILED: having(record={"verified": Verified(BEFORE, 9, "why")}),
    Ill.VERIFY_DUE: having(record={"verified": Verified(BEFORE, 9)}),
    Ill.DISK_FULL: having(disk={"free": 2**20}),
    Ill.DISK_LOW: having(disk={"free": 9 * 2**30}),
}


def test_nothing_is_wrong_with_what_is_well() -> None:
    assert ills(WELL, front_answers=True) == []
    new = having(messages={"channels": (), "is_running": False, "waiting": 0, "looked_at": None})
    assert ills(new, front_answers=True) == [], "no channel is a choice"
    busy = having(record={"anchored": Anchored.BEHIND, "behind_since": NOON}, intake={"waiting": 500})
    assert ills(busy, front_answers=True) == [], "what lasts a moment is none"
    roomy = having(disk={"free": 30 * 2**30, "size": 2**50})
    assert ills(roomy, front_answers=True) == [], "a small share of a large disk is much"
    small = having(disk={"free": 8 * 2**30, "size": 40 * 2**30})
    assert ills(small, front_answers=True) == [], "and so is a large share of a small one"


@pytest.mark.parametrize("ill", Ill)
def test_each_is_found_alone_and_has_its_words(ill: Ill) -> None:
    seen = CASES[ill]
    assert ills(seen, front_answers=ill is not Ill.FRONT_SILENT) == [ill]
    assert words.ill_words(ill, seen).endswith(".")
    names_a_command = words.DO[ill].endswith(":") or "retired" in words.DO[ill]
    assert bool(words.command_for(ill, seen.folder)) == names_a_command
    assert ABOUT[ill][0] in words.SUBJECT


def test_a_store_that_was_never_verified_is_late_a_month_after_it_began() -> None:
    begun = having(record={"began_at": BEFORE})
    assert ills(begun, front_answers=True) == [Ill.VERIFY_DUE]
    assert words.ill_words(Ill.VERIFY_DUE, begun) == "The store has never been verified as a whole."


def test_a_command_names_the_store_as_a_shell_reads_it() -> None:
    found = words.command_for(Ill.VERIFY_DUE, Path("/srv/my desk"))
    assert found == "python -m triage_core verify --store '/srv/my desk'"
