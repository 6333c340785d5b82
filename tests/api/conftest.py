"""The HTTP doors over a store of their own, without a socket and without limits of rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from tests.making import EVERYBODY, Clock, open_runtime
from triage_core import api, runtime
from triage_core.channel import apikeys
from triage_core.channel.limits import Limits, TokenBucket
from triage_core.middleware import Guard

SHOP = "https://shop.example"


def unlimited() -> Limits:
    return Limits(*(TokenBucket(1e9, 1e9) for _ in range(5)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def application(tmp_path: Path, clock: Clock) -> Iterator[Starlette]:
    opened = open_runtime(tmp_path, clock)
    opened.limits = unlimited()
    runtime.use(opened)
    guard = Middleware(
        Guard,
        public_paths=api.PUBLIC_PATHS,
        keyed_paths=api.KEYED_PATHS,
        front=lambda: opened.settings.front,
    )
    yield Starlette(routes=api.routes, middleware=[guard])
    runtime.use(None)
    opened.close()


@pytest.fixture
def client(application: Starlette) -> Iterator[TestClient]:
    with TestClient(application, base_url="http://localhost") as made:
        yield made


@pytest.fixture
def key(client: TestClient) -> str:
    """The key of a product whose website is SHOP."""
    return apikeys.add(runtime.current().store, EVERYBODY, "Kite Travel", [SHOP], 600)[1]
