"""The command that brings reports in: import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, one_of, run_import
from triage_core.importers import Format


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    format: Annotated[str, typer.Option(help=f"{', '.join(Format)}.")] = "auto",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read reports from JSON Lines, CSV or another tool's files; refused lines are named, the rest goes on."""
    one_of("--format", format, *Format)
    named = [os.path.abspath(path) for path in files]
    # A server would read its own: what a pipe or standard input holds is this process's alone.
    ours = any(name.startswith(("/dev/", "/proc/")) or not os.path.isfile(name) for name in named)
    run_import("import", {"files": named, "format": format}, store, as_json, alone=ours)
