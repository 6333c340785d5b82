"""Commands for the keys of report buttons: keys add, list, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs, print_rows

keys_app = typer.Typer(no_args_is_help=True, help="Keys of report buttons, one a product.")
app.add_typer(keys_app, name="keys")


@keys_app.command()
def add(
    product: Annotated[str, typer.Argument(help="The product whose button or server sends with this key.")],
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="A website whose pages may use it, like https://www.example.org; repeat for several."
        ),
    ] = None,
    per_minute: Annotated[int, typer.Option(help="How many reports a minute it may send.")] = 60,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key. It is shown once."""
    params = {"product": product, "origins": origin or [], "per_minute": per_minute}
    run("keys.add", params, store, as_json, print_pairs)


@keys_app.command("list")
def list_keys(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every key with its product, origins, rate and dates; never the key itself."""
    run("keys.list", {}, store, as_json, print_rows)


@keys_app.command()
def revoke(key_id: int, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """End a key at once."""
    run("keys.revoke", {"key_id": key_id}, store, as_json, print_pairs)
