"""Operations of the policy owner: export, draft, compare, try, approve, publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from triage_core.errors import Refused
from triage_core.guidance import policies, policy_drafts, policy_text, policy_trial
from triage_core.guidance.policy_text import Texts
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime

LISTED = 1_000


def export(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Write the three files of a draft, of a version, or of the version in force into a folder."""
    with runtime.store.read() as cursor:
        if params.get("draft"):
            texts = policy_drafts.read(cursor, params["draft"]).texts
        else:
            name = params.get("version") or policies.name_in_force(cursor)
            texts = Texts.of(policies.version(cursor, name))
    folder = Path(params["out"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.by_file().items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused("out", f"{folder} cannot be written to: {error.strerror or error}") from error
    return {"files": [str(folder / name) for name in texts.by_file()]}


def draft(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Begin a draft with the given files, or put them into an existing one."""
    files, draft_id, actor = params["files"], params.get("draft"), command_line_actor()
    if draft_id:
        with runtime.store.read() as cursor:
            seen = policy_drafts.read(cursor, draft_id).revision
        policy_drafts.replace(runtime.store, actor, draft_id, files, seen_revision=seen)
    else:
        draft_id = policy_drafts.start(
            runtime.store, actor, Texts(*(files[name] for name in policy_text.FILES))
        )
    return _told(runtime, draft_id)


def drafts(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every draft, those in work first."""
    names = (
        "draft_id",
        "revision",
        "state",
        "base_version",
        "updated_at",
        "updated_by",
        "approved_by",
        "version",
    )
    with runtime.store.read() as cursor:
        return [{name: _plain(row[name]) for name in names} for row in policy_drafts.listed(cursor)]


def compare(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """What a draft changes of the version in force."""
    with runtime.store.read() as cursor:
        found = policy_drafts.differences(cursor, params["draft"])
    return [{name: _plain(value) for name, value in asdict(each).items()} for each in found]


def trial(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Which past decisions would change under a draft, the newest `LISTED` of them by name."""
    with runtime.store.read() as cursor:
        tried = policy_drafts.read(cursor, params["draft"]).texts.parse()
        summary = policy_trial.summary(cursor, tried)
        rows = policy_trial.changed(cursor, tried, 1, LISTED)
    moves = [{"from": old, "to": new, "decisions": count} for (old, new), count in summary.moves.items()]
    reports = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return {**asdict(summary), "moves": moves, "reports": reports}


def approve(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Approve a draft that somebody else wrote."""
    return _settle(runtime, params["draft"], policy_drafts.approve)


def publish(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Put an approved draft in force."""
    return _settle(runtime, params["draft"], policy_drafts.publish)


def _settle(runtime: Runtime, draft_id: int, command: Any) -> dict[str, Any]:
    with runtime.store.read() as cursor:
        seen = policy_drafts.read(cursor, draft_id).revision
    command(runtime.store, command_line_actor(), draft_id, seen_revision=seen)
    return _told(runtime, draft_id)


def _told(runtime: Runtime, draft_id: int) -> dict[str, Any]:
    with runtime.store.read() as cursor:
        found = policy_drafts.read(cursor, draft_id)
        in_force = policies.name_in_force(cursor)
    return {
        "draft": draft_id,
        "revision": found.revision,
        "state": str(found.state),
        "approved_by": found.approved_by,
        "version": found.texts.parse().version,
        "in_force": in_force,
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
