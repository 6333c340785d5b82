"""Drafts: kept as typed, merged by part, approved by a second person, in force at once when published."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.making import FLAW, POLICY, REVIEWER, Clock, bring, make_report, open_runtime
from triage_core.desk import triage
from triage_core.errors import Conflict, InvalidPolicy, NotAllowed, NotFound, Refused
from triage_core.guidance import placeholders, policies, policy_drafts, policy_text
from triage_core.guidance.placeholders import MARK
from triage_core.guidance.policy import ClauseKind
from triage_core.guidance.policy_drafts import State
from triage_core.guidance.policy_text import Texts
from triage_core.model import Actor, DeskRole
from triage_core.runtime import Runtime

OWNER = Actor("test:ada", "Ada", frozenset({DeskRole.POLICY_OWNER}))
SECOND = Actor("test:ben", "Ben", frozenset({DeskRole.POLICY_OWNER}))
SEVERITY = POLICY.severity_csv
WORST = "H4,mass,universal,reliable,yes"
OOS = policy_text.split(Texts.of(POLICY))["clause OOS-2"]
WAITING = {"default_days": 30, "high_days": 14, "critical_days": 7, "exploited_days": 7, "cap_days": 180}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    found = open_runtime(tmp_path / "store")
    yield found
    found.close()


def read(runtime: Runtime, draft_id: int) -> policy_drafts.Draft:
    with runtime.store.read() as cursor:
        return policy_drafts.read(cursor, draft_id)


def obstacle(runtime: Runtime, draft_id: int) -> tuple[str, str] | None:
    with runtime.store.read() as cursor:
        return policy_drafts.obstacle(cursor, draft_id)


def begin(runtime: Runtime, **changes: object) -> tuple[int, int]:
    """The number and the revision of a draft of Ada's that changes these parts."""
    draft_id = policy_drafts.start(runtime.store, OWNER)
    return draft_id, policy_drafts.change(runtime.store, OWNER, draft_id, changes, seen_revision=1)


def put_in_force(runtime: Runtime, **changes: object) -> None:
    draft_id, revision = begin(runtime, **changes)
    policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)
    policy_drafts.publish(runtime.store, OWNER, draft_id, seen_revision=revision)


def test_a_draft_begins_as_the_version_in_force_with_the_next_number(runtime):
    draft = read(runtime, policy_drafts.start(runtime.store, OWNER))
    assert (draft.state, draft.revision, draft.authors) == (State.OPEN, 1, (OWNER.actor_id,))
    (only,) = policy_text.differences(Texts.of(runtime.policy), draft.texts)
    assert (only.part, only.after) == ("version", draft.texts.parse().version)
    assert only.before == runtime.policy.version


def test_a_published_draft_is_in_force_at_once_and_reports_keep_their_version(runtime):
    old = runtime.policy
    (first,) = bring(runtime.store, make_report())
    put_in_force(runtime, waiting=WAITING)
    assert runtime.policy.waiting.default_days == 30
    assert runtime.policy.version != old.version
    with runtime.store.read() as cursor:
        assert policies.in_force(cursor) == runtime.policy
        assert policies.version(cursor, old.version) == old
        assert [row["version"] for row in policies.history(cursor)] == [runtime.policy.version, old.version]
    triage.assess(runtime.store, runtime.policy, REVIEWER, first, FLAW)
    with runtime.store.read() as cursor:
        kept = cursor.execute("SELECT policy_version FROM reports").fetchall()
        used = cursor.execute("SELECT policy_version FROM assessments").fetchall()
    assert (kept, used) == ([(old.version,)], [(runtime.policy.version,)])


def test_readers_never_see_an_older_version_again(runtime):
    seen: list[list[str]] = [[] for _ in range(4)]
    done = threading.Event()

    def look(mine: list[str]) -> None:
        while not done.is_set():
            mine.append(runtime.policy.version)
            time.sleep(0.0005)  # readers that never wait keep the publisher from its work

    readers = [threading.Thread(target=look, args=(mine,)) for mine in seen]
    for reader in readers:
        reader.start()
    published = [runtime.policy.version]
    try:
        for days in range(20, 26):
            put_in_force(runtime, waiting={**WAITING, "default_days": days})
            published.append(runtime.policy.version)
            assert runtime.policy.waiting.default_days == days
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert len(set(published)) == 7
    for mine in seen:
        order = [published.index(version) for version in mine]
        assert order == sorted(order)


def test_a_version_published_while_the_clock_goes_back_is_in_force(tmp_path):
    clock = Clock()
    runtime = open_runtime(tmp_path / "store", clock)
    clock.forward(days=-3)
    put_in_force(runtime, waiting=WAITING)
    assert runtime.policy.waiting.default_days == 30
    runtime.close()


def test_whoever_wrote_a_part_may_not_approve(runtime):
    draft_id, revision = begin(runtime, title="Another title")
    with pytest.raises(NotAllowed, match="another policy owner"):
        policy_drafts.approve(runtime.store, OWNER, draft_id, seen_revision=revision)
    revision = policy_drafts.change(
        runtime.store, SECOND, draft_id, {"contact": "mailto:other@example.org"}, seen_revision=revision
    )
    with pytest.raises(NotAllowed):
        policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)
    with pytest.raises(NotAllowed, match="policy_owner"):
        policy_drafts.approve(runtime.store, REVIEWER, draft_id, seen_revision=revision)


def test_nothing_is_published_without_an_approval_of_exactly_this_revision(runtime):
    draft_id, revision = begin(runtime, title="Another title")
    with pytest.raises(Conflict, match="second person"):
        policy_drafts.publish(runtime.store, OWNER, draft_id, seen_revision=revision)
    policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)
    assert read(runtime, draft_id).approved_by == SECOND.actor_id
    later = policy_drafts.change(
        runtime.store, OWNER, draft_id, {"title": "A third title"}, seen_revision=revision
    )
    assert (read(runtime, draft_id).state, read(runtime, draft_id).approved_by) == (State.OPEN, None)
    with pytest.raises(Conflict, match="while you looked"):
        policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)
    policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=later)
    policy_drafts.publish(runtime.store, SECOND, draft_id, seen_revision=later)
    again = policy_drafts.publish(runtime.store, SECOND, draft_id, seen_revision=later)
    assert again == runtime.policy
    with pytest.raises(Conflict, match="published"):
        policy_drafts.change(runtime.store, OWNER, draft_id, {"title": "Late"}, seen_revision=later)


@pytest.mark.parametrize(
    ("part", "value", "field"),
    [
        ("title", " ", "title"),
        ("waiting", {**WAITING, "high_days": 200}, "waiting.high_days"),
        ("clause IN-1", None, None),
        ("severity.csv", SEVERITY.replace(f"{WORST},critical", f"{WORST},low"), "severity.csv row 271"),
        ("severity.csv", SEVERITY.replace(f"{WORST},critical\n", ""), "severity.csv"),
        ("priority.csv", POLICY.priority_csv.replace("low,none,defer", "low,none,"), "priority.csv row 5"),
        ("version", POLICY.version, "version"),
        *[("clause OOS-2", {**OOS, name: f"{MARK} more"}, f"clause OOS-2 {name}") for name in placeholders.TEXTS],
    ],
)  # fmt: skip
def test_a_draft_stays_as_typed_and_says_what_keeps_it_from_force(runtime, part, value, field):
    draft_id, revision = begin(runtime, **{part: value})
    parts = policy_text.split(read(runtime, draft_id).texts)
    assert parts.get(part) == value
    found = obstacle(runtime, draft_id)
    if field is None:
        assert found is None
        return
    assert found is not None
    assert found[0].startswith(field)
    with pytest.raises(InvalidPolicy):
        policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)


def test_changes_of_different_parts_do_not_disturb_each_other(runtime):
    draft_id = policy_drafts.start(runtime.store, OWNER)
    policy_drafts.change(runtime.store, OWNER, draft_id, {"title": "Ada's title"}, seen_revision=1)
    policy_drafts.change(runtime.store, SECOND, draft_id, {"waiting": WAITING}, seen_revision=1)
    found = read(runtime, draft_id).texts.parse()
    assert (found.title, found.waiting.default_days) == ("Ada's title", 30)
    with pytest.raises(Conflict, match="title"):
        policy_drafts.change(runtime.store, SECOND, draft_id, {"title": "Ben's title"}, seen_revision=1)
    assert read(runtime, draft_id).texts.parse().title == "Ada's title"


def test_an_earlier_revision_can_be_taken_again(runtime):
    draft_id, revision = begin(runtime, title="Regretted")
    policy_drafts.take_again(runtime.store, OWNER, draft_id, 1, seen_revision=revision)
    draft = read(runtime, draft_id)
    assert (draft.revision, draft.texts.parse().title) == (3, POLICY.title)
    with runtime.store.read() as cursor:
        whats = [row["what"] for row in policy_drafts.revisions(cursor, draft_id)]
    assert whats == ["revision 1 again", "title", "started"]


def test_the_id_of_a_clause_is_not_given_again(runtime):
    last = {**OOS, "id": "OOS-7"}
    put_in_force(runtime, **{"clause OOS-7": last})
    put_in_force(runtime, **{"clause OOS-7": None})
    begin(runtime, **{"clause EXP-9": {**OOS, "id": "EXP-9", "kind": "expected"}})
    with runtime.store.read() as cursor:
        found = [policies.next_clause_id(cursor, kind) for kind in ClauseKind]
    assert found == ["IN-8", "OOS-8", "EXP-10", "RTE-3"]


def test_a_draft_of_an_older_version_is_carried_over_before_it_is_published(runtime):
    draft_id, revision = begin(runtime, title="A better title")
    put_in_force(runtime, waiting=WAITING)
    assert (obstacle(runtime, draft_id) or ("",))[0] == "version"
    revision = policy_drafts.catch_up(runtime.store, OWNER, draft_id, seen_revision=revision)
    assert obstacle(runtime, draft_id) is None
    found = read(runtime, draft_id).texts.parse()
    assert (found.title, found.waiting.default_days) == ("A better title", 30)
    assert found.version not in (POLICY.version, runtime.policy.version)


def test_a_withdrawn_draft_is_left_alone_until_it_is_opened_again(runtime):
    draft_id, revision = begin(runtime, title="Maybe")
    policy_drafts.set_aside(runtime.store, OWNER, draft_id, seen_revision=revision)
    for command in (policy_drafts.approve, policy_drafts.publish):
        with pytest.raises(Conflict, match="withdrawn"):
            command(runtime.store, SECOND, draft_id, seen_revision=revision)
    policy_drafts.set_aside(runtime.store, OWNER, draft_id, False, seen_revision=revision)
    policy_drafts.approve(runtime.store, SECOND, draft_id, seen_revision=revision)


def test_an_upload_that_is_refused_changes_nothing(runtime):
    draft_id, revision = begin(runtime, title="Kept")
    for files, field in (
        ({"policy.toml": "x = 1"}, "second_look"),
        ({"policy.toml": POLICY.toml_text + "\nmore = true\n"}, "second_look.more"),
        ({"severity.csv": "harm\n"}, "severity.csv header"),
        ({"policy.toml": "a" * 200_001}, "policy.toml"),
        ({"policy.toml": 'title = "\ud800"'}, "policy.toml"),
        ({"passwd": "x"}, "file"),
    ):
        with pytest.raises(Refused) as refusal:
            policy_drafts.replace(runtime.store, OWNER, draft_id, files, seen_revision=revision)
        assert refusal.value.field == field
    assert read(runtime, draft_id).revision == revision
    with pytest.raises(InvalidPolicy):
        policy_drafts.start(runtime.store, OWNER, replace(Texts.of(POLICY), priority_csv=""))


def test_only_policy_owners_write_drafts(runtime):
    with pytest.raises(NotAllowed):
        policy_drafts.start(runtime.store, REVIEWER)
    draft_id, revision = begin(runtime, title="Mine")
    with pytest.raises(NotAllowed):
        policy_drafts.change(runtime.store, REVIEWER, draft_id, {"title": "x"}, seen_revision=revision)
    with pytest.raises(NotFound), runtime.store.read() as cursor:
        policy_drafts.read(cursor, 99)


def test_files_are_only_a_seed_once_a_draft_was_published(tmp_path):
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in Texts.of(POLICY).by_file().items():
        (folder / name).write_text(text)
    store = tmp_path / "store"
    runtime = open_runtime(store, rules=folder)
    put_in_force(runtime, waiting=WAITING)
    published = runtime.policy
    runtime.close()
    for text in (POLICY.toml_text, POLICY.toml_text.replace(POLICY.version, "2025.9"), "not even TOML"):
        (folder / "policy.toml").write_text(text)
        runtime = open_runtime(store, rules=folder)
        assert runtime.policy == published
        runtime.close()


def test_before_that_a_new_file_is_published_and_a_changed_one_refused(tmp_path):
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in Texts.of(POLICY).by_file().items():
        (folder / name).write_text(text)
    open_runtime(tmp_path / "store", rules=folder).close()
    (folder / "policy.toml").write_text(POLICY.toml_text.replace(POLICY.version, "2026.4"))
    runtime = open_runtime(tmp_path / "store", rules=folder)
    assert runtime.policy.version == "2026.4"
    runtime.close()
    (folder / "policy.toml").write_text(POLICY.toml_text.replace(POLICY.version, "2026.4") + "# more\n")
    with pytest.raises(Conflict, match="raise its version"):
        open_runtime(tmp_path / "store", rules=folder)
