"""The command line: `python -m triage_core COMMAND`. Parses, asks one operation, prints.

With --json, stdout holds the result as JSON and nothing else. Exit status: 0 done, 1 refused input
or a fault of the installation, 2 wrong usage.
"""

from __future__ import annotations

import sys

from rich.text import Text

from triage_core import __version__
from triage_core.cli import (  # noqa: F401  # each adds its commands
    answers,
    clusters,
    datasets,
    desk,
    installation,
    keys,
    likeness,
    notify,
    policy,
    reporters,
    reporting,
)
from triage_core.cli.base import app
from triage_core.cli.output import err
from triage_core.errors import FlawdeskError, Refused
from triage_core.text import reveal


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        app(standalone_mode=True)
    except Refused as error:
        err.print(Text(f"refused: {reveal(str(error))}", style="red"))
        sys.exit(1)
    except FlawdeskError as error:
        err.print(Text(f"error: {reveal(str(error))}", style="red"))
        sys.exit(1)


@app.callback(help=f"Flawdesk {__version__}: reports of AI flaws, from the button to the training set.")
def _root() -> None: ...
