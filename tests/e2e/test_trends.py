"""The screens of a policy owner in a real browser, on an empty desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import Server, wait_until_settled

pytestmark = pytest.mark.browser

OWNER = "role=Policy+owner"


def test_an_empty_desk_says_what_to_do(server: Server, page: Page, screenshot: Callable[[str], Path]) -> None:
    for name in ("trends", "gaps"):
        page.goto(f"{server.url}/{name}?{OWNER}")
        page.get_by_role("heading", name="No reports yet").wait_for()
        wait_until_settled(page)
        screenshot(f"{name}-empty")
