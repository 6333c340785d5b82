"""STIX 2.1: a bundle of the vulnerability, how it is brought about, who tells it, and under which markings.

The messages are notes on the attack pattern, what was said of them notes on the vulnerability. Ids follow from
the publisher and the advisory, so that a later version replaces the former one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from triage_core.disclosure.embargo import Stub
from triage_core.exchange.told import Advisory, Record, embargo, notes, of, turns
from triage_core.model import Tlp

Object = dict[str, Any]

_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_MARKINGS = {
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
}
"""The markings of TLP 2.0 that OASIS has published, to be used as they are."""
_EVER = "2022-10-01T00:00:00.000Z"
"""When these were created. What never changes, its id being made of all that it says, has the same."""


def document(told: Record | Stub, advisory: Advisory) -> Object:
    """The bundle."""
    record = of(told)
    markings = [_tlp(Tlp(record["tlp"])), _statement(embargo(record), advisory)]
    publisher = _object("identity", advisory, advisory.publisher)
    publisher |= {"name": advisory.publisher, "identity_class": "organization"}
    common = {
        "created_by_ref": publisher["id"],
        "created": _instant(advisory.versions[0]),
        "modified": _instant(advisory.versions[-1]),
        "object_marking_refs": [marking["id"] for marking in markings],
    }

    def made(kind: str, part: str = "", **fields: Any) -> Object:
        """An object of the advisory; STIX has no empty lists, so that these are left out."""
        filled = {field: value for field, value in fields.items() if value != []}
        return _object(kind, advisory, advisory.advisory_id, part) | common | filled

    flaw = made(
        "vulnerability",
        name=advisory.title,
        labels=list(record["harm_types"]),
        external_references=[{"source_name": advisory.publisher, "external_id": advisory.advisory_id}],
    )
    way = made(
        "attack-pattern",
        name=advisory.title,
        external_references=[
            {"source_name": "mitre-atlas", "external_id": technique} for technique in advisory.techniques
        ],
    )
    link = made("relationship", relationship_type="targets", source_ref=way["id"], target_ref=flaw["id"])
    said = [
        made("note", heading, abstract=heading, content=text, object_refs=[about["id"]])
        for about, texts in (
            (flaw, notes(record, advisory)),
            (way, [(heading, text) for heading, _, text in turns(record)]),
        )
        for heading, text in texts
    ]
    return {
        "type": "bundle",
        "id": f"bundle--{advisory.uuid('bundle', advisory.advisory_id, common['modified'])}",
        "objects": [*markings, publisher, flaw, way, link, *said],
    }


def _object(kind: str, advisory: Advisory, *names: str) -> Object:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{advisory.uuid(kind, *names)}",
        "created": _EVER,
        "modified": _EVER,
    }


def _tlp(label: Tlp) -> Object:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": _MARKINGS[label],
        "created": _EVER,
        "name": f"TLP:{label}",
        "extensions": {
            _EXTENSION: {"extension_type": "property-extension", "tlp_2_0": label.lower()},
        },
    }


def _statement(words: str, advisory: Advisory) -> Object:
    """STIX has no word for the end of an embargo, but a statement marks every object with it."""
    marking = _object("marking-definition", advisory, words)
    del marking["modified"]  # a marking has one version
    return marking | {"definition_type": "statement", "definition": {"statement": words}}


def _instant(moment: datetime) -> str:
    """STIX asks for milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
