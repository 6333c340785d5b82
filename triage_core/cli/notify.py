"""Commands for the messages that go out: notify status, send."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs

notify_app = typer.Typer(no_args_is_help=True, help="Digest, alerts and notices: the outbox.")
app.add_typer(notify_app, name="notify")


@notify_app.command()
def status(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """How many messages wait, were sent and were given up."""
    run("notify.status", {}, store, as_json, print_pairs)


@notify_app.command()
def send(
    failed: Annotated[bool, typer.Option(help="Try again what was given up, too.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One round: look for news and send what is due."""
    run("notify.send", {"failed": failed}, store, as_json, print_pairs)
