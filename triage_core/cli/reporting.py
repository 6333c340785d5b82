"""The command for the monthly report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs


@app.command()
def report(
    file: Annotated[
        Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="The HTML file to write.")
    ],
    month: Annotated[str, typer.Option(help="Like 2026-10; the present month unless given.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a month as one HTML file, for people who do not log in; it prints well."""

    def draw(result: Any) -> None:
        named = {name: result[name] for name in ("month", "out")}
        print_pairs(named | {name: result["figures"][name] for name in ("reports", "open", "known")})

    run("report", {"month": month, "out": str(file.resolve())}, store, as_json, draw)
