"""The formats in which a flaw is told to peers: pure functions of what the gate let out and of an advisory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triage_core.channel.reportformat import FORMAT
from triage_core.disclosure.embargo import Stub
from triage_core.errors import Refused
from triage_core.exchange import csaf, flawreport, misp, stix
from triage_core.exchange.told import Advisory, Format, Record
from triage_core.exporters.jsonl import json_line
from triage_core.model import ProductStatus

__all__ = ["FORMATS", "Advisory", "Format", "ProductStatus", "check", "written"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        FORMAT: flawreport.document,
        "stix/2.1": stix.document,
        "csaf/2.1": csaf.document,
        "misp": misp.document,
    }
)
"""Each gives a JSON document of a record or a stub of `disclosure.sharing`, told with an advisory."""


def check(name: str) -> None:
    """Return when there is a format of this name; else raise Refused naming those that there are."""
    if name not in FORMATS:
        raise Refused("format", f"must be one of {', '.join(FORMATS)}")


def written(name: str, told: Record | Stub, advisory: Advisory) -> bytes:
    """The document in this format as one line of ASCII. Raises Refused as `check` does."""
    check(name)
    return json_line(FORMATS[name](told, advisory))
