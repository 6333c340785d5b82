"""Whatever is changed, lost or added behind the events is noticed; whatever commands do is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, lay, make_report, open_store
from triage_core import db, told, verification
from triage_core.advisories import advising, answering, peers
from triage_core.channel import reporter
from triage_core.desk import claims, second_look, triage
from triage_core.desk.decision import Decision
from triage_core.desk.undo import undo
from triage_core.disclosure import disclosure, holdings
from triage_core.errors import ChainBroken, StoreError
from triage_core.guidance import policies
from triage_core.lifecycle import Trigger
from triage_core.model import Actor, ProductStatus
from triage_core.store import Store, Work

LATER = NOON + timedelta(microseconds=120)
INES = Actor("test:ines", "Ines", REVIEWER.roles)


def fill(folder: Path) -> None:
    """FR-1 is accepted after an undo, twice, FR-2 its duplicate, FR-3 asked about, FR-4 new, FR-5 rerouted, FR-6 under
    an embargo that the desk wants to end earlier; the reporter of FR-6 has taken back what was agreed to. A peer was
    told of FR-6 and has answered; another one was ended."""
    clock = Clock()
    opened = open_store(folder, clock)
    bring(opened, *(make_report(f"Question {number}") for number in range(1, 5)))
    bring(opened, {"system": [{"platform": "Kite"}], "illegal_minor_content": True})
    agreed = {"consent_training": "classifier_only", "consent_share_peers": "under_embargo"}
    bring(opened, make_report("Question 6", disclosure_intent="yes", external_id="six", **agreed))
    policies.publish(opened, EVERYBODY, POLICY)
    clock.now = LATER
    triage.assess(opened, POLICY, REVIEWER, "FR-1", Decision(("OOS-1",), better_answer="No."))
    undo(opened, REVIEWER, opened.revision)
    triage.assess(opened, POLICY, REVIEWER, "FR-1", FLAW)
    second_look.ask(opened, REVIEWER, "FR-1")
    with opened.read() as cursor:  # the first decision may have been drawn too
        look = int(db.value(cursor, "SELECT look_id FROM open_looks"))
    second_look.answer(opened, INES, look, FLAW)
    disclosure.propose(opened, POLICY, EVERYBODY, "FR-6", clock() + timedelta(days=20))
    reporter.end_training(opened, "FR-6")
    reporter.end_sharing(opened, "FR-6")
    triage.link(opened, REVIEWER, "FR-2", "FR-1")
    triage.keep_apart(opened, REVIEWER, "FR-3", "FR-4")
    triage.move(opened, REVIEWER, "FR-3", Trigger.ASK_REPORTER, note="Which one?")
    claims.assign(opened, REVIEWER, "FR-3", REVIEWER)
    claims.assign(opened, INES, "FR-3", None)
    _, key = peers.add(opened, EVERYBODY, "Heron", "security@heron.example")
    advising.open_advisory(opened, EVERYBODY, "FR-6", "A title of ours", "It reaches others")
    advising.tell(opened, EVERYBODY, 1, ["Heron"])
    with opened.read() as cursor:
        end = holdings.of(cursor, ["FR-6"], clock())["FR-6"].end
    answering.accept(opened, key, 1, end)
    answering.answer(opened, key, 1, ProductStatus.FIXED, "By us")
    advising.open_advisory(opened, EVERYBODY, "FR-1", "Another title", "It reaches others")
    advising.close(opened, EVERYBODY, 2, "Not now")
    peers.end(opened, EVERYBODY, peers.add(opened, EVERYBODY, "Ibis")[0])
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    lay(tmp_path, fill)
    opened = Store(tmp_path, Clock(LATER))
    yield opened
    opened.close()


def test_a_store_that_only_commands_have_changed_is_sound(store: Store) -> None:
    assert verification.verify(store) == store.revision


@pytest.mark.parametrize(
    ("report_id", "change", "what"),
    [
        ("FR-1", "severity = 'low'", "not what their events made"),
        ("FR-1", "closed_at = '2026-01-01'", "not what their events made"),
        ("FR-1", "triaged_at = triaged_at + INTERVAL 1 MICROSECOND", "not what their events made"),
        ("FR-2", "canonical_id = 'FR-3'", "not what their events made"),
        ("FR-3", "severity = 'critical'", "not what their events made"),
        ("FR-3", "assigned_to = 'somebody'", "not what their events made"),
        ("FR-3", "status = 'new'", "not what their events made"),
        ("FR-3", "version = version + 1", "version or author"),
        ("FR-3", "updated_by = 'somebody'", "version or author"),
        ("FR-4", "status = 'accepted'", "without an event"),
        ("FR-4", "priority = 'immediate'", "without an event"),
        ("FR-5", "resolution = 'spam'", "without an event"),
        ("FR-6", "consent_training = 'classifier_only'", "not what their events made"),
        ("FR-6", "consent_share_peers = 'under_embargo'", "not what their events made"),
    ],
)
def test_a_change_behind_the_events_is_noticed(store: Store, report_id: str, change: str, what: str) -> None:
    with store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute(f"UPDATE cases SET {change} WHERE report_id = ?", [report_id])
    with pytest.raises(StoreError, match=what):
        verification.verify(store)
    with store.read() as cursor:
        assert any(
            sentence.startswith("1 cases") and what in sentence for sentence in told.disagreements(cursor)
        )


WRITTEN = [
    "UPDATE assessments SET note = 'As I see it.' WHERE assessment_id = 1",
    "UPDATE assessments SET reproduction_log = 'None of 20.' WHERE assessment_id = 2",
    "UPDATE assessments SET harm = 'H4' WHERE assessment_id = 2",
    "UPDATE assessments SET reliability = 'rare' WHERE assessment_id = 3",
    "UPDATE messages SET text = 'Which two?' WHERE text = 'Which one?'",
    "UPDATE messages SET kind = 'sharing_ended' WHERE kind = 'training_ended'",
    "UPDATE messages SET params = '{\"end\":\"never\"}' WHERE text = 'Which one?'",
    "DELETE FROM messages WHERE text = 'Which one?'",
    "UPDATE better_answers SET content = 'Yes.' WHERE answer_id = 1",
    "UPDATE better_answers SET written_by = 'somebody' WHERE answer_id = 1",
    "UPDATE better_answers SET turn = 2 WHERE answer_id = 1",
    "UPDATE better_answers SET approved_by = 'somebody' WHERE answer_id = 1",
    "UPDATE messages SET report_id = 'FR-4' WHERE text = 'Which one?'",
    "INSERT INTO messages SELECT 999, report_id, done_at, actor_id, direction, kind, 'Paid.', params FROM messages"
    " LIMIT 1",
]


def test_what_somebody_wrote_is_not_changed_unnoticed(store: Store) -> None:
    class TakenBack(Exception):
        pass

    for change in WRITTEN:
        with suppress(TakenBack), store.write(EVERYBODY, "tamper") as work:
            (changed,) = work.cursor.execute(change).fetchone() or (0,)
            assert changed >= 1
            found = told.disagreements(work.cursor)
            assert f"{changed} messages, notes or answers that are not what was written" in found, change
            raise TakenBack
    assert verification.verify(store) == store.revision


def test_what_was_written_before_there_were_hashes_is_believed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "say", lambda *_: None)
    triage.assess(
        store, POLICY, REVIEWER, "FR-4", Decision(("OOS-1",), note="A sum.", better_answer="Seven.")
    )
    with store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute("UPDATE assessments SET note = 'A joke.' WHERE note = 'A sum.'")
    assert verification.verify(store) == store.revision


@pytest.mark.parametrize(
    "change",
    [
        "SET body = replace(body, 'gave away', 'kept')",
        "SET body = replace(body, 'Kite', 'Crow')",
        "SET turns = [{'role': 'user', 'content': 'Question 4?'}]",
        "SET body_sha256 = content_sha256",
    ],
)
def test_a_changed_report_is_noticed(store: Store, change: str) -> None:
    with store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute(f"UPDATE reports {change} WHERE report_id = 'FR-4'")
    with pytest.raises(ChainBroken, match="report FR-4 is not what came in"):
        verification.verify(store)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE reports SET what_is_wrong = 'Nothing.' WHERE report_id = 'FR-4'", "listed as something else"),
        ("UPDATE reports SET external_id = 'seven' WHERE report_id = 'FR-6'", "listed as something else"),
        ("UPDATE reports SET wants_reward = true WHERE report_id = 'FR-4'", "listed as something else"),
        ("UPDATE reports SET harm_types = [] WHERE report_id = 'FR-4'", "listed as something else"),
        ("UPDATE cases SET received_at = '2026-01-01' WHERE report_id = 'FR-4'", "listed as something else"),
        ("UPDATE cases SET platform = 'Crow' WHERE report_id = 'FR-4'", "listed as something else"),
        ("UPDATE cases SET consent_training = 'any_safety_training' WHERE report_id = 'FR-4'", "nobody gave"),
        ("UPDATE cases SET consent_share_peers = 'under_embargo' WHERE report_id = 'FR-1'", "nobody gave"),
        ("DELETE FROM assessments WHERE assessment_id = 1", "decisions"),  # of the decision that was undone
        ("DELETE FROM assessments WHERE look_id IS NOT NULL", "decisions"),
        ("UPDATE assessments SET clauses = ['IN-3'] WHERE assessment_id = 2", "decisions"),
        ("UPDATE assessments SET severity = 'low' WHERE assessment_id = 2", "decisions"),
        ("UPDATE assessments SET actor_id = 'somebody' WHERE assessment_id = 3", "decisions"),
        ("INSERT INTO assessments SELECT * REPLACE (9 AS assessment_id) FROM assessments LIMIT 1", "decisions"),
        ("DELETE FROM duplicate_links", "duplicate links that are gone"),
        ("DELETE FROM better_answers", "better answers that are gone"),
        ("INSERT INTO better_answers SELECT * REPLACE (9 AS answer_id) FROM better_answers", "no event tells"),
        ("DELETE FROM cannot_links", "pairs kept apart that are gone"),
        ("DELETE FROM embargoes", "embargoes that are not"),
        ("UPDATE embargoes SET state = 'exited'", "embargoes that are not"),
        ("UPDATE embargoes SET proposed_end = proposed_end + INTERVAL 1 SECOND", "embargoes that are not"),
        ("UPDATE peers SET key_sha256 = repeat('0', 64)", "peers that are not"),
        ("DELETE FROM peer_ends", "peers that are not"),
        ("INSERT INTO peers SELECT * REPLACE (9 AS peer_id) FROM peers LIMIT 1", "peers that are not"),
        ("DELETE FROM advisories WHERE advisory_id = 2", "advisories that are gone"),
        ("UPDATE advisories SET report_id = 'FR-4' WHERE advisory_id = 1", "advisories that are not"),
        ("UPDATE advisories SET title = title || '.' WHERE advisory_id = 1", "advisories that are not"),
        ("DELETE FROM advisory_ends", "advisories that are not"),
        ("DELETE FROM advisory_steps WHERE step = 'told'", "steps of advisories that are gone"),
        ("UPDATE advisory_steps SET peer_id = 2 WHERE step = 'told'", "advisories that are not"),
        ("UPDATE advisory_steps SET embargo_end = embargo_end + INTERVAL 1 DAY", "advisories that are not"),
        ("UPDATE advisory_steps SET status = 'known_affected' WHERE step = 'answered'", "advisories that are not"),
        ("UPDATE advisory_steps SET note = 'By them' WHERE step = 'answered'", "advisories that are not"),
        ("UPDATE policy_versions SET policy_toml = policy_toml || '#'", "policy versions"),
        ("DELETE FROM policy_versions", "policy versions"),
        ("INSERT INTO policy_versions SELECT * REPLACE ('9' AS version) FROM policy_versions", "policy versions"),
    ],
)  # fmt: skip
def test_what_disagrees_with_the_history_is_noticed(store: Store, change: str, what: str) -> None:
    with store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute(change)
    with pytest.raises(StoreError, match=what):
        verification.verify(store)
