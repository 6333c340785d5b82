"""Operations on whole clusters: say what belongs together, and decide on many members at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from triage_core import cases, db, queries
from triage_core.clusters import cluster_work
from triage_core.desk import triage
from triage_core.desk.bulk import Outcome
from triage_core.errors import NotFound
from triage_core.likeness.axes import Axis
from triage_core.operations import desk
from triage_core.operations.base import Emit, command_line_actor, enum
from triage_core.runtime import Runtime

Params = Mapping[str, Any]


def accept(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The members are duplicates of the earliest of them; gives who was linked, and who was skipped and why."""
    done = cluster_work.accept(
        runtime.store, runtime.policy, command_line_actor(), params["cluster"], _seen(runtime, params),
        grouping=params.get("grouping") or "", reason=_why(params),
    )  # fmt: skip
    return _outcome(done)


def assess(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """One assessment for the members; gives who was assessed, and who was skipped and why."""
    done = cluster_work.assess(
        runtime.store, runtime.policy, command_line_actor(), _axis(params), params["cluster"],
        _seen(runtime, params), desk.decision(params), grouping=params.get("grouping") or "",
    )  # fmt: skip
    return _outcome(done)


def confirm(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The members belong together, whatever a later run of the model says."""
    members = list(_seen(runtime, params))
    return _said(
        cluster_work.confirm(
            runtime.store,
            command_line_actor(),
            _axis(params),
            params["cluster"],
            members,
            reason=_why(params),
        )
    )


def split(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The named members leave their cluster, together or each for itself."""
    numbers = cluster_work.split(
        runtime.store, command_line_actor(), _axis(params), params["cluster"], list(_seen(runtime, params)),
        singly=bool(params.get("singly")), reason=_why(params),
    )  # fmt: skip
    return _said(*numbers)


def move(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The named members belong to another cluster."""
    members = list(_seen(runtime, params))
    return _said(
        cluster_work.move(
            runtime.store, command_line_actor(), _axis(params), params["cluster"], members, params["to"],
            reason=_why(params),
        )
    )  # fmt: skip


def merge(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The two clusters are one."""
    return _of_two(cluster_work.merge, runtime, params)


def apart(runtime: Runtime, params: Params, emit: Emit) -> dict[str, Any]:
    """The two clusters are not one."""
    return _of_two(cluster_work.keep_apart, runtime, params)


def _of_two(say: Callable[..., int], runtime: Runtime, params: Params) -> dict[str, Any]:
    two = params["cluster"], params["other"]
    return _said(say(runtime.store, command_line_actor(), _axis(params), *two, reason=_why(params)))


def members(runtime: Runtime, params: Params, emit: Emit) -> list[dict[str, Any]]:
    """The members of a cluster, nearest to the others first, with the version of each."""
    names = ("report_id", "external_id", "version", "status", "severity", "nearest_id", "nearest", "mean")
    with runtime.store.read() as cursor:
        return [{name: row[name] for name in names} for row in _members(cursor, params)]


def _members(cursor: db.Cursor, params: Params) -> list[db.Row]:
    found = queries.members(cursor, _axis(params), params["cluster"])
    if not found:
        raise NotFound("cluster", f"there is no cluster {params['cluster']!r}")
    return found


def _seen(runtime: Runtime, params: Params) -> dict[str, int]:
    """The members that were named, each with the version that was seen; all members when none is named."""
    with runtime.store.read() as cursor:
        if not params.get("members"):
            return {row["report_id"]: row["version"] for row in _members(cursor, params)}
        return dict(_named(cursor, name) for name in params["members"])


def _named(cursor: db.Cursor, name: str) -> tuple[str, int]:
    """A report and its version: of `NAME@VERSION` that one, of a name alone the present one."""
    try:
        report_id, version = triage.find(cursor, name), None
    except NotFound:
        word, _, number = name.rpartition("@")  # last, since an external id may hold the mark too
        if not (word and number.isdecimal()):
            raise
        report_id, version = triage.find(cursor, word), int(number)
    return report_id, version or cases.read(cursor, report_id)["version"]


def _axis(params: Params) -> Axis:
    found: Axis = enum(Axis, {"axis": params.get("axis") or Axis.WHOLE}, "axis")
    return found


def _why(params: Params) -> str:
    return str(params.get("reason") or "")


def _said(*numbers: int) -> dict[str, Any]:
    return {"decisions": list(numbers)}


def _outcome(done: Outcome) -> dict[str, Any]:
    skipped = [{"report_id": one.report_id, "why": one.why} for one in done.skipped]
    return {"done": list(done.done), "skipped": skipped, "batch": done.batch}
