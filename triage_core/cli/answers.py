"""Commands of better answers: import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run_import

answers_app = typer.Typer(no_args_is_help=True, help="What the model should have said.")
app.add_typer(answers_app, name="answers")


@answers_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON Lines.")],
    approve: Annotated[
        bool, typer.Option(help="Approve them at once, or let a second person do it on Answers.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read better answers, one a line: {"report" or "external_id", "answer", "turn"}; refused lines are named."""
    run_import("answers import", {"file": str(file.resolve()), "approve": approve}, store, as_json)
