"""Health: what the operator sees of an installation that is well, and of each thing that is not; no report's text."""

from __future__ import annotations

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.hostile_corpus import HOSTILE
from tests.making import make_report
from tests.pages.conftest import EVERYTHING, NOW, column, figures
from triage_core import backup, db, health, operations, verification
from triage_core.channel import apikeys, intake, reportformat
from triage_core.errors import StoreError
from triage_core.health import Anchored
from triage_core.index.embedding import TOGETHER
from triage_core.model import Channel
from triage_core.operations import Emit
from triage_core.outgoing.notifier import Notifier
from triage_core.runtime import Failure, Step, Worker, WorkerState
from ui import session
from ui.health import front

WELL = "**Everything is well.**"


@pytest.fixture(autouse=True)
def _runs(monkeypatch):
    """The threads run, the form answers, and the disk is half empty whatever the machine's is: unless a test says."""
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(total=100 * 2**30, free=50 * 2**30)
    )
    monkeypatch.setattr(Worker, "is_running", True)
    monkeypatch.setattr(front, "answers", lambda host: True)


@pytest.fixture
def look(visit):
    return lambda: visit("health", role="Operator")


def bad(screen) -> list[str]:
    """What is drawn as an error or a warning, the verdict first."""
    return [box.value for box in (*screen.error, *screen.warning)]


def queue(opened, *rows: dict) -> None:
    """Messages in the outbox, waiting since now unless a row says otherwise."""
    plain = {
        "channel": "email", "kind": "digest", "facts": "{}", "made_at": NOW, "state": "waiting", "attempts": 0,
        "next_at": NOW, "done_at": None, "error": "",
    }  # fmt: skip
    with opened.store.write(EVERYTHING, "notify") as work:
        for number, row in enumerate(rows):
            db.insert(work.cursor, "outbox", [{"message_key": f"m{number}", **plain, **row}])


def test_an_empty_store_is_well_and_says_how_reports_come_in(look, rendered):
    screen = look()
    assert [box.value[: len(WELL)] for box in screen.success] == [WELL]
    assert not bad(screen)
    said = rendered(screen)
    assert "None has come in yet" in said
    assert "There is no report with a conversation yet" in said
    assert "Nothing goes out" in said
    assert "No import has ended in that time. 0 reports" in said
    assert figures(screen)["Reports held"] == "0"
    assert any("import FILE" in code.value for code in screen.code)


def test_all_that_is_well_has_its_sentence(look, receive, index, opened, rendered):
    receive("one", hours_ago=50)
    receive("two", hours_ago=40)
    index()
    verification.verify(opened.store)
    screen = look()
    assert not bad(screen)
    assert figures(screen) == {
        "Reports held": "2",
        "Reports that wait to be compared": "0",
        "Messages that wait": "0",
        "Events in the chain": f"{opened.store.revision:,}",
        "Database to copy": figures(screen)["Database to copy"],
        "Free where the store lies": figures(screen)["Free where the store lies"],
    }
    said = rendered(screen)
    for words in (
        "The last one came in just now, by import.",
        "Nothing waits in the journal.",
        "The public form answers on this machine.",
        "It rests, and looks for new reports every two seconds.",
        "2 of 2 reports with a conversation are compared.",
        "The anchor file ends at the same event.",
        f"Verified just now: {opened.store.revision:,} events, and every report",
        "None was made by this command yet, and of other copies nothing is known here.",
        "No dataset has been built.",
    ):
        assert words in said
    assert opened.store.anchored().hash in [code.value for code in screen.code]


def test_the_last_backup_is_told_with_what_came_since(look, receive, opened, rendered, tmp_path):
    receive("one")
    made = backup.make(opened.store, EVERYTHING, tmp_path / "monday *copy*")
    receive("two")
    screen = look()
    said = rendered(screen)
    assert f"made and checked just now: {made.events:,} event" in said
    assert "2 events came since" in said
    assert made.folder in [code.value for code in screen.code]


def test_no_word_of_a_report_is_on_it(look, receive, opened, rendered):
    words = "SENTINELWORDS"
    report = receive(words, contact=words, what_is_wrong=words, external_id=words)
    with opened.store.write(EVERYTHING, "assess") as work:
        work.event("report.assessed", report, {"note": words})
    screen = look()
    drawn = rendered(screen) + str([code.value for code in screen.code]) + str(screen.get("dataframe"))
    assert "Reports held" in str([metric.label for metric in screen.metric])
    assert words not in drawn


def test_the_chain_is_whole_for_an_operator_who_may_not_read_what_is_under_embargo(look, receive, rendered):
    receive("one", hours_ago=1, disclosure_intent="yes")
    assert "The anchor file ends at the same event." in rendered(look())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"999 {'a' * 64}\n", "The anchor file knows of more than the"),
        (f"1 {'a' * 64}\n", "The anchor file names another event"),
        ("three words here\n", "The anchor file cannot be read"),
        (None, "The anchor file is missing"),
    ],
)
def test_an_anchor_that_differs_is_an_error_with_what_to_do(look, receive, opened, line, says):
    receive("one")
    path = opened.store.folder / "anchor.log"
    if line is None:
        path.unlink()
    else:
        path.write_text(line)
    verdict, told = bad(look())
    assert "1 thing to see to: Record" in verdict
    assert told.startswith(f"**{says}")
    assert any(words in told for words in ("backup", "Look who"))


def test_an_anchor_that_is_behind_is_one_only_when_it_stays_so(look, receive, opened, monkeypatch, rendered):
    before = (opened.store.folder / "anchor.log").read_text()
    receive("one")
    (opened.store.folder / "anchor.log").write_text(before)
    assert "The anchor file is just being written." in rendered(look())
    monkeypatch.setattr(opened.store, "clock", lambda: NOW + timedelta(minutes=5))
    _, told = bad(look())
    assert told.startswith("**The anchor file has lacked the last events for 5 min.")


def test_what_a_verification_found_stands_until_the_next_one(look, receive, opened):
    receive("one")
    with opened.store.write(EVERYTHING, "test") as work:
        work.cursor.execute("UPDATE cases SET status = 'fixed'")
    with pytest.raises(StoreError):
        verification.verify(opened.store)
    screen = look()
    assert "records disagree" in bad(screen)[1]
    assert any("triage_core verify --store" in code.value for code in screen.code)
    with opened.store.write(EVERYTHING, "test") as work:
        work.cursor.execute("UPDATE cases SET status = 'new'")
    verification.verify(opened.store)
    assert not bad(look())


def test_a_verification_is_asked_for_once_a_month(look, receive, opened, monkeypatch):
    receive("one")
    monkeypatch.setattr(opened.store, "clock", lambda: NOW + timedelta(days=31))
    verdict, told = bad(look())
    assert "never been verified" in told
    assert "1 thing to see to: Record" in verdict
    verification.verify(opened.store)
    assert not bad(look())
    monkeypatch.setattr(opened.store, "clock", lambda: NOW + timedelta(days=62))
    assert "verified 31 d ago" in bad(look())[1]


def test_messages_that_were_given_up_and_why(look, opened, rendered):
    failed = {"state": "failed", "done_at": NOW, "attempts": 12, "error": "the webhook answered 500"}
    queue(opened, failed, failed, {"state": "sent", "done_at": NOW})
    screen = look()
    verdict, told = bad(screen)
    assert "1 thing to see to: Messages" in verdict
    assert told.startswith(
        "**2 messages given up after all tries. Tried in vain (2): ` the webhook answered 500 `."
    )
    assert any("notify send --failed" in code.value for code in screen.code)


def test_messages_that_wait_for_no_channel_or_too_long(look, opened, monkeypatch, rendered):
    queue(opened, {"made_at": NOW - timedelta(hours=3), "attempts": 4, "error": "the mail server failed: X"})
    assert "no channel is set" in bad(look())[1]
    monkeypatch.setattr(Notifier, "channels", ("email",))
    assert [told.partition(".")[0] for told in bad(look())[1:]] == [
        "**No round of messages is made: nothing goes out",
        "**The oldest has waited for 3 h",
    ]
    monkeypatch.setattr(Notifier, "is_running", True)
    _, told = bad(look())
    assert "Tried in vain (1): ` the mail server failed: X `" in told
    with opened.store.write(EVERYTHING, "notify") as work:
        mark = {"looked_at": NOW - timedelta(hours=2), "message_id": 0, "assessment_id": 0}
        db.insert(work.cursor, "outbox_mark", [mark])
    assert "The last round of messages began 2 h ago" in bad(look())[1]


def test_a_worker_that_has_stopped(look, monkeypatch):
    monkeypatch.setattr(Worker, "is_running", False)
    verdict, told = bad(look())
    assert "1 thing to see to: Comparing" in verdict
    assert told.startswith("**The worker has stopped")


def test_a_worker_that_fails_and_one_that_failed(look, opened, rendered):
    opened.worker.state = WorkerState(error="as reviewers see it")
    opened.worker.last_failure = Failure(NOW - timedelta(hours=2), "the model is missing")
    assert "**The worker fails: ` the model is missing `.**" in bad(look())[1]
    opened.worker.state = WorkerState()
    screen = look()
    assert not bad(screen)
    assert "It failed 2 h ago and has worked since: ` the model is missing `" in rendered(screen)


def test_what_the_worker_does_and_how_far_it_is(look, opened, rendered):
    opened.worker.state = WorkerState(True, 300, 5_000, what=TOGETHER)
    (bar,) = look().get("progress")
    assert (bar.proto.text, bar.proto.value) == ("300 of 5,000 first reports read again, with each other", 6)
    opened.worker.state = WorkerState(True)
    assert "It gets ready to compare" in rendered(look())
    opened.worker.state = WorkerState()
    opened.worker.step = (Step.AUDIT, NOW - timedelta(minutes=12))
    assert "It audits the clusters. For 12 min now." in rendered(look())


def test_accepted_reports_that_the_database_does_not_take(look, opened, monkeypatch):
    monkeypatch.setattr(
        opened, "committer", SimpleNamespace(in_journal=3, error=StoreError("the disk is full"))
    )
    verdict, told = bad(look())
    assert "Intake" in verdict
    assert "does not take in 3 accepted reports: ` the disk is full `" in told
    assert "They are on the disk, in the journal" in told
    monkeypatch.setattr(opened, "committer", SimpleNamespace(in_journal=3, error=None))
    assert not bad(look())


def test_a_form_that_does_not_answer(look, monkeypatch):
    monkeypatch.setattr(front, "answers", lambda host: False)
    screen = look()
    assert "The public form does not answer: nobody can report." in bad(screen)[1]
    assert "answers on this machine" not in str([one.value for one in screen.markdown])


@pytest.mark.parametrize(
    ("free", "says"), [(2**29, "all but full: 512 MiB"), (5 * 2**30, "fills up: 5.0 GiB")]
)
def test_a_disk_that_fills_up(look, monkeypatch, free, says):
    usage = SimpleNamespace(free=free, total=100 * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    screen = look()
    assert says in bad(screen)[1]
    assert any("datasets list" in code.value for code in screen.code)


def test_a_store_that_cannot_be_read_is_said(look, monkeypatch):
    def broken() -> None:
        raise StoreError("the database failed") from db.Error("SENTINELWORDS")

    monkeypatch.setattr(session, "health", broken)
    (told,) = bad(look())
    assert told.startswith("**The store cannot be read: ` Error, see what the server printed `")


def test_keys_with_what_came_by_them(look, receive, opened):
    number, _ = apikeys.add(opened.store, EVERYTHING, HOSTILE["markdown image"])
    ended, _ = apikeys.add(opened.store, EVERYTHING, "Old")
    apikeys.revoke(opened.store, EVERYTHING, ended)
    sent = intake.incoming(reportformat.parse(make_report("By the button")), Channel.API, None, number)
    intake.receive_all(opened.store, opened.policy, [sent])
    screen = look()
    assert (column(screen, "reports"), column(screen, "last")) == (["1", "0"], ["just now", "never"])
    assert column(screen, "ended") == ["", "just now"]


def test_imports_with_the_lines_that_were_refused(look, opened, tmp_path, rendered):
    folder = tmp_path / "in"
    folder.mkdir()
    good = '{"turns": [{"role": "user", "content": "one"}]}\n'
    (folder / "first.jsonl").write_text(good + "no report\n")
    (folder / "second.jsonl").write_text(good)
    files = [str(folder / name) for name in ("first.jsonl", "second.jsonl")]
    operations.run(opened, "import", {"files": files}, Emit())
    screen = look()
    (table,) = screen.dataframe
    assert table.value[["file", "received", "stored", "known", "refused"]].to_numpy().tolist() == [
        ["second.jsonl", "1", "0", "1", "0"],
        ["first.jsonl", "2", "1", "0", "1"],
    ]
    assert "1 report came in by import. Refused: 1 line of these files." in rendered(screen)
    assert not bad(screen)


def test_the_look_is_for_the_operator(opened):
    for role in set(EVERYTHING.roles):
        who = SimpleNamespace(roles=frozenset({role}), name="Robin")
        if role == "operator":
            assert health.look(opened, who).record.anchored is Anchored.SAME
        else:
            with pytest.raises(Exception, match="view_health: is for operator"):
                health.look(opened, who)
