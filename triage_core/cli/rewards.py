"""The command for rewards: rewards."""

from __future__ import annotations

from triage_core.cli.base import JsonOption, StoreOption, app, run
from triage_core.cli.output import print_rows


@app.command("rewards")
def list_rewards(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What waits for a decision or its payment, and whose flaw was dismissed or lowered since."""
    run("rewards", {}, store, as_json, print_rows)
