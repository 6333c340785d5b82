"""CSAF 2.1, the first version with TLP:AMBER+STRICT: a security advisory on one vulnerability."""

from __future__ import annotations

from typing import Any

from triage_core.disclosure.embargo import Stub
from triage_core.exchange.told import (
    Advisory,
    Record,
    embargo,
    instant,
    notes,
    of,
    products,
    technique_url,
    turns,
)
from triage_core.model import ProductStatus, Tlp

SCHEMA = "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/csaf.json"


def document(told: Record | Stub, advisory: Advisory) -> dict[str, Any]:
    """The document. Without an affected product, as of a stub, it is of the base profile: no other admits that."""
    record = of(told)
    known = products(record, advisory)
    ids = {name: f"P{number}" for number, name in enumerate(known, 1)}
    affected = ProductStatus.KNOWN_AFFECTED in known.values()
    made: dict[str, Any] = {
        "$schema": SCHEMA,
        "document": {
            "category": "csaf_security_advisory" if affected else "csaf_base",
            "csaf_version": "2.1",
            "distribution": {"text": embargo(record), "tlp": {"label": record["tlp"]}},
            "publisher": {"category": "vendor", "name": advisory.publisher, "namespace": advisory.namespace},
            "title": advisory.title,
            "tracking": _tracking(record, advisory),
        },
    }
    if known:
        made["product_tree"] = {
            "full_product_names": [{"name": name, "product_id": ids[name]} for name in known]
        }
    return made | {"vulnerabilities": [_vulnerability(record, advisory, known, ids)]}


def _tracking(record: Record, advisory: Advisory) -> dict[str, Any]:
    moments = [instant(moment) for moment in advisory.versions]
    return {
        "id": advisory.advisory_id,
        "status": "interim" if record["embargo_end"] else "final",
        "version": str(len(moments)),
        "initial_release_date": moments[0],
        "current_release_date": moments[-1],
        "revision_history": [
            {"number": str(number), "date": moment, "summary": "Issued." if number == 1 else "Updated."}
            for number, moment in enumerate(moments, 1)
        ],
    }


def _vulnerability(
    record: Record, advisory: Advisory, known: dict[str, ProductStatus], ids: dict[str, str]
) -> dict[str, Any]:
    texts = [*notes(record, advisory), *((heading, text) for heading, _, text in turns(record))]
    flaw: dict[str, Any] = {
        "title": advisory.title,
        "ids": [{"system_name": advisory.publisher, "text": advisory.advisory_id}],
        "notes": [
            {"category": "summary", "title": "Summary", "text": advisory.title},
            *({"category": "details", "title": heading, "text": text} for heading, text in texts),
        ],
    }
    if known:
        flaw["product_status"] = {
            str(status): [ids[name] for name in known if known[name] is status]
            for status in ProductStatus
            if status in known.values()
        }
    if advisory.techniques:
        flaw["references"] = [
            {"summary": f"MITRE ATLAS {technique}", "url": technique_url(technique)}
            for technique in advisory.techniques
        ]
    if record.get("credit", "").strip():
        flaw["acknowledgments"] = [{"names": [record["credit"]]}]
    # A date to come means that the world does not know yet, which a document for all the world may not say.
    if record["embargo_end"] and record["tlp"] != Tlp.CLEAR:
        flaw["disclosure_date"] = instant(record["embargo_end"])
    return flaw
