"""Commands for advisories: advisories open, tell, list, show, withdraw, close."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs, print_rows

advisories_app = typer.Typer(no_args_is_help=True, help="What is told to peers about a flaw.")
app.add_typer(advisories_app, name="advisories")

Advisory = Annotated[int, typer.Argument(help="The number of the advisory.")]


@advisories_app.command("open")
def open_advisory(
    report: Annotated[str, typer.Argument(help="Id or external id.")],
    title: Annotated[str, typer.Option(help="What peers read first, in words of your own.")],
    note: Annotated[
        str, typer.Option(help="Why it concerns others, where the assessment does not say.")
    ] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open an advisory about the flaw of a report. Nobody is told yet."""
    run("advisories.open", {"report": report, "title": title, "note": note}, store, as_json, print_pairs)


@advisories_app.command()
def tell(
    advisory: Advisory,
    peer: Annotated[list[str], typer.Argument(help="Name or number; several at once.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let peers read title, kind of harm, TLP label and end of the embargo."""
    run("advisories.tell", {"advisory": advisory, "peers": peer}, store, as_json, print_pairs)


@advisories_app.command("list")
def list_advisories(
    closed: Annotated[bool, typer.Option("--closed", help="The closed ones instead.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The open advisories, the newest first."""
    run("advisories.list", {"closed": closed}, store, as_json, print_rows)


@advisories_app.command()
def show(advisory: Advisory, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """One advisory with what each peer has accepted, read and answered."""
    run("advisories.show", {"advisory": advisory}, store, as_json, print_pairs)


@advisories_app.command()
def withdraw(
    advisory: Advisory,
    peer: Annotated[str, typer.Argument(help="Name or number.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an advisory back from a peer that has not accepted its embargo."""
    run("advisories.withdraw", {"advisory": advisory, "peer": peer}, store, as_json, print_pairs)


@advisories_app.command()
def close(
    advisory: Advisory,
    reason: Annotated[str, typer.Option(help="For the desk; peers do not read it.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close an advisory: nothing more is handed out."""
    run("advisories.close", {"advisory": advisory, "reason": reason}, store, as_json, print_pairs)
