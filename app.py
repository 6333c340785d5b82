"""The ASGI root: dashboard, public form and HTTP intake from one process.

streamlit run app.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager

from triage_core import api, collector, runtime, settings
from triage_core.control import ControlServer
from triage_core.demo import load_demo
from triage_core.desk_pages import OnlyPages
from triage_core.errors import FlawdeskError
from triage_core.middleware import Guard, require_loopback


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open the store before the first request, close it after the last."""
    with ExitStack() as closing:
        try:
            _open(closing)
        except FlawdeskError as error:
            closing.close()
            print(f"error: {error}", file=sys.stderr, flush=True)
            os._exit(1)  # what is raised here would be printed with its trace and end with another status
        yield


def _open(closing: ExitStack) -> None:
    require_loopback(config.get_option("server.address"))
    opened = runtime.Runtime(settings.from_environment())
    closing.callback(opened.close)
    runtime.use(opened)
    closing.callback(runtime.use, None)
    closing.callback(ControlServer(opened).close)
    if opened.settings.demo:
        load_demo(opened)
    opened.worker.start(loaded=collector.settle)
    opened.notifier.start(runtime.SYSTEM)
    collector.settle()


# Streamlit serves the files under pages/ on their own until the dashboard has declared its pages once:
# a deep link as the first request would pass by identity and roles.
PagesManager.uses_pages_directory = False

# A file under pages/ is a page, and its name is its address (dashboard.py).
PAGES = {"/", *(f"/{page.stem}" for page in (Path(__file__).parent / "pages").glob("*.py"))}

app = st.App(
    "dashboard.py",
    routes=api.routes,
    middleware=[
        Middleware(
            Guard,
            public_paths=api.PUBLIC_PATHS,
            keyed_paths=api.KEYED_PATHS,
            front=lambda: runtime.current().settings.front,
        ),
        Middleware(OnlyPages, pages=PAGES | set(api.PUBLIC_PATHS)),
    ],
    lifespan=lifespan,
)
