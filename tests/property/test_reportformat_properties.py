"""Laws of `flaw-report/1`: any JSON is either refused by name or kept whole, and the schema agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.hostile_corpus import HOSTILE
from triage_core.channel.reportformat import FIELDS, json_schema, parse, parse_bytes, report_sha256, to_json
from triage_core.errors import InvalidReport
from triage_core.model import FlawReport

SCHEMA = Draft202012Validator(json_schema())
WORDS = st.sampled_from(
    [
        "",
        " ",
        "yes",
        "no",
        "user",
        "other",
        "not_sure",
        "undecided",
        "2026-01-31T18:00:00Z",
        "a\x00",
        "\ud800",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.floats()
    | WORDS
    | st.sampled_from([*HOSTILE.values()]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "platform", "model", "worked"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": WORDS}), max_size=3
)
SOUND = {
    "system": [{"platform": "Parrot Chat"}],
    "turns": [{"role": "user", "content": "Say something nice."}],
    "what_is_wrong": "It was rude.",
    "harm_types": ["other"],
    "disclosure_intent": "no",
}
DOCUMENTS = st.builds(
    lambda changes, turns: SOUND | changes | ({"turns": turns} if turns else {}),
    st.dictionaries(st.sampled_from([*FIELDS, "submitted_at", "note", "x y"]), VALUES, max_size=3),
    TURNS,
)


def accepted(document: dict[str, Any], *, imported: bool) -> FlawReport | None:
    try:
        return parse(document, imported=imported)
    except InvalidReport:
        return None


@given(DOCUMENTS, st.booleans())
def test_accepted_reports_are_kept_whole(document: dict[str, Any], imported: bool) -> None:
    report = accepted(document, imported=imported)
    if report is not None:
        text = json.dumps(to_json(report), allow_nan=False).encode()
        assert parse_bytes(text, imported=imported) == report
        assert len(report_sha256(report)) == 64


@given(DOCUMENTS)
def test_schema_accepts_what_the_parser_accepts(document: dict[str, Any]) -> None:
    report = accepted(document, imported=False)
    if report is not None:
        assert SCHEMA.is_valid(document)
    elif SCHEMA.is_valid(document):
        # Only what the schema says of itself that it cannot tell.
        assert document.get("successes") is not None


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_bytes_at_random_are_no_report(body: bytes) -> None:
    with pytest.raises(InvalidReport):
        parse_bytes(body, imported=True)
