"""Commands of likeness: index, similar, explain, clusters, audit, duplicates."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from triage_core.archives import archive, archive_ray
from triage_core.cli.base import JsonOption, StoreOption, app, contents, one_of, run, settings_for
from triage_core.cli.output import Bar, print_pairs, print_rows
from triage_core.index.embedding import loader


@app.command()
def index(
    progress: Annotated[bool, typer.Option(help="Show a progress bar on stderr.")] = True,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Show what laying all clusters anew changes.")
    ] = False,
    accept: Annotated[bool, typer.Option("--accept", help="With --rebuild: make the change.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--archive", exists=True, file_okay=False, help="First embed its Parquet files."),
    ] = None,
    engine: Annotated[str, typer.Option(help="With --archive: local or ray.")] = "local",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Embed what is not embedded; update clusters and duplicate suggestions."""
    if accept and not rebuild:
        raise typer.BadParameter("goes with --rebuild", param_hint="--accept")
    if one_of("--engine", engine, "local", "ray") == "ray" and folder is None:
        raise typer.BadParameter("ray goes with --archive", param_hint="--engine")
    params: dict[str, Any] = {"rebuild": rebuild, "accept": accept}
    if folder is not None:
        params["archive"] = _built(folder.resolve(), engine, store, progress)
    run("index", params, store, as_json, print_pairs, progress=progress, alone=folder is not None)


@app.command()
def similar(
    report: Annotated[str | None, typer.Option(help="Id of a stored report.")] = None,
    external_id: Annotated[str | None, typer.Option(help="External id of a stored report.")] = None,
    text: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A text file.")] = None,
    all_reports: Annotated[bool, typer.Option("--all", help="Every report, one JSON line each.")] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    axis: Annotated[str, typer.Option(help="whole, technique or request.")] = "whole",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The reports most like one report, one text, or (--all) each report."""
    if sum([report is not None, external_id is not None, text is not None, all_reports]) != 1:
        raise typer.BadParameter("give exactly one of --report, --external-id, --text and --all")
    params: dict[str, Any] = {
        "report": report,
        "external_id": external_id,
        "all": all_reports,
        "k": k,
        "axis": _axis(axis),
    }
    if text is not None:
        params["text"] = contents(text, "text")
    if all_reports:
        run("similar", params, store, True, print_rows, lines=True)
    else:
        run("similar", params, store, as_json, print_rows)


@app.command()
def explain(
    one: Annotated[str, typer.Argument(metavar="A", help="Id or external id.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Id or external id.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why two reports are alike or not."""
    run("explain", {"one": one, "other": other}, store, as_json, print_pairs)


@app.command()
def clusters(
    axis: Annotated[str, typer.Option(help="whole, technique or request.")] = "whole",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One row a report: its cluster and the cluster's representative."""
    run("clusters", {"axis": _axis(axis)}, store, as_json, print_rows)


@app.command()
def audit(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Clusters that hold two groups of reports; suggests splits and makes none."""

    def draw(found: dict[str, Any]) -> None:
        print_rows({**split, "leaving": len(split["leaving"])} for split in found["suggestions"])

    run("audit", {}, store, as_json, draw)


@app.command()
def duplicates(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Suggested duplicate pairs that nobody has decided on, surest first."""
    run("duplicates", {}, store, as_json, print_rows)


def _built(folder: Path, engine: str, store: Path | None, progress: bool) -> dict[str, Any]:
    """Embed and join an archive outside of the store, which a server may go on using meanwhile."""
    chosen = archive_ray.engine() if engine == "ray" else archive.here
    with Bar(progress) as bar:
        built = archive.build(folder, loader(settings_for(store)), chosen, bar)
    return {"folder": str(folder), **asdict(built)}


def _axis(name: str) -> str:
    return one_of("--axis", name, "whole", "technique", "request")
