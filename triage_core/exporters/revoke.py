"""New versions without a reporter: what "withdraw reporter X" does to the data sets that held their words.

Versions that exist stay as they are, since somebody may have trained on them; each data set whose latest
version holds rows of the reporter gets a next one, which names the rows that left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from triage_core import db
from triage_core.channel import consent
from triage_core.exporters import build as exports
from triage_core.exporters import folder
from triage_core.exporters.request import ExportRequest
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.store import Store


def withdraw(
    store: Store, policy: Policy, desk: Actor, builder: Actor, reporter: str
) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Take the consent of a reporter (or of one report) back and build the versions that follow from it.

    Gives the reports whose consent ended and the manifests of the new versions; the `diff` of each names
    the examples that left. `desk` may take consent back, `builder` may build data sets. Raises NotFound.
    """
    with store.read() as cursor:
        report_ids = consent.reports_of(cursor, reporter)
        affected = list(_affected(cursor, frozenset(report_ids)))
    ended = consent.revoke(store, desk, report_ids)
    return ended, [exports.build(store, policy, builder, request) for request in affected]


def _affected(cursor: db.Cursor, report_ids: frozenset[str]) -> Iterator[ExportRequest]:
    """The latest version of each data set that holds one of these reports, as the request for its next one."""
    latest = db.rows(
        cursor,
        "SELECT name, folder, layout, format, manifest FROM datasets"
        " QUALIFY row_number() OVER (PARTITION BY name ORDER BY created_at DESC, version DESC) = 1 ORDER BY name",
    )
    for row in latest:
        place = Path(row["folder"])
        if not report_ids.isdisjoint(folder.report_ids(place, row["layout"], row["format"])):
            yield ExportRequest.of_manifest(json.loads(row["manifest"]), place.parent.parent)
