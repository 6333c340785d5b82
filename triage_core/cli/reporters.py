"""Commands between a reviewer and a reporter: ask, move."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_pairs


@app.command()
def ask(
    report: Annotated[str, typer.Argument(help="Id or external id.")],
    text: Annotated[str, typer.Argument(help="The question; the reporter reads it with the tracking key.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the reporter something; a new report waits for the answer."""
    run("ask", {"report": report, "text": text}, store, as_json, print_pairs)


@app.command()
def move(
    report: Annotated[str, typer.Argument(help="Id or external id.")],
    trigger: Annotated[
        str, typer.Argument(help="finish_fix, deploy_fix, start_retest, pass_retest, defer ...")
    ],
    resolution: Annotated[
        str | None, typer.Option(help="Of a passed retest: resolved_fixed or resolved_mitigated.")
    ] = None,
    note: Annotated[str, typer.Option(help="The reason that the reporter can read.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a report on: a fix is ready, deployed, tested."""
    params = {"report": report, "trigger": trigger, "resolution": resolution, "note": note}
    run("move", params, store, as_json, print_pairs)
