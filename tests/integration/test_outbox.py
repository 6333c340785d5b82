"""The outbox: what is put into it and when, what is sent, and what a crash or a dead server leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db
from triage_core.channel import intake, messages, reporter, reportformat
from triage_core.channel.messages import Kind
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import NotAllowed
from triage_core.guidance import policies
from triage_core.guidance.clocks import Clocks
from triage_core.lifecycle import Trigger
from triage_core.model import (
    Channel,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Severity,
    SeverityInputs,
    Uplift,
)
from triage_core.outgoing import notices, outbox
from triage_core.outgoing.delivery import Undelivered
from triage_core.outgoing.notices import Message, Notice
from triage_core.outgoing.outbox import EMAIL, WEBHOOK, Sent
from triage_core.store import Store

BOTH = (EMAIL, WEBHOOK)
SENTINEL = "SENTINELWORDS"
WORST = SeverityInputs(Harm.H4, Exposure.MASS, Generality.UNIVERSAL, Reliability.RELIABLE, Uplift.YES)


class Post:
    """A channel that keeps what it is given, and fails as long as it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message, str | None]] = []
        self.error: BaseException | None = None

    def __call__(self, channel: str, message: Message, to: str | None) -> None:
        if self.error:
            raise self.error
        self.sent.append((channel, message, to))

    def kinds(self) -> list[str]:
        return [str(message.kind) for _, message, _ in self.sent]


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = open_store(tmp_path, clock)
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.close()


def collect(store: Store, channels: tuple[str, ...] = (EMAIL,), hour: int | None = None) -> int:
    return outbox.collect(store, EVERYBODY, POLICY.clocks, channels, hour)


def submit(store: Store, **fields: Any) -> str:
    report = reportformat.parse(make_report(**fields))
    return intake.receive(store, POLICY, report, Channel.FORM).report_id


def counts(store: Store) -> dict[str, int]:
    with store.read() as cursor:
        return outbox.counts(cursor)


def test_the_first_look_only_marks_where_the_store_stands(store: Store, clock: Clock) -> None:
    bring(store, make_report())
    clock.forward(days=30)
    assert collect(store) == 0
    assert collect(store) == 0


def test_a_missed_clock_is_told_once_however_often_it_is_looked_for(store: Store, clock: Clock) -> None:
    collect(store)
    (name,) = bring(store, make_report())
    clock.forward(days=3)
    assert collect(store, BOTH) == 2
    assert collect(store, BOTH) == 0
    post = Post()
    assert outbox.send_due(store, EVERYBODY, post, BOTH) == Sent(sent=2)
    assert outbox.send_due(store, EVERYBODY, post, BOTH) == Sent()
    assert post.kinds() == ["clock_missed"] * 2
    assert name in post.sent[0][1].body


def test_a_critical_flaw_is_told_at_once(store: Store) -> None:
    (name,) = bring(store, make_report())
    collect(store)
    case = triage.assess(store, POLICY, REVIEWER, name, Decision(clauses=("IN-1",), inputs=WORST))
    assert case["severity"] == Severity.CRITICAL
    assert collect(store) == 1
    post = Post()
    outbox.send_due(store, EVERYBODY, post, (EMAIL,))
    assert post.kinds() == ["critical"]
    assert post.sent[0][2] is None


def test_an_embargo_that_ends_within_a_day_is_told_once(store: Store, clock: Clock) -> None:
    name = submit(store)
    collect(store)
    with store.read() as cursor:
        end = db.value(cursor, "SELECT ends_at FROM embargoes WHERE report_id = ?", [name])
    clock.now = end - timedelta(hours=20)
    collect(store)
    clock.forward(hours=1)
    collect(store)
    post = Post()
    outbox.send_due(store, EVERYBODY, post, (EMAIL,))
    assert post.kinds().count("embargo_ends") == 1


def test_reporters_with_an_address_hear_that_there_is_news_and_nothing_of_it(store: Store) -> None:
    written = submit(store, contact="kim@example.org", what_is_wrong=SENTINEL)
    silent = submit(store, contact="@kim on the forum")
    collect(store)
    for name in (written, silent):
        messages.ask(store, REVIEWER, name, f"Is it {SENTINEL}?")
    assert collect(store) == 1
    post = Post()
    outbox.send_due(store, EVERYBODY, post, (EMAIL,))
    ((channel, message, to),) = post.sent
    assert (channel, to) == (EMAIL, "kim@example.org")
    assert written in message.body
    assert SENTINEL not in json.dumps([message.key, message.subject, message.body, dict(message.facts)])
    assert collect(store) == 0
    assert collect(store, (WEBHOOK,)) == 0


def test_a_reporter_hears_that_the_report_moved_on_and_nothing_of_an_own_act(
    store: Store, clock: Clock
) -> None:
    names = [submit(store, words=f"Question {number}", contact="kim@example.org") for number in range(4)]
    collect(store)
    clock.forward(minutes=1)
    triage.assess(store, POLICY, REVIEWER, names[0], FLAW)
    triage.link(store, REVIEWER, names[1], names[0])
    messages.answer(store, names[2], "More of it.")
    reporter.withdraw(store, names[3])
    assert collect(store) == 2
    clock.forward(minutes=1)
    for trigger in (Trigger.FINISH_FIX, Trigger.DEPLOY_FIX):  # both hear of a fix, and once
        triage.move(store, REVIEWER, names[0], trigger)
    assert collect(store) == 2
    post = Post()
    outbox.send_due(store, EVERYBODY, post, (EMAIL,))
    assert [message.facts["report"] for _, message, _ in post.sent] == names[:2] * 2
    clock.forward(minutes=1)
    assert collect(store) == 0


@pytest.mark.parametrize(
    "contact", ["a@example.org\nBcc: b@example.org", "a@b, c@d", "x@localhost", "a@-b.org"]
)
def test_what_is_no_plain_address_is_never_written_to(store: Store, contact: str) -> None:
    with store.write(EVERYBODY, "test") as work:
        db.insert(
            work.cursor,
            "reporters",
            [
                {
                    "reporter_id": "RP-1",
                    "contact_sha256": "",
                    "contact": contact,
                    "credit_name": "",
                    "credit_wish": "none",
                    "first_seen_at": NOON,
                }
            ],
        )
    name = submit(store)
    with store.write(EVERYBODY, "test") as work:
        work.cursor.execute("UPDATE reports SET reporter_id = 'RP-1' WHERE report_id = ?", [name])
    collect(store)
    messages.ask(store, REVIEWER, name, "Which one?")
    assert collect(store) == 0


def test_who_wants_no_mail_gets_none_also_of_what_waits_already(store: Store, clock: Clock) -> None:
    name = submit(store, contact="ann@example.org")
    other = submit(store, contact="ann@example.org", what_is_wrong="Another one.")
    collect(store)
    messages.ask(store, REVIEWER, name, "Which one?")
    assert collect(store) == 1
    reporter.choose(store, name, Kind.MAIL_OFF, wanted=False)
    post = Post()
    assert outbox.send_due(store, EVERYBODY, post, (EMAIL,)) == Sent(failed=1)
    for report in (name, other):
        messages.ask(store, REVIEWER, report, "Which version?")
    assert collect(store) == 1
    reporter.choose(store, name, Kind.MAIL_OFF, wanted=True)
    clock.forward(minutes=1)
    messages.ask(store, REVIEWER, name, "Where?")
    assert collect(store) == 1
    outbox.send_due(store, EVERYBODY, post, (EMAIL,))
    assert [message.facts["report"] for _, message, _ in post.sent] == [other, name]
    with store.read() as cursor:
        assert messages.open_question(messages.thread(cursor, name))["text"] == "Where?"


def test_a_failing_server_loses_nothing_and_is_tried_less_and_less_often(store: Store, clock: Clock) -> None:
    collect(store)
    bring(store, make_report())
    clock.forward(days=3)
    collect(store)
    post = Post()
    post.error = Undelivered("the mail server failed: TimeoutError")
    assert outbox.send_due(store, EVERYBODY, post, (EMAIL,)) == Sent(again=1)
    assert outbox.send_due(store, EVERYBODY, post, (EMAIL,)) == Sent()
    tries = 1
    while counts(store)["waiting"] and tries <= outbox.MOST_ATTEMPTS:
        clock.forward(hours=6)
        tries += outbox.send_due(store, EVERYBODY, post, (EMAIL,)) != Sent()
    assert tries == outbox.MOST_ATTEMPTS
    assert counts(store) == {"waiting": 0, "sent": 0, "failed": 1}
    post.error = None
    assert outbox.again(store, EVERYBODY) == 1
    assert outbox.send_due(store, EVERYBODY, post, (EMAIL,)) == Sent(sent=1)
    assert [outbox.wait(n) for n in (1, 2, 12)] == [
        timedelta(minutes=1),
        timedelta(minutes=2),
        outbox.LONGEST_WAIT,
    ]


def test_a_crash_between_sending_and_noting_sends_the_same_key_again(store: Store, clock: Clock) -> None:
    collect(store)
    bring(store, make_report())
    clock.forward(days=3)
    collect(store)
    seen: list[str] = []

    def dies_after_sending(channel: str, message: Message, to: str | None) -> None:
        seen.append(message.key)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.send_due(store, EVERYBODY, dies_after_sending, (EMAIL,))
    store.close()
    reopened = Store(store.folder, clock)
    post = Post()
    assert collect(reopened) == 0
    assert outbox.send_due(reopened, EVERYBODY, post, (EMAIL,)) == Sent(sent=1)
    assert [message.key for _, message, _ in post.sent] == seen
    reopened.close()


def test_a_crash_while_collecting_loses_nothing(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(store)
    bring(store, make_report())
    clock.forward(days=3)
    with monkeypatch.context() as broken:

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        broken.setattr(outbox, "_news", dies)
        with pytest.raises(KeyboardInterrupt):
            collect(store)
    assert counts(store)["waiting"] == 0
    assert collect(store) == 1


def test_a_channel_that_is_not_set_keeps_its_messages(store: Store, clock: Clock) -> None:
    collect(store)
    bring(store, make_report())
    clock.forward(days=3)
    collect(store, BOTH)
    outbox.send_due(store, EVERYBODY, Post(), (WEBHOOK,))
    assert counts(store) == {"waiting": 1, "sent": 1, "failed": 0}


def test_the_digest_comes_once_on_each_working_day_of_the_desk(store: Store, clock: Clock) -> None:
    zone = Clocks(
        "UTC", frozenset(range(5)), frozenset({datetime(2026, 3, 3, tzinfo=UTC).date()}), 2, 5, 10, {}
    )
    made = []
    outbox.collect(store, EVERYBODY, zone, (EMAIL,), 8)
    for _ in range(8 * 24):  # from Monday noon, an hour at a time
        if outbox.collect(store, EVERYBODY, zone, (EMAIL,), 8):
            made.append(clock.now)
        clock.forward(hours=1)
    assert [(moment.day, moment.hour) for moment in made] == [
        (2, 12),
        (4, 8),
        (5, 8),
        (6, 8),
        (9, 8),
        (10, 8),
    ]


def test_a_digest_counts_what_is_new_due_missed_and_ending(store: Store, clock: Clock) -> None:
    clock.now = NOON - timedelta(days=20)
    (old,) = bring(store, make_report("one"))
    clock.now = NOON - timedelta(days=7) + timedelta(hours=1)  # so that its triage is due today
    (due,) = bring(store, make_report("two"))
    clock.now = NOON
    new = submit(store, turns=[{"role": "user", "content": "three"}, {"role": "assistant", "content": "no"}])
    triage.move(store, REVIEWER, due, triage.Trigger.ASK_REPORTER, note="Which one?")
    messages.answer(store, old, SENTINEL)
    with store.read() as cursor:
        found = outbox.digest(cursor, POLICY.clocks, NOON, NOON - timedelta(hours=1))
    assert [name for name, _ in found["new"]["reports"]] == [new]
    assert [name for name, _ in found["breached"]["reports"]] == [old]
    assert found["day"] == "2026-03-02"
    assert [name for name, _ in found["due_today"]["reports"]] == [due]
    assert [name for name, _ in found["wrote"]["reports"]] == [old]
    text = notices.message("k", Notice.DIGEST, found).body
    assert SENTINEL not in text
    assert "New since the last digest: 1" in text
    assert "Second looks waiting: 0" in text


@given(st.text(min_size=1))
def test_no_text_but_ids_and_moments_fits_into_a_message(text: str) -> None:
    hostile = SENTINEL + text
    for facts in (
        {"report": hostile},
        {hostile: notices.part([])},
        {"day": hostile},
        {"new": notices.part([(hostile, None)])},
        {"new": {"count": hostile, "reports": []}},
        {"new": {"count": 1, "reports": [["FR-1", hostile]]}},
        {"new": {"count": 1, "reports": [], "more": hostile}},
    ):
        with pytest.raises(ValueError):
            notices.message("key", Notice.DIGEST, facts)


def test_long_lists_are_counted() -> None:
    many = notices.part([(f"FR-{number}", NOON) for number in range(1, 31)])
    body = notices.message("key", Notice.CLOCK_MISSED, {"missed": many}).body
    assert "Clock missed just now: 30" in body
    assert "FR-20," in body
    assert "FR-21," not in body
    assert "and 10 more" in body


def test_only_an_operator_notifies(store: Store) -> None:
    with pytest.raises(NotAllowed):
        outbox.collect(store, REVIEWER, POLICY.clocks, BOTH, None)
    with pytest.raises(NotAllowed):
        outbox.send_due(store, REVIEWER, Post(), BOTH)
