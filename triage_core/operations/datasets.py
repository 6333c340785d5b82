"""Operations of datasets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from triage_core import db
from triage_core.channel import consent
from triage_core.desk import triage
from triage_core.errors import NotFound
from triage_core.exporters import build as exports
from triage_core.exporters import catalog, difference, plans, revoke
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime

ALL = 1_000_000


def export(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Build a dataset; gives its manifest."""
    request = exports.ExportRequest.from_json(params)
    actor = command_line_actor()
    return exports.build(
        runtime.store,
        runtime.policy,
        actor,
        request,
        lambda done, total: emit.progress(done, total, "reports read"),
    )


def withdraw(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """End a reporter's consent and build the versions without their rows."""
    actor = command_line_actor()
    with runtime.store.read() as cursor:
        who = _whose(cursor, params["reporter"])
    ended, built = revoke.withdraw(runtime.store, runtime.policy, actor, actor, who)
    names = ("name", "version", "diff", "folder", "refused")
    return {
        "reports": list(ended),
        "built": [{name: one[name] for name in names if name in one} for one in built],
    }


def _whose(cursor: db.Cursor, name: str) -> str:
    """The reporter or the report of this name; a report goes by its external id too. Raises NotFound."""
    try:
        consent.reports_of(cursor, name)
    except NotFound:
        with suppress(NotFound):
            return triage.find_external(cursor, name)
        raise
    return name


def plan(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Have a dataset built every so many days, 0 for no longer; gives every plan. Without a name it changes nothing."""
    if params.get("name"):
        plans.plan(runtime.store, command_line_actor(), params["name"], params.get("every", 0))
    with runtime.store.read() as cursor:
        found = plans.plans(cursor)
    return {
        "plans": [
            {
                "name": one.name,
                "every_days": one.every_days,
                "latest": one.latest,
                "next": one.next_at.isoformat(),
            }
            for one in found
        ]
    }


def build_due(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Build the next version of every dataset that is due."""
    done = plans.build_due(
        runtime.store,
        runtime.policy,
        command_line_actor(),
        lambda name, read, total: emit.progress(read, total, f"reports read for {name}"),
    )
    return {"built": done}


def retire(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Delete the files of versions that are no longer kept."""
    gone = plans.retire(
        runtime.store,
        command_line_actor(),
        params["name"],
        version=params.get("version") or "",
        keep=params.get("keep") or 0,
    )
    return {"name": params["name"], "retired": gone}


def built(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every version that was built, the newest first."""
    with runtime.store.read() as cursor:
        found, _ = catalog.built(cursor, size=ALL)
    return [
        {
            "name": one.name,
            "version": one.version,
            "built": one.created_at.isoformat(),
            **{part: one.manifest[part] for part in ("profile", "format", "layout")},
            "rows": one.manifest["rows"]["total"],
            "folder": str(one.folder) if one.is_here else None,
        }
        for one in found
    ]


def compare(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """What two versions of a dataset have in common."""
    with runtime.store.read() as cursor:
        pair = [catalog.one(cursor, params["name"], params[part]) for part in ("earlier", "later")]
    found, counts = difference.of_versions(*pair)
    return {
        **{part: asdict(getattr(found, part)) for part in ("added", "removed", "changed")},
        "counts": {name: list(both) for name, both in counts.items()},
    }
