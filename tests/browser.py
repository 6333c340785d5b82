"""The product in a real browser: a server on a free port and the system's Chromium.

    @pytest.mark.browser
    def test_something(server: Server, page: Page) -> None:
        page.goto(server.url + "/inbox")
        ...

Every request that a page makes is recorded; when a test ends, one that left this machine fails it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, WebSocket, expect, sync_playwright

expect.set_options(timeout=30_000)  # milliseconds, as every other wait: a shared machine may be slow
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
REPOSITORY = Path(__file__).resolve().parents[1]
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
LOCAL_SCHEMES = {"about", "blob", "data"}
START_LIMIT_S = 90.0
STOP_LIMIT_S = 20.0
# Of one run of the tests, whose workers share it: the model as the first server exported it, for those after it.
MODELS = Path(
    tempfile.gettempdir(), f"flawdesk-models-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
)
atexit.register(shutil.rmtree, MODELS, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Server:
    """A running Flawdesk: its address, its store and the file that takes what it prints."""

    url: str
    store: Path
    log: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End the process at once, without giving it a chance to finish (SIGKILL)."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(store: Path, *options: str) -> Iterator[Server]:
    """Serve `store` on a free port until the block ends; `options` go to `serve` (for example "--demo").

    Yields when /api/v1/health answers. Raises AssertionError with what the server printed when it ends
    or stays silent instead. Only the process started here is ended.
    """
    store.mkdir(parents=True, exist_ok=True)
    _link_files(MODELS, store / "models")
    port = free_port()
    log = store / "serve.log"
    command = [
        sys.executable,
        "-m",
        "triage_core",
        "serve",
        "--port",
        str(port),
        "--store",
        str(store),
        *options,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        server = Server(f"http://127.0.0.1:{port}", store, log, process)
        try:
            _wait_until_healthy(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                server.kill()
            _link_files(store / "models", MODELS)


def _link_files(source: Path, target: Path) -> None:
    """What lies in one folder lies in the other, too; where there can be no links, a server exports its own."""
    for file in source.glob("*.*"):
        target.mkdir(exist_ok=True)
        with suppress(OSError):
            os.link(file, target / file.name)


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(server.url + "/api/v1/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    printed = server.log.read_text(errors="replace")[-4000:]
    raise AssertionError(f"the server did not become healthy; it printed:\n{printed}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on an empty store of its own, shared by the tests of one file."""
    with running_server(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless; gone before the next file, whose tests may want an event loop of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def leaves_this_machine(address: str) -> bool:
    """True when following `address` would reach another machine."""
    parts = urlsplit(address)
    return parts.scheme not in LOCAL_SCHEMES and parts.hostname not in LOCAL_HOSTS


class Traffic:
    """The addresses that the pages of a browser context asked for, web sockets included, in order."""

    def __init__(self, context: BrowserContext) -> None:
        self.requested: list[str] = []
        context.on("request", self._on_request)
        context.on("page", lambda page: page.on("websocket", self._on_websocket))

    def _on_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _on_websocket(self, websocket: WebSocket) -> None:
        self.requested.append(websocket.url)

    def assert_local(self) -> None:
        """Fail when any request left this machine, naming the addresses."""
        outside = sorted({address for address in self.requested if leaves_this_machine(address)})
        assert not outside, f"requests left this machine: {outside}"


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile at 1440 x 900; its traffic is checked when the test ends."""
    fresh = chromium.new_context(viewport={"width": 1440, "height": 900})
    traffic = Traffic(fresh)
    yield fresh
    fresh.close()
    traffic.assert_local()


@pytest.fixture
def traffic(context: BrowserContext) -> Traffic:
    """What the pages of the test's own profile ask for."""
    return Traffic(context)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A blank page of the test's own profile."""
    return context.new_page()


@pytest.fixture
def screenshot(page: Page) -> Callable[[str], None]:
    """`screenshot("inbox")` writes the whole page to a PNG in the folder that FLAWDESK_SCREENSHOTS names.

    Without that name nothing is written: a picture that nobody looks at costs a test a second.
    """
    folder = os.environ.get("FLAWDESK_SCREENSHOTS")

    def take(name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take


def wait_until_settled(page: Page) -> None:
    """Return when Streamlit has finished the run that is under way."""
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
