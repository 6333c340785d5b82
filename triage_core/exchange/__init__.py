"""The formats in which a flaw is told to peers: pure functions of what the gate let out and of an advisory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triage_core.channel.reportformat import FORMAT
from triage_core.disclosure.embargo import Stub
from triage_core.errors import Refused
from triage_core.exchange import csaf, flawreport, misp, stix
from triage_core.exchange.told import Advisory, Format, ProductStatus, Record
from triage_core.exporters.jsonl import json_line

__all__ = ["FORMATS", "Advisory", "Format", "ProductStatus", "written"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        FORMAT: flawreport.document,
        "stix/2.1": stix.document,
        "csaf/2.1": csaf.document,
        "misp": misp.document,
    }
)
"""Each gives a JSON document of a record or a stub of `disclosure.sharing`, told with an advisory."""


def written(name: str, told: Record | Stub, advisory: Advisory) -> bytes:
    """The document in this format as one line of ASCII. Raises Refused naming the formats that there are."""
    if name not in FORMATS:
        raise Refused("format", f"one of {', '.join(FORMATS)}, not {name!r}")
    return json_line(FORMATS[name](told, advisory))
