"""GET /api/v1/health."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from triage_core import __version__, runtime


async def health(request: Request) -> Response:
    """Is the server up, and is the likeness worker keeping pace?"""
    opened = runtime.current()
    state = opened.worker.state
    return JSONResponse(
        {
            "status": "ok",
            "version": __version__,
            "policy_version": opened.policy.version,
            "worker": {
                "working": state.working,
                "done": state.done,
                "total": state.total,
                "failed": bool(state.error),
            },
        }
    )


routes = [Route("/api/v1/health", health, methods=["GET"])]
