"""Operations of the reviewer's desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.desk import triage, undo
from triage_core.desk.decision import Decision
from triage_core.errors import Refused
from triage_core.model import (
    Exploitation,
    Exposure,
    Generality,
    Harm,
    Reliability,
    Resolution,
    Severity,
    SeverityInputs,
    TrainingConsent,
    Uplift,
)
from triage_core.operations.base import Emit, case, command_line_actor, enum
from triage_core.runtime import Runtime


def decision(params: Mapping[str, Any]) -> Decision:
    """The decision that these parameters hold. Raises Refused for what is no value, and for half of the inputs."""
    names = ("harm", "exposure", "generality", "reliability", "uplift")
    given = [name for name in names if params.get(name)]
    inputs = None
    if given:
        missing = [name for name in names if name not in given]
        if missing:
            raise Refused(missing[0], "severity takes all five inputs: " + ", ".join(names))
        inputs = SeverityInputs(
            enum(Harm, params, "harm"),
            enum(Exposure, params, "exposure"),
            enum(Generality, params, "generality"),
            enum(Reliability, params, "reliability"),
            enum(Uplift, params, "uplift"),
        )
    return Decision(
        clauses=tuple(params.get("clauses") or ()),
        inputs=inputs,
        resolution=enum(Resolution, params, "resolution") if params.get("resolution") else None,
        note=params.get("note") or "",
        override=enum(Severity, params, "override") if params.get("override") else None,
        override_reason=params.get("override_reason") or "",
        exploitation=enum(Exploitation, params, "exploitation") if params.get("exploitation") else None,
        better_answer=params.get("better_answer") or "",
        consent=enum(TrainingConsent, params, "consent") if params.get("consent") else None,
        reproduction_log=params.get("reproduction_log") or "",
    )


def assess(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Decide on a report; gives its new state."""
    decided_as = decision(params)
    with runtime.store.read() as cursor:
        report_id = triage.find(cursor, params["report"])
    decided = triage.assess(
        runtime.store,
        runtime.policy,
        command_line_actor(),
        report_id,
        decided_as,
        approve=bool(params.get("approve", True)),
    )
    return case(runtime, decided)


def link(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Mark one report as a duplicate of an earlier one."""
    with runtime.store.read() as cursor:
        child, canonical = triage.find(cursor, params["child"]), triage.find(cursor, params["canonical"])
    reason = params.get("reason") or ""
    return case(runtime, triage.link(runtime.store, command_line_actor(), child, canonical, reason=reason))


def unlink(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Take a duplicate link back."""
    with runtime.store.read() as cursor:
        child = triage.find(cursor, params["child"])
    reason = params.get("reason") or ""
    return case(runtime, triage.unlink(runtime.store, command_line_actor(), child, reason=reason))


def apart(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Two reports are not duplicates of each other, or with `undo` nobody says so any more; gives their ids."""
    reason, back = params.get("reason") or "", bool(params.get("undo"))
    if back and reason:
        raise Refused("reason", "is kept with what is said of two reports, not with taking that back")
    with runtime.store.read() as cursor:
        one, other = triage.find(cursor, params["one"]), triage.find(cursor, params["other"])
        said = undo.of_pair(cursor, one, other) if back else None
    if said:
        undo.undo(runtime.store, command_line_actor(), said.seq)
        return {"undone": [one, other]}
    triage.keep_apart(runtime.store, command_line_actor(), one, other, reason=reason)
    return {"apart": [one, other]}
