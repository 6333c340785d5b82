"""`python -m triage_core`."""

from triage_core.cli import main

main()
