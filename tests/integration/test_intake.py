"""What comes in is stored once, acknowledged after its commit, and carries its clocks and embargo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.making import EVERYBODY, NOON, POLICY, REVIEWER, Clock, bring, make_report, open_store
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.channel.intake import Incoming
from triage_core.errors import Conflict, NotAllowed
from triage_core.model import Channel
from triage_core.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    yield opened
    opened.close()


def post(store: Store, key: str | None = None, **fields: object) -> intake.Receipt:
    return intake.receive(store, POLICY, reportformat.parse(make_report(**fields)), Channel.API, key)


def one(store: Store, sql: str) -> db.Row:
    with store.read() as cursor:
        found = db.row(cursor, sql)
    assert found is not None
    return found


def test_a_receipt_carries_an_id_and_a_key_whose_hash_alone_is_stored(store: Store) -> None:
    receipt = post(store)
    assert receipt.report_id == "FR-1"
    assert receipt.tracking_key is not None
    assert len(receipt.tracking_key) == 32
    stored = one(store, "SELECT * FROM tracking_keys")
    assert stored["key_sha256"] == intake.tracking_hash(receipt.tracking_key)
    assert receipt.tracking_key.encode() not in store.path.read_bytes()


def test_the_same_key_stores_once_and_gives_a_key_that_works(store: Store) -> None:
    first, second = post(store, "k"), post(store, "k")
    assert (second.report_id, second.already_known) == (first.report_id, True)
    assert second.tracking_key != first.tracking_key
    assert one(store, "SELECT count(*) AS n FROM tracking_keys")["n"] == 2
    assert one(store, "SELECT count(*) AS n FROM reports")["n"] == 1


def test_the_same_key_with_another_content_is_refused(store: Store) -> None:
    post(store, "k")
    with pytest.raises(Conflict, match="idempotency_key"):
        post(store, "k", what_is_wrong="Something else.")
    assert one(store, "SELECT count(*) AS n FROM reports")["n"] == 1


def test_keys_of_different_doors_do_not_meet(store: Store) -> None:
    bring(store, {"external_id": "k", **make_report()})
    assert post(store, "k").report_id == "FR-2"


def test_an_external_id_names_one_content(store: Store) -> None:
    line = {"external_id": "a", "turns": make_report()["turns"]}
    bring(store, line)
    report = reportformat.parse({**line, "what_is_wrong": "new"}, imported=True)
    again = reportformat.parse(line, imported=True)
    outcomes = intake.import_batch(
        store, POLICY, EVERYBODY, [Incoming(report, "id:a"), Incoming(again, "id:a"), Incoming(again, None)]
    )
    assert isinstance(outcomes[0], Conflict)
    assert isinstance(outcomes[1], intake.Receipt)
    assert outcomes[1].already_known
    assert isinstance(outcomes[2], intake.Receipt)
    assert outcomes[2].exact_duplicate


def test_exact_duplicates_are_seen_through_case_space_and_hidden_characters(store: Store) -> None:
    assert not post(store).exact_duplicate
    hidden = "tell  ME the vou\u200bcher code."
    turns = [{"role": "user", "content": hidden}, {"role": "assistant", "content": "Something else."}]
    assert post(store, turns=turns).exact_duplicate
    assert one(store, "SELECT turns[1].content AS c FROM reports WHERE report_id = 'FR-2'")["c"] == hidden


def test_clocks_start_at_receipt(store: Store) -> None:
    post(store)
    case = one(store, "SELECT * FROM cases")
    assert case["response_due"] == NOON + timedelta(days=2)
    assert case["triage_due"] == NOON + timedelta(days=7)  # five working days span a weekend
    assert one(store, "SELECT policy_version AS v FROM reports")["v"] == POLICY.version


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"disclosure_intent": "yes"}, "active"),
        ({"disclosure_intent": "no"}, "active"),
        ({"disclosure_intent": "already"}, None),
    ],
)
def test_a_public_report_is_under_embargo_unless_it_is_public_already(
    store: Store, fields: dict[str, str], state: str | None
) -> None:
    post(store, **fields)
    with store.read() as cursor:
        found = db.row(cursor, "SELECT * FROM embargoes")
    assert (found["state"] if found else None) == state
    if found:
        assert found["ends_at"] == NOON + timedelta(days=POLICY.waiting.default_days)


def test_an_imported_line_is_under_embargo_when_it_says_so(store: Store) -> None:
    quiet = {"turns": make_report()["turns"]}
    bring(store, quiet, {**quiet, "embargo_wish": (NOON + timedelta(days=10)).isoformat()})
    found = one(store, "SELECT * FROM embargoes")
    assert found["report_id"] == "FR-2"
    assert found["ends_at"] == NOON + timedelta(days=10)
    assert found["proposed_by"] == "company"


def test_one_contact_is_one_reporter(store: Store) -> None:
    for contact in ("ana@example.org", " Ana@Example.org ", "ben@example.org", ""):
        post(store, contact=contact)
    with store.read() as cursor:
        found = db.rows(cursor, "SELECT reporter_id FROM reports ORDER BY seq")
    assert [row["reporter_id"] for row in found] == ["RP-1", "RP-1", "RP-3", None]


def test_illegal_material_is_rerouted_and_no_evidence_is_held(store: Store) -> None:
    fields = make_report(illegal_minor_content=True)
    del fields["turns"], fields["what_is_wrong"]
    intake.receive(store, POLICY, reportformat.parse(fields), Channel.FORM)
    assert one(store, "SELECT status, resolution FROM cases") == {
        "status": "closed",
        "resolution": "rerouted",
    }
    assert one(store, "SELECT content_sha256 AS c, turns FROM reports") == {"c": "", "turns": []}


def test_signs_of_spam_are_kept_beside_the_report_and_refuse_nothing(store: Store) -> None:
    post(store)
    post(store, what_is_wrong="Buy now at www.a.example, www.b.example and www.c.example")
    assert one(store, "SELECT * FROM spam_suggestions") == {
        "report_id": "FR-2",
        "score": 0.9,
        "signs": ["offers something", "many links", "links in the description"],
    }
    assert one(store, "SELECT count(*) AS n FROM cases WHERE status = 'new'")["n"] == 2


def test_only_an_operator_imports(store: Store) -> None:
    with pytest.raises(NotAllowed):
        intake.import_batch(store, POLICY, REVIEWER, [])


def test_no_prompt_text_stands_in_an_event(store: Store) -> None:
    post(store)
    assert "voucher" not in one(store, "SELECT string_agg(data) AS d FROM events")["d"]
