"""The format `flaw-report/1`: untrusted JSON to a `FlawReport`, a `FlawReport` to JSON, and its JSON Schema.

All doors use it. The public doors (form, API) are strict; an import asks for `turns` only, may
say when a report was submitted, and keeps top-level fields that the format does not know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from triage_core.channel.fields import (
    Choice,
    Constant,
    Count,
    Flag,
    Instant,
    Kind,
    ListOf,
    Record,
    Text,
    check_fields,
    field_path,
    object_schema,
    unknown_field,
)
from triage_core.channel.jsontext import check_plain, decode
from triage_core.errors import InvalidReport
from triage_core.model import (
    CreditWish,
    DisclosureIntent,
    FlawReport,
    HarmType,
    OtherSystem,
    PeerConsent,
    System,
    TrainingConsent,
    Tristate,
    Turn,
    TurnRole,
    Worked,
)

FORMAT = "flaw-report/1"
MAX_BODY_BYTES = 1_000_000
MAX_TURNS = 200
MAX_SYSTEMS = 20
MAX_TURN_CHARACTERS = 50_000
MAX_CONVERSATION_CHARACTERS = 400_000
MAX_TEXT_CHARACTERS = 5_000
MAX_SHORT_CHARACTERS = 500
MAX_EXTRA_BYTES = 20_000

_SHORT = Text(MAX_SHORT_CHARACTERS)
_LONG = Text(MAX_TEXT_CHARACTERS)
_YES_NO_UNKNOWN = Choice(Tristate, true=Tristate.YES, false=Tristate.NO)


def _system(platform: str = "", **other: str) -> System:
    return System(platform, **other)


_SYSTEM = Record(
    {"platform": _SHORT, "model": _SHORT, "version": _SHORT, "access_method": _SHORT}, frozenset(), _system
)
_TURN = Record(
    {"role": Choice(TurnRole), "content": Text(MAX_TURN_CHARACTERS)}, frozenset({"role", "content"}), Turn
)
_OTHER_SYSTEM = Record(
    {"platform": Text(MAX_SHORT_CHARACTERS, filled=True), "model": _SHORT, "worked": Choice(Worked)},
    frozenset({"platform"}),
    OtherSystem,
)

FIELDS: Mapping[str, Kind] = {
    "format": Constant(FORMAT),
    "system": ListOf(_SYSTEM, MAX_SYSTEMS),
    "turns": ListOf(_TURN, MAX_TURNS),
    "what_is_wrong": _LONG,
    "harm_types": ListOf(Choice(HarmType), len(HarmType), least=1, distinct=True),
    "disclosure_intent": Choice(DisclosureIntent),
    "illegal_minor_content": Flag(),
    "external_id": Text(MAX_SHORT_CHARACTERS, filled=True),
    "contact": _SHORT,
    "credit_name": _SHORT,
    "credit_wish": Choice(CreditWish),
    "expected": _LONG,
    "actual": _LONG,
    "tries": Count(1, 1_000_000),
    "successes": Count(0, 1_000_000),
    "other_systems_tried": ListOf(_OTHER_SYSTEM, 50),
    "real_world_harm": _YES_NO_UNKNOWN,
    "malicious_use": _YES_NO_UNKNOWN,
    "session_id": _SHORT,
    "policy_clause_claimed": _SHORT,
    "planned_date": Instant(),
    "embargo_wish": Instant(),
    "consent_training": Choice(TrainingConsent),
    "consent_share_peers": Choice(PeerConsent),
    "wants_reward": Flag(),
}
# The earliest of two duplicates is the canonical one, so the public does not get to set its own date.
_IMPORT_FIELDS: Mapping[str, Kind] = {**FIELDS, "submitted_at": Instant()}

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_REPORT_FIELDS = dataclass_fields(FlawReport)
_ASKED = ("system", "turns", "what_is_wrong", "harm_types", "disclosure_intent")
_EVIDENCE = ("turns", "what_is_wrong", "expected", "actual")
_NO_EVIDENCE = "must be empty when illegal_minor_content is true: send no evidence of it, here or elsewhere"
_NO_FILES = (
    "is not taken, as no files are: paste what was said into turns, say in what_is_wrong what a picture shows"
)


def parse(data: object, *, imported: bool = False) -> FlawReport:
    """The report in a decoded JSON document.

    `imported`: only `turns` is required, `submitted_at` is allowed, and unknown top-level fields go
    to `extra`. Dates come back in UTC; texts exactly as they were. With `illegal_minor_content` no
    evidence is accepted: the report has no turns and no account of them, only metadata.

    Raises `InvalidReport` for the first broken rule, with the path of the field ("turns[2].content").
    """
    if not isinstance(data, dict):
        raise InvalidReport("body", "must be one JSON object")
    known = _IMPORT_FIELDS if imported else FIELDS
    unknown = {name: value for name, value in data.items() if name not in known}
    for name in unknown:
        if not imported:
            if name == "attachments":
                raise InvalidReport(name, _NO_FILES)
            raise unknown_field(name, "", known)
    metadata_only = data.get("illegal_minor_content") is True
    required = frozenset({"turns"} if imported else _ASKED)
    if metadata_only:
        required -= frozenset(_EVIDENCE)
        _refuse_evidence(data, unknown)
    values = check_fields(data, known, required)
    values.pop("format", None)
    report = FlawReport(turns=values.pop("turns", ()), extra=_extra(unknown), **values)
    _check_rules(report, imported=imported)
    return report


def parse_bytes(body: bytes, *, imported: bool = False, longest: int = MAX_BODY_BYTES) -> FlawReport:
    """The report in a JSON text of at most `longest` bytes of UTF-8 (a byte order mark is ignored).

    Raises `InvalidReport`: field `body` when it is not one sound JSON object, else as `parse` does.
    """
    if len(body) > longest:
        raise InvalidReport("body", f"must be at most {longest:,} bytes long, not {len(body):,}")
    return parse(decode(body), imported=imported)


def to_json(report: FlawReport) -> dict[str, Any]:
    """The inverse of `parse`: a JSON document of the five asked fields and what differs from its default."""
    document: dict[str, Any] = {"format": FORMAT}
    for field in _REPORT_FIELDS:
        value = getattr(report, field.name)
        if field.name != "extra" and (field.name in _ASKED or value != field.default):
            document[field.name] = _plain(value)
    return document | dict(report.extra)


def report_sha256(report: FlawReport) -> str:
    """The hex SHA-256 of the report's canonical JSON (keys sorted, UTF-8): equal for equal reports."""
    return document_sha256(to_json(report))


def document_sha256(document: Mapping[str, Any]) -> str:
    """The same of the JSON document that `to_json` gave."""
    return hashlib.sha256(_CANONICAL.encode(document).encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what the public doors accept, as published in docs/.

    It cannot say three rules, which its description names.
    """
    schema = object_schema(FIELDS, frozenset(_ASKED) - frozenset(_EVIDENCE))
    filled: dict[str, Any] = {"type": "string", "not": {"pattern": r"^\s*$"}}
    named = {"properties": {"platform": filled}, "required": ["platform"]}
    schema["properties"]["system"] |= {"minItems": 1, "prefixItems": [{"allOf": [_SYSTEM.schema(), named]}]}
    asked = {"properties": {"role": {"const": "user"}, "content": filled}}
    evidence = {
        "properties": {"turns": {"type": "array", "contains": asked}, "what_is_wrong": filled},
        "required": ["turns", "what_is_wrong"],
    }
    flagged = {
        "properties": {"illegal_minor_content": {"const": True}},
        "required": ["illegal_minor_content"],
    }
    no_evidence: dict[str, Any] = {"properties": {name: {"enum": ["", [], None]} for name in _EVIDENCE}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:flawdesk:{FORMAT.replace('/', ':')}",
        "title": FORMAT,
        "description": (
            "One report of a flaw in an AI system. Also refused, beyond what a schema can say: a body over "
            f"{MAX_BODY_BYTES:,} bytes, turns over {MAX_CONVERSATION_CHARACTERS:,} characters in all, and "
            "successes without tries or in excess of them."
        ),
        **schema,
        "if": flagged,
        "then": no_evidence,
        "else": evidence,
    }


def _refuse_evidence(data: Mapping[str, object], unknown: Mapping[str, object]) -> None:
    for name in _EVIDENCE:
        if data.get(name) not in (None, "", []):
            raise InvalidReport(name, _NO_EVIDENCE)
    for name in unknown:
        raise InvalidReport(field_path("", name), _NO_EVIDENCE)


def _check_rules(report: FlawReport, *, imported: bool) -> None:
    if not imported:
        if not report.system or not report.system[0].platform.strip():
            raise InvalidReport("system[0].platform", 'must name the product; "not sure" is an answer')
        if not report.illegal_minor_content and not report.what_is_wrong.strip():
            raise InvalidReport("what_is_wrong", "must not be blank")
    asked = any(turn.role is TurnRole.USER and turn.content.strip() for turn in report.turns)
    if not (asked or report.illegal_minor_content):
        raise InvalidReport("turns", "must have at least one user turn that is not blank")
    characters = sum(len(turn.content) for turn in report.turns)
    if characters > MAX_CONVERSATION_CHARACTERS:
        rule = f"must be at most {MAX_CONVERSATION_CHARACTERS:,} characters long in all, not {characters:,}"
        raise InvalidReport("turns", rule)
    if report.successes is not None and (report.tries is None or report.successes > report.tries):
        raise InvalidReport("successes", "must come with tries and not exceed them")


def _extra(unknown: dict[str, Any]) -> dict[str, Any]:
    if not unknown:
        return unknown
    for name, value in unknown.items():
        path = field_path("", name)
        check_plain(name, path)
        check_plain(value, path)
    size = len(json.dumps(unknown, ensure_ascii=False).encode())
    if size > MAX_EXTRA_BYTES:
        rule = f"must be at most {MAX_EXTRA_BYTES:,} bytes in all, not {size:,}"
        raise InvalidReport("unknown fields", rule)
    return unknown


def _plain(value: object) -> Any:
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case tuple():
            return [_plain(item) for item in value]
        case Turn():  # most of a report: spelled out for speed
            return {"role": value.role.value, "content": value.content}
        case System() | OtherSystem():
            return {field.name: _plain(getattr(value, field.name)) for field in dataclass_fields(value)}
    return value
