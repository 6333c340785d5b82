"""The command line: `python -m triage_core COMMAND`. Parses, asks one operation, prints.

With --json, stdout holds the result as JSON and nothing else. Exit status: 0 done, 1 refused input
or a fault of the installation, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

from rich.text import Text

from triage_core import __version__
from triage_core.cli import (  # noqa: F401  # each adds its commands
    advisories,
    answers,
    clusters,
    datasets,
    desk,
    imports,
    installation,
    keys,
    likeness,
    notify,
    peers,
    policy,
    reporters,
    reporting,
    rewards,
)
from triage_core.cli.base import app
from triage_core.cli.output import err
from triage_core.errors import FlawdeskError, Refused
from triage_core.text import reveal


def main() -> None:
    """Run the command line and exit with its status."""
    if isinstance(sys.stdout, TextIOWrapper):  # a table may hold what the terminal's encoding has not
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=True)
    except Refused as error:
        _end(f"refused: {error}", 1)
    except (FlawdeskError, OSError) as error:
        _end(f"error: {error}", 1)
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # what Ctrl+C becomes within a query of DuckDB
            raise
        _end("Aborted.", 130)


def _end(message: str, status: int) -> None:
    """Say why on one line of stderr, however long, so that a script can look for it; exit."""
    err.print(Text(reveal(message), style="red"), soft_wrap=True)
    sys.exit(status)


@app.callback(help=f"Flawdesk {__version__}: reports of AI flaws, from the button to the training set.")
def _root() -> None: ...
