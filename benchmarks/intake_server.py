"""The product's doors without its dashboard, for benchmarks.intake: routes, guard and store of the real server.

python -m benchmarks.intake_server STORE PORT
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from triage_core import api, collector, runtime
from triage_core.middleware import Guard
from triage_core.settings import Settings

if __name__ == "__main__":
    opened = runtime.Runtime(Settings(store=Path(sys.argv[1]), intake_per_second=0))
    runtime.use(opened)
    collector.settle()
    guard = Middleware(Guard, public_paths=api.PUBLIC_PATHS, keyed_paths=api.KEYED_PATHS)
    uvicorn.run(
        Starlette(routes=api.routes, middleware=[guard]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_level="warning",
    )
