"""The dashboard's addresses: what is none of them is not found, though Streamlit shows itself everywhere."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PARTS = ("/component/", "/media/")  # pages inside a page, and what it offers for download


class OnlyPages:
    """ASGI middleware: 404 where an address that is no page would be answered with one.

    Streamlit finds its pages in the browser and therefore answers any address with the dashboard and 200. The
    body stays, and tells a person who mistyped that there is no such page; the status tells a program.
    """

    def __init__(self, app: ASGIApp, pages: Collection[str]) -> None:
        """`pages` are the exact paths that are HTML, such as "/" and "/inbox"."""
        self._app = app
        self._pages = frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._pages or scope["path"].startswith(_PARTS):
            await self._app(scope, receive, send)
            return

        async def correct(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                kind = Headers(raw=message["headers"]).get("content-type", "")
                if kind.startswith("text/html"):
                    message["status"] = 404
            await send(message)

        await self._app(scope, receive, correct)
