"""Commands of datasets: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs
from triage_core.exporters.profiles import PROFILES


@app.command()
def export(
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")],
    out_dir: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where NAME/VERSION is made.")],
    format: Annotated[str, typer.Option(help="jsonl or parquet.")] = "parquet",
    layout: Annotated[
        str, typer.Option(help="strict (the trainer's columns) or rich (with meta_ columns).")
    ] = "strict",
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset; the profile's when left out.")
    ] = None,
    per_group: Annotated[
        int, typer.Option(min=0, help="Reports of one group of duplicates at most; 0 for all.")
    ] = 1,
    version: Annotated[str | None, typer.Option(help="Version; the next free one when left out.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a labelled dataset; refused rows are counted by reason."""
    params = {
        "profile": profile,
        "format": format,
        "out": str(out_dir.resolve()),
        "layout": layout,
        "name": name,
        "version": version,
        "per_group": per_group,
    }
    run("export", params, store, as_json, print_pairs)
