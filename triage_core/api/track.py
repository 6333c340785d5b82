"""The page at /track: a reporter follows the own report, answers, writes, takes it back.

The tracking key is sent in the body of each request and never stands in an address; there are no
cookies. An unknown key and a wrong one get the same answer.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from triage_core import messages, reporter, runtime, tracking
from triage_core.api.base import HttpError, body_of, form_values, http_error, page
from triage_core.api.callers import find, limit_lookups
from triage_core.errors import NotFound, Refused, StoreError
from triage_core.tracking import Tracked

MAX_BODY = 50_000
MAX_KEY = 200
UNKNOWN = "There is no report with this key. Look at your receipt: a key is 32 characters long."


async def key_form(request: Request) -> Response:
    """Asks for the key."""
    return page("track.html", found=None, error=None, wrong="")


async def post_track(request: Request) -> Response:
    """The report of the key, after what was asked for (`do`: show, write, withdraw, confirm) was done."""
    key, text, found = "", "", None
    try:
        await find(request)  # refuses the page of another site
        limit_lookups(request)
        values = form_values(await body_of(request, MAX_BODY))
        key = (values.get("key") or [""])[0].strip()[:MAX_KEY]
        text = (values.get("text") or [""])[0].replace("\r\n", "\n")
        do = (values.get("do") or ["show"])[0]
        found, done = await run_in_threadpool(_do, key, do, text)
        return page("tracked.html", found=found, key=key, done=done, error=None, wrong="", text="")
    except HttpError as error:
        wrong = error
    except NotFound:
        return page("track.html", 404, found=None, error=HttpError(404, "Tracking key", UNKNOWN), wrong="key")
    except Refused as refused:
        wrong = http_error(refused)
        found = await run_in_threadpool(_show, key)
    except StoreError:
        wrong = HttpError(503, "server", "cannot store anything now; please try again later")
    if found is None:
        return page("track.html", wrong.status, found=None, error=wrong, wrong="")
    place = "text" if wrong.field == "text" else ""
    return page(
        "tracked.html", wrong.status, found=found, key=key, done="", error=wrong, wrong=place, text=text
    )


routes = [
    Route("/track", key_form, methods=["GET"]),
    Route("/track", post_track, methods=["POST"]),
]


def _do(key: str, do: str, text: str) -> tuple[Tracked, str]:
    """Do it; gives the report as it is then, and what was done ("" for a look). Raises NotFound."""
    opened = runtime.current()
    with opened.store.read() as cursor:
        report_id = tracking.find(cursor, key)
    if report_id is None:
        raise NotFound("key", UNKNOWN)
    done = ""
    if do == "write":
        messages.answer(opened.store, report_id, text)
        done = "written"
    elif do == "withdraw":
        done = "asked"
    elif do == "confirm":
        reporter.withdraw(opened.store, report_id)
        done = "withdrawn"
    found = _show(key)
    assert found is not None, "the key was found a moment ago, and none is ever deleted"
    return found, done


def _show(key: str) -> Tracked | None:
    opened = runtime.current()
    with opened.store.read() as cursor:
        report_id = tracking.find(cursor, key)
        return tracking.view(cursor, report_id, opened.store.clock()) if report_id else None
