"""Archives of datasets, packed while they are sent: for the links that the Datasets page gives out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from triage_core import runtime
from triage_core.errors import NotFound
from triage_core.exporters import catalog

RUN_OUT = "This link has run out, or is none of ours. Open Datasets again and take a new one."


async def dataset(request: Request) -> Response:
    name, version = request.path_params["name"], request.path_params["version"]
    opened = runtime.current()
    ticket = request.query_params.get("ticket", "")
    if not opened.tickets.holds(catalog.subject(name, version), ticket, opened.store.clock()):
        return PlainTextResponse(RUN_OUT, status_code=403)

    def pack() -> Response:
        with opened.store.read() as cursor:
            built = catalog.one(cursor, name, version)
        headers = {"Content-Disposition": f'attachment; filename="{name}-{version}.zip"'}
        return StreamingResponse(built.archive(), media_type="application/zip", headers=headers)

    try:
        return await run_in_threadpool(pack)
    except NotFound as error:
        return PlainTextResponse(str(error), status_code=404)


routes = [Route("/download/datasets/{name}/{version}", dataset, methods=["GET"])]
