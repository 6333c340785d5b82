"""Imports a file and prints, after each commit, how many lines are acknowledged; to be killed by a test."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.making import open_runtime
from triage_core.operations import Emit, imports

if __name__ == "__main__":
    imports.BATCH = 10
    opened = open_runtime(Path(sys.argv[1]))
    emit = Emit(progress=lambda done, total, what: print(done, flush=True))
    imports.import_files(opened, {"files": [sys.argv[2]]}, emit)
    opened.close()
    print("done", flush=True)
