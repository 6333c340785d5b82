"""New versions without a reporter: what "withdraw reporter X" does to the data sets that held their words.

Versions that exist stay as they are, since somebody may have trained on them; each data set whose latest
version holds rows of the reporter gets a next one, which names the rows that left.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from triage_core.channel import consent
from triage_core.errors import Refused
from triage_core.exporters import build as exports
from triage_core.exporters import catalog, folder
from triage_core.exporters.catalog import Built
from triage_core.exporters.poison import ANONYMOUS
from triage_core.exporters.request import ExportRequest
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.store import Store


def withdraw(
    store: Store, policy: Policy, desk: Actor, builder: Actor, reporter: str
) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Take the consent of a reporter (or of one report) back and build the versions that follow from it.

    Gives the reports whose consent ended and for each data set that held them the manifest of its new version, whose
    `diff` names the examples that left, or {name, refused}: a refused build stops none of the others, and is tried
    again when this is. `desk` may take consent back, `builder` may build data sets. Raises NotFound.
    """
    with store.read() as cursor:
        report_ids = consent.reports_of(cursor, reporter)
    ended = consent.revoke(store, desk, report_ids)
    with store.read() as cursor:  # after it: whatever is recorded from now on holds none of them
        latest = catalog.latest(cursor)
    made: list[dict[str, Any]] = []
    for before in latest:
        if _holds(before, frozenset(report_ids)) is False:
            continue
        request = ExportRequest.of_manifest(before.manifest, before.folder.parent.parent)
        try:
            # Where nobody can look, the hashes in the manifest tell whether anything changes.
            account = exports.build_changed(store, policy, builder, request)
        except Refused as error:
            account = {"name": before.name, "refused": str(error)}
        if account is not None:
            made.append(account)
    return ended, made


def reporters(version: Built) -> dict[str, int]:
    """How many rows each reporter with a name has in a version, most first; none where its files cannot be read."""
    if not version.is_here:
        return {}
    try:
        account = version.manifest
        rows = folder.rows_by_reporter(version.folder, account["layout"], account["format"])
    except (OSError, ValueError, KeyError):
        return {}
    return {name: count for name, count in rows.most_common() if name != ANONYMOUS}


def _holds(version: Built, report_ids: Set[str]) -> bool | None:
    """Whether a version holds one of these reports; None where its files are gone or damaged."""
    if not version.is_here:
        return None
    try:
        account = version.manifest
        held = folder.report_ids(version.folder, account["layout"], account["format"])
    except (OSError, ValueError, KeyError):
        return None
    return not report_ids.isdisjoint(held)
