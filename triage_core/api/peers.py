"""The page at /peers: a company that was told of flaws accepts the embargo, reads the record, answers.

Like the tracking page: the key is sent in the body of each request and never stands in an address; there are no
cookies; an unknown key and one that was ended get the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from triage_core import exchange, runtime
from triage_core.advisories import answering
from triage_core.advisories.advisory import WHY_NO_RECORD
from triage_core.advisories.handing import Handed
from triage_core.api.advisories import MAX_BODY, MAX_KEY, document, number_of, seen_by
from triage_core.api.base import HttpError, body_of, form_values, http_error, page
from triage_core.api.callers import find, limit_lookups
from triage_core.channel.fields import Choice, Instant
from triage_core.errors import NotFound, Refused, StoreError
from triage_core.model import ProductStatus
from triage_core.runtime import Runtime

UNKNOWN = "There is no peer with this key, or not any more. It is 37 characters long and begins with peer_."
_TITLES = {"key": "Access key", "note": "Note", "status": "Your product", "format": "Format"}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the page sent: the key, what to do about which advisory, and what was chosen or typed."""

    key: str = ""
    do: str = ""
    advisory: str = ""
    end: str = ""
    status: str = ""
    note: str = ""
    format: str = ""

    @classmethod
    def of(cls, values: Mapping[str, list[str]]) -> _Sent:
        def one(name: str) -> str:
            return (values.get(name) or [""])[0]

        note = one("note").replace("\r\n", "\n").strip()
        key = one("key").strip()[:MAX_KEY]
        return cls(key, one("do"), one("advisory"), one("end"), one("status"), note, one("format"))

    @property
    def number(self) -> int:
        return number_of(self.advisory)


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done, in a word ("" for a look), and the record where one was handed out."""

    words: str = ""
    handed: Handed | None = None


def _accept(opened: Runtime, sent: _Sent) -> _Done:
    end: datetime = Instant().check(sent.end, "end")
    answering.accept(opened.store, sent.key, sent.number, end)
    return _Done("accepted")


def _decline(opened: Runtime, sent: _Sent) -> _Done:
    answering.decline(opened.store, sent.key, sent.number)
    return _Done("declined")


def _answer(opened: Runtime, sent: _Sent) -> _Done:
    status: ProductStatus = Choice(ProductStatus).check(sent.status, "status")  # type: ignore[assignment]
    answering.answer(opened.store, sent.key, sent.number, status, sent.note)
    return _Done("answered")


def _read(opened: Runtime, sent: _Sent) -> _Done:
    return _Done("read", answering.read(opened.store, sent.key, sent.number))


def _download(opened: Runtime, sent: _Sent) -> _Done:
    exchange.check(sent.format)  # before anything is handed out
    return _Done("downloaded", answering.read(opened.store, sent.key, sent.number))


_ACTS: Mapping[str, Callable[[Runtime, _Sent], _Done]] = MappingProxyType(
    {"accept": _accept, "decline": _decline, "answer": _answer, "read": _read, "download": _download}
)
"""What the page's buttons do. Any other only shows what the peer was told."""


async def key_form(request: Request) -> Response:
    """Asks for the key."""
    return page("peers.html", error=None, wrong="", named="")


async def post_peers(request: Request) -> Response:
    """What the peer was told, after what was asked for was done; or the record as a file."""
    sent = _Sent()
    try:
        await find(request)  # refuses the page of another site
        limit_lookups(request)
        sent = _Sent.of(form_values(await body_of(request, MAX_BODY)))
        return await run_in_threadpool(_do, sent)
    except HttpError as error:
        wrong = error
    except Refused as refused:
        wrong = http_error(refused)
        if wrong.field == "peer_key":
            unknown = HttpError(404, "key", UNKNOWN)
            return page("peers.html", 404, error=unknown, wrong="key", named=_TITLES["key"])
        try:
            return await run_in_threadpool(_shown, sent, _Done(), wrong)
        except NotFound:  # what was sent was no form at all
            pass
    except StoreError:
        wrong = HttpError(503, "server", "cannot store anything now; please try again later")
    return page("peers.html", wrong.status, error=wrong, wrong="", named="")


routes = [
    Route("/peers", key_form, methods=["GET"]),
    Route("/peers", post_peers, methods=["POST"]),
]


def _do(sent: _Sent) -> Response:
    act = _ACTS.get(sent.do)
    done = act(runtime.current(), sent) if act else _Done()
    if done.handed and sent.do == "download":
        return document(done.handed, sent.format)
    return _shown(sent, done)


def _shown(sent: _Sent, done: _Done, error: HttpError | None = None) -> Response:
    peer, told = seen_by(sent.key)
    wrong = error.field if error and error.field in _TITLES else ""
    number = sent.number
    return page(
        "told.html",
        error.status if error else 200,
        peer=peer,
        told=told,
        key=sent.key,
        done=done,
        number=number,
        error=error,
        wrong=f"{wrong}-{number}" if wrong else "",
        named=_TITLES.get(wrong, ""),
        sent=sent,
        why=WHY_NO_RECORD,
        statuses=list(ProductStatus),
        formats=list(exchange.FORMATS),
    )
