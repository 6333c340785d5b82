"""Commands on whole clusters: members, accept, assess, confirm, split, move, merge, apart."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli import desk
from triage_core.cli.base import JsonOption, StoreOption, app, one_of, run
from triage_core.cli.output import print_pairs, print_rows

cluster_app = typer.Typer(no_args_is_help=True, help="Decide on clusters of reports as a whole.")
app.add_typer(cluster_app, name="cluster")

Cluster = Annotated[str, typer.Argument(help="Id of a cluster, as `clusters` gives it.")]
Members = Annotated[
    list[str] | None,
    typer.Option(
        "--member",
        help="A report of the cluster, as ID or, to act on the version that you saw alone, ID@VERSION; repeat for"
        " several. All members when left out.",
    ),
]
Leaving = Annotated[
    list[str], typer.Option("--member", help="A report that leaves, as ID or ID@VERSION; repeat for several.")
]
AxisOption = Annotated[str, typer.Option("--axis", help="whole, technique or request.")]
Reason = Annotated[str, typer.Option(help="Why, for those who look at it later.")]
Grouping = Annotated[
    str, typer.Option(help="same: they belong together; split: and they leave the rest of the cluster.")
]


@cluster_app.command()
def members(
    cluster: Cluster, axis: AxisOption = "whole", store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """The members of a cluster, nearest to the others first, with their versions."""
    run("cluster.members", _about(cluster, axis), store, as_json, print_rows)


@cluster_app.command()
def accept(
    cluster: Cluster,
    member: Members = None,
    grouping: Grouping = "",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The members are one flaw: duplicates of the earliest of them, on which you decide with `assess`."""
    params = {**_about(cluster, "whole"), "members": member or [], "grouping": grouping, "reason": reason}
    run("cluster.accept", params, store, as_json, print_pairs)


@cluster_app.command()
def assess(
    cluster: Cluster,
    clause: desk.Clauses,
    member: Members = None,
    harm: desk.HarmOption = None,
    exposure: desk.ExposureOption = None,
    generality: desk.GeneralityOption = None,
    reliability: desk.ReliabilityOption = None,
    uplift: desk.UpliftOption = None,
    exploitation: desk.ExploitationOption = None,
    resolution: desk.ResolutionOption = None,
    note: desk.NoteOption = "",
    grouping: Grouping = "",
    axis: AxisOption = "whole",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One assessment for the members; lists those that were skipped, and why."""
    inputs = {
        "harm": harm, "exposure": exposure, "generality": generality, "reliability": reliability, "uplift": uplift,
    }  # fmt: skip
    params = {
        **_about(cluster, axis),
        "members": member or [],
        "grouping": grouping,
        "clauses": clause,
        **inputs,
        "exploitation": exploitation,
        "resolution": resolution,
        "note": note,
    }
    run("cluster.assess", params, store, as_json, print_pairs)


@cluster_app.command()
def confirm(
    cluster: Cluster,
    member: Members = None,
    axis: AxisOption = "whole",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The members belong together, whatever a later run of the model says."""
    params = {**_about(cluster, axis), "members": member or [], "reason": reason}
    run("cluster.confirm", params, store, as_json, print_pairs)


@cluster_app.command()
def split(
    cluster: Cluster,
    member: Leaving,
    singly: Annotated[bool, typer.Option("--singly", help="Each for itself, not together.")] = False,
    axis: AxisOption = "whole",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """These members do not belong to the cluster."""
    params = {**_about(cluster, axis), "members": member, "singly": singly, "reason": reason}
    run("cluster.split", params, store, as_json, print_pairs)


@cluster_app.command()
def move(
    cluster: Cluster,
    member: Leaving,
    to: Annotated[str, typer.Option(help="The cluster that they belong to.")],
    axis: AxisOption = "whole",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """These members belong to another cluster."""
    params = {**_about(cluster, axis), "members": member, "to": to, "reason": reason}
    run("cluster.move", params, store, as_json, print_pairs)


@cluster_app.command()
def merge(
    cluster: Cluster,
    other: Cluster,
    axis: AxisOption = "whole",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two clusters are one."""
    run(
        "cluster.merge",
        {**_about(cluster, axis), "other": other, "reason": reason},
        store,
        as_json,
        print_pairs,
    )


@cluster_app.command()
def apart(
    cluster: Cluster,
    other: Cluster,
    axis: AxisOption = "whole",
    reason: Reason = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two clusters are not one."""
    run(
        "cluster.apart",
        {**_about(cluster, axis), "other": other, "reason": reason},
        store,
        as_json,
        print_pairs,
    )


def _about(cluster: str, axis: str) -> dict[str, str]:
    return {"cluster": cluster, "axis": one_of("--axis", axis, "whole", "technique", "request")}
