"""Trends in a real browser: charts as PNG, numbers as CSV, the address as a link, the month as a printed file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.architecture.test_theme import BODY_TEXT, contrast
from tests.browser import Server, running_server, wait_until_settled

pytestmark = pytest.mark.browser

CHARTS = 10
OWNER = "role=Policy+owner"
# The SVG of the report of the month is wider than the paper when something does not fit.
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the demo reports."""
    with running_server(tmp_path_factory.mktemp("demo"), "--demo") as server:
        yield server


def whole(page: Page) -> None:
    """Wait for the page, and for the parts of it whose code the browser fetches when it first needs them."""
    wait_until_settled(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)


def drawn(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("heading", name="Agreement").wait_for()
    whole(page)


def test_an_empty_desk_says_what_to_do(server: Server, page: Page, screenshot: Callable[[str], None]) -> None:
    for name in ("trends", "gaps"):
        page.goto(f"{server.url}/{name}?{OWNER}")
        page.get_by_role("heading", name="No reports yet").wait_for()
        wait_until_settled(page)
        screenshot(f"{name}-empty")


def test_a_chart_is_saved_as_a_picture(demo: Server, page: Page, screenshot: Callable[[str], None]) -> None:
    drawn(page, f"{demo.url}/trends?{OWNER}&period=26+weeks&by=Severity")
    charts = page.get_by_test_id("stPlotlyChart")
    assert charts.count() >= CHARTS - 2  # those without a number draw nothing
    screenshot("trends-1440")
    charts.first.hover()
    with page.expect_download() as saved:
        charts.first.locator(".modebar-btn").first.click()
    assert saved.value.suggested_filename == "volume-severity.png"
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG\r\n")


def test_numbers_are_saved_as_csv_and_the_address_is_a_link(demo: Server, page: Page) -> None:
    drawn(page, f"{demo.url}/trends?{OWNER}&period=26+weeks")
    page.get_by_test_id("stExpander").filter(has_text="Numbers").first.click()
    button = page.get_by_role("button", name="CSV").first
    button.wait_for()
    wait_until_settled(page)
    with page.expect_download() as saved:
        button.click()
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert lines[0] == "Week of,Waiting for a decision,Being worked on,Closed"
    assert len(lines) == 1 + 26
    page.get_by_role("radio", name="A year").click()
    page.wait_for_url(re.compile(r"period=A[+%]"))
    reports = page.get_by_test_id("stMetricValue").first.inner_text()
    drawn(page, page.url)
    assert page.get_by_test_id("stMetricValue").first.inner_text() == reports


def test_the_report_of_the_month_fits_the_paper(
    demo: Server, page: Page, screenshot: Callable[[str], None]
) -> None:
    drawn(page, f"{demo.url}/trends?{OWNER}")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as one HTML file").click()
    page.set_content(Path(saved.value.path()).read_text("utf-8"))
    screenshot("month")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 643, "height": 900})  # A4 between its margins, in CSS pixels
    assert page.evaluate(FITS)
    screenshot("month-print")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 5


def test_every_screen_of_the_owner_stands_in_the_bar_of_a_laptop(demo: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{demo.url}/gaps?{OWNER}")
    page.get_by_role("heading", name="Guidance gaps").wait_for()
    bar = page.get_by_test_id("stTopNav")
    expect(bar.get_by_role("link", name="Datasets")).to_be_visible()
    expect(bar.get_by_text(re.compile(r"^\d+ more$"))).to_have_count(0)


def test_what_is_chosen_can_be_read_in_the_dark(demo: Server, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{demo.url}/trends?{OWNER}")
    chosen = page.get_by_role("radio", name="13 weeks")
    expect(chosen).to_be_checked()
    expect(chosen).to_have_css("color", "rgb(134, 180, 238)")
    assert contrast("#86b4ee", "#16212e") > BODY_TEXT  # on a tenth of the primary colour


def test_every_page_of_the_owner_in_the_dark_on_a_small_screen(
    demo: Server, page: Page, screenshot: Callable[[str], None]
) -> None:
    places = {"trends": "Agreement", "gaps": "How suggestions do", "guidance": "In scope"}
    for width, scheme in ((1440, "light"), (900, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        for name, heading in places.items():
            page.goto(f"{demo.url}/{name}?{OWNER}")
            page.get_by_role("heading", name=heading).first.wait_for()
            whole(page)
            screenshot(f"{name}-{width}-{scheme}")
            main = page.get_by_test_id("stMain")
            assert main.evaluate("it => it.scrollWidth <= it.clientWidth"), "nothing is cut off at the side"
