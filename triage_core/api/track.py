"""The page at /track: a reporter follows the own report, answers, writes, agrees on an embargo, takes it back.

The tracking key is sent in the body of each request and never stands in an address; there are no
cookies. An unknown key and a wrong one get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from triage_core import runtime
from triage_core.api.base import HttpError, body_of, form_values, http_error, page
from triage_core.api.callers import find, limit_lookups
from triage_core.api.reports import MAX_TRACKING_KEY, look_up
from triage_core.channel import messages, reporter, tracking
from triage_core.channel.messages import Kind
from triage_core.channel.tracking import Tracked
from triage_core.disclosure import disclosure
from triage_core.disclosure.disclosure import ByKey
from triage_core.disclosure.embargo_machine import ExitReason
from triage_core.errors import NotFound, Refused, StoreError
from triage_core.outgoing.delivery import is_address
from triage_core.runtime import Runtime

MAX_BODY = 50_000
UNKNOWN = "There is no report with this key. Look at your receipt: a key is 32 characters long."
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_PLACES = {"text": "text", "end": "end", "embargo_end": "end"}
_TITLES = {"key": "Tracking key", "text": "Your message", "end": "It should end at"}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the page sent: the key, what to do, and what was typed; `seen` is the embargo's version on the page."""

    key: str = ""
    do: str = ""
    text: str = ""
    end: str = ""
    seen: str = ""

    @classmethod
    def of(cls, values: Mapping[str, list[str]]) -> _Sent:
        def one(name: str) -> str:
            return (values.get(name) or [""])[0]

        text = one("text").replace("\r\n", "\n")
        return cls(one("key").strip()[:MAX_TRACKING_KEY], one("do"), text, one("end").strip(), one("seen"))

    @property
    def chosen_end(self) -> datetime:
        """The end in UTC that was typed; raises Refused for anything else."""
        try:
            if not _LOCAL.fullmatch(self.end):
                raise ValueError(self.end)
            return datetime.fromisoformat(self.end).replace(tzinfo=UTC)
        except ValueError as error:
            raise Refused("end", "must be a date and an hour that exist") from error

    @property
    def version(self) -> int | None:
        return int(self.seen) if self.seen.isascii() and self.seen.isdigit() and len(self.seen) < 10 else None


def _write(opened: Runtime, report_id: str, sent: _Sent) -> str:
    messages.answer(opened.store, report_id, sent.text)
    return "written"


def _ask_to_withdraw(opened: Runtime, report_id: str, sent: _Sent) -> str:
    return "asked"


def _withdraw(opened: Runtime, report_id: str, sent: _Sent) -> str:
    reporter.withdraw(opened.store, report_id)
    return "withdrawn"


def _end_training(opened: Runtime, report_id: str, sent: _Sent) -> str:
    reporter.end_training(opened.store, report_id)
    return "agreed"


def _end_sharing(opened: Runtime, report_id: str, sent: _Sent) -> str:
    reporter.end_sharing(opened.store, report_id)
    return "agreed"


def _choose(off: Kind, wanted: bool) -> Callable[[Runtime, str, _Sent], str]:
    def act(opened: Runtime, report_id: str, sent: _Sent) -> str:
        reporter.choose(opened.store, report_id, off, wanted)
        return "chosen"

    return act


def _accept(opened: Runtime, report_id: str, sent: _Sent) -> str:
    disclosure.accept(opened.store, ByKey(sent.key), report_id, seen_version=sent.version)
    return "embargo"


def _reject(opened: Runtime, report_id: str, sent: _Sent) -> str:
    disclosure.reject(opened.store, ByKey(sent.key), report_id, seen_version=sent.version)
    return "embargo"


def _propose(opened: Runtime, report_id: str, sent: _Sent) -> str:
    who, end = ByKey(sent.key), sent.chosen_end
    disclosure.propose(opened.store, opened.policy, who, report_id, end, seen_version=sent.version)
    return "embargo"


def _ask_to_end(opened: Runtime, report_id: str, sent: _Sent) -> str:
    return "ending"


def _end(opened: Runtime, report_id: str, sent: _Sent) -> str:
    who = ByKey(sent.key)
    disclosure.terminate(opened.store, who, report_id, ExitReason.PUBLIC, seen_version=sent.version)
    return "embargo"


def _release(opened: Runtime, report_id: str, sent: _Sent) -> str:
    disclosure.release(opened.store, ByKey(sent.key), report_id, seen_version=sent.version)
    return "embargo"


_ACTS: Mapping[str, Callable[[Runtime, str, _Sent], str]] = MappingProxyType(
    {
        "write": _write,
        "withdraw": _ask_to_withdraw,
        "confirm": _withdraw,
        "end_training": _end_training,
        "end_sharing": _end_sharing,
        "mail_off": _choose(Kind.MAIL_OFF, wanted=False),
        "mail_on": _choose(Kind.MAIL_OFF, wanted=True),
        "name_off": _choose(Kind.NAME_OFF, wanted=False),
        "name_on": _choose(Kind.NAME_OFF, wanted=True),
        "accept": _accept,
        "reject": _reject,
        "propose": _propose,
        "public": _ask_to_end,
        "end": _end,
        "release": _release,
    }
)
"""What the page's buttons do; each gives the name of what was done. Any other only shows the report."""


async def key_form(request: Request) -> Response:
    """Asks for the key."""
    return page("track.html", error=None, wrong="", named="")


async def post_track(request: Request) -> Response:
    """The report of the key, after what was asked for was done."""
    sent = _Sent()
    try:
        await find(request)  # refuses the page of another site
        limit_lookups(request)
        sent = _Sent.of(form_values(await body_of(request, MAX_BODY)))
        found, done = await run_in_threadpool(_do, sent)
        return _tracked(found, sent.key, done)
    except HttpError as error:
        wrong = error
    except NotFound:
        return page(
            "track.html", 404, error=HttpError(404, "key", UNKNOWN), wrong="key", named=_TITLES["key"]
        )
    except Refused as refused:
        wrong = http_error(refused)
        if (seen := await run_in_threadpool(look_up, sent.key)) is not None:
            return _tracked(seen, sent.key, "", wrong, sent)
    except StoreError:
        wrong = HttpError(503, "server", "cannot store anything now; please try again later")
    return page("track.html", wrong.status, error=wrong, wrong="", named="")


routes = [
    Route("/track", key_form, methods=["GET"]),
    Route("/track", post_track, methods=["POST"]),
]


def _tracked(
    found: Tracked, key: str, done: str, error: HttpError | None = None, sent: _Sent | None = None
) -> Response:
    kept = sent or _Sent()
    wrong = _PLACES.get(error.field, "") if error else ""
    return page(
        "tracked.html",
        error.status if error else 200,
        found=found,
        key=key,
        done=done,
        error=error,
        wrong=wrong,
        named=_TITLES.get(wrong, ""),
        text=kept.text,
        end=kept.end,
        mailed=runtime.current().settings.smtp is not None and is_address(found.contact),
    )


def _do(sent: _Sent) -> tuple[Tracked, str]:
    """Do it; gives the report as it is then, and what was done ("" for a look). Raises NotFound."""
    opened = runtime.current()
    opened.committer.settle()  # a key may be younger than the last commit
    with opened.store.read() as cursor:
        report_id = tracking.find(cursor, sent.key)
    if report_id is None:
        raise NotFound("key", UNKNOWN)
    act = _ACTS.get(sent.do)
    done = act(opened, report_id, sent) if act else ""
    found = look_up(sent.key)
    assert found is not None, "the key was found a moment ago, and none is ever deleted"
    return found, done
