"""What is no page of the dashboard is not found; everything else is left as it is."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from triage_core.desk_pages import OnlyPages


async def everything(request: Request) -> Response:
    """Like Streamlit: the same page at every address, beside parts that are none."""
    if request.url.path.startswith("/_stcore/"):
        return JSONResponse({})
    return HTMLResponse("<p>the dashboard</p>", int(request.query_params.get("status", 200)))


@pytest.fixture
def client() -> TestClient:
    only = Middleware(OnlyPages, pages=("/", "/inbox"))
    return TestClient(Starlette(routes=[Route("/{path:path}", everything)], middleware=[only]))


@pytest.mark.parametrize(
    "path", ["/", "/inbox", "/inbox?role=Reviewer", "/_stcore/health", "/component/a/b", "/media/report.html"]
)
def test_what_there_is_is_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/wp-login.php", "/inbox/", "/inbox/x", "/Inbox", "/robots.txt", "/start"])
def test_what_there_is_not_is_not_found_and_says_so_in_the_browser(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (404, "<p>the dashboard</p>")


def test_another_answer_than_yes_stays(client: TestClient) -> None:
    assert client.get("/elsewhere?status=503").status_code == 503
