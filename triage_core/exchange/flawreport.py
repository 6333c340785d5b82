"""The record itself, which an import reads back: the one form that holds turns, label, embargo and advisory."""

from __future__ import annotations

from typing import Any

from triage_core.channel.reportformat import FORMAT
from triage_core.disclosure.embargo import Stub
from triage_core.exchange.told import Advisory, Record, instant, of

STUB = "flaw-stub/1"


def document(told: Record | Stub, advisory: Advisory) -> dict[str, Any]:
    """A `flaw-report/1` with the label, the end of the embargo and the advisory beside it.

    A stub has no turns, hence is no `flaw-report/1`, and its `format` says so.
    """
    record = of(told)
    end = record["embargo_end"]
    return {
        "format": FORMAT if record.get("turns") else STUB,
        **record,
        "embargo_end": instant(end) if end else None,
        "advisory": {
            "id": advisory.advisory_id,
            "title": advisory.title,
            "publisher": {"name": advisory.publisher, "namespace": advisory.namespace},
            "versions": [instant(moment) for moment in advisory.versions],
            "techniques": list(advisory.techniques),
            "products": {name: str(status) for name, status in advisory.products.items()},
        },
    }
