"""Reports of the AI flaw report form FLARE-AI in JSON, with their sections or flattened (incident_issueDescription).

Who reports there leaves an address to be answered at, which becomes the contact; organisation and
country are left out, and so is the reporter's own view of the severity. What was tried is the
conversation, split where it is a transcript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from triage_core.errors import Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import inner, listed, rows
from triage_core.importers.toolreport import Document, Entry, Record
from triage_core.model import DisclosureIntent, HarmType

BEGINS = re.compile(rb'\[?\s*\{.{0,500}"(classifyReport|incident_issueDescription)":', re.DOTALL)

_SECTIONS = {
    "classify": "classifyReport",
    "incident": "incidentDescription",
    "evidence": "evidence",
    "impact": "impactAssessment",
    "disclosure": "disclosurePlan",
}
_SYSTEM = {"platform": "platform", "model": "model", "version": "version", "accessMethod": "access_method"}

_NO = frozenset({"", "false", "no", "0"})


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each report, as its number in the file and what it is here or what refused it."""
    try:
        yield from toolreport.reports(rows(stream, "results"), _documents)
    except Refused as error:
        yield 1, error


def _documents(report: Entry) -> Iterator[Document]:
    harms = _field(report, "impact", "harmTypes") or _field(report, "impact", "harmType")
    named = [contents.text(harm).lower() for harm in (harms if isinstance(harms, list) else [harms])]
    intent = contents.text(_field(report, "disclosure", "publicDisclosureIntent")).lower()
    document: Document = {
        "external_id": toolreport.name_of("flare", report.get("documentId") or report.get("id")),
        "contact": contents.text(
            report.get("reporter_email") or inner(report, "reporterDetails", "reporter").get("email")
        ),
        "system": _systems(report),
        "harm_types": [harm for harm in dict.fromkeys(named) if harm in set(HarmType)] or None,
        "disclosure_intent": intent if intent in set(DisclosureIntent) else None,
        "real_world_harm": _truth(_field(report, "classify", "real_world_harm", "realWorldHarm")),
        "malicious_use": _truth(_field(report, "classify", "malicious_use", "maliciousUse")),
    }
    if _may_show_minors(report):
        yield document | {"illegal_minor_content": True}  # and none of its evidence
        return
    tried = [
        contents.text(_field(report, "evidence", name)) for name in ("stepsToReproduce", "proofOfConcept")
    ]
    described = contents.text(_field(report, "incident", "issueDescription"))
    yield document | {
        "turns": contents.pasted("\n\n".join(filter(None, tried)) or described),
        "what_is_wrong": toolreport.cut(described),
        "expected": toolreport.cut(contents.text(_field(report, "incident", "expectedBehavior"))),
        "actual": toolreport.cut(contents.text(_field(report, "incident", "actualBehavior"))),
    }


def _may_show_minors(report: Entry) -> bool:
    """Whether any field for it says anything but no, in whatever shape: this must not be missed."""
    parted = inner(report, _SECTIONS["classify"])
    said = [
        found
        for name in ("csam_involved", "csamInvolved")
        for found in (parted.get(name), report.get(f"classify_{name}"), report.get(name))
    ]
    return any(found is not None and str(found).strip().lower() not in _NO for found in said)


def _field(report: Entry, section: str, *names: str) -> object:
    """What stands in a section of the report, or flattened beside the others."""
    parted = inner(report, _SECTIONS[section])
    for name in names:
        for found in (parted.get(name), report.get(f"{section}_{name}")):
            if found is not None:
                return found
    return None


def _systems(report: Entry) -> list[Document]:
    details = inner(report, "reporterDetails")
    found = [
        *listed(report, "system_configurations"),
        *listed(report, "systemConfigurations"),
        *listed(details, "systems"),
        *([details["system"]] if inner(details, "system") else []),
    ]
    return [
        {ours: contents.text(system.get(theirs)) for theirs, ours in _SYSTEM.items()}
        for system in found
        if isinstance(system, dict)
    ]


def _truth(found: object) -> bool | None:
    return found if isinstance(found, bool) else None
