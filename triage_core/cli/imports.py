"""Commands that bring reports in: import, and presets list, delete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, one_of, run, run_import
from triage_core.cli.output import print_pairs, print_rows
from triage_core.importers import Format

presets_app = typer.Typer(
    no_args_is_help=True, help="Mappings of columns that were kept by import --save-preset."
)
app.add_typer(presets_app, name="presets")


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    format: Annotated[str, typer.Option(help=f"{', '.join(Format)}.")] = "auto",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column of a CSV or JSON Lines file holds a field, as in prompt=question; repeat for each.",
        ),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Map the columns as kept under this name.")] = None,
    save_preset: Annotated[
        str | None, typer.Option(help="Keep the mapping under this name, for the next file.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read reports from JSON Lines, CSV or another tool's files; refused lines are named, the rest goes on."""
    one_of("--format", format, *Format)
    if columns and preset is not None:
        raise typer.BadParameter("a preset has its own columns: give one of the two", param_hint="--map")
    if save_preset is not None and not columns:
        raise typer.BadParameter("say with --map what is to be kept", param_hint="--save-preset")
    named = [os.path.abspath(path) for path in files]
    # A server would read its own: what a pipe or standard input holds is this process's alone.
    ours = any(name.startswith(("/dev/", "/proc/")) or not os.path.isfile(name) for name in named)
    params = {"files": named, "format": format, "map": columns, "preset": preset, "save_preset": save_preset}
    run_import("import", params, store, as_json, alone=ours)


@presets_app.command("list")
def list_presets(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every preset with its mapping, who kept it and when."""
    run("presets.list", {}, store, as_json, print_rows)


@presets_app.command()
def delete(
    name: Annotated[str, typer.Argument(help="A preset.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a preset; what was imported by it stays."""
    run("presets.delete", {"name": name}, store, as_json, print_pairs)
