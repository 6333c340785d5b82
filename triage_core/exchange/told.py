"""What every format tells of a flaw: an advisory of ours with the record of its report, or with no more than a stub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from triage_core.disclosure.embargo import Stub
from triage_core.model import ProductStatus


@dataclass(frozen=True, slots=True)
class Advisory:
    """What an advisory adds to a record: our own words, none of the report's.

    `advisory_id`, `title` and `publisher` are not blank, the id without space at its ends; `namespace` is the
    publisher's URI. `issued`, and in `updated`, oldest first, each later moment since which it says something
    else (the record in place of the stub, another label or end), have a zone. `techniques` are ids of MITRE ATLAS
    such as AML.T0051. `products` says what is known of products by name; it wins over the systems of the record,
    which else count as affected.
    """

    advisory_id: str
    title: str
    publisher: str
    namespace: str
    issued: datetime
    updated: tuple[datetime, ...] = ()
    techniques: tuple[str, ...] = ()
    products: Mapping[str, ProductStatus] = field(default_factory=dict)

    @property
    def versions(self) -> tuple[datetime, ...]:
        """The moments of all its versions, oldest first."""
        return (self.issued, *self.updated)

    def uuid(self, *names: str) -> UUID:
        """The same UUIDv5 for the same names of the same publisher, so that a document replaces its former self."""
        return uuid5(uuid5(NAMESPACE_URL, self.namespace), "\n".join(names))


Record = Mapping[str, Any]
Format = Callable[[Record | Stub, Advisory], dict[str, Any]]


def of(told: Record | Stub) -> Record:
    """The record; of a stub its label, its end and the kinds of harm, without a word of the report.

    A stub is made with the title of its advisory, and the title is taken from there.
    """
    if isinstance(told, Stub):
        harms = [str(harm) for harm in told.harm_types]
        return {"harm_types": harms, "tlp": str(told.tlp), "embargo_end": told.embargo_end}
    return told


def embargo(record: Record) -> str:
    """The label and the end of the embargo as a sentence: what no document goes without."""
    end = record["embargo_end"]
    until = f"Under embargo until {instant(end)}." if end else "No end of an embargo is set."
    return f"TLP:{record['tlp']}. {until}"


def instant(moment: datetime) -> str:
    """As in `flaw-report/1`: UTC, to the microsecond where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def turns(record: Record) -> list[tuple[str, str, str]]:
    """Each message that is not empty: its heading, its role and its text."""
    return [
        (f"Turn {number}: {turn['role']}", turn["role"], turn["content"])
        for number, turn in enumerate(record.get("turns", ()), 1)
        if turn["content"]
    ]


def notes(record: Record, advisory: Advisory) -> list[tuple[str, str]]:
    """What is said beside the messages, each with its heading; with a stub no more than harm and products."""
    tried = [
        f"{_name(other, 'platform', 'model')}: {other.get('worked', 'untested')}"
        for other in record.get("other_systems_tried", ())
    ]
    said = {
        "What is wrong": record.get("what_is_wrong"),
        "Expected": record.get("expected"),
        "Actual": record.get("actual"),
        "Kinds of harm": ", ".join(record.get("harm_types", ())),
        "Seen on": "\n".join(_name(system, *_SYSTEM) for system in record.get("system", ())),
        "Tried on other systems": "\n".join(tried),
        "Tries": _tries(record),
        "Real-world harm": record.get("real_world_harm"),
        "Malicious use": record.get("malicious_use"),
        "Products": "\n".join(f"{name}: {status}" for name, status in advisory.products.items()),
    }
    return [(heading, text) for heading, text in said.items() if text]


def products(record: Record, advisory: Advisory) -> dict[str, ProductStatus]:
    """What is known of each product, by its name."""
    return dict.fromkeys(systems(record), ProductStatus.KNOWN_AFFECTED) | dict(advisory.products)


def systems(record: Record) -> list[str]:
    """The systems on which the flaw was seen, by their names; no name is blank or stands twice."""
    names = [_name(system, "platform", "model", "version") for system in record.get("system", ())]
    return list(dict.fromkeys(name for name in names if name.strip()))


def technique_url(technique: str) -> str:
    return f"https://atlas.mitre.org/techniques/{technique}"


def _tries(record: Record) -> str:
    tries, successes = record.get("tries"), record.get("successes")
    if tries is None:
        return ""
    return str(tries) if successes is None else f"{tries}, of which {successes} succeeded"


_SYSTEM = ("platform", "model", "version", "access_method")


def _name(system: Mapping[str, str], *parts: str) -> str:
    return " ".join(filter(None, (system.get(part) for part in parts)))
