"""Commands of the installation: stats, verify, backup, serve."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run, settings_for
from triage_core.cli.output import print_pairs


@app.command()
def stats(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """How much the store holds."""
    run("stats", {}, store, as_json, print_pairs)


@app.command()
def verify(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check that everything is there and as it was: chain, anchor, reports, decisions, embargoes, rewards."""
    run("verify", {}, store, as_json, print_pairs, begins=False)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, best on another disk.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the store into a new folder, also while a server holds it, and check the copy: else it is none."""
    run("backup", {"folder": os.path.abspath(folder)}, store, as_json, print_pairs, begins=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Loopback only until sign-in exists.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    demo: Annotated[bool, typer.Option(help="Load the demo reports into an empty store.")] = False,
    public_url: Annotated[
        str,
        typer.Option(help="Where reporters reach it through a proxy, like https://flaws.example.org."),
    ] = "",
    store: StoreOption = None,
) -> None:
    """Serve dashboard, report form and API at http://HOST:PORT."""
    from triage_core import serving

    chosen = settings_for(store, demo)
    if public_url:
        chosen = replace(chosen, front=replace(chosen.front, address=public_url.rstrip("/")))
    serving.serve(chosen, host, port)
