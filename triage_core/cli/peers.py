"""Commands for peers: peers add, list, end."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs, print_rows

peers_app = typer.Typer(no_args_is_help=True, help="Companies that advisories are told to.")
app.add_typer(peers_app, name="peers")


@peers_app.command()
def add(
    name: Annotated[str, typer.Argument(help="The company, as the desk calls it.")],
    email: Annotated[str, typer.Option(help="Where it hears that there is an advisory.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a peer. Its access key is shown once."""
    run("peers.add", {"name": name, "email": email}, store, as_json, print_pairs)


@peers_app.command("list")
def list_peers(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every peer with its address and dates; never the key itself."""
    run("peers.list", {}, store, as_json, print_rows)


@peers_app.command()
def end(
    peer: Annotated[str, typer.Argument(help="Name or number.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a peer and its key at once; what it was told and answered stays."""
    run("peers.end", {"peer": peer}, store, as_json, print_pairs)
