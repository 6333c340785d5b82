"""`flaw-report/1`: what it takes, what it refuses and under which name, and its published schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.hostile_corpus import HOSTILE, REFUSED
from triage_core.channel.fields import Choice
from triage_core.channel.reportformat import (
    FIELDS,
    MAX_BODY_BYTES,
    MAX_CONVERSATION_CHARACTERS,
    MAX_TURN_CHARACTERS,
    json_schema,
    parse,
    parse_bytes,
    report_sha256,
    to_json,
)
from triage_core.errors import InvalidReport
from triage_core.model import FlawReport, OtherSystem, System, Tristate, Turn, TurnRole, Worked

MINIMAL: dict[str, Any] = {
    "system": [{"platform": "Parrot Chat"}],
    "turns": [{"role": "user", "content": "Say something nice."}],
    "what_is_wrong": "It said something rude instead.",
    "harm_types": ["psychological_harm"],
    "disclosure_intent": "undecided",
}
FULL: dict[str, Any] = {
    "format": "flaw-report/1",
    "system": [
        {"platform": "Parrot Chat", "model": "parrot-2", "version": "2.1", "access_method": "web"},
        {"model": "parrot-3"},
    ],
    "turns": [
        {"role": "system", "content": ""},
        {"role": "user", "content": " Hello \n"},
        {"role": "assistant", "content": "Go away."},
        {"role": "tool", "content": "{}"},
    ],
    "what_is_wrong": "Rude.",
    "harm_types": ["psychological_harm", "other"],
    "disclosure_intent": "yes",
    "illegal_minor_content": False,
    "external_id": "ticket-17",
    "contact": "ann@example.org",
    "credit_name": "Ann",
    "credit_wish": "handle",
    "expected": "A greeting.",
    "actual": "An insult.",
    "tries": 10,
    "successes": 3.0,
    "other_systems_tried": [{"platform": "Owl", "worked": "no"}, {"platform": "Lark"}],
    "real_world_harm": True,
    "malicious_use": "unknown",
    "session_id": "s-1",
    "policy_clause_claimed": "IN-7",
    "planned_date": "2026-03-01T12:00:00+02:00",
    "embargo_wish": "2026-02-01t00:00:00.5z",
    "consent_training": "classifier_only",
    "consent_share_peers": "no",
    "wants_reward": True,
}
METADATA_ONLY: dict[str, Any] = {
    "system": [{"platform": "not sure"}],
    "harm_types": ["other"],
    "disclosure_intent": "no",
    "illegal_minor_content": True,
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "minimal": MINIMAL,
    "full": FULL,
    "metadata only": METADATA_ONLY,
    "null is not given": MINIMAL | {"contact": None, "tries": None, "turns": [*MINIMAL["turns"]]},
    "longest turn": MINIMAL | {"turns": [{"role": "user", "content": "a" * MAX_TURN_CHARACTERS}]},
    "metadata only, empty evidence": METADATA_ONLY | {"turns": [], "what_is_wrong": "", "expected": None},
}


def turn(content: object, role: object = "user") -> dict[str, Any]:
    return {"turns": [{"role": role, "content": content}]}


# name: (changes to MINIMAL, field, part of the rule); None as a change removes the field.
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    **{f"without {name}": ({name: None}, name, "required") for name in MINIMAL},
    "unknown field": ({"severity": "high"}, "severity", "not a field"),
    "markup as a field name": ({"<img src=x>": 1}, "?img src?x?", "not a field"),
    "own submission date": ({"submitted_at": "2020-01-01T00:00:00Z"}, "submitted_at", "not a field"),
    "other format": ({"format": "flaw-report/2"}, "format", "flaw-report/1"),
    "turns as text": ({"turns": "hello"}, "turns", "list"),
    "turn as text": ({"turns": ["hello"]}, "turns[0]", "role, content"),
    "turn without role": ({"turns": [{"content": "x"}]}, "turns[0].role", "required"),
    "turn with null content": (turn(None), "turns[0].content", "required"),
    "turn with more": ({"turns": [{"role": "user", "content": "x", "id": 1}]}, "turns[0].id", "not a field"),
    "turn in parts": (turn([{"type": "text"}]), "turns[0].content", "text"),
    "unknown role": (turn("x", "boss"), "turns[0].role", "system, user, assistant, tool"),
    "long turn": (turn("a" * 100_000), "turns[0].content", "50,000"),
    "many turns": ({"turns": MINIMAL["turns"] * 201}, "turns", "200"),
    "no turn": ({"turns": []}, "turns", "user turn"),
    "no user turn": (turn("x", "assistant"), "turns", "user turn"),
    "blank user turn": (turn(" \n"), "turns", "user turn"),
    "no system": ({"system": []}, "system[0].platform", "product"),
    "no platform": ({"system": [{"model": "m"}]}, "system[0].platform", "product"),
    "blank platform": ({"system": [{"platform": " "}]}, "system[0].platform", "product"),
    "system as object": ({"system": {"platform": "x"}}, "system", "list"),
    "blank account": ({"what_is_wrong": " "}, "what_is_wrong", "blank"),
    "long account": ({"what_is_wrong": "x" * 5_001}, "what_is_wrong", "5,000"),
    "no harm type": ({"harm_types": []}, "harm_types", "from 1"),
    "unknown harm type": ({"harm_types": ["other", "boredom"]}, "harm_types[1]", "financial_harm"),
    "harm type twice": ({"harm_types": ["other", "other"]}, "harm_types", "twice"),
    "unknown intent": ({"disclosure_intent": "maybe"}, "disclosure_intent", "yes, no, undecided, already"),
    "intent as boolean": ({"disclosure_intent": True}, "disclosure_intent", "one of"),
    "flag as text": ({"illegal_minor_content": "no"}, "illegal_minor_content", "true or false"),
    "blank external id": ({"external_id": ""}, "external_id", "blank"),
    "external id as number": ({"external_id": 12}, "external_id", "text"),
    "long contact": ({"contact": "x" * 501}, "contact", "500"),
    "tries as text": ({"tries": "10"}, "tries", "whole number"),
    "tries as flag": ({"tries": True}, "tries", "whole number"),
    "no tries": ({"tries": 0}, "tries", "from 1"),
    "half a try": ({"tries": 1.5}, "tries", "whole number"),
    "negative successes": ({"tries": 1, "successes": -1}, "successes", "from 0"),
    "date without zone": ({"planned_date": "2026-03-01T12:00:00"}, "planned_date", "zone"),
    "date alone": ({"embargo_wish": "2026-03-01"}, "embargo_wish", "zone"),
    "other system unnamed": ({"other_systems_tried": [{}]}, "other_systems_tried[0].platform", "required"),
    **{name: (turn(text), "turns[0].content", "must not contain") for name, text in REFUSED.items()},
    "nul in a contact": ({"contact": "a\x00"}, "contact", "NUL"),
}
# Rules that JSON Schema cannot express (its description names them), or leaves to an optional check.
BEYOND_SCHEMA: dict[str, tuple[dict[str, Any], str, str]] = {
    "long conversation": (
        {"turns": [{"role": "user", "content": "a" * MAX_TURN_CHARACTERS}] * 9},
        "turns",
        f"{MAX_CONVERSATION_CHARACTERS:,}",
    ),
    "more successes than tries": ({"tries": 2, "successes": 3}, "successes", "tries"),
    "successes without tries": ({"successes": 0}, "successes", "tries"),
    "date that is none": ({"embargo_wish": "2026-02-30T12:00:00Z"}, "embargo_wish", "exists"),
}
EVIDENCE = {
    "turns": MINIMAL["turns"],
    "what_is_wrong": "what it showed",
    "expected": "something else",
    "actual": "the thing",
}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    document = MINIMAL | changes
    return {name: value for name, value in document.items() if value is not None}


def refusal(data: object, *, imported: bool = False) -> InvalidReport:
    with pytest.raises(InvalidReport) as caught:
        parse(data, imported=imported)
    return caught.value


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def test_full_report_arrives_as_it_was_meant() -> None:
    assert parse(FULL) == FlawReport(
        system=(System("Parrot Chat", "parrot-2", "2.1", "web"), System("", "parrot-3")),
        turns=(
            Turn(TurnRole.SYSTEM, ""),
            Turn(TurnRole.USER, " Hello \n"),
            Turn(TurnRole.ASSISTANT, "Go away."),
            Turn(TurnRole.TOOL, "{}"),
        ),
        what_is_wrong="Rude.",
        harm_types=tuple(FULL["harm_types"]),
        disclosure_intent=FULL["disclosure_intent"],
        external_id="ticket-17",
        contact="ann@example.org",
        credit_name="Ann",
        credit_wish=FULL["credit_wish"],
        expected="A greeting.",
        actual="An insult.",
        tries=10,
        successes=3,
        other_systems_tried=(OtherSystem("Owl", worked=Worked.NO), OtherSystem("Lark")),
        real_world_harm=Tristate.YES,
        session_id="s-1",
        policy_clause_claimed="IN-7",
        planned_date=datetime(2026, 3, 1, 10, tzinfo=UTC),
        embargo_wish=datetime(2026, 2, 1, 0, 0, 0, 500_000, tzinfo=UTC),
        consent_training=FULL["consent_training"],
        consent_share_peers=FULL["consent_share_peers"],
        wants_reward=True,
    )


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_reports_round_trip_and_satisfy_the_schema(name: str, schema: Draft202012Validator) -> None:
    report = parse(ACCEPTED[name])
    again = json.loads(json.dumps(to_json(report)))
    assert parse(again) == report
    assert [error.message for error in schema.iter_errors(ACCEPTED[name])] == []
    assert [error.message for error in schema.iter_errors(again)] == []


@pytest.mark.parametrize("name", {**WRONG, **BEYOND_SCHEMA})
def test_refusal_names_field_and_rule(name: str) -> None:
    changes, field, rule = {**WRONG, **BEYOND_SCHEMA}[name]
    error = refusal(changed(changes))
    assert error.field == field
    assert rule in error.rule


@pytest.mark.parametrize("name", WRONG)
def test_schema_refuses_the_same(name: str, schema: Draft202012Validator) -> None:
    assert not schema.is_valid(changed(WRONG[name][0]))


@pytest.mark.parametrize("field", EVIDENCE)
def test_no_evidence_of_illegal_content_is_accepted(field: str, schema: Draft202012Validator) -> None:
    document = METADATA_ONLY | {field: EVIDENCE[field]}
    for imported in (False, True):
        error = refusal(document, imported=imported)
        assert error.field == field
        assert "no evidence" in error.rule
    assert not schema.is_valid(document)


def test_no_evidence_hides_in_an_unknown_field_of_an_import() -> None:
    assert refusal(METADATA_ONLY | {"notes": "x"}, imported=True).field == "notes"


def test_published_schema_is_the_one_that_the_parser_declares(repository: Path) -> None:
    published = (repository / "docs" / "flaw-report-1.schema.json").read_text("utf-8")
    assert json.loads(published) == json_schema(), "write it anew: see docs/report-format.md"
    Draft202012Validator.check_schema(json_schema())


def test_documentation_names_every_field_and_value(repository: Path) -> None:
    text = (repository / "docs" / "report-format.md").read_text("utf-8")
    words = [word.value for kind in FIELDS.values() if isinstance(kind, Choice) for word in kind.words]
    assert [name for name in [*FIELDS, "submitted_at", *words] if f"`{name}`" not in text] == []


def test_import_needs_turns_only() -> None:
    report = parse({"turns": MINIMAL["turns"]}, imported=True)
    assert report == FlawReport(turns=(Turn(TurnRole.USER, "Say something nice."),))
    assert refusal({"what_is_wrong": "x"}, imported=True).field == "turns"


def test_import_keeps_unknown_fields_and_the_date() -> None:
    known = {"turns": MINIMAL["turns"], "submitted_at": "2023-05-01T00:00:00Z"}
    unknown = {"rating": 4.5, "tags": ["a", None, True], "meta": {"b": -7}, "note": HOSTILE["html script"]}
    report = parse(known | unknown, imported=True)
    assert report.extra == unknown
    assert report.submitted_at == datetime(2023, 5, 1, tzinfo=UTC)
    assert parse(to_json(report), imported=True) == report


@pytest.mark.parametrize(
    ("unknown", "field", "rule"),
    [
        ({"note": "\ud800"}, "note", "surrogate"),
        ({"a": {"b": [0, "\x00"]}}, "a.b[1]", "NUL"),
        ({"a": {"\udfff": 1}}, "a.?", "surrogate"),
        ({"big": 2**63}, "big", "64 bits"),
        ({"far": float("inf")}, "far", "finite"),
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, "when", "JSON"),
        ({"note": "\u00e9" * 10_000}, "unknown fields", "20,000 bytes"),
    ],
)
def test_import_refuses_unknown_fields_that_cannot_be_kept(
    unknown: dict[str, Any], field: str, rule: str
) -> None:
    error = refusal({"turns": MINIMAL["turns"]} | unknown, imported=True)
    assert error.field == field
    assert rule in error.rule


def test_import_refuses_deep_unknown_fields() -> None:
    nested: list[Any] = []
    for _ in range(30):
        nested = [nested]
    assert "nested" in refusal({"turns": MINIMAL["turns"], "n": nested}, imported=True).rule


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_kept_exactly(name: str) -> None:
    document = MINIMAL | turn(HOSTILE[name])
    report = parse_bytes(json.dumps(document).encode())
    assert report.turns[0].content == HOSTILE[name]
    assert to_json(report)["turns"] == document["turns"]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "valid JSON"),
        (b'{"turns": [', "line 1"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'\xff\xfe{"', "UTF-8"),
        (json.dumps(MINIMAL).encode("utf-16"), "UTF-8"),
        (b'{"tries": NaN}', "NaN"),
        (b'{"tries": -Infinity}', "NaN or Infinity"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"9" * 10_000, "digits"),
        (b" " * 10_000_000, f"{MAX_BODY_BYTES:,} bytes"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_body_that_is_no_json_object_is_refused(body: bytes, rule: str) -> None:
    with pytest.raises(InvalidReport) as caught:
        parse_bytes(body)
    assert caught.value.field == "body"
    assert rule in caught.value.rule


def test_field_given_twice_is_refused() -> None:
    with pytest.raises(InvalidReport) as caught:
        parse_bytes(b'{"contact": "a", "contact": "b"}')
    assert (caught.value.field, caught.value.rule) == ("contact", "must not be given twice")


def test_byte_order_mark_is_ignored() -> None:
    assert parse_bytes(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode()) == parse(MINIMAL)


def test_refusals_do_not_repeat_what_was_sent() -> None:
    secret = "<b>not-for-logs</b>"
    for document in (MINIMAL | turn("x", secret), MINIMAL | {"tries": secret}, MINIMAL | {secret: 1}):
        assert secret not in str(refusal(document))


def test_hash_follows_the_content_and_not_its_spelling() -> None:
    reordered = dict(reversed(list(FULL.items()))) | {"successes": 3, "planned_date": "2026-03-01T10:00:00Z"}
    assert report_sha256(parse(reordered)) == report_sha256(parse(FULL))
    assert report_sha256(parse(FULL | {"actual": ""})) != report_sha256(parse(FULL))
