"""Operations of datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.exporters import build as exports
from triage_core.exporters import revoke
from triage_core.operations.base import Emit, command_line_actor
from triage_core.runtime import Runtime


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
    ended, built = revoke.withdraw(runtime.store, runtime.policy, actor, actor, params["reporter"])
    names = ("name", "version", "diff", "folder")
    return {"reports": list(ended), "built": [{name: one[name] for name in names} for one in built]}
