"""MISP: an event with the vulnerability, each message as a chat prompt, and the whole record as a file.

MISP trims texts and replaces what lies beyond U+FFFF, hidden tags among it, so that the file alone is exact.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from triage_core.disclosure.embargo import Stub
from triage_core.exchange import flawreport
from triage_core.exchange.told import (
    Advisory,
    Record,
    embargo,
    instant,
    notes,
    of,
    systems,
    technique_url,
    turns,
)
from triage_core.exporters.jsonl import json_line
from triage_core.model import Tlp

Entry = dict[str, Any]

_TEMPLATES = {
    "vulnerability": ("vulnerability", "81650945-f186-437b-8945-9f31715d32da", "12"),
    "ai-chat-prompt": ("misc", "a78f4156-0bb7-405c-aa25-ba16a73f68e4", "2"),
}
"""Of each object its category, the UUID of its template, and the version of it that this is made for."""
_CATEGORIES = {"link": "External analysis", "attachment": "External analysis"}
_RELATIONS = {"What is wrong": "description", "Kinds of harm": "impact"}
"""The notes that have a place in the vulnerability."""
_DISTRIBUTION = {Tlp.GREEN: "1", Tlp.CLEAR: "3"}
"""How far an event goes on: in the community, to all of them; what is not named stays in the organisation."""
_INHERITED = "5"


def document(told: Record | Stub, advisory: Advisory) -> Entry:
    """The event, as a server of MISP takes it."""
    record = of(told)
    tlp = Tlp(record["tlp"])
    beside = {"Label and embargo": embargo(record), "Advisory": advisory.advisory_id}
    beside |= {heading: text for heading, text in notes(record, advisory) if heading not in _RELATIONS}
    attributes = [
        _attribute(advisory, "text", text, heading, comment=heading)
        for heading, text in beside.items()
        if text.strip()
    ]
    if record.get("turns"):
        attributes.append(_file(record, advisory))
    prompts = [
        _object(
            advisory,
            "ai-chat-prompt",
            heading,
            [("prompt", "text", text), ("role", "text", role)]
            + [("model", "text", name) for name in systems(record)],
        )
        for heading, role, text in turns(record)
        if text.strip()
    ]
    return {
        "Event": {
            "uuid": str(advisory.uuid("event", advisory.advisory_id)),
            "info": advisory.title,
            "date": instant(advisory.issued)[:10],
            "timestamp": _stamp(advisory),
            "analysis": "0" if record["embargo_end"] else "2",
            "threat_level_id": "4",  # undefined
            "distribution": _DISTRIBUTION.get(tlp, "0"),
            "published": False,
            "Orgc": {
                "name": advisory.publisher,
                "uuid": str(advisory.uuid("organisation", advisory.publisher)),
            },
            "Tag": [{"name": f"tlp:{tlp.lower()}"}],
            "Attribute": attributes,
            "Object": [_object(advisory, "vulnerability", "", _flaw(record, advisory)), *prompts],
        }
    }


def _flaw(record: Record, advisory: Advisory) -> list[tuple[str, str, str]]:
    """The vulnerability: relation, type and value. Its `id` stays out, for MISP takes that for a CVE."""
    return [
        ("summary", "text", advisory.title),
        *(
            (_RELATIONS[heading], "text", text)
            for heading, text in notes(record, advisory)
            if heading in _RELATIONS
        ),
        ("state", "text", "Embargo" if record["embargo_end"] else ""),
        ("credit", "text", record.get("credit", "")),
        ("modified", "datetime", instant(advisory.versions[-1])),
        *(("references", "link", technique_url(technique)) for technique in advisory.techniques),
    ]


def _object(advisory: Advisory, name: str, comment: str, values: Iterable[tuple[str, str, str]]) -> Entry:
    category, template, version = _TEMPLATES[name]
    return {
        "uuid": str(advisory.uuid("object", advisory.advisory_id, name, comment)),
        "name": name,
        "meta-category": category,
        "template_uuid": template,
        "template_version": version,
        "timestamp": _stamp(advisory),
        "distribution": _INHERITED,
        "comment": comment,
        "Attribute": [
            _attribute(advisory, kind, value, name, comment, relation, str(number), object_relation=relation)
            for number, (relation, kind, value) in enumerate(values)
            if value.strip()
        ],
    }


def _attribute(advisory: Advisory, kind: str, value: str, *names: str, **more: str) -> Entry:
    """`names` are what tells it from the other attributes of the advisory."""
    return {
        "uuid": str(advisory.uuid("attribute", advisory.advisory_id, *names)),
        "type": kind,
        "category": _CATEGORIES.get(kind, "Other"),
        "value": value,
        "timestamp": _stamp(advisory),
        "distribution": _INHERITED,
        "to_ids": False,
        "disable_correlation": True,
        **more,
    }


def _file(record: Record, advisory: Advisory) -> Entry:
    content = b64encode(json_line(flawreport.document(record, advisory))).decode()
    return _attribute(advisory, "attachment", "flaw-report.json", "file", data=content)


def _stamp(advisory: Advisory) -> str:
    return str(int(advisory.versions[-1].timestamp()))
